"""The record can say what a clinician was shown of a patient, and to nobody else who that was."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from cds.audit.history import History
from cds.audit.pseudonym import Pseudonym, load_or_create_key
from cds.audit.record import Caller, DecisionRecord, Subject
from cds.audit.schema import migrations
from cds.audit.sections import request_section, rules_section
from cds.audit.words import explain_decision
from cds.engine.card import Card
from cds.engine.quiet import Earlier, EarlierCard, Silenced
from cds.engine.rules import Level
from cds.errors import AuditError
from tests.audit.records import NOON, PSEUDONYM, decision, recorder_in

CARD = Card(
    "KETIOP1I", ("KETIOP1",), Level.INFO, "Glaucoma", "", "A guideline", "", drug="ketamine", route="nasal",
    fingerprint="ab" * 16,
)  # fmt: skip
SENT = EarlierCard("KETIOP1I", "ketamine", "nasal", "ab" * 16, NOON)
NADIA = Subject("https://ehr.example/fhir", "123", user="Practitioner/7")
HOUR = timedelta(hours=1)


def shown(at: datetime = NOON, subject: Subject = NADIA, client: str = "development") -> DecisionRecord:
    """Make a decision whose card was sent to this user at this time."""
    record = decision()
    call = replace(record.call, record_id=str(uuid4()), at=at, subject=subject, caller=Caller(client))
    return replace(record, call=call, cards=(CARD,))


def asked(folder: Path, *records: DecisionRecord, subject: Subject = NADIA) -> tuple[EarlierCard, ...]:
    """Store the records, and ask what was sent within the hour before noon."""
    with closing(recorder_in(folder)) as recorder:
        for record in records:
            recorder.append(record)
        key = load_or_create_key(folder / "keys" / "pseudonym.key", may_create=False)
        with closing(History(folder / "data" / "record.sqlite", key)) as history:
            return history.sent("development", subject, NOON - HOUR, NOON)


def test_a_card_that_was_sent_is_known_by_topic_drug_route_and_facts(tmp_path: Path) -> None:
    assert (SENT,) == asked(tmp_path, shown())


@pytest.mark.parametrize(
    ("minutes", "found"), [(0, True), (-60, True), (-61, False), (1, False)], ids=["now", "an hour", "more", "later"]
)
def test_the_time_of_the_decision_counts_to_the_minute(tmp_path: Path, minutes: int, found: bool) -> None:
    assert found == bool(asked(tmp_path, shown(NOON + timedelta(minutes=minutes))))


def test_a_card_that_was_sent_often_stands_once_with_its_last_time(tmp_path: Path) -> None:
    """An EHR asks again at every change of a draft."""
    records = [shown(NOON - timedelta(minutes=minutes)) for minutes in (30, 0, 10)]

    assert (SENT,) == asked(tmp_path, *records)


def test_the_same_moment_in_another_time_zone_is_the_same_moment(tmp_path: Path) -> None:
    zurich = datetime.fromisoformat("2026-02-01T12:30:00+01:00")

    assert [zurich.astimezone(UTC)] == [card.at for card in asked(tmp_path, shown(zurich))]


@pytest.mark.parametrize(
    "record",
    [
        shown(subject=replace(NADIA, user="Practitioner/8")),
        shown(subject=replace(NADIA, user="")),
        shown(subject=replace(NADIA, patient="124")),
        shown(subject=replace(NADIA, fhir_server="https://another.example/fhir")),
        shown(client="another hospital"),
    ],
    ids=["another user", "no user", "another patient", "another server", "another client"],
)
def test_what_others_were_sent_is_not_known(tmp_path: Path, record: DecisionRecord) -> None:
    assert () == asked(tmp_path, record)


def test_nobody_in_particular_was_sent_nothing(tmp_path: Path) -> None:
    assert () == asked(tmp_path, shown(), subject=replace(NADIA, user=""))


def test_a_card_that_stayed_silent_was_not_sent(tmp_path: Path) -> None:
    assert () == asked(tmp_path, replace(shown(), cards=(), silenced=(Silenced(CARD, "sent before"),)))


def test_the_index_holds_no_id_of_patient_or_user(tmp_path: Path) -> None:
    asked(tmp_path, shown())

    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
        ((_, subject_key, user_key, *rest),) = connection.execute("SELECT * FROM shown").fetchall()

    assert (64, 64) == (len(subject_key), len(user_key))
    assert ["2026-02-01T12:00:00.000000Z", "KETIOP1I", "ketamine", "nasal", "ab" * 16] == rest


def test_a_user_has_another_pseudonym_under_another_key_and_as_a_patient() -> None:
    mine = PSEUDONYM.of_user("development", NADIA.fhir_server, "7")

    assert mine != Pseudonym(bytes(32)).of_user("development", NADIA.fhir_server, "7")
    assert mine != PSEUDONYM.of(NADIA.fhir_server, "7")


def test_a_log_of_the_version_before_is_carried_over(tmp_path: Path) -> None:
    """Its records name no cards: nothing stays silent because of them, and nothing is lost."""
    (tmp_path / "data").mkdir()
    first = dict(migrations())[1]
    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
        connection.executescript(f"{first}; PRAGMA application_id = {0x4B434453}; PRAGMA user_version = 1")

    assert (SENT,) == asked(tmp_path, shown())


def test_a_log_that_is_gone_is_an_error_with_a_code(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="CDS-401"):
        History(tmp_path / "nowhere.sqlite", PSEUDONYM)


def test_the_sections_say_which_cards_came_and_which_stayed_silent_and_why() -> None:
    record = replace(shown(), silenced=(Silenced(replace(CARD, topic="KETIOP1W"), "overridden"),))
    section = orjson.loads(orjson.dumps(rules_section(record)))

    assert section["cards"] == [
        {
            "topic": "KETIOP1I",
            "level": "info",
            "drug": "ketamine",
            "route": "nasal",
            "fingerprint": "ab" * 16,
            "rules": ["KETIOP1"],
        }
    ]
    assert [("KETIOP1W", "Glaucoma", "overridden")] == [
        (card["topic"], card["summary"], card["why"]) for card in section["silenced"]
    ]


def test_what_was_known_of_earlier_cards_is_an_input_that_is_kept() -> None:
    section = request_section(replace(shown(), earlier=Earlier(overridden=(SENT,))))

    assert section["earlier"] == {
        "overridden": [
            {
                "topic": "KETIOP1I",
                "drug": "ketamine",
                "route": "nasal",
                "fingerprint": "ab" * 16,
                "at": "2026-02-01T12:00:00+00:00",
            }
        ]
    }
    assert "earlier" not in request_section(shown())


def test_a_reader_is_told_which_cards_stayed_silent() -> None:
    told = explain_decision(replace(shown(), silenced=(Silenced(CARD, "sent to the same user a short time ago"),)))

    assert "CARDS THAT STAYED SILENT\n  INFO  Glaucoma\n       sent to the same user a short time ago" in told
