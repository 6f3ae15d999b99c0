"""D-ACUTE-AGE: acute diagnoses are acute for their days from onset, even if marked as over, then history."""

import pytest

from cds.engine.dates import Window
from cds.engine.facts import Condition
from cds.engine.rules import ConditionCriterion, ConditionState, Dating, Knowledge, Level
from tests.engine.ask import answer, found, remarks
from tests.engine.build import INFARCTION, ago, condition, record

ACUTE = ConditionCriterion(("acute_coronary",), ConditionState.ACUTE, within=Window(28))
ACUTE_WEEK = ConditionCriterion(("delirium",), ConditionState.ACUTE, within=Window(7))
OLD = ConditionCriterion(("acute_coronary",), ConditionState.ANY, older_than=Window(28), undated=Dating.OUTSIDE)


@pytest.mark.parametrize("status", ["active", "resolved", "inactive", ""])
@pytest.mark.parametrize(
    ("days", "expected"), [(0, "critical"), (28, "critical"), (29, "not-found"), (400, "not-found")]
)
def test_an_infarction_is_acute_for_28_days_however_it_was_marked(
    knowledge: Knowledge, status: str, days: int, expected: str
) -> None:
    """Worked case 65: a cardiac arrest of 8 days ago that is marked resolved is acute."""
    fact = condition(INFARCTION, status=status, onset=ago(days), abated=status == "resolved")

    assert expected == answer(found(knowledge, ACUTE, record(fact)))


@pytest.mark.parametrize(("days", "acute", "old"), [(28, "critical", "not-found"), (29, "not-found", "critical")])
def test_the_day_after_the_window_it_is_history(knowledge: Knowledge, days: int, acute: str, old: str) -> None:
    facts = record(condition(INFARCTION, onset=ago(days)))

    assert (acute, old) == (answer(found(knowledge, ACUTE, facts)), answer(found(knowledge, OLD, facts)))


@pytest.mark.parametrize(("days", "expected"), [(7, "critical"), (8, "not-found")])
def test_a_delirium_is_acute_for_7_days(knowledge: Knowledge, days: int, expected: str) -> None:
    assert expected == answer(found(knowledge, ACUTE_WEEK, record(condition("icd10cm|F05", onset=ago(days)))))


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        pytest.param(condition(INFARCTION, recorded=ago(28)), "critical", id="recorded 28 days ago"),
        pytest.param(condition(INFARCTION, recorded=ago(29)), "not-found", id="recorded 29 days ago"),
        pytest.param(
            condition(INFARCTION, onset=ago(3), recorded=ago(100)), "critical", id="onset before recordedDate"
        ),
        pytest.param(condition(INFARCTION, onset=ago(100), recorded=ago(3)), "not-found", id="recorded late"),
    ],
)
def test_onset_counts_else_the_day_it_was_recorded(knowledge: Knowledge, fact: Condition, expected: str) -> None:
    assert expected == answer(found(knowledge, ACUTE, record(fact)))


@pytest.mark.parametrize(
    ("fact", "expected", "remarked"),
    [
        pytest.param(condition(INFARCTION), "warning", ("date not known",), id="no date"),
        pytest.param(condition(INFARCTION, onset="2026"), "warning", ("date not exact",), id="some day this year"),
        pytest.param(condition(INFARCTION, onset="2026-01"), "warning", ("date not exact",), id="some day in January"),
        pytest.param(condition(INFARCTION, onset="2026-02"), "critical", (), id="this month"),
        pytest.param(condition(INFARCTION, onset="2025-12"), "not-found", (), id="a month wholly outside"),
        pytest.param(condition(INFARCTION, onset="2025"), "not-found", (), id="last year"),
        pytest.param(
            condition(INFARCTION, verification="provisional"),
            "info",
            ("unconfirmed", "date not known"),
            id="no date and unconfirmed",
        ),
    ],
)
def test_an_unknown_date_is_acute_one_step_lower(
    knowledge: Knowledge, fact: Condition, expected: str, remarked: tuple[str, ...]
) -> None:
    """What may be acute is not silent; the date that is missing stands on the card."""
    finding = found(knowledge, ACUTE, record(fact))

    assert (expected, remarked) == (answer(finding), remarks(finding))


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(condition(INFARCTION, status="resolved"), id="resolved"),
        pytest.param(condition(INFARCTION, status="inactive"), id="inactive"),
        pytest.param(condition(INFARCTION, abated=True), id="abated"),
        pytest.param(condition(INFARCTION, status="resolved", onset=ago(60)), id="resolved, outside the window"),
    ],
)
def test_what_is_over_is_acute_only_with_a_date_inside_the_window(knowledge: Knowledge, fact: Condition) -> None:
    assert answer(found(knowledge, ACUTE, record(fact))) == "not-found"


@pytest.mark.parametrize("verification", ["refuted", "entered-in-error"])
def test_a_refuted_acute_diagnosis_is_nothing(knowledge: Knowledge, verification: str) -> None:
    fact = condition(INFARCTION, onset=ago(2), verification=verification)

    assert answer(found(knowledge, ACUTE, record(fact))) == "not-found"


def test_a_dated_infarction_beside_an_undated_one_keeps_the_level(knowledge: Knowledge) -> None:
    both = (condition(INFARCTION), condition(INFARCTION, name="c2", onset=ago(5)))

    assert answer(found(knowledge, ACUTE, record(*both))) == "critical"


def test_acute_and_history_of_one_rule_choose_the_graver_level(knowledge: Knowledge) -> None:
    levels = {Level.CRITICAL: ACUTE, Level.INFO: OLD}
    both = (condition(INFARCTION, onset="2019"), condition(INFARCTION, name="c2", onset=ago(5)))

    assert answer(found(knowledge, levels, record(*both))) == "critical"
    assert answer(found(knowledge, levels, record(both[0]))) == "info"
