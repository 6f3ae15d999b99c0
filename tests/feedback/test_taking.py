"""Feedback over HTTP: every item is recorded once and for good, with its card, and nobody else's."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from cds.audit.queries import StoredRecord
from cds.errors import AuditError
from tests.feedback.clinic import EYES, NOON, Clinic, accepted, overridden
from tests.response_checker import outcome_violations
from tests.running import Json, Running, running, settings_in

CANARY = "canary-7391"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        yield service


@pytest.fixture
def clinic(service: Running) -> Clinic:
    return Clinic(service)


def codes(refused: httpx.Response) -> list[str]:
    answer: Json = refused.json()
    assert [] == outcome_violations(answer)
    return [issue["details"]["coding"][0]["code"] for issue in answer["issue"]]


def test_feedback_is_recorded_with_the_record_and_the_rules_of_its_card(clinic: Clinic) -> None:
    card = clinic.cards()[EYES]
    answer = clinic.say(overridden(card))
    record = clinic.feedback()[0]
    said = record.section("feedback")

    assert (200, {}) == (answer.status_code, answer.json())
    assert card["extension"]["org.ketamine-cds"]["record"] == record.envelope["about"]
    assert ("overridden", "development") == (record.envelope["outcome"], record.envelope["client"]["id"])  # type: ignore[index, call-overload]
    assert {"uuid": card["uuid"], "topic": EYES, "level": "warning", "rules": ["KETIOP1"]} == said["about"]
    assert [{"code": "data-outdated-or-wrong", "system": "urn:ketamine-cds:override"}] == said["reasons"]


def test_the_patient_of_feedback_is_that_of_its_card_by_pseudonym(clinic: Clinic, service: Running) -> None:
    clinic.say(overridden(clinic.cards()[EYES]))
    of_card = next(record for record in service.records() if record.envelope["type"] == "decision")

    assert of_card.envelope["subjectKey"] == clinic.feedback()[0].envelope["subjectKey"]


def test_an_envelope_repeats_nothing_that_a_client_or_a_clinician_wrote(clinic: Clinic) -> None:
    more: Json = {"extension": {CANARY: CANARY}, "overrideReason": {"userComment": CANARY}}
    clinic.say(overridden(clinic.cards()[EYES]) | more, overridden(CANARY, code=CANARY))
    records = clinic.feedback()[:2]

    assert [] == [record for record in records if CANARY in json.dumps(record.envelope)]
    assert 2 == sum(CANARY.encode() in record.sections["feedback"] for record in records)


def test_an_exact_repeat_is_acknowledged_and_adds_nothing(clinic: Clinic, service: Running) -> None:
    said = overridden(clinic.cards()[EYES])
    clinic.say(said)
    before = len(clinic.feedback()), len(service.records())
    again = [clinic.say(said), clinic.say(said, said)]

    assert [200, 200] == [answer.status_code for answer in again]
    assert before == (len(clinic.feedback()), len(service.records()))


def test_a_second_thought_is_recorded_beside_the_first(clinic: Clinic) -> None:
    card = clinic.cards()[EYES]
    before = len(clinic.feedback())
    clinic.say(overridden(card), accepted(card, when=NOON + timedelta(minutes=1)))

    assert 2 == len(clinic.feedback()) - before


def test_a_batch_is_about_the_cards_of_several_calls(clinic: Clinic, service: Running) -> None:
    other = Clinic(service)
    cards = [clinic.cards()[EYES], other.cards()[EYES]]
    clinic.say(*map(overridden, cards))

    assert {card["extension"]["org.ketamine-cds"]["record"] for card in cards} == {
        record.envelope["about"] for record in clinic.feedback()[:2]
    }


def test_bad_items_are_named_while_the_good_ones_are_stored(clinic: Clinic, service: Running) -> None:
    card = clinic.cards()[EYES]
    before = len(clinic.feedback())
    refused = clinic.say({"card": "a"}, overridden(card), 17)
    where = [issue["diagnostics"].partition(":")[0] for issue in refused.json()["issue"]]

    assert (400, ["CDS-214", "CDS-215"]) == (refused.status_code, codes(refused))
    assert ["$.feedback[0].outcome", "$.feedback[2]"] == where
    assert 1 == len(clinic.feedback()) - before
    assert ("error", "feedback", "CDS-214") == tuple(
        service.records()[0].envelope[name] for name in ("type", "hook", "problem")
    )


@pytest.mark.parametrize("card", [UNKNOWN, "Bpa 17"])
def test_feedback_on_an_unknown_card_is_kept_as_an_orphan(clinic: Clinic, card: str) -> None:
    answer = clinic.say(overridden(card))
    record = clinic.feedback()[0]

    assert 200 == answer.status_code
    assert card == record.section("feedback")["card"]
    assert [] == [name for name in ("about", "subjectKey") if name in record.envelope]


def test_a_client_that_names_cards_its_own_way_is_understood_by_the_suggestion(clinic: Clinic) -> None:
    card = clinic.cards()[EYES]
    clinic.say(accepted(card) | {"card": "Bpa 17"})

    assert card["extension"]["org.ketamine-cds"]["record"] == clinic.feedback()[0].envelope["about"]


def test_a_click_of_before_1_0_is_one_acceptance_at_the_time_it_came(clinic: Clinic, service: Running) -> None:
    card = clinic.cards()[EYES]
    address = f"ketamine-order-select/analytics/{card['suggestions'][0]['uuid']}"
    before = len(clinic.feedback())
    answers = [service.post(b"", address) for _ in range(2)]
    record = clinic.feedback()[0]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert 1 == len(clinic.feedback()) - before
    assert card["extension"]["org.ketamine-cds"]["record"] == record.envelope["about"]
    assert ("accepted", record.envelope["at"]) == (record.envelope["outcome"], record.section("feedback")["at"])


def test_feedback_for_a_service_that_is_not_offered_is_404(service: Running) -> None:
    answers = [service.post(b'{"feedback": []}', f"other/{path}") for path in ("feedback", "analytics/17")]

    assert [(404, ["CDS-220"])] * 2 == [(answer.status_code, codes(answer)) for answer in answers]


@pytest.mark.parametrize("path", ["feedback", f"analytics/{UNKNOWN}"])
def test_what_cannot_be_recorded_is_not_acknowledged(service: Running, path: str) -> None:
    class Broken:
        async def append_entry_async(self, *_: object) -> None:
            raise AuditError("CDS-402", "/secret/path", "The record could not be written now.")

    before = service.app.state.feedback
    service.app.state.feedback = replace(before, recorder=Broken())
    said = json.dumps({"feedback": [overridden(UNKNOWN, code="503")]}).encode()
    answer = service.post(said, f"ketamine-order-sign/{path}")
    service.app.state.feedback = before

    assert (503, ["CDS-402"]) == (answer.status_code, codes(answer))
    assert int(answer.headers["retry-after"])
    assert "secret" not in answer.text


def test_a_time_in_the_future_counts_as_the_time_of_receipt(clinic: Clinic) -> None:
    """A wrong clock at the EHR must not silence a card for ever."""
    clinic.say(overridden(clinic.cards()[EYES], when=NOON + timedelta(days=3650)))

    assert "2026-02-01T12:00:00.000000Z" == clinic.feedback()[0].section("feedback")["at"]


def test_feedback_after_a_restart_finds_its_card(tmp_path: Path) -> None:
    with running(settings_in(tmp_path)) as first:
        card = Clinic(first).cards()[EYES]
    with running(settings_in(tmp_path)) as second:
        clinic = Clinic(second)
        clinic.say(overridden(card))

        assert card["extension"]["org.ketamine-cds"]["record"] == clinic.feedback()[0].envelope["about"]


def test_the_index_of_feedback_names_nobody(clinic: Clinic, service: Running) -> None:
    clinic.say(overridden(clinic.cards()[EYES], overrideReason={"userComment": CANARY}), overridden(CANARY))
    with closing(sqlite3.connect(f"{service.database.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT * FROM feedback").fetchall()

    assert rows
    assert [] == [row for row in rows if any(word in str(row) for word in ("patient-", "nadia", "ehr.ex", CANARY))]


def test_every_feedback_of_the_collected_requests_is_taken(service: Running, shared_folder: Path) -> None:
    files = sorted((shared_folder / "protocol" / "requests").glob("*feedback*.json"))

    assert 5 == len(files)
    assert {200} == {service.post(file.read_bytes(), "ketamine-order-select/feedback").status_code for file in files}


def _kept(record: StoredRecord) -> bytes:
    return b"".join(record.sections.values())


def test_no_word_of_feedback_reaches_the_operational_log(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    clinic.say(overridden(CANARY, code=CANARY, extension={CANARY: 1}), {"card": CANARY, "outcome": CANARY})
    logged = [record for record in caplog.records if record.getMessage().startswith("feedback.")]

    assert logged
    assert CANARY not in str([vars(record) for record in logged])
    assert any(CANARY.encode() in _kept(record) for record in clinic.feedback())
