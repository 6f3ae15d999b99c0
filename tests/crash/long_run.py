"""The long way: `make crash`. Each test prints its figure; docs/durability.md has those of one run."""

import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.store_sqlite import SqliteStore
from tests.audit.logs import many, some_log
from tests.audit.records import SIGNER, recorder_in, unlocked
from tests.audit.tampering import places
from tests.crash.faults import (
    FAULTS,
    ROOT,
    Fault,
    calls_of_a_change_of_key,
    calls_of_an_append,
    suffer,
    suffer_change_of_key,
)
from tests.crash.kills import kill_under_load
from tests.crash.power import cut_power
from tests.running import running, settings_in
from tests.test_replay import fill, replays


def test_kill_9_a_hundred_times(tmp_path: Path) -> None:
    acknowledged = 0
    for number in range(100):
        after = kill_under_load(tmp_path, 1 + number * 7 % 150)
        acknowledged += after.acknowledged
        assert (frozenset(), ()) == (after.lost, after.problems)
    print(f"\nkill -9: 100 times under 32 tasks, {acknowledged} acknowledged records, 0 lost")


@pytest.mark.parametrize("is_first", [False, True], ids=["a later start", "the first start"])
def test_a_fault_at_every_system_call_of_an_append(tmp_path: Path, is_first: bool) -> None:
    calls = calls_of_an_append(tmp_path / "count", is_first=is_first)
    calls["openat"] = 0  # nearly all are Python's own, at its start
    faults = [Fault(name, fault, nth) for name, most in calls.items() for nth in range(1, most + 1) for fault in FAULTS]
    acknowledged = 0
    for number, fault in enumerate(faults):
        after = suffer(tmp_path / str(number), fault, is_first=is_first)
        shutil.rmtree(tmp_path / str(number))
        acknowledged += after.acknowledged
        assert (frozenset(), ()) == (after.lost, after.problems), fault
    print(f"\nfaults: {len(faults)} ({', '.join(FAULTS)} at {dict(calls)}), {acknowledged} acknowledged, 0 lost")


def test_a_fault_at_every_system_call_of_a_change_of_key(tmp_path: Path) -> None:
    calls = calls_of_a_change_of_key(tmp_path / "count")
    calls["openat"] = 0  # nearly all are Python's own, at its start
    faults = [Fault(name, fault, nth) for name, most in calls.items() for nth in range(1, most + 1) for fault in FAULTS]
    for number, fault in enumerate(faults):
        assert () == suffer_change_of_key(tmp_path / str(number), fault), fault
        shutil.rmtree(tmp_path / str(number))
    print(f"\nfaults of a change of key: {len(faults)} ({', '.join(FAULTS)} at {dict(calls)}), every log verifies")


def test_a_hundred_power_cuts(tmp_path: Path) -> None:
    for synchronous, count in (("FULL", 100), ("NORMAL", 20)):
        trials = [cut_power(tmp_path / f"{synchronous}{seed}", seed, synchronous, 8_000) for seed in range(count)]
        acknowledged, lost = (sum(getattr(trial, name) for trial in trials) for name in ("acknowledged", "lost"))
        print(f"\npower cuts, synchronous={synchronous}: {count}, {acknowledged} acknowledged, {lost} lost")

        assert all(trial.opens for trial in trials)
        assert (lost == 0) == (synchronous == "FULL")
        assert synchronous != "FULL" or not any(trial.problems for trial in trials)


def test_two_thousand_changed_bytes(tmp_path: Path) -> None:
    log = some_log(tmp_path / "log")
    every = places(log.database)
    missed = []
    for number in range(2_000):
        copy = log.copy_to(tmp_path / "copy")
        place = every[number * len(every) // 2_000]
        place.flip(copy.database)
        if not copy.verify().problems:
            missed.append(place)
        shutil.rmtree(tmp_path / "copy")
    print(f"\ntampering: 2,000 of {len(every)} bytes changed, {len(missed)} not detected")

    assert [] == missed


def test_four_processes_append_a_thousand_records_each(tmp_path: Path) -> None:
    recorder_in(tmp_path).close()
    command = [sys.executable, "-m", "tests.audit.timed_appender", str(tmp_path), "1000"]
    writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [tuple(map(float, writer.communicate(timeout=600)[0].split())) for writer in writers]
    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
        numbers = [seq for (seq,) in connection.execute("SELECT seq FROM entry ORDER BY seq")]
    longest_ms, median_ms = max(said)
    print(f"\n4 processes x 1,000: longest wait {longest_ms:.0f} ms, median {median_ms:.1f} ms")

    assert list(range(4_000)) == numbers
    assert longest_ms < 500


@pytest.mark.parametrize("count", [100_000])
def test_a_hundred_thousand_records_are_verified_in_fifteen_seconds(tmp_path: Path, count: int) -> None:
    store = unlocked(SqliteStore(tmp_path / "record.sqlite"))
    records = many(count)
    while batch := list(islice(records, 1_000)):
        store.append(batch)
    store.close()
    began, began_cpu = time.monotonic(), time.process_time()
    with closing(open_stored(tmp_path / "record.sqlite")) as connection:
        verdict = verify_stored(connection, [SIGNER.verification_key])
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - began_cpu
    megabytes = (tmp_path / "record.sqlite").stat().st_size / 1e6
    print(f"\nverify: {count} records, {megabytes:.0f} MB: {seconds:.1f} s ({cpu_seconds:.1f} s of one processor)")

    assert ([], count) == (verdict.problems, verdict.entries)
    assert cpu_seconds < 15


def test_a_thousand_mixed_records_are_replayed(tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    for number, country in enumerate(("", "GB")):
        noon = datetime(2026, 2, 1 + number, 12, tzinfo=UTC)
        with running(settings_in(tmp_path / str(number), clock=noon, country=country)) as service:
            fill(service)
            fill(service)
        outcomes.update(
            done.outcome.value for record, done in replays(service.database) if record.envelope["type"] == "decision"
        )
    print(f"\nreplay: {dict(outcomes)}")

    assert {"identical"} == set(outcomes)
    assert outcomes["identical"] > 1_000
