"""What cards offer over HTTP: remove the order, order what is missing, name the reason; each with one click."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cds.engine.card import Suggestion
from cds.fhir.r4b import validate_resource
from cds.hooks.suggestions import Desk
from tests.hooks.bodies import (
    body,
    bundle,
    condition,
    draft,
    infusion,
    observation,
    request,
    searchset,
    whole_record,
)
from tests.response_checker import response_violations
from tests.running import Json, Running, running, settings_in

TODAY = datetime(2026, 2, 1, 12, tzinfo=UTC)
PAIN = condition("pain", "icd10cm|G89.29", "2024-05-01")
ORDER = infusion(
    id="draft-1",
    status="draft",
    authoredOn="2026-02-01",
    extension=[{"url": "https://ehr.example/slot", "valueInteger": 7}],
    note=[{"text": "Second cycle."}],
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"), clock=TODAY)) as service:
        yield service


def _card(service: Running, rule: str, order: Json, hook: str = "order-select", **found: Json) -> Json:
    """Return the card that a rule leads, for a patient of whom only this is on record."""
    keys = service.client.get("/cds-services").json()["services"][0]["prefetch"]
    context = {"draftOrders": bundle(order), "encounterId": "visit-7"}
    sent = request(hook, **context) | {"prefetch": whole_record(keys, **found)}
    answer = service.post(body(sent), f"ketamine-{hook}").json()
    assert [] == response_violations(answer)
    return next(card for card in answer["cards"] if card["extension"]["org.ketamine-cds"]["rules"][0] == rule)


def _actions(card: Json) -> list[Json]:
    return [suggestion["actions"][0] for suggestion in card.get("suggestions", [])]


def test_the_diagnosis_on_record_is_offered_as_the_reason_of_an_order_that_names_none(service: Running) -> None:
    """Everything else of the order is as the EHR sent it: extension, note, dosage, dates."""
    card = _card(service, "KETNOIND1", ORDER, conditions=searchset(PAIN))
    (action,) = _actions(card)
    reason = action["resource"].pop("reasonCode")

    assert ("update", ORDER) == (action["type"], action["resource"])
    assert [[{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G89.29"}]] == [one["coding"] for one in reason]


def test_an_order_that_is_not_valid_is_not_changed_and_the_card_says_why(service: Running) -> None:
    """The CDS Hooks Sandbox sends an object where a list belongs."""
    card = _card(service, "KETNOIND1", ORDER | {"category": {"text": "outpatient"}}, conditions=searchset(PAIN))

    assert [] == _actions(card)
    assert "not offered as a click, because the draft order as sent is not valid FHIR R4." in card["detail"]


def test_an_order_that_names_its_reason_is_not_given_it_again(service: Running) -> None:
    reason = {"reasonCode": [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G89.29"}]}]}

    assert [] == _actions(_card(service, "KETNOIND1", ORDER | reason, conditions=searchset(PAIN)))


def test_a_blood_pressure_that_forbids_it_offers_another_reading_or_to_remove_the_order(service: Running) -> None:
    pressure = _panel(196, 112)

    card = _card(service, "KETBPCRISIS1", ORDER, blood_pressure=searchset(pressure))
    create, delete = _actions(card)

    assert "critical" == card["indicator"]
    assert ("delete", "MedicationRequest/draft-1") == (delete["type"], delete["resourceId"])
    assert "create" == create["type"]
    assert ("Patient/amara", "Encounter/visit-7") == (
        create["resource"]["subject"]["reference"],
        create["resource"]["encounter"]["reference"],
    )
    assert "85354-9" == create["resource"]["code"]["coding"][0]["code"]


def test_what_is_missing_before_signing_is_offered_in_one_card(service: Running) -> None:
    card = _card(service, "KETMISSING1", ORDER, "order-sign", conditions=searchset(PAIN))

    codes = [action["resource"]["code"]["coding"][0]["code"] for action in _actions(card)]

    assert {"85354-9", "2106-3"} <= set(codes)


def test_an_order_for_a_treatment_can_be_given_its_reason_too(service: Running) -> None:
    treatment = {
        "resourceType": "ServiceRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/amara"},
        "code": {"text": "Ketamine infusion therapy"},
    }

    card = _card(
        service, "KETNOIND1", treatment, conditions=searchset(PAIN), medications=searchset(draft(status="completed"))
    )
    (action,) = _actions(card)

    assert ("update", "ServiceRequest") == (action["type"], action["resource"]["resourceType"])


def test_everything_that_a_rule_can_offer_to_order_is_a_valid_proposal(service: Running) -> None:
    """Each code has a display in its value set, so that a clinician sees what is ordered."""
    rules = [rule for rule in service.app.state.ports.knowledge.rules if rule.card]
    offers = [(text.label, text.order) for rule in rules for text in rule.card.suggestions if text.order]
    desk = Desk("amara", "visit-7", lambda resource: not validate_resource(resource))

    offered = desk.write([Suggestion(label, order=order) for label, order in offers], lambda: "uuid")

    assert len(offers) > 5
    assert (len(offers), ()) == (len(offered.suggestions), offered.left_out)
    assert [] == [order for _, order in offers if not order.display]


def _panel(systolic: int, diastolic: int) -> Json:
    """Return a blood pressure of today: one observation with two components."""
    parts = {"8480-6": systolic, "8462-4": diastolic}
    halves = [observation(code, f"loinc|{code}", "2026-02-01", value, "mm[Hg]") for code, value in parts.items()]
    panel = observation("bp", "loinc|85354-9", "2026-02-01", 0, "mm[Hg]")
    del panel["valueQuantity"]
    return panel | {"component": [{name: half[name] for name in ("code", "valueQuantity")} for half in halves]}
