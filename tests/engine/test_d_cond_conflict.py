"""D-COND-CONFLICT: one record says the diagnosis is there, another that it is refuted."""

from itertools import permutations

import pytest

from cds.engine.facts import Condition
from cds.engine.rules import ConditionCriterion, ConditionState, Knowledge
from tests.engine.ask import answer, found, remarks
from tests.engine.build import GLAUCOMA, PSYCHOSIS, condition, record

ACTIVE = ConditionCriterion(("psychosis_active",))
CONFLICT = "conflicting record: also recorded as refuted"


def yes(recorded: str, name: str = "yes", **more: str) -> Condition:
    """Return an active diagnosis."""
    return condition(PSYCHOSIS, name=name, recorded=recorded, **more)  # type: ignore[arg-type]


def no(recorded: str, name: str = "no", code: str = PSYCHOSIS, verification: str = "refuted") -> Condition:
    """Return a refuted diagnosis."""
    return condition(code, name=name, recorded=recorded, verification=verification)


@pytest.mark.parametrize(
    ("active", "refuted", "expected", "remarked"),
    [
        pytest.param("2025-06-02", "2025-06-01", "critical", (), id="active recorded a day later"),
        pytest.param("2025-06-01", "2025-06-02", "not-found", (), id="refuted a day later"),
        pytest.param("2025-06-01", "2025-06-01", "warning", (CONFLICT,), id="both on the same day"),
        pytest.param("", "2025-06-01", "warning", (CONFLICT,), id="active without a date"),
        pytest.param("2025-06-01", "", "warning", (CONFLICT,), id="refuted without a date"),
        pytest.param("", "", "warning", (CONFLICT,), id="both without a date"),
        pytest.param("2025-06", "2025-06-10", "warning", (CONFLICT,), id="dates that overlap"),
        pytest.param("2024", "2025-06", "not-found", (), id="a year before the refutation"),
        pytest.param("2025-06", "2024", "critical", (), id="a year after the refutation"),
        pytest.param("2025-06-01T08:00:00Z", "2025-06-01T15:00:00Z", "not-found", (), id="refuted later on that day"),
        pytest.param("2025-06-01T15:00:00Z", "2025-06-01T08:00:00Z", "critical", (), id="active later on that day"),
        pytest.param("2025-06-01T15:00:00Z", "2025-06-01", "warning", (CONFLICT,), id="the same day, one with a time"),
    ],
)
def test_the_later_record_wins_and_a_tie_stays_active_one_step_lower(
    knowledge: Knowledge, active: str, refuted: str, expected: str, remarked: tuple[str, ...]
) -> None:
    finding = found(knowledge, ACTIVE, record(yes(active), no(refuted)))

    assert (expected, remarked) == (answer(finding), remarks(finding))


def test_the_order_of_the_records_makes_no_difference(knowledge: Knowledge) -> None:
    """Refuted on the day it was recorded, and again later: the later refutation wins, wherever it stands."""
    facts = (yes("2025-06-01"), no("2025-06-01", "no1"), no("2025-07-01", "no2"))

    answers = {answer(found(knowledge, ACTIVE, record(*ordered))) for ordered in permutations(facts)}

    assert answers == {"not-found"}


def test_a_second_active_record_after_the_refutation_stands(knowledge: Knowledge) -> None:
    facts = (yes("2025-06-01"), no("2025-07-01"), yes("2025-08-01", "again"))

    finding = found(knowledge, ACTIVE, record(*facts))

    assert ("critical", ["Condition/again"]) == (answer(finding), [one.reference for one in finding.evidence])


def test_a_code_of_the_same_value_set_refutes(knowledge: Knowledge) -> None:
    facts = record(yes("2025-06-01"), no("2025-07-01", code="icd10cm|F29"))

    assert answer(found(knowledge, ACTIVE, facts)) == "not-found"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(no("2025-07-01", code=GLAUCOMA), id="another diagnosis that is refuted"),
        pytest.param(no("2025-07-01", verification="entered-in-error"), id="an entry in error is no refutation"),
    ],
)
def test_only_a_refutation_of_the_same_value_set_conflicts(knowledge: Knowledge, other: Condition) -> None:
    finding = found(knowledge, ACTIVE, record(yes("2025-06-01"), other))

    assert ("critical", ()) == (answer(finding), remarks(finding))


def test_a_conflict_and_a_doubt_lower_by_two_steps(knowledge: Knowledge) -> None:
    finding = found(knowledge, ACTIVE, record(yes("", verification="provisional"), no("")))

    assert ("info", ("unconfirmed", CONFLICT)) == (answer(finding), remarks(finding))


def test_history_is_not_in_conflict_with_a_refutation(knowledge: Knowledge) -> None:
    """The row speaks of one refuted and one active."""
    past = ConditionCriterion(("psychosis_active",), ConditionState.PAST)

    assert answer(found(knowledge, past, record(yes("2020", status="resolved"), no("2021")))) == "critical"
