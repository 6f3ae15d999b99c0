"""An auditor finds a record by what is known of it, and is told when it is no longer what was recorded."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cds.audit.canonical import canonical
from cds.audit.members import text
from cds.audit.queries import Filters, LogReader
from cds.audit.record import Caller, Record
from cds.audit.sections import facts_from
from cds.audit.store_sqlite import SqliteStore
from cds.audit.writer import Recorder
from cds.engine.facts import PatientFacts
from cds.engine.rules import Level
from cds.errors import AuditError
from tests.audit.another_user import folder_for_all, run_as_another_user
from tests.audit.records import (
    ANSWER,
    CARD_UUID,
    HEART,
    KEYS,
    NO_CARDS,
    PRESSURE,
    SOFTWARE,
    chart,
    decision,
    decision_at,
    failure,
    not_applicable,
    unlocked,
)

DAYS = tuple(datetime(2026, 2, day, 9, tzinfo=UTC) for day in range(1, 7))


def another_hook() -> Record:
    record = not_applicable()
    return replace(record, call=replace(record.call, hook="order-sign", caller=Caller("epic")))


RECORDS: tuple[Record, ...] = (
    decision_at(Level.CRITICAL),
    decision_at(Level.WARNING),
    decision(answer=NO_CARDS),
    not_applicable(),
    another_hook(),
    failure(),
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A log with one record a day: critical, warning, no cards, another drug twice, an error."""
    path = tmp_path / "data" / "record.sqlite"
    times = iter(DAYS)
    recorder = Recorder(unlocked(SqliteStore(path)), KEYS, SOFTWARE, clock=lambda: next(times))
    for record in RECORDS:
        recorder.append(record)
    recorder.close()
    return path


@pytest.fixture
def log(database: Path) -> Iterator[LogReader]:
    with LogReader(database) as opened:
        yield opened


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(statement)


def test_the_newest_entries_are_listed_first(log: LogReader) -> None:
    assert [5, 4, 3] == [entry.seq for entry in log.list(limit=3)]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (Filters(since=date(2026, 2, 5)), [5, 4]),
        (Filters(until=date(2026, 2, 2)), [1, 0]),
        (Filters(since=date(2026, 2, 2), until=date(2026, 2, 2)), [1]),
        (Filters(rule=PRESSURE), [2, 1, 0]),
        (Filters(rule=PRESSURE, level="warning"), [1]),
        (Filters(rule=HEART), []),
        (Filters(level="critical"), [0]),
        (Filters(level="info"), []),
        (Filters(outcome="not-applicable"), [4, 3]),
        (Filters(outcome="error"), [5]),
        (Filters(outcome="no-cards"), [2]),
        (Filters(client="epic"), [4]),
        (Filters(hook="order-sign"), [4]),
        (Filters(gaps=True), [2, 1, 0]),
        (Filters(gaps=True, level="warning"), [1]),
        (Filters(client="nobody"), []),
    ],
    ids=str,
)
def test_entries_are_found_by_day_rule_level_outcome_client_hook_and_gaps(
    log: LogReader, filters: Filters, numbers: list[int]
) -> None:
    assert numbers == [entry.seq for entry in log.list(filters)]


@pytest.mark.parametrize("length", [36, 8])
def test_a_record_is_found_by_its_id_or_the_beginning_of_it(log: LogReader, length: int) -> None:
    record_id = RECORDS[3].call.record_id

    assert (3, record_id) == (log.find(record_id[:length]).seq, log.find(record_id.upper()).envelope["id"])


def test_a_record_is_found_by_its_number(log: LogReader) -> None:
    assert RECORDS[5].call.record_id == log.find("5").envelope["id"]


def test_a_record_is_found_by_the_uuid_of_a_card_it_sent(tmp_path: Path) -> None:
    """The card is what a clinician has in front of them."""
    path = tmp_path / "data" / "record.sqlite"
    recorder = Recorder(unlocked(SqliteStore(path)), KEYS, SOFTWARE)
    recorder.append(decision(answer=NO_CARDS))
    recorder.append(decision(answer=ANSWER))
    recorder.close()

    with LogReader(path) as log:
        found = log.find(CARD_UUID)

    assert 1 == found.seq


@pytest.mark.parametrize("reference", ["", "99", "abc", "ffffffff-0000-4000-8000-000000000000", "%", "9" * 40, "²"])
def test_what_is_no_record_is_answered_with_its_own_code(log: LogReader, reference: str) -> None:
    with pytest.raises(AuditError, match="CDS-406"):
        log.find(reference)


