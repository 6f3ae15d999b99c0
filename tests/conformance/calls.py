"""The calls with which the requirements are tried: one that is answered with every kind of card, and others."""

from datetime import UTC, datetime
from typing import Any

from tests.conformance.exchange import Exchange
from tests.hooks.bodies import bundle, condition, draft, infusion, observation, request, searchset, whole_record
from tests.running import Json

TODAY = datetime(2026, 2, 1, 12, tzinfo=UTC)
"""The time at which the service of these tests stands still."""

TAG = "<img src=x onerror=alert(1)> [a](https://evil.example) **b**"
"""What a diagnosis is called in a record that somebody tampered with."""

ORDER = infusion(id="draft-1", status="draft", authoredOn="2026-02-01")
BENZODIAZEPINE = draft(id="other", medicationCodeableConcept={"text": "ketorolac 30 mg"})
PSYCHOSIS = condition("psychosis", "icd10cm|F20.0", "2026-01-31")
PAIN = condition("pain", "icd10cm|G89.29", "2024-05-01")


def asked(exchange: Exchange, hook: str = "order-select", **found: Json) -> Json:
    """Return a call for ketamine, of a patient of whom only this is on record."""
    record = whole_record(exchange.prefetch_keys(), **found)
    return request(hook, draftOrders=bundle(ORDER), encounterId="visit-7") | {"prefetch": record}


def much_found(exchange: Exchange, hook: str = "order-select") -> Json:
    """Return a call that is answered with cards of all levels, and with suggestions of all kinds.

    The patient has pain, a psychosis, a crisis of blood pressure, and a diagnosis whose words are an attack.
    """
    named = condition("named", "icd10cm|F20.9", "2026-01-31")
    named["code"] = {"text": TAG, "coding": [{**named["code"]["coding"][0], "display": TAG}]}
    return asked(
        exchange,
        hook,
        conditions=searchset(PAIN, PSYCHOSIS, named),
        blood_pressure=searchset(_pressure(196, 112)),
    )


def nothing_to_say() -> Json:
    """Return a call that no rule is about."""
    return request(draftOrders=bundle(BENZODIAZEPINE), selections=[f"MedicationRequest/{BENZODIAZEPINE['id']}"])


def without_patient() -> Json:
    """Return a call whose Patient was not sent and cannot be read."""
    return request() | {"prefetch": {}}


def changed(sent: Json, **members: Any) -> Json:  # noqa: ANN401 - any JSON
    """Return a call with members of its context set, or taken out by None."""
    context = {name: value for name, value in (sent["context"] | members).items() if value is not None}
    return sent | {"context": context}


def _pressure(systolic: int, diastolic: int) -> Json:
    parts = {"8480-6": systolic, "8462-4": diastolic}
    halves = [observation(code, f"loinc|{code}", "2026-02-01", value, "mm[Hg]") for code, value in parts.items()]
    panel = observation("bp", "loinc|85354-9", "2026-02-01", 0, "mm[Hg]")
    del panel["valueQuantity"]
    return panel | {"component": [{name: half[name] for name in ("code", "valueQuantity")} for half in halves]}
