"""No call costs much more than another, whatever it holds: one that is too much is refused or said to be incomplete."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cds.service.orders import MOST_ORDERS
from tests.fetch.calls import PSYCHOSIS, SERTRALINE, bundle_of, templates
from tests.fetch.conftest import TODAY
from tests.hooks.bodies import body, bundle, concept, condition, draft, infusion, observation, request, whole_record
from tests.running import Json, Running, running, settings_in

MOST_CPU_SECONDS = 6.0
"""Far above what is measured (at most about 2 s where tests run alone), far below what it once was (minutes)."""

Shape = Callable[[list[str]], Json]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service with a long deadline: what a call costs is judged here, and on a busy machine it takes longer."""
    with running(settings_in(tmp_path_factory.mktemp("service"), clock=TODAY, deadline_ms=20_000)) as service:
        yield service


def filled(**found: Json) -> Shape:
    """A call for one draft whose prefetch holds this."""
    return lambda keys: request("order-sign") | {"prefetch": whole_record(keys, **found)}


def drafted(*drafts: Json, **found: Json) -> Shape:
    """A call that signs these drafts."""
    context = {"selections": None, "draftOrders": bundle(*drafts)}
    return lambda keys: request("order-sign", **context) | {"prefetch": whole_record(keys, **found)}


def opened(*medications: Json) -> Shape:
    """A record is opened that holds these orders."""
    held = {"medications": bundle_of(*medications), "conditions": bundle_of(PSYCHOSIS)}
    context = {"selections": None, "draftOrders": None}
    return lambda keys: request("patient-view", **context) | {"prefetch": whole_record(keys, **held)}


def entries(number: int) -> Json:
    """A Bundle whose entries hold nothing."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{}] * number}


def diagnoses(number: int, **members: object) -> Json:
    """Equal diagnoses."""
    return bundle_of(*(condition(f"c{one}", "icd10cm|F20.0", "2025-01-01") | members for one in range(number)))


def orders(number: int) -> list[Json]:
    """Drafts for ketamine."""
    return [draft(id=f"d{one}") for one in range(number)]


BAD_VALUE = {"valueQuantity": {"value": 1, "comparator": "~"}}
_PRESSURE = observation("p", "loinc|8480-6", "2026-01-31", 184, "mm[Hg]") | BAD_VALUE
SHAPES: dict[str, tuple[Shape, int, str]] = {
    "100,000 empty entries": (filled(conditions=entries(100_000)), 200, "more than 20,000 entries"),
    "19,000 empty entries": (filled(conditions=entries(19_000)), 200, "more than 200 of its entries"),
    "5,000 without code": (filled(conditions=diagnoses(5_000, code=None)), 200, "more than 200 of its entries"),
    "5,000 unreadable": (filled(conditions=diagnoses(5_000, onsetDateTime={})), 200, "more than 200 of its entries"),
    "5,000 bad values": (
        filled(blood_pressure=bundle_of(*(_PRESSURE | {"id": f"p{one}"} for one in range(5_000)))),
        200,
        "more than 200 of its entries",
    ),
    "5,000 of others": (
        filled(conditions=diagnoses(5_000, subject={"reference": "Patient/other"})),
        200,
        "holds another patient's data",
    ),
    "5,000 diagnoses": (filled(conditions=diagnoses(5_000)), 200, ""),
    "50 drafts": (drafted(*orders(MOST_ORDERS)), 200, ""),
    "51 drafts": (drafted(*orders(MOST_ORDERS + 1)), 400, "There are 51 orders for ketamine or esketamine."),
    "50 drafts, a large record": (drafted(*orders(50), conditions=diagnoses(5_000)), 400, "a very large record"),
    "400 drafts for other drugs": (
        drafted(*orders(1), *(draft(id=f"s{one}", medicationCodeableConcept={"text": "x"}) for one in range(400))),
        200,
        "",
    ),
}  # fmt: skip
"""The call, the status of its answer, and what must stand there."""


@pytest.mark.parametrize("name", SHAPES)
def test_a_call_of_any_shape_leaves_time_for_the_others(service: Running, name: str) -> None:
    """One worker answers all EHRs: while it reckons, nobody else is answered."""
    shape, status, said = SHAPES[name]
    sent = shape(list(templates(service)))
    encoded = body(sent)

    started = time.process_time()
    response = service.post(encoded, f"ketamine-{sent['hook']}")
    seconds = time.process_time() - started

    assert status == response.status_code
    assert said in response.text
    assert seconds < MOST_CPU_SECONDS


def test_what_was_read_of_a_flooded_source_still_warns(service: Running) -> None:
    flood = diagnoses(500, onsetDateTime={})
    flood["entry"].append({"resource": PSYCHOSIS})
    sent = filled(conditions=flood)(list(templates(service)))

    response = service.post(body(sent), "ketamine-order-sign")

    topics = [card["source"]["topic"]["code"] for card in response.json()["cards"]]
    assert "KETPSYCHOSIS1C" in topics
    assert "Could not check" in response.text


def assessed(service: Running) -> list[str]:
    """The references of the orders that the last call was assessed for."""
    record: Any = service.records()[0]
    return [one["order"] for one in record.section("rules")["assessments"]]


def ongoing(number: int, year: int = 2026) -> list[Json]:
    """Active orders for ketamine on record."""
    return [infusion(id=f"i{year}-{one}", authoredOn=f"{year}-01-12") for one in range(number)]


def test_of_very_many_active_orders_the_newest_are_assessed_and_the_user_is_told(service: Running) -> None:
    """To refuse the call would hide the psychosis; to say nothing of the others would hide that they were left out."""
    sent = opened(*ongoing(30, 2025), *ongoing(MOST_ORDERS))(list(templates(service)))

    response = service.post(body(sent), "ketamine-patient-view")

    assert 200 == response.status_code
    assert "KETPSYCHOSIS1C" in [card["source"]["topic"]["code"] for card in response.json()["cards"]]
    assert "of 80 active orders for ketamine or esketamine only the newest 50 were assessed" in response.text
    assert MOST_ORDERS == len(assessed(service))
    assert {"MedicationRequest/i2026"} == {reference.partition("-")[0] for reference in assessed(service)}


def test_many_orders_of_another_drug_are_no_orders_to_assess(service: Running) -> None:
    others = [
        SERTRALINE | {"id": f"s{one}", "medicationCodeableConcept": concept("rxnorm|36437")} for one in range(200)
    ]
    sent = opened(*others, *ongoing(1))(list(templates(service)))

    response = service.post(body(sent), "ketamine-patient-view")

    assert (200, 1) == (response.status_code, len(assessed(service)))
