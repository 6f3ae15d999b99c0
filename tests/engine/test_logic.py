"""Three-valued logic: what is not known never becomes an answer."""

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.logic import Verdict, all_of, any_of, not_
from tests.engine.ask import FEW

P, N, U = Verdict.PRESENT, Verdict.NOT_FOUND, Verdict.UNKNOWN
ANSWERS = st.sampled_from([P, N, U])
SEVERAL = st.lists(ANSWERS, max_size=6)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], N),
        ([P], P),
        ([N], N),
        ([U], U),
        ([P, N], P),
        ([P, U], P),
        ([N, U], U),
        ([P, N, U], P),
    ],
)
def test_one_present_fact_is_enough_for_any_in_every_order(verdicts: list[Verdict], expected: Verdict) -> None:
    assert {expected} == {any_of(ordered) for ordered in permutations(verdicts)}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], P),
        ([P], P),
        ([N], N),
        ([U], U),
        ([P, N], N),
        ([P, U], U),
        ([N, U], N),
        ([P, N, U], N),
    ],
)
def test_one_fact_that_is_not_found_decides_all_in_every_order(verdicts: list[Verdict], expected: Verdict) -> None:
    assert {expected} == {all_of(ordered) for ordered in permutations(verdicts)}


@pytest.mark.parametrize(
    ("verdict", "expected"), [(P, N), (N, P), (U, U), (Verdict.NOT_APPLICABLE, Verdict.NOT_APPLICABLE)]
)
def test_the_opposite_of_unknown_is_unknown(verdict: Verdict, expected: Verdict) -> None:
    assert expected is not_(verdict)


@FEW
@given(SEVERAL)
def test_all_and_any_are_opposites_of_each_other(verdicts: list[Verdict]) -> None:
    assert not_(any_of(verdicts)) is all_of(not_(verdict) for verdict in verdicts)


@FEW
@given(SEVERAL)
def test_learning_what_was_unknown_never_turns_an_answer_round(verdicts: list[Verdict]) -> None:
    """Kleene's rule: an answer that was given with gaps holds whatever the gaps hide."""
    ways = list(product(*[(P, N) if verdict is U else (verdict,) for verdict in verdicts]))

    for combine in (any_of, all_of):
        settled = {combine(way) for way in ways}
        assert combine(verdicts) in (settled if len(settled) == 1 else {U})


@FEW
@given(SEVERAL, ANSWERS)
def test_grouping_makes_no_difference(verdicts: list[Verdict], more: Verdict) -> None:
    for combine in (any_of, all_of):
        assert combine([*verdicts, more]) is combine([combine(verdicts), more])
