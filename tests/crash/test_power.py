"""A power cut loses no acknowledged record; with a weaker setting it does, or the harness would prove nothing."""

from pathlib import Path

from tests.crash.power import cut_power

TRIALS = 8


def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    trials = [cut_power(tmp_path / str(seed), seed, "FULL") for seed in range(TRIALS)]

    assert {(0, True, ())} == {(trial.lost, trial.opens, trial.problems) for trial in trials}
    assert sum(trial.acknowledged for trial in trials) > TRIALS


def test_the_same_power_cut_takes_records_from_a_log_that_syncs_less(tmp_path: Path) -> None:
    trials = [cut_power(tmp_path / str(seed), seed, "NORMAL") for seed in range(TRIALS)]

    assert sum(trial.lost for trial in trials) > 0
    assert any("cut back" in problem for trial in trials for problem in trial.problems)
