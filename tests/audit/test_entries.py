"""What an entry says: of a start, of refused calls, of calls that are about nothing here."""

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson

from cds.audit.queries import Filters, LogReader
from cds.audit.record import LogEntry, RecordType
from cds.audit.tally import TALLY_SECONDS, Tally
from tests.audit.filling import envelopes, problems
from tests.audit.records import KNOWLEDGE, decision, not_applicable, recorder_in


def test_a_start_leaves_an_entry_and_a_new_key_another(tmp_path: Path) -> None:
    key = ""
    for _ in range(2):
        recorder = recorder_in(tmp_path)
        recorder.started(KNOWLEDGE)
        recorder.close()
        key = recorder.verification_key

    starts, keys = envelopes(tmp_path, RecordType.START), envelopes(tmp_path, RecordType.KEY)

    assert (2, 1) == (len(starts), len(keys))
    assert key == keys[0]["verificationKey"] == starts[0]["verificationKey"]
    assert {"version": KNOWLEDGE.version, "sha256": KNOWLEDGE.digest.removeprefix("sha256:")} == starts[0]["knowledge"]
    assert ("0.1.0", "ff" * 32) == (starts[0]["engine"]["version"], starts[0]["configSha256"])  # type: ignore[index]


def test_entries_that_are_no_calls_are_listed_only_when_asked_for(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.started(KNOWLEDGE)
    recorder.append(decision())
    recorder.close()

    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        assert [2] == [entry.seq for entry in log.list()]


def test_an_entry_of_any_type_keeps_its_texts_in_sections(tmp_path: Path) -> None:
    """As feedback will: what the envelope says is ours, what a user wrote can be taken away."""
    recorder = recorder_in(tmp_path)
    record = decision()
    recorder.append(record)
    about = record.call.record_id
    entry = LogEntry(RecordType.FEEDBACK, {"outcome": "overridden"}, {"feedback": {"comment": "seen"}}, about)
    recorder.append_entry(entry)
    recorder.append(decision())
    recorder.close()

    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        (found,) = log.about(about)
        overridden = [entry.seq for entry in log.list(Filters(overridden=True))]

    assert (1, "feedback", {"comment": "seen"}) == (
        found.seq, found.envelope["type"], found.section("feedback"),
    )  # fmt: skip
    assert [0] == overridden
    assert [] == problems(tmp_path, recorder.verification_key)


def test_refused_calls_leave_one_counted_entry(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    for status in (401, 401, 429, 413):
        recorder.count(status)
    recorder.close()

    (counted,) = envelopes(tmp_path, RecordType.COUNTED)

    assert {"401": 2, "413": 1, "429": 1} == counted["refused"]


def test_a_counted_entry_covers_a_minute() -> None:
    now = 100.0
    tally = Tally(lambda: now)
    tally.count(401)
    early = tally.take()
    now += TALLY_SECONDS
    entry = tally.take()

    assert early is None
    assert entry
    assert {"refused": {"401": 1}, "seconds": 60} == entry.envelope
    assert tally.take(now=True) is None


def test_a_compact_record_is_small_and_holds_nothing_of_the_chart(tmp_path: Path) -> None:
    """A call that is not about ketamine: no facts, no rules."""
    recorder = recorder_in(tmp_path)
    recorder.append(not_applicable())
    recorder.close()

    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        record = log.find("0")

    assert {"subject", "request", "cards"} == record.sections.keys()
    assert sum(map(len, record.sections.values())) + len(record.envelope_bytes) < 2_500


def test_the_envelope_of_every_entry_is_canonical_json(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.started(KNOWLEDGE)
    recorder.append(decision())
    recorder.close()

    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
        stored = [envelope for (envelope,) in connection.execute("SELECT envelope FROM entry")]

    assert stored == [orjson.dumps(orjson.loads(envelope), option=orjson.OPT_SORT_KEYS) for envelope in stored]
