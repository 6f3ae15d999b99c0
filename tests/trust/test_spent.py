"""Each token once: over processes, restarts and faults of the file that remembers them."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cds.trust.spent import SpentTokens
from tests.trust.spending import LIFE_SECONDS, NOW, spend


def _rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        (count,) = connection.execute("SELECT count(*) FROM spent").fetchone()
    finally:
        connection.close()
    return int(count)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jti" / "jti.sqlite"


def test_a_token_is_new_once_and_stays_used_after_a_clean_restart(path: Path) -> None:
    """Also one that was issued before the restart: the file says that nothing was lost."""
    tokens = SpentTokens(path, NOW - 100)
    first = [spend(tokens, "a"), spend(tokens, "a")]
    tokens.close()

    tokens = SpentTokens(path, NOW + 50)
    second = [spend(tokens, "a"), spend(tokens, "b", issued=NOW + 49)]
    tokens.close()

    assert ["new", "CDS-620"] == first
    assert ["CDS-620", "new"] == second


def test_two_worker_processes_share_what_was_used(path: Path) -> None:
    one, other = SpentTokens(path, NOW), SpentTokens(path, NOW)

    answers = [spend(one, "a"), spend(other, "a"), spend(other, "b"), spend(one, "b")]
    one.close()
    other.close()

    assert ["new", "CDS-620", "new", "CDS-620"] == answers


def _race(path: Path, found: "multiprocessing.Queue[str]") -> None:
    tokens = SpentTokens(path, NOW)
    for number in range(200):
        found.put(spend(tokens, str(number)))
    tokens.close()


def test_four_processes_that_race_for_200_tokens_get_each_once(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    workers = [context.Process(target=_race, args=(path, found)) for _ in range(4)]
    for worker in workers:
        worker.start()
    answers = [found.get(timeout=60) for _ in range(800)]
    for worker in workers:
        worker.join(60)
    found.close()
    found.join_thread()

    assert (200, 600) == (answers.count("new"), answers.count("CDS-620"))


_KILLED = """
import asyncio, sys, time
from pathlib import Path
from cds.trust.spent import SpentTokens
tokens = SpentTokens(Path(sys.argv[1]), float(sys.argv[2]))
issued = float(sys.argv[3])
asyncio.run(tokens.spend("https://ehr.example", "a", issued, issued + 330, float(sys.argv[2])))
print("used", flush=True)
time.sleep(60)
"""


def _use_and_be_killed(path: Path, now: float, ahead_seconds: float = 0) -> None:
    command = [sys.executable, "-c", _KILLED, str(path), str(now), str(now + ahead_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "used\n" == process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)


def test_after_a_kill_tokens_of_before_the_start_are_refused_used_or_not(path: Path) -> None:
    """What was used just before a power cut may be lost, so nothing of that time is believed."""
    _use_and_be_killed(path, NOW)

    tokens = SpentTokens(path, NOW + 50)
    answers = [spend(tokens, "a"), spend(tokens, "b", issued=NOW + 49), spend(tokens, "c", issued=NOW + 50)]
    tokens.close()

    assert ["CDS-620", "CDS-620", "new"] == answers


def test_a_used_token_of_a_clock_that_is_ahead_stays_used_and_right_clocks_are_believed_at_once(path: Path) -> None:
    """It was issued "after" the start that follows, as good tokens are."""
    _use_and_be_killed(path, NOW, ahead_seconds=30)

    tokens = SpentTokens(path, NOW + 5)
    answers = [spend(tokens, "a", issued=NOW + 30, now=NOW + 31), spend(tokens, "b", issued=NOW + 5, now=NOW + 5)]
    tokens.close()

    assert ["CDS-620", "new"] == answers


def test_a_worker_that_is_killed_while_others_run_is_no_unclean_start(path: Path) -> None:
    """Its successor finds what it used, and good tokens stay good."""
    other = SpentTokens(path, NOW - 100)
    _use_and_be_killed(path, NOW)

    successor = SpentTokens(path, NOW + 50)
    answers = [spend(successor, "a"), spend(successor, "b", issued=NOW + 49)]
    successor.close()
    other.close()

    assert ["CDS-620", "new"] == answers


def test_rows_that_a_power_cut_took_are_not_believed_to_be_unused(path: Path) -> None:
    """The file as it was before the newest rows were synced: unmarked, so what was issued before is refused."""
    tokens = SpentTokens(path, NOW - 100)
    tokens._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    used = spend(tokens, "a")
    tokens.close()
    path.write_bytes(before)

    tokens = SpentTokens(path, NOW + 50)
    answer = spend(tokens, "a")
    tokens.close()

    assert ("new", "CDS-620") == (used, answer)


def test_a_file_that_is_gone_is_an_unclean_start(path: Path) -> None:
    """A new file knows nothing of what was used."""
    tokens = SpentTokens(path, NOW)

    answers = [spend(tokens, "a", issued=NOW - 1), spend(tokens, "b", issued=NOW)]
    tokens.close()

    assert ["CDS-620", "new"] == answers


def test_a_clock_that_was_ahead_at_an_unclean_start_is_mended_by_a_restart(path: Path) -> None:
    """Else every token would be refused for years."""
    SpentTokens(path, NOW + 10**8).close()

    tokens = SpentTokens(path, NOW)
    answer = spend(tokens, "a")
    tokens.close()

    assert "new" == answer


def test_tokens_that_are_over_are_removed(path: Path) -> None:
    """The file does not grow for ever."""
    tokens = SpentTokens(path, NOW)
    for number in range(100):
        spend(tokens, f"old-{number}")
    later = NOW + LIFE_SECONDS + 1
    for number in range(20):
        spend(tokens, f"new-{number}", issued=later, now=later)
    tokens.close()

    assert 20 == _rows(path)


def test_the_file_holds_no_token_id(path: Path) -> None:
    """Only its digest: a token id is the EHR's own text."""
    tokens = SpentTokens(path, NOW)
    spend(tokens, "CANARY-4711")
    tokens.close()

    assert b"CANARY" not in path.read_bytes()
