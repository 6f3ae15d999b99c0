"""A process that is killed while many calls wait leaves a log that verifies, with every acknowledged record."""

from pathlib import Path

from tests.crash.kills import kill_under_load


def test_a_log_verifies_after_kill_9_under_load(tmp_path: Path) -> None:
    for acknowledged in (1, 60):
        after = kill_under_load(tmp_path, acknowledged)

        assert (frozenset(), ()) == (after.lost, after.problems)
        assert after.acknowledged >= acknowledged
