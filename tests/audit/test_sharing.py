"""Several processes share one log: one writes at a time, none waits long, and it verifies at any moment."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from cds.audit.process_lock import ProcessLock
from cds.audit.writer import Recorder
from tests.audit.filling import ROOT, filled, problems
from tests.audit.records import recorder_in


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


@pytest.mark.alone
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
