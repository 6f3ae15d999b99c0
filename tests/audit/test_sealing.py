"""A log goes on only as what was signed of it, under its own keys, and its newest checkpoint is kept elsewhere."""

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from cds.audit.anchor import COPY_SECONDS, CheckpointCopy
from cds.audit.keys import KeyFiles, read_signer
from cds.audit.offline.notes import VerificationKey
from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.process_lock import ProcessLock
from cds.audit.queries import Filters, LogReader
from cds.audit.record import LogEntry, RecordType
from cds.audit.schema import APPLICATION_ID, migrations
from cds.audit.tally import TALLY_SECONDS, Tally
from cds.audit.writer import Recorder, open_recorder
from cds.errors import AuditError
from tests.audit.records import KNOWLEDGE, SOFTWARE, decision, failure, not_applicable, recorder_in

ROOT = Path(__file__).resolve().parents[2]
COPY = Path("keys") / "checkpoint"


def filled(folder: Path, count: int = 3) -> str:
    """Make a log with so many records, and return its verification key."""
    recorder = recorder_in(folder)
    for _ in range(count):
        recorder.append(decision())
    recorder.close()
    return recorder.verification_key


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "data" / "record.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)


def envelopes(folder: Path, kind: RecordType) -> list[dict[str, object]]:
    with LogReader(folder / "data" / "record.sqlite") as log:
        return [entry.envelope for entry in log.list(Filters(types=(kind.value,)))]  # type: ignore[misc]


def problems(folder: Path, key: str) -> list[str]:
    with closing(open_stored(folder / "data" / "record.sqlite")) as connection:
        return verify_stored(connection, [VerificationKey.parse(key)]).problems


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entry WHERE seq = 2",
        "DELETE FROM checkpoint",
        "UPDATE node SET hash = zeroblob(32) WHERE level = 1",
        "UPDATE entry SET envelope = CAST(replace(envelope, 'order-select', 'order-signed') AS BLOB) WHERE seq = 2",
        "DELETE FROM node WHERE level = 0 AND idx = 2",
    ],
    ids=["entry deleted", "checkpoints deleted", "hash changed", "entry changed", "hash deleted"],
)
def test_a_log_that_is_not_what_was_signed_does_not_open(tmp_path: Path, statement: str) -> None:
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)

    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(tmp_path)


def test_a_log_that_was_cut_back_does_not_open(tmp_path: Path) -> None:
    """An older state of the file is a valid log; the checkpoint that was kept knows better."""
    filled(tmp_path, 2)
    shutil.copytree(tmp_path / "data", tmp_path / "older")
    filled(tmp_path, 1)
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "older").rename(tmp_path / "data")

    with pytest.raises(AuditError, match=r"CDS-409 .*cut back"):
        recorder_in(tmp_path)


def test_a_log_that_vanished_does_not_begin_anew_in_silence(tmp_path: Path) -> None:
    filled(tmp_path)
    shutil.rmtree(tmp_path / "data")

    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(tmp_path)


def test_a_kept_checkpoint_of_another_log_does_not_fit(tmp_path: Path) -> None:
    filled(tmp_path / "one")
    filled(tmp_path / "other")
    shutil.copy(tmp_path / "other" / COPY, tmp_path / "one" / COPY)

    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(tmp_path / "one")


def test_a_log_is_not_continued_by_another_log_under_the_same_key(tmp_path: Path) -> None:
    """The same keys, another history of the same length."""
    filled(tmp_path)
    shutil.rmtree(tmp_path / "data")
    kept = (tmp_path / COPY).read_text()
    (tmp_path / COPY).unlink()
    filled(tmp_path)
    (tmp_path / COPY).write_text(kept)

    with pytest.raises(AuditError, match=r"CDS-409 .*another root"):
        recorder_in(tmp_path)


def test_an_entry_that_is_taken_away_from_a_running_log_stops_it(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.append(decision())
    recorder.append(decision())
    change(tmp_path, "DELETE FROM entry WHERE seq = 1")

    with pytest.raises(AuditError, match="CDS-409"):
        recorder.append(decision())
    assert not recorder.healthy
    with pytest.raises(AuditError, match="CDS-409"):
        recorder.append(decision())
    recorder.close()


def older_log(folder: Path, count: int) -> None:
    """Make a log as version 2 of its tables had it: entries, no tree, no signing key."""
    filled(folder, count)
    with closing(sqlite3.connect(folder / "data" / "record.sqlite", isolation_level=None)) as connection:
        rows = connection.execute("SELECT seq, id, envelope FROM entry").fetchall()
        sections = connection.execute("SELECT seq, name, salt, content FROM section").fetchall()
        knowledge = connection.execute("SELECT sha256, package FROM knowledge").fetchall()
    shutil.rmtree(folder / "data")
    (folder / "data").mkdir()
    (folder / "keys" / "signing.key").unlink()
    (folder / COPY).unlink()
    with closing(sqlite3.connect(folder / "data" / "record.sqlite", isolation_level=None)) as connection:
        for number, script in migrations()[:2]:
            connection.executescript(
                f"{script}; PRAGMA user_version = {number}; PRAGMA application_id = {APPLICATION_ID}"
            )
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)
        connection.executemany("INSERT INTO section VALUES (?, ?, ?, ?)", sections)
        connection.executemany("INSERT INTO knowledge VALUES (?, ?)", knowledge)
        connection.execute("COMMIT")


