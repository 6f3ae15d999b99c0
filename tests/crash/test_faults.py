"""An error or a kill at a system call of an append loses no acknowledged record; `make crash` does it at each one."""

from pathlib import Path

import pytest

from tests.crash.faults import Fault, suffer


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
