"""Every case of cards/: one test each, named by its rule and its claim. The cases are data, in tests/cards/."""

import pytest

from cds.knowledge.code_systems import load_code_systems
from tests.cards.answers import CARDS, CASES, answer, cards, knowledge, plain, rows_and_levels
from tests.cards.case_language import Case, WorkedCaseText, read_cases, read_worked_cases
from tests.cards.worked import situation_of_worked

SYSTEMS = load_code_systems(CARDS / "code_systems.yaml").uris
ALL_CASES = [case for path in sorted(CASES.glob("*/*.yaml")) for case in read_cases(path, CASES.parent, SYSTEMS)]
ROWS = {row for rule in knowledge().rules for row in rule.implements}
ALL_WORKED = read_worked_cases(CASES / "worked_cases.yaml", CASES.parent)


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.rule}:{case.text.name}") for case in ALL_CASES])
def test_a_case_of_a_rule_gets_the_answer_that_its_author_expects(case: Case) -> None:
    """The answer, whether its card is withheld and why, and the words that must, and must not, stand on it."""
    given = answer(case.rule, case.situation)

    assert case.text.expect == given.said, f"{case.where}{given.why}"
    assert bool(case.text.withheld) == bool(given.withheld), f"{case.where}: withheld because {given.withheld!r}"
    assert case.text.withheld in given.withheld, case.where
    assert () == missing_words(case.text.says, given.words), f"{case.where}\n{given.words}"
    assert case.text.never_says == missing_words(case.text.never_says, given.words), f"{case.where}\n{given.words}"


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.number}{case.part}: {case.name}") for case in ALL_WORKED]
)
def test_a_worked_case_gets_exactly_its_cards(case: WorkedCaseText) -> None:
    """The cards by the row of the clinical rules that leads them; those under `next` once their rule exists."""
    to_come = sorted(set(case.needs) - ROWS)
    if to_come:
        pytest.skip(f"no rule implements {', '.join(to_come)} yet")
    shown = cards(situation_of_worked(case, SYSTEMS))

    expected = case.expect | {row: level for row, level in case.next.items() if row in ROWS}
    words = " ".join(plain(card) for card in shown)
    assert sorted(expected.items()) == rows_and_levels(shown), [card.summary for card in shown]
    assert () == missing_words(case.says, words), words


def test_every_worked_case_is_there() -> None:
    assert set(range(1, 70)) == {case.number for case in ALL_WORKED}


def missing_words(says: tuple[str, ...], words: str) -> tuple[str, ...]:
    """Return what should be said and is not, whatever the case of its letters."""
    return tuple(said for said in says if said.lower() not in words.lower())
