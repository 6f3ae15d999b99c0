"""What is redacted is gone from every file of the log, the log says so, and everything else stays proven."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cds.audit.offline.notes import VerificationKey
from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.queries import LogReader
from cds.audit.record import RecordType, Subject
from cds.audit.redaction import Redacted, redact
from cds.audit.writer import Recorder
from cds.errors import AuditError
from tests.audit.logs import with_card
from tests.audit.records import decision, recorder_in

CANARY = b"canary-58117"


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A log of three records; the second one is of a patient whose id is the canary."""
    opened = recorder_in(tmp_path)
    secret = with_card()
    subject = Subject("https://ehr.example/fhir", CANARY.decode(), user="Practitioner/7")
    facts = replace(secret.facts, patient_id=CANARY.decode() * 2_000)  # longer than a page of the file
    opened.append(decision())
    opened.append(replace(secret, call=replace(secret.call, subject=subject), facts=facts))
    opened.append(decision())
    yield opened
    opened.close()


def take(recorder: Recorder, folder: Path, *names: str) -> Redacted:
    with LogReader(folder / "data" / "record.sqlite") as log:
        record = log.find("1")
    return redact(recorder, record, names, "asked for", "A. Officer")


def files_with_canary(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "data").iterdir() if CANARY in path.read_bytes())


def test_nothing_of_a_redacted_section_is_left_in_any_file(recorder: Recorder, tmp_path: Path) -> None:
    before = files_with_canary(tmp_path)
    done = take(recorder, tmp_path, "subject", "facts")

    assert before
    assert Redacted(("facts", "subject"), True) == done
    assert [] == files_with_canary(tmp_path)


def test_while_somebody_reads_the_log_a_redaction_says_that_it_is_incomplete(
    recorder: Recorder, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM section").fetchone()
        done = take(recorder, tmp_path, "subject", "facts")
        traces = files_with_canary(tmp_path)
    again = take(recorder, tmp_path, "subject", "facts")

    assert (False, True) == (done.is_complete, bool(traces))
    assert Redacted((), True) == again
    assert [] == files_with_canary(tmp_path)


def test_a_redaction_is_an_entry_that_says_what_when_why_and_by_whom(recorder: Recorder, tmp_path: Path) -> None:
    take(recorder, tmp_path, "subject")

    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        record = log.find("1")
        (entry,) = log.about(str(record.envelope["id"]))

    assert RecordType.REDACTION.value == entry.envelope["type"]
    assert {"seq": 1, "sections": ["subject"]} == entry.envelope["redacted"]
    assert {"reason": "asked for", "by": "A. Officer"} == entry.section("redaction")
    assert b"Officer" not in entry.envelope_bytes
    assert ("subject",) == record.redacted


def test_a_log_with_redactions_verifies(recorder: Recorder, tmp_path: Path) -> None:
    take(recorder, tmp_path, "subject", "facts")
    take(recorder, tmp_path, "request")

    with closing(open_stored(tmp_path / "data" / "record.sqlite")) as connection:
        verdict = verify_stored(connection, [VerificationKey.parse(recorder.verification_key)])

    assert ([], 5, 3) == (verdict.problems, verdict.entries, verdict.redacted)


def test_what_is_indexed_of_a_redacted_record_is_gone_too(recorder: Recorder, tmp_path: Path) -> None:
    def rows() -> list[tuple[int]]:
        with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
            return connection.execute("SELECT seq FROM shown").fetchall()

    before = rows()
    take(recorder, tmp_path, "subject")

    assert ([(1,)], []) == (before, rows())


@pytest.mark.parametrize("names", [("nothing",), ("subject", "outcome")])
def test_a_section_that_the_record_never_had_cannot_be_redacted(
    recorder: Recorder, tmp_path: Path, names: tuple[str, ...]
) -> None:
    with pytest.raises(AuditError, match="CDS-406"):
        take(recorder, tmp_path, *names)

    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        assert ((), 3) == (log.find("1").redacted, len(list(log.list())))


def test_the_reason_of_a_redaction_can_be_redacted_itself(recorder: Recorder, tmp_path: Path) -> None:
    take(recorder, tmp_path, "subject")
    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        entry = log.find("3")
    done = redact(recorder, entry, ["redaction"], "it named the patient", "A. Officer")

    with closing(open_stored(tmp_path / "data" / "record.sqlite")) as connection:
        verdict = verify_stored(connection, [VerificationKey.parse(recorder.verification_key)])

    assert (("redaction",), [], 2) == (done.sections, verdict.problems, verdict.redacted)
