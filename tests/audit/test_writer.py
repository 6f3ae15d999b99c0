"""A call whose record cannot be stored must fail with a code of its own, and heal only when writing works again."""

import asyncio
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from cds.audit.queries import LogReader
from cds.audit.record import Record
from cds.audit.sealed import Sealed
from cds.audit.store_sqlite import SqliteStore
from cds.audit.writer import Recorder
from cds.errors import AuditError
from tests.audit.records import (
    KEYS,
    NO_CARDS,
    SOFTWARE,
    call,
    decision,
    failure,
    not_applicable,
    recorder_in,
    unlocked,
)
from tests.required import REQUIRE_FAULTS, cannot


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    opened = recorder_in(tmp_path)
    yield opened
    opened.close()


def database(folder: Path) -> Path:
    return folder / "data" / "record.sqlite"


def count(folder: Path) -> int:
    with LogReader(database(folder)) as log:
        return len(list(log.list(limit=10_000)))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold SQLite's own write lock, as a backup tool or an operator's shell would."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def append_until_refused(recorder: Recorder) -> int:
    """Return how many records were acknowledged before the first was refused for now."""
    for acknowledged in range(1000):
        try:
            recorder.append(decision())
        except AuditError as error:
            if error.code != "CDS-402":
                raise
            return acknowledged
    raise AssertionError("The disk was never full.")