@pytest.mark.parametrize("count", [0, 1, 70])
def test_a_log_from_before_the_seal_is_sealed_as_it_is_and_goes_on(tmp_path: Path, count: int) -> None:
    older_log(tmp_path, count)

    key = filled(tmp_path, 2)

    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        assert list(range(count + 2)) == sorted(entry.seq for entry in log.list(limit=100))
    assert [] == problems(tmp_path, key)


def test_a_log_whose_seal_was_taken_away_gets_no_new_one(tmp_path: Path) -> None:
    """It looks like a log from before the seal, but there is a signing key already."""
    older_log(tmp_path, 2)
    KeyFiles(tmp_path / "keys" / "other", tmp_path / "keys" / "signing.key").make("cds.example/audit/1")

    with pytest.raises(AuditError, match=r"CDS-409 .*seal was taken away"):
        recorder_in(tmp_path)


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


def test_the_kept_checkpoint_covers_everything_when_the_log_is_closed(tmp_path: Path) -> None:
    key = VerificationKey.parse(filled(tmp_path, 5))

    assert 5 == key.checkpoint((tmp_path / COPY).read_text("utf-8")).size


def test_the_checkpoint_is_kept_while_the_service_runs(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.append(decision())
    deadline = time.monotonic() + 10
    while not (tmp_path / COPY).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    size = VerificationKey.parse(recorder.verification_key).checkpoint((tmp_path / COPY).read_text("utf-8")).size
    recorder.close()

    assert size in {0, 1}


def test_the_kept_checkpoint_is_written_again_after_a_minute(tmp_path: Path) -> None:
    now = 0.0
    copy = CheckpointCopy(tmp_path / "elsewhere" / "checkpoint", lambda: now)
    before = copy.is_due
    copy.write("one\n")
    directly = copy.is_due
    now += COPY_SECONDS

    assert (True, False, True) == (before, directly, copy.is_due)
    assert ["checkpoint"] == [path.name for path in (tmp_path / "elsewhere").iterdir()]


def test_a_checkpoint_that_cannot_be_kept_is_said_and_tried_again(tmp_path: Path) -> None:
    now = 0.0
    (tmp_path / "elsewhere").write_text("a file where a folder belongs")
    copy = CheckpointCopy(tmp_path / "elsewhere" / "checkpoint", lambda: now)
    copy.write("one\n")
    failure = copy.failure
    now += 2
    is_due = copy.is_due
    (tmp_path / "elsewhere").unlink()
    copy.write("one\n")

    assert "cannot be written" in failure
    assert is_due
    assert ("", "one\n") == (copy.failure, (tmp_path / "elsewhere" / "checkpoint").read_text())


def test_one_checkpoint_a_minute_is_kept_in_the_log(tmp_path: Path) -> None:
    began = time.time() // 60
    filled(tmp_path, 30)
    minutes = int(time.time() // 60 - began) + 1

    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
        sizes = [size for (size,) in connection.execute("SELECT size FROM checkpoint ORDER BY minute")]

    assert len(sizes) <= minutes
    assert 30 == sizes[-1]


def test_a_clock_that_was_set_back_does_not_disorder_the_checkpoints(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    change(tmp_path, "UPDATE checkpoint SET minute = minute + 100000")

    key = filled(tmp_path, 2)

    assert [] == problems(tmp_path, key)


def test_without_being_asked_no_keys_are_made_outside_of_development(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path / "keys" / "pseudonym.key", may_make=False)
    with pytest.raises(AuditError, match=r"CDS-404 .*cds log init"):
        open_recorder(tmp_path / "data" / "record.sqlite", files, SOFTWARE)

    assert not (tmp_path / "keys").exists()


def test_keys_of_development_are_refused_outside_of_it(tmp_path: Path) -> None:
    filled(tmp_path)

    with pytest.raises(AuditError, match=r"CDS-404 .*development"):
        open_recorder(
            tmp_path / "data" / "record.sqlite", KeyFiles(tmp_path / "keys" / "pseudonym.key", may_make=False), SOFTWARE
        )


def test_keys_that_were_asked_for_are_used_and_made_only_once(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path / "keys" / "pseudonym.key", tmp_path / "hsm" / "signing.key", may_make=False)
    made = files.make("cds.example/audit/1").verification_key
    recorder = open_recorder(tmp_path / "data" / "record.sqlite", files, SOFTWARE)
    recorder.append(failure())
    recorder.close()

    assert str(made) == recorder.verification_key
    with pytest.raises(AuditError, match="CDS-404"):
        files.make("cds.example/audit/2")
    assert made == read_signer(files.signing_path).verification_key


def test_keys_that_may_be_there_already_are_made_once_and_left_alone(tmp_path: Path) -> None:
    """What brings a service up can be repeated, and never gives a log another key or another name."""
    files = KeyFiles(tmp_path / "pseudonym.key")

    made = files.make("cds.example/audit/1", if_missing=True).verification_key

    assert made == files.make("cds.example/audit/1", if_missing=True).verification_key
    with pytest.raises(AuditError, match=r"CDS-404 .*cds\.example/audit/1"):
        files.make("cds.example/audit/2", if_missing=True)


@pytest.mark.parametrize("name", ["pseudonym.key", "signing.key"])
def test_the_lost_one_of_two_keys_is_not_made_again(tmp_path: Path, name: str) -> None:
    """It is in a backup; with a new one the log would not open."""
    files = KeyFiles(tmp_path / "pseudonym.key")
    files.make("cds.example/audit/1")
    (tmp_path / name).unlink()

    with pytest.raises(AuditError, match="CDS-404"):
        files.make("cds.example/audit/1", if_missing=True)

    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nend"])
def test_a_log_is_not_called_what_a_checkpoint_could_not_hold(tmp_path: Path, origin: str) -> None:
    with pytest.raises(AuditError, match="CDS-404"):
        KeyFiles(tmp_path / "pseudonym.key").make(origin)


@pytest.mark.parametrize("content", ["", "PRIVATE+KEY+a", "00" * 32, "PRIVATE+KEY+a+00000000+AAAA"])
def test_a_damaged_signing_key_is_refused(tmp_path: Path, content: str) -> None:
    filled(tmp_path)
    (tmp_path / "keys" / "signing.key").write_text(content)

    with pytest.raises(AuditError, match="CDS-404"):
        recorder_in(tmp_path)


def test_waiting_for_a_lock_ends(tmp_path: Path) -> None:
    holder, other = ProcessLock(tmp_path / "lock"), ProcessLock(tmp_path / "lock")
    with holder.held():
        with pytest.raises(TimeoutError), other.held(0.05):
            pass
        with pytest.raises(TimeoutError), holder.held(0.05):  # by another thread of the same process
            pass
    with other.held(0.05):
        pass
    holder.close()
    other.close()


def test_who_waits_for_a_lock_gets_it(tmp_path: Path) -> None:
    holder, other = ProcessLock(tmp_path / "lock"), ProcessLock(tmp_path / "lock")
    got = threading.Event()

    def wait_for_it() -> None:
        with other.held(10):
            got.set()

    with holder.held():
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        early = got.wait(0.05)
    thread.join(10)

    assert (False, True) == (early, got.is_set())
    holder.close()
    other.close()


def test_a_compact_record_is_small_and_holds_nothing_of_the_chart(tmp_path: Path) -> None:
    """A call that is not about ketamine: no facts, no rules."""
    recorder = recorder_in(tmp_path)
    recorder.append(not_applicable())
    recorder.close()

    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        record = log.find("0")

    assert {"subject", "request", "cards"} == record.sections.keys()
    assert sum(map(len, record.sections.values())) + len(record.envelope_bytes) < 2_500


def test_four_processes_share_one_log_without_anyone_waiting_long(tmp_path: Path) -> None:
    filled(tmp_path, 0)
    command = [sys.executable, "-m", "tests.audit.timed_appender", str(tmp_path), "100"]
    writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    longest_ms = [float(writer.communicate(timeout=120)[0].split()[0]) for writer in writers]

    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
        numbers = [seq for (seq,) in connection.execute("SELECT seq FROM entry ORDER BY seq")]
    recorder: Recorder = recorder_in(tmp_path)
    recorder.close()

    assert list(range(400)) == numbers
    assert [] == problems(tmp_path, recorder.verification_key)
    assert max(longest_ms) < 500


def test_a_log_verifies_at_any_moment_while_others_write(tmp_path: Path) -> None:
    """Of a log in use one state is looked at, with the checkpoint of that state."""
    key = filled(tmp_path, 1)
    command = [sys.executable, "-m", "tests.audit.timed_appender", str(tmp_path), "150"]
    found = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as writer:
        while writer.poll() is None:
            found.append(problems(tmp_path, key))

    assert len(found) > 3
    assert [] == [problem for each in found for problem in each]


def test_the_envelope_of_every_entry_is_canonical_json(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.started(KNOWLEDGE)
    recorder.append(decision())
    recorder.close()

    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
        stored = [envelope for (envelope,) in connection.execute("SELECT envelope FROM entry")]

    assert stored == [orjson.dumps(orjson.loads(envelope), option=orjson.OPT_SORT_KEYS) for envelope in stored]
