"""When a record is opened, a clinician hears of an active ketamine order only what is critical and newer than it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cds.hooks.decode import decode
from tests.hooks.bodies import body, condition, infusion, request, searchset, whole_record
from tests.response_checker import outcome_violations, response_violations
from tests.running import Json, Running, running, settings_in

TODAY = datetime(2026, 2, 1, 12, tzinfo=UTC)
SERVICE = "ketamine-patient-view"
GLAUCOMA = condition("glaucoma", "icd10cm|H40.9", "2021-03-02")
PSYCHOSIS = condition("psychosis", "icd10cm|F29", "2026-01-31")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"), clock=TODAY)) as service:
        yield service


def _keys(service: Running) -> list[str]:
    offered = service.client.get("/cds-services").json()["services"]
    return next(list(one["prefetch"]) for one in offered if one["id"] == SERVICE)


def _view(service: Running, *medications: Json, conditions: tuple[Json, ...] = (), without: str = "") -> Json:
    found = {"medications": searchset(*medications), "conditions": searchset(*conditions)}
    prefetch = whole_record(_keys(service), **found)
    prefetch.pop(without, None)
    sent = request("patient-view", draftOrders=None, selections=None) | {"prefetch": prefetch}
    response = service.post(body(sent), SERVICE)
    answer: Json = response.json()
    assert [] == (response_violations(answer) if response.status_code == 200 else outcome_violations(answer))
    return answer


def _topics(answer: Json) -> list[str]:
    return [card["source"]["topic"]["code"] for card in answer["cards"]]


def test_without_an_active_ketamine_order_nothing_is_said(service: Running) -> None:
    """Worked case 46: glaucoma alone is no reason to speak."""
    answer = _view(service, conditions=(GLAUCOMA,))
    record = service.records()[0]

    assert {"cards": []} == answer
    assert "not-applicable" == record.envelope["outcome"]
    assert ["no active order for ketamine or esketamine is on record among 0 that were looked at"] == (
        record.section("request")["notes"]
    )


def test_a_psychosis_that_is_newer_than_the_order_is_said(service: Running) -> None:
    """Worked case 46: the order is 20 days old, the psychosis was recorded yesterday."""
    answer = _view(service, infusion(), conditions=(GLAUCOMA, PSYCHOSIS))

    assert ["KETPSYCHOSIS1C"] == _topics(answer)
    assert "cards" == service.records()[0].envelope["outcome"]


def test_an_order_that_is_signed_is_not_offered_for_removal_by_a_click(service: Running) -> None:
    (card,) = _view(service, infusion(), conditions=(PSYCHOSIS,))["cards"]

    assert "suggestions" not in card


@pytest.mark.parametrize(
    "known",
    [
        condition("psychosis", "icd10cm|F29", "2026-01-12"),
        condition("psychosis", "icd10cm|F29", "2020-05-01"),
        condition("glaucoma", "icd10cm|H40.9", "2026-01-31"),
    ],
    ids=["recorded on the day of the order", "known long before", "new, and no critical reason"],
)
def test_what_was_known_when_the_order_was_signed_or_is_not_critical_stays_silent(
    service: Running, known: Json
) -> None:
    answer = _view(service, infusion(), conditions=(known,))

    assert [] == _topics(answer)
    assert "no-cards" == service.records()[0].envelope["outcome"]


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "completed"},
        {"status": "on-hold"},
        {"status": "draft"},
        {"intent": "plan"},
        {"doNotPerform": True},
        {"dosageInstruction": [{"text": "IV", "timing": {"repeat": {"boundsPeriod": {"end": "2026-01-20"}}}}]},
        {"medicationCodeableConcept": {"text": "ketorolac 30 mg"}},
        {"medicationCodeableConcept": {"text": "ketamine 10 % cream"}, "dosageInstruction": [{"text": "topical"}]},
    ],
    ids=str,
)
def test_an_order_that_is_not_running_or_not_about_the_drug_is_no_reason_to_speak(
    service: Running, changed: Json
) -> None:
    assert [] == _topics(_view(service, infusion(**changed), conditions=(PSYCHOSIS,)))


def test_two_active_orders_bring_one_card_for_one_fact(service: Running) -> None:
    second = infusion(id="second", authoredOn="2026-01-20")

    assert ["KETPSYCHOSIS1C"] == _topics(_view(service, infusion(), second, conditions=(PSYCHOSIS,)))


def test_what_could_not_be_checked_is_said_where_ketamine_is_running(service: Running) -> None:
    assert ["KETGAP0W"] == _topics(_view(service, infusion(), without="conditions"))


UNREAD = {
    "not sent": None,
    "an error": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]},
    "a first page only": searchset() | {"link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]},
    "somebody else's": searchset(infusion(subject={"reference": "Patient/boris"})),
}


@pytest.mark.parametrize("sent", UNREAD.values(), ids=UNREAD)
def test_without_the_whole_list_of_orders_it_is_not_said_that_all_is_well(service: Running, sent: Json | None) -> None:
    """An empty list of cards would read as "no ketamine is given, or nothing speaks against it"."""
    prefetch = whole_record(_keys(service)) | {"medications": sent}
    asked = request("patient-view", draftOrders=None, selections=None)
    asked["prefetch"] = {key: value for key, value in prefetch.items() if value is not None}

    response = service.post(body(asked), SERVICE)

    assert (412, "CDS-304") == (response.status_code, response.json()["issue"][0]["details"]["coding"][0]["code"])
    assert ["medications"] == [gap["source"] for gap in service.records()[0].section("request")["gaps"]]  # type: ignore[union-attr, index, call-overload]


def test_one_order_that_cannot_be_read_stands_in_the_record(service: Running) -> None:
    nameless = infusion(medicationCodeableConcept={})

    assert {"cards": []} == _view(service, nameless)
    assert "not all of them could be read" in str(service.records()[0].section("request")["notes"])


def test_an_active_order_of_a_patient_who_was_not_sent_is_refused(service: Running) -> None:
    answer = _view(service, infusion(), conditions=(PSYCHOSIS,), without="patient")

    assert "CDS-301" == answer["issue"][0]["details"]["coding"][0]["code"]


def test_the_request_of_a_patient_view_needs_no_draft_orders() -> None:
    decoded = decode(body(request("patient-view", draftOrders=None, selections=None)), "patient-view")

    assert (None, "amara") == (decoded.drafts, decoded.patient_id)
