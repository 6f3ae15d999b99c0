"""An error or a kill at a system call of an append loses no acknowledged record; `make crash` does it at each one."""

from pathlib import Path

import pytest

from tests.crash.faults import Fault, suffer, suffer_change_of_key


@pytest.mark.parametrize(
    "fault",
    [
        Fault("fdatasync", "error=EIO", 2),
        Fault("fdatasync", "signal=KILL", 3),
        Fault("pwrite64", "error=ENOSPC", 9),
        Fault("pwrite64", "signal=KILL", 20),
        Fault("fsync", "error=EIO", 1),
        Fault("rename", "signal=KILL", 1),
    ],
    ids=str,
)
def test_no_acknowledged_record_is_lost_by_a_fault_of_one_system_call(tmp_path: Path, fault: Fault) -> None:
    after = suffer(tmp_path, fault)

    assert (frozenset(), ()) == (after.lost, after.problems)


@pytest.mark.parametrize("fault", [Fault("link", "signal=KILL", 2), Fault("pwrite64", "signal=KILL", 40)], ids=str)
def test_a_first_start_that_is_killed_leaves_nothing_in_the_way_of_the_next(tmp_path: Path, fault: Fault) -> None:
    """Half-made keys, half-made tables: the next start makes what is missing, and nothing twice."""
    after = suffer(tmp_path, fault, is_first=True)

    assert (frozenset(), ()) == (after.lost, after.problems)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("link", "signal=KILL", 1),
        Fault("pwrite64", "error=ENOSPC", 12),
        Fault("fdatasync", "signal=KILL", 2),
        Fault("fdatasync", "error=EIO", 2),
        Fault("rename", "signal=KILL", 1),
        Fault("rename", "error=EIO", 1),
        Fault("rename", "signal=KILL", 2),
    ],
    ids=str,
)
def test_a_change_of_key_that_is_interrupted_is_finished_or_never_was(tmp_path: Path, fault: Fault) -> None:
    assert () == suffer_change_of_key(tmp_path, fault)
