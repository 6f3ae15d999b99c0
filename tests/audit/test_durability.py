"""What was acknowledged is on the disk, whatever happens to the process, and however many processes write."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.records import decision, recorder_in
from tests.crash.faults import strace

ROOT = Path(__file__).resolve().parents[2]
APPENDER = [sys.executable, "-m", "tests.audit.appender"]


def stored(folder: Path) -> list[tuple[int, str]]:
    """Read number and id of every entry with nothing but SQLite."""
    connection = sqlite3.connect(folder / "data" / "record.sqlite")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT seq, id FROM entry ORDER BY seq").fetchall()
    finally:
        connection.close()


def start(folder: Path, count: int, tasks: int = 8, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    command = [*prefix, *APPENDER, str(folder), str(count), str(tasks)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_record_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    """Read by another connection, while the recorder is still open."""
    recorder = recorder_in(tmp_path)
    record = decision()

    recorder.append(record)
    found = stored(tmp_path)
    recorder.close()

    assert [(0, record.call.record_id)] == found


@pytest.mark.parametrize("after", [1, 40, 150])
def test_every_acknowledged_record_survives_kill_9(tmp_path: Path, after: int) -> None:
    with start(tmp_path, 0) as writer:
        assert writer.stdout
        acknowledged = [writer.stdout.readline() for _ in range(after)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.readlines()

    complete = {line.strip() for line in acknowledged if line.endswith("\n")}

    assert set() == complete - {record_id for _, record_id in stored(tmp_path)}
    assert len(complete) >= after


def test_a_log_goes_on_after_kill_9(tmp_path: Path) -> None:
    with start(tmp_path, 0) as writer:
        assert writer.stdout
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
    before = len(stored(tmp_path))

    recorder = recorder_in(tmp_path)
    recorder.append(decision())
    recorder.close()

    assert list(range(before + 1)) == [seq for seq, _ in stored(tmp_path)]


def test_four_processes_write_one_log_without_gap_or_loss(tmp_path: Path) -> None:
    writers = [start(tmp_path, 100) for _ in range(4)]
    acknowledged = [line.strip() for writer in writers for line in writer.communicate(timeout=120)[0].splitlines()]

    entries = stored(tmp_path)

    assert list(range(400)) == [seq for seq, _ in entries]
    assert sorted(acknowledged) == sorted(record_id for _, record_id in entries)


def test_every_record_alone_costs_a_sync_of_the_disk(tmp_path: Path) -> None:
    """Without a sync at each commit a power cut takes records that were acknowledged; kill -9 does not show that."""
    trace = tmp_path / "trace"
    recorder_in(tmp_path).close()
    with start(tmp_path, 50, tasks=1, prefix=traced("-e", "trace=fdatasync,fsync", "-o", str(trace))) as writer:
        acknowledged = writer.communicate(timeout=120)[0].splitlines()

    syncs = [line for line in trace.read_text().splitlines() if line.endswith("= 0")]

    assert 50 == len(acknowledged)
    assert len(syncs) >= 50


def test_after_an_error_of_the_disk_nothing_more_is_acknowledged(tmp_path: Path) -> None:
    """What the system still holds of a failed sync cannot be trusted: broken until a restart."""
    recorder_in(tmp_path).close()
    with start(tmp_path, 1000, prefix=traced("-o", os.devnull, "-e", "inject=fdatasync:error=EIO:when=3+")) as writer:
        lines = writer.communicate(timeout=120)[0].splitlines()

    *acknowledged, failed = lines

    assert "CDS-403 healthy=False" == failed
    assert set() == set(acknowledged) - {record_id for _, record_id in stored(tmp_path)}


def traced(*options: str) -> tuple[str, ...]:
    """Return the start of a command that runs under strace; skip the test where that is not possible."""
    return (strace(), "-f", *options)


def test_the_log_and_its_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.append(decision())

    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
        if path.is_file() and "checkpoint" not in path.name  # which is no secret
    }
    recorder.close()

    assert {
        "data/record.sqlite": 0o600,
        "data/record.sqlite-wal": 0o600,
        "data/record.sqlite-shm": 0o600,
        "data/record.sqlite.lock": 0o600,
        "keys/pseudonym.key": 0o600,
        "keys/signing.key": 0o600,
    } == modes