def test_a_beginning_that_fits_two_records_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "data" / "record.sqlite"
    recorder = Recorder(unlocked(SqliteStore(path)), KEYS, SOFTWARE)
    for end in ("1", "2"):
        record = not_applicable()
        record_id = f"abcdef00-0000-4000-8000-00000000000{end}"
        recorder.append(replace(record, call=replace(record.call, record_id=record_id)))
    recorder.close()

    with LogReader(path) as log, pytest.raises(AuditError, match="2 records"):
        log.find("abcdef")


def test_the_stored_bytes_give_back_the_facts_of_the_decision(log: LogReader) -> None:
    rebuilt: PatientFacts = facts_from(log.find("0").section("facts"))

    assert chart() == rebuilt


def test_the_cards_are_read_back_byte_for_byte(log: LogReader) -> None:
    assert ANSWER == log.find("0").sections["cards"]


def test_a_record_as_it_was_written_is_neither_redacted_nor_altered(log: LogReader) -> None:
    assert {((), ())} == {(log.find(str(number)).redacted, log.find(str(number)).altered) for number in range(6)}


def test_a_section_that_was_changed_is_named(database: Path) -> None:
    change(
        database,
        "UPDATE section SET content = CAST(replace(content, '403', '200') AS BLOB) WHERE seq = 0 AND name = 'facts'",
    )

    with LogReader(database) as log:
        assert ("facts",) == log.find("0").altered


def test_a_changed_salt_is_named(database: Path) -> None:
    change(database, "UPDATE section SET salt = zeroblob(32) WHERE seq = 0 AND name = 'subject'")

    with LogReader(database) as log:
        assert ("subject",) == log.find("0").altered


def test_a_section_can_be_taken_away_and_the_envelope_still_stands(database: Path) -> None:
    """Redaction: salt and bytes go, and the record says what is gone."""
    with LogReader(database) as log:
        before = log.find("0")
    change(database, "DELETE FROM section WHERE seq = 0 AND name IN ('subject', 'facts')")

    with LogReader(database) as log:
        after = log.find("0")

    assert before.envelope == after.envelope
    assert (("facts", "subject"), ()) == (after.redacted, after.altered)
    assert {} == after.section("subject")


def test_a_section_is_lost_with_its_entry_only(database: Path) -> None:
    """No section can stand without the envelope that commits to it."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO section VALUES (99, 'subject', x'00', x'00')")


def test_reading_leaves_the_log_as_it_was_and_nothing_beside_it(database: Path) -> None:
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}

    with LogReader(database) as log:
        list(log.list())
        log.find("0")

    assert before == {path.name: path.read_bytes() for path in database.parent.iterdir()}


def test_a_copy_on_a_read_only_medium_can_be_read(database: Path) -> None:
    """An auditor looks at an exported copy, and writes nothing."""
    program = (
        "import sys; from pathlib import Path; from cds.audit.queries import LogReader\n"
        "CHANGE_USER\n"
        "with LogReader(Path(sys.argv[1])) as log: print(len(list(log.list())))"
    )
    with folder_for_all() as folder:
        copy = folder / "copy" / "record.sqlite"
        copy.parent.mkdir()
        copy.write_bytes(database.read_bytes())
        copy.chmod(0o444)
        copy.parent.chmod(0o555)

        said = run_as_another_user(program, copy)

    assert str(len(RECORDS)) == said


def test_the_log_is_read_while_the_service_writes(tmp_path: Path) -> None:
    path = tmp_path / "data" / "record.sqlite"
    recorder = Recorder(unlocked(SqliteStore(path)), KEYS, SOFTWARE)
    recorder.append(decision())
    with LogReader(path) as log:
        first = len(list(log.list()))
        recorder.append(decision())
        second = len(list(log.list()))
    recorder.close()

    assert (1, 2) == (first, second)


def test_a_log_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="CDS-401"):
        LogReader(tmp_path / "record.sqlite")

    assert [] == list(tmp_path.iterdir())


def test_another_file_is_not_taken_for_a_log(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite").touch()

    with pytest.raises(AuditError, match="CDS-405"):
        LogReader(tmp_path / "empty.sqlite")


def test_knowledge_that_was_never_kept_is_not_found(log: LogReader) -> None:
    with pytest.raises(AuditError, match="CDS-406"):
        log.knowledge("sha256:" + "00" * 32)


def test_stored_envelopes_are_canonical(log: LogReader, database: Path) -> None:
    """What is digested later must be the bytes that stand in the file."""
    with closing(sqlite3.connect(database)) as connection:
        stored = [envelope for (envelope,) in connection.execute("SELECT envelope FROM entry ORDER BY seq")]

    parsed = [entry.envelope for entry in log.list()]

    assert stored == [canonical(envelope) for envelope in reversed(parsed)]
    assert {"1"} == {text(envelope, "v") for envelope in parsed}
