"""What a card offers can be taken: the next call carries it, and the cards change accordingly."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds.fhir.r4b import validate_resource
from cds.settings import Settings
from tests.conformance.calls import BENZODIAZEPINE, ORDER, PAIN, PSYCHOSIS
from tests.feedback.clinic import EYES, GLAUCOMA
from tests.feedback.ordering import SANDBOX_DRAFT, OrderEntry, Sandbox
from tests.hooks.bodies import body, draft, observation, request
from tests.response_checker import discovery_violations, response_violations
from tests.running import Json, Running, running, settings_in

TESTING = "order-ketamine-for-testing"
TODAY = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("service")
    with running(settings_in(folder, clock=TODAY, order_for_testing=True)) as service:
        yield service


def offer(cards: dict[str, Json], kind: str) -> Json:
    """Return the first suggestion of a kind of action."""
    offers = [one for card in cards.values() for one in card.get("suggestions", [])]
    found: Json = next(one for one in offers if one["actions"][0]["type"] == kind)
    return found


def kinds(cards: dict[str, Json]) -> set[str]:
    return {one["actions"][0]["type"] for card in cards.values() for one in card.get("suggestions", [])}


def crisis() -> Json:
    parts = {"8480-6": 196, "8462-4": 112}
    halves = [observation(code, f"loinc|{code}", "2026-02-01", value, "mm[Hg]") for code, value in parts.items()]
    panel = observation("bp", "loinc|85354-9", "2026-02-01", 0, "mm[Hg]")
    del panel["valueQuantity"]
    return panel | {"component": [{name: half[name] for name in ("code", "valueQuantity")} for half in halves]}


def test_an_order_that_is_removed_leaves_no_card(service: Running) -> None:
    entry = OrderEntry(service, [ORDER, BENZODIAZEPINE], {"blood_pressure": [crisis()]})
    entry.take(offer(entry.call(), "delete"))

    assert [BENZODIAZEPINE] == entry.drafts
    assert {} == entry.call()


def test_a_measurement_that_is_ordered_is_not_offered_again(service: Running) -> None:
    entry = OrderEntry(service, [ORDER], {"conditions": [GLAUCOMA]})
    before = entry.call()[EYES]["suggestions"]
    entry.take(before[0])
    after = entry.call()[EYES]["suggestions"]

    assert ["MedicationRequest", "ServiceRequest"] == [one["resourceType"] for one in entry.drafts]
    assert [before[1]["label"]] == [one["label"] for one in after]


def test_a_reason_that_is_added_is_the_orders_reason_and_is_not_offered_again(service: Running) -> None:
    entry = OrderEntry(service, [ORDER], {"conditions": [PAIN, PSYCHOSIS]})
    entry.take(offer(entry.call(), "update"))
    (order,) = entry.drafts

    assert ["G89.29"] == [coding["code"] for coding in order["reasonCode"][0]["coding"]]
    assert "update" not in kinds(entry.call())


def test_the_service_for_trying_out_is_offered_only_where_it_is_set(service: Running, tmp_path: Path) -> None:
    offered = service.client.get("/cds-services").json()
    with running(settings_in(tmp_path)) as plain:
        usual = plain.client.get("/cds-services").json()
        refused = plain.post(body(request()), TESTING)

    assert [] == discovery_violations(offered)
    assert [TESTING] == [one["id"] for one in offered["services"] if one not in usual["services"]]
    assert 404 == refused.status_code


def test_production_refuses_the_service_for_trying_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_ORDER_FOR_TESTING", "true")
    with pytest.raises(ValueError, match="CDS_ORDER_FOR_TESTING is refused"):
        Settings(profile="production", public_base_url="https://cds.example")


def test_the_orders_that_it_offers_are_valid_and_keep_the_drafts_id(service: Running) -> None:
    entry = OrderEntry(service, [SANDBOX_DRAFT])
    (card,) = entry.call(TESTING).values()
    resources = [one["actions"][0]["resource"] for one in card["suggestions"]]

    assert [] == response_violations({"cards": [card]})
    assert [{"update"}, {"request-123"}] == [
        {one["actions"][0]["type"] for one in card["suggestions"]},
        {resource["id"] for resource in resources},
    ]
    assert [(), ()] == [validate_resource(resource) for resource in resources]
    assert ["ketamine", "esketamine"] == [
        resource["medicationCodeableConcept"]["text"].lower() for resource in resources
    ]


def test_the_sandbox_comes_to_our_cards_by_that_suggestion_and_leaves_by_ours(service: Running) -> None:
    entry = Sandbox(service, [SANDBOX_DRAFT], {"conditions": [GLAUCOMA], "blood_pressure": [crisis()]})
    assert {} == entry.call()

    entry.take(entry.call(TESTING)["TESTORDER1I"]["suggestions"][0])
    cards = entry.call()
    assert EYES in cards
    assert {} == entry.call(TESTING)

    entry.take(offer(cards, "delete"))
    assert {} == entry.call()


def test_the_sandboxes_other_suggestions_change_nothing_there(service: Running) -> None:
    """It knows only the drug of its one order: what it does not carry, we do not see."""
    entry = Sandbox(service, [SANDBOX_DRAFT], {"conditions": [GLAUCOMA, PAIN]})
    entry.take(entry.call(TESTING)["TESTORDER1I"]["suggestions"][0])
    before = entry.call()
    entry.take(offer(before, "create"))

    assert set(before) == set(entry.call())


def test_a_reason_for_an_order_that_is_not_valid_is_said_in_words(service: Running) -> None:
    """The Sandbox writes category as an object: such an order cannot be given back as a whole resource."""
    order = draft(category={"coding": [{"code": "community"}]}, dosageInstruction=[{"text": "intravenous infusion"}])
    cards = OrderEntry(service, [order], {"conditions": [PAIN]}).call()

    assert "update" not in kinds(cards)
    assert any("because the draft order as sent is not valid FHIR R4" in card["detail"] for card in cards.values())


def test_what_was_offered_for_trying_out_is_recorded_and_its_feedback_taken(service: Running) -> None:
    entry = OrderEntry(service, [SANDBOX_DRAFT])
    (card,) = entry.call(TESTING).values()
    said = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-02-01T12:00:00Z"}
    answer = service.post(json.dumps({"feedback": [said]}).encode(), f"{TESTING}/feedback")

    assert 200 == answer.status_code
    assert card["uuid"].encode() in service.records()[0].sections["cards"]


def test_the_service_for_trying_out_refuses_what_is_no_order(service: Running) -> None:
    assert 400 == service.post(b"{}", TESTING).status_code


@pytest.mark.parametrize("name", ["no-medication", "gabapentin", "gabapentin-with-reason", "ketamine-with-reason"])
def test_the_sandboxes_own_calls_are_answered(service: Running, shared_folder: Path, name: str) -> None:
    sent = (shared_folder / "protocol" / "requests" / f"sandbox-live-order-select-{name}.json").read_bytes()
    ours, for_testing = service.post(sent), service.post(sent, TESTING)

    assert (200, 200) == (ours.status_code, for_testing.status_code)
    assert ("ketamine" in name) == bool(ours.json()["cards"])
    assert [] == response_violations(for_testing.json())