def wait_until_healthy(recorder: Recorder, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not recorder.healthy and time.monotonic() < deadline:
        time.sleep(0.05)
    return recorder.healthy


@pytest.mark.parametrize("record", [decision(), not_applicable(), failure()], ids=lambda record: type(record).__name__)
def test_every_kind_of_record_can_be_appended_and_found(recorder: Recorder, tmp_path: Path, record: Record) -> None:
    asyncio.run(recorder.append_async(record))

    with LogReader(database(tmp_path)) as log:
        found = log.find(record.call.record_id)

    assert (0, record.call.record_id, ()) == (found.seq, found.envelope["id"], found.altered)


def test_many_threads_append_at_once_and_none_is_lost(recorder: Recorder, tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(recorder.append, [decision() for _ in range(200)]))

    assert 200 == count(tmp_path)


def test_what_arrives_during_a_commit_is_committed_together(tmp_path: Path) -> None:
    """One sync of the disk for many calls is what makes durability affordable."""
    batches: list[int] = []
    first_is_writing, go_on = threading.Event(), threading.Event()

    class SlowStore(SqliteStore):
        def append(self, batch: Sequence[Sealed]) -> None:
            batches.append(len(batch))
            first_is_writing.set()
            go_on.wait(10)
            super().append(batch)

    slow = Recorder(unlocked(SlowStore(database(tmp_path))), KEYS, SOFTWARE)
    with ThreadPoolExecutor(100) as pool:
        waiting = [pool.submit(slow.append, not_applicable())]
        first_is_writing.wait(10)
        waiting += [pool.submit(slow.append, not_applicable()) for _ in range(99)]
        while slow._writer.waiting < 99:
            time.sleep(0.01)
        go_on.set()
        assert [None] * 100 == [future.result(10) for future in waiting]
    slow.close()

    assert [1, 64, 35] == batches


def test_a_locked_file_fails_the_call_and_heals_by_itself(recorder: Recorder, tmp_path: Path) -> None:
    with locked(database(tmp_path)):
        with pytest.raises(AuditError, match="CDS-402"):
            recorder.append(decision())
        assert not recorder.healthy

    assert wait_until_healthy(recorder)
    recorder.append(decision())
    assert 1 == count(tmp_path)


def test_a_locked_file_fails_an_asynchronous_call_too(recorder: Recorder, tmp_path: Path) -> None:
    with locked(database(tmp_path)), pytest.raises(AuditError, match="CDS-402"):
        asyncio.run(recorder.append_async(decision()))

    assert wait_until_healthy(recorder)


def test_a_probe_leaves_no_trace_in_the_log(recorder: Recorder, tmp_path: Path) -> None:
    with locked(database(tmp_path)), pytest.raises(AuditError):
        recorder.append(decision())

    assert wait_until_healthy(recorder)
    assert 0 == count(tmp_path)


@pytest.mark.parametrize("mode", ["append", "append_async"])
def test_a_writer_that_hangs_does_not_hold_the_call_for_ever(tmp_path: Path, mode: str) -> None:
    """Another process holds the lock file and does not let go: what was given up is not stored later."""
    hasty = Recorder(unlocked(SqliteStore(database(tmp_path))), KEYS, SOFTWARE, wait_seconds=0.2)
    holder = SqliteStore(database(tmp_path))
    with holder.exclusively():
        for _ in range(2):
            with pytest.raises(AuditError, match="CDS-402"):
                hasty.append(decision()) if mode == "append" else asyncio.run(hasty.append_async(decision()))
        unhealthy = not hasty.healthy
    holder.close()
    healed = wait_until_healthy(hasty)
    hasty.close()

    assert unhealthy
    assert healed
    assert 0 == count(tmp_path)


def test_a_record_id_that_is_already_used_fails_only_its_own_call(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    first = decision()
    recorder.append(first)
    batch: list[Record] = [decision(), first, decision()]

    async def append_all() -> list[BaseException | None]:
        return await asyncio.gather(*map(recorder.append_async, batch), return_exceptions=True)

    results = asyncio.run(append_all())
    recorder.close()

    assert [None, "CDS-407", None] == [result.code if isinstance(result, AuditError) else result for result in results]
    assert 3 == count(tmp_path)


def test_a_record_that_cannot_be_written_as_utf_8_fails_its_call_and_no_other(
    recorder: Recorder, tmp_path: Path
) -> None:
    broken = replace(not_applicable(), call=replace(call(NO_CARDS), notes=("\ud800",)))

    with pytest.raises(AuditError, match="CDS-407"):
        recorder.append(broken)
    recorder.append(decision())

    assert recorder.healthy
    assert 1 == count(tmp_path)


def test_an_answer_that_is_no_json_fails_its_call(recorder: Recorder) -> None:
    with pytest.raises(AuditError, match="CDS-407"):
        recorder.append(decision(answer=b"{"))


def test_a_store_that_fails_in_an_unknown_way_is_not_used_again(tmp_path: Path) -> None:
    class FaultyStore(SqliteStore):
        def append(self, batch: Sequence[Sealed]) -> None:
            raise MemoryError(len(batch))

    faulty = Recorder(unlocked(FaultyStore(database(tmp_path))), KEYS, SOFTWARE)

    for _ in range(2):
        with pytest.raises(AuditError, match="CDS-403"):
            faulty.append(decision())
    assert not faulty.healthy
    faulty.close()


def test_a_closed_log_takes_no_more_records(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.close()
    recorder.close()

    with pytest.raises(AuditError, match="CDS-403"):
        recorder.append(decision())
    assert not recorder.healthy


def test_what_is_waiting_is_written_before_the_log_closes(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(recorder.append, decision()) for _ in range(50)]
        [future.result() for future in waiting[:1]]
        recorder.close()
        results = [future.exception() for future in waiting]

    assert count(tmp_path) == results.count(None)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB; only root can mount one."""
    if os.geteuid() != 0:
        cannot("only root can mount a small file system", REQUIRE_FAULTS)
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True)
    if mount.returncode:
        cannot("this machine does not allow mounting", REQUIRE_FAULTS)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_fails_calls_until_there_is_room_again(small_disk: Path) -> None:
    recorder = recorder_in(small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(400_000))
    acknowledged = append_until_refused(recorder)
    unhealthy = not recorder.healthy

    ballast.unlink()
    healed = wait_until_healthy(recorder)
    recorder.append(decision())
    recorder.close()

    assert unhealthy
    assert healed
    assert acknowledged + 1 == count(small_disk)


def test_knowledge_is_kept_by_its_digest_and_only_once(recorder: Recorder, tmp_path: Path) -> None:
    digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    recorder.keep_knowledge(digest, b"abc")
    recorder.keep_knowledge(digest, b"abc")

    with LogReader(database(tmp_path)) as log:
        package = log.knowledge(digest)

    assert b"abc" == package


def test_knowledge_under_a_wrong_digest_is_refused(recorder: Recorder) -> None:
    with pytest.raises(AuditError, match="CDS-407"):
        recorder.keep_knowledge("sha256:" + "00" * 32, b"abc")


def test_an_envelope_says_when_and_by_which_process_it_was_written(tmp_path: Path) -> None:
    for _ in range(2):
        recorder = recorder_in(tmp_path)
        recorder.append(decision())
        recorder.close()

    with LogReader(database(tmp_path)) as log:
        newer, older = (entry.envelope for entry in log.list())

    assert str(older["time"]) < str(newer["time"])
    assert older["instance"] != newer["instance"]
    assert older["subjectKey"] == newer["subjectKey"]
    assert b"development" not in orjson.dumps(newer["sections"])
