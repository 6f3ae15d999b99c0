"""Requests as EHRs really write them, and what each is answered: read tolerantly, refused precisely, never guessed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cds.service.ports import nothing_earlier
from tests.response_checker import outcome_violations, response_violations
from tests.running import Running, running, settings_in

FIXTURES = Path(__file__).parents[2] / "fhir_fixtures" / "hooks"

COMPLETE = {"KETCRPS1I", "KETPAIN1W", "KETIOP1W"}
"""Complex regional pain syndrome, nothing tried before, and glaucoma of which no pressure is known."""

ANSWERED: dict[str, set[str]] = {
    "complete": COMPLETE,
    "complete-order-sign": COMPLETE | {"KETMONITOR1I", "KETMISSING1I"},
    "objects-where-lists-belong": COMPLETE | {"KETGAP0I"},  # its dose is in pills, which is no amount
    "no-selections": COMPLETE,
    "selections-of-nothing": COMPLETE,
    "patient-id-as-reference": COMPLETE,
    "codes-as-oids": COMPLETE,
    "medication-in-draft-orders": COMPLETE,
    "medication-only-in-prefetch": COMPLETE,
    "medication-contained": COMPLETE,
    "medication-by-display-only": COMPLETE,
    "infusion-as-service-request": COMPLETE,
    "epic-nothing-found": COMPLETE,
}
NOT_ABOUT_KETAMINE = ["no-medication-yet", "not-ketamine", "topical-ketamine"]
REFUSED = {
    "dstu2-order": (400, "CDS-217", "FHIR R4"),
    "order-for-another-patient": (400, "CDS-218", "another patient"),
    "another-patient": (400, "CDS-218", "another"),
    "no-draft-orders": (412, "CDS-302", "draftOrders"),
    "no-patient": (412, "CDS-301", "'patient'"),
    "patient-null": (412, "CDS-301", "'patient'"),
    "medication-unknown": (412, "CDS-303", "Medication/gone"),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Every request is that of a user who saw nothing before: nothing stays silent because of another test."""
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        service.app.state.ports = replace(service.app.state.ports, history=nothing_earlier)
        yield service


def _call(service: Running, name: str) -> tuple[int, dict[str, object]]:
    body = (FIXTURES / f"{name}.request.json").read_bytes()
    response = service.post(body, f"ketamine-{json.loads(body)['hook']}")
    answer = response.json()
    wrong = response_violations(answer) if response.status_code == 200 else outcome_violations(answer)
    assert [] == wrong
    return response.status_code, answer


def _topics(service: Running, name: str) -> set[str]:
    status, answer = _call(service, name)
    assert 200 == status
    return {card["source"]["topic"]["code"] for card in answer["cards"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ANSWERED)
def test_a_request_that_is_written_oddly_gets_the_cards_of_one_that_is_not(service: Running, name: str) -> None:
    assert ANSWERED[name] == _topics(service, name)


@pytest.mark.parametrize("name", NOT_ABOUT_KETAMINE)
def test_an_order_that_no_rule_is_about_gets_no_cards(service: Running, name: str) -> None:
    assert (200, {"cards": []}) == _call(service, name)


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_without_what_is_required_is_refused_by_name(service: Running, name: str) -> None:
    status, code, words = REFUSED[name]

    answered, answer = _call(service, name)
    issue = answer["issue"][0]  # type: ignore[index]

    assert (status, code) == (answered, issue["details"]["coding"][0]["code"])
    assert words in issue["diagnostics"]


UNKNOWN: dict[str, set[str]] = {
    "error-outcome-in-searchset": COMPLETE | {"KETGAP0W"},
    "next-page-not-read": COMPLETE | {"KETGAP0W"},
    "another-patients-condition": {"KETCRPS1I", "KETPAIN1W", "KETGAP0W"},
    "conditions-not-sent": {"KETGAP0W"},
    "one-unreadable-entry": {"KETCRPS1I", "KETPAIN1W", "KETPSYCHOSIS1C", "KETGAP0I"},
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_could_not_be_read_is_one_card_and_costs_no_other(service: Running, name: str) -> None:
    """The last has a psychosis and an entry that cannot be read: the psychosis is reported, the entry is named."""
    assert UNKNOWN[name] == _topics(service, name)


def test_a_null_is_an_empty_list_and_no_gap(service: Running) -> None:
    """The EHR says that it has no conditions: then no indication is documented, and nothing is left unchecked."""
    assert {"KETNOIND1W"} == _topics(service, "null-prefetch")


def test_a_single_entry_is_read_where_a_list_belongs(service: Running) -> None:
    assert {"KETNOIND1W", "KETIOP1W"} == _topics(service, "single-entry-without-list")


def test_every_request_of_the_fixtures_has_an_expected_answer() -> None:
    named = {*ANSWERED, *NOT_ABOUT_KETAMINE, *REFUSED, *UNKNOWN, "null-prefetch", "single-entry-without-list"}

    assert named == {path.name.removesuffix(".request.json") for path in FIXTURES.glob("*")}


SHARED = {
    "hl7-library-order-select-1": (200, 0),
    "hl7-library-order-select-2": (200, 0),
    "hl7-library-order-select-3": (400, "FHIR R4"),
    "hl7-library-order-sign-1": (200, 0),
    "hl7-library-order-sign-2": (200, 0),
    "hl7-library-order-sign-3": (400, "FHIR R4"),
    "hl7-library-patient-view-1": (412, "prefetch 'medications'"),
    "hl7-library-patient-view-2": (412, "prefetch 'medications'"),
    "hl7-spec3.0ballot-3-feedback": (200, None),
    "hl7-spec3.0ballot-4-feedback": (200, None),
    "legacy-feedback-sandbox-pr135": (200, None),
    "sandbox-live-feedback-accepted": (200, None),
    "sandbox-live-feedback-overridden-with-reason": (200, None),
    "sandbox-live-order-select-gabapentin": (200, 0),
    "sandbox-live-order-select-gabapentin-with-reason": (200, 0),
    "sandbox-live-order-select-ketamine-with-reason": (200, 3),
    "sandbox-live-order-select-no-medication": (200, 0),
    "sandbox-live-order-sign-ketamine": (200, 4),
    "sandbox-live-order-sign-ketamine-no-prefetch": (412, "prefetch 'patient'"),
    "sandbox-live-patient-view": (412, "prefetch 'medications'"),
}


@pytest.mark.parametrize("name", SHARED)
def test_the_collected_requests_of_real_clients_are_answered(service: Running, shared_folder: Path, name: str) -> None:
    """HL7's hook library, the ballot of 3.0, and what the CDS Hooks Sandbox sends when it is used."""
    body = (shared_folder / "protocol" / "requests" / f"{name}.json").read_bytes()
    path = f"ketamine-{json.loads(body).get('hook', 'order-select')}" + ("/feedback" if "feedback" in name else "")
    status, expected = SHARED[name]

    response = service.post(body, path)
    answer = response.json()

    assert status == response.status_code
    if expected is None:
        assert {} == answer
    elif isinstance(expected, int):
        assert [] == response_violations(answer)
        assert expected == len(answer["cards"])
    else:
        assert [] == outcome_violations(answer)
        assert expected in answer["issue"][0]["diagnostics"]
