"""D-COND-ACTIVE: which recorded diagnosis is active, and when a missing status may be assumed."""

import pytest

from cds.engine.facts import Concept, Condition, Source
from cds.engine.rules import ConditionCriterion, ConditionState, Knowledge
from tests.engine.ask import answer, found, hook, remarks
from tests.engine.build import CRPS, GLAUCOMA, PSYCHOSIS, ago, concept, condition, gap, order, record

ACTIVE = ConditionCriterion(("psychosis_active",))
PAST = ConditionCriterion(("psychosis_active",), ConditionState.PAST)
ENCOUNTER, LIST, CONCERN = "encounter-diagnosis", "problem-list-item", "health-concern"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", "critical"),
        ("recurrence", "critical"),
        ("relapse", "critical"),
        ("inactive", "not-found"),
        ("resolved", "not-found"),
        ("remission", "not-found"),
    ],
)
def test_a_diagnosis_is_active_by_its_clinical_status(knowledge: Knowledge, status: str, expected: str) -> None:
    assert expected == answer(found(knowledge, ACTIVE, record(condition(PSYCHOSIS, status=status))))


@pytest.mark.parametrize("verification", ["confirmed", ""])
def test_a_diagnosis_is_taken_as_it_is_if_confirmed_or_without_a_word_on_it(
    knowledge: Knowledge, verification: str
) -> None:
    finding = found(knowledge, ACTIVE, record(condition(PSYCHOSIS, verification=verification)))

    assert ("critical", ()) == (answer(finding), remarks(finding))


@pytest.mark.parametrize("status", ["", "unknown"])
@pytest.mark.parametrize(
    ("categories", "recorded", "expected"),
    [
        pytest.param((LIST,), "", "critical", id="problem list"),
        pytest.param((CONCERN,), "", "critical", id="health concern"),
        pytest.param((), "", "critical", id="no category"),
        pytest.param((), "2001", "critical", id="no category, recorded long ago"),
        pytest.param((LIST, ENCOUNTER), "2001", "critical", id="problem list and encounter"),
        pytest.param((ENCOUNTER,), ago(30), "critical", id="encounter, recorded 30 days ago"),
        pytest.param((ENCOUNTER,), ago(31), "not-found", id="encounter, recorded 31 days ago"),
        pytest.param((ENCOUNTER,), ago(0), "critical", id="encounter, recorded today"),
        pytest.param((ENCOUNTER,), "2026-01", "not-found", id="encounter, recorded some day last month"),
        pytest.param((ENCOUNTER,), "", "not-found", id="encounter, recorded at an unknown date"),
    ],
)
def test_a_missing_status_is_assumed_active_except_for_an_old_encounter(
    knowledge: Knowledge, status: str, categories: tuple[str, ...], recorded: str, expected: str
) -> None:
    """Worked case 56: an encounter diagnosis without a status of 2 years ago is history, one of 10 days is active."""
    fact = condition(PSYCHOSIS, status=status, categories=categories, recorded=recorded)

    assert expected == answer(found(knowledge, ACTIVE, record(fact)))
    past = "not-found" if expected == "critical" else "critical"
    assert past == answer(found(knowledge, PAST, record(fact)))


def test_an_assumed_status_is_said(knowledge: Knowledge) -> None:
    finding = found(knowledge, ACTIVE, record(condition(PSYCHOSIS, status="")))

    assert remarks(finding) == ("status assumed",)


@pytest.mark.parametrize(
    ("encounter", "here", "expected"),
    [
        ("Encounter/1", "Encounter/1", "critical"),
        ("Encounter/2", "Encounter/1", "not-found"),
        ("Encounter/11", "Encounter/1", "not-found"),
        ("", "Encounter/1", "not-found"),
        ("Encounter/1", "", "not-found"),
        ("", "", "not-found"),
    ],
)
def test_an_old_encounter_diagnosis_is_active_in_its_own_encounter(
    knowledge: Knowledge, encounter: str, here: str, expected: str
) -> None:
    fact = condition(PSYCHOSIS, status="", categories=(ENCOUNTER,), recorded="2020-01-01", encounter=encounter)

    assert expected == answer(found(knowledge, ACTIVE, record(fact), context=hook(in_encounter=here)))


def test_a_missing_status_with_an_abatement_is_history(knowledge: Knowledge) -> None:
    fact = condition(PSYCHOSIS, status="", abated=True)

    assert answer(found(knowledge, ACTIVE, record(fact))) == "not-found"
    assert answer(found(knowledge, PAST, record(fact))) == "critical"


@pytest.mark.parametrize("categories", [(ENCOUNTER,), (LIST,)])
def test_a_given_status_needs_no_category(knowledge: Knowledge, categories: tuple[str, ...]) -> None:
    fact = condition(PSYCHOSIS, status="active", categories=categories, recorded="2001")

    assert answer(found(knowledge, ACTIVE, record(fact))) == "critical"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param((), "not-found", id="nothing recorded"),
        pytest.param((condition(GLAUCOMA),), "not-found", id="another diagnosis"),
        pytest.param((condition("rxnorm|F20.0"),), "not-found", id="the same code of another system"),
        pytest.param((condition(GLAUCOMA), condition(PSYCHOSIS, name="c2")), "critical", id="one of two"),
    ],
)
def test_only_a_code_of_the_value_set_counts(knowledge: Knowledge, facts: tuple[Condition, ...], expected: str) -> None:
    assert expected == answer(found(knowledge, ACTIVE, record(*facts)))


def test_a_diagnosis_without_a_known_code_is_not_guessed_from_its_words(knowledge: Knowledge) -> None:
    words_only = condition("local|1", display="Schizophrenia")

    assert answer(found(knowledge, ACTIVE, record(words_only))) == "not-found"


@pytest.mark.parametrize(
    ("reason", "reasons", "expected"),
    [
        pytest.param(concept(CRPS), True, "critical", id="a code of the reason counts where that is asked"),
        pytest.param(concept(CRPS), False, "not-found", id="and not elsewhere"),
        pytest.param(concept(GLAUCOMA), True, "not-found", id="another code"),
        pytest.param(concept(text="CRPS"), True, "not-found", id="words are no code"),
    ],
)
def test_the_reason_of_the_order_counts_as_an_active_diagnosis(
    knowledge: Knowledge, reason: Concept, reasons: bool, expected: str
) -> None:
    criterion = ConditionCriterion(("crps_type_1",), reasons=reasons)

    assert expected == answer(found(knowledge, criterion, record(), order(reasons=(reason,))))


@pytest.mark.parametrize(
    ("gap_codes", "expected"),
    [
        pytest.param((), "unknown", id="the whole list"),
        pytest.param((PSYCHOSIS,), "unknown", id="an entry with a code of the set"),
        pytest.param((GLAUCOMA,), "not-found", id="an entry with another code"),
    ],
)
def test_a_problem_list_that_was_not_read_is_unknown_never_clear(
    knowledge: Knowledge, gap_codes: tuple[str, ...], expected: str
) -> None:
    assert expected == answer(found(knowledge, ACTIVE, record(gap(Source.CONDITIONS, *gap_codes))))


def test_what_was_seen_counts_although_the_list_was_not_read_whole(knowledge: Knowledge) -> None:
    assert answer(found(knowledge, ACTIVE, record(condition(PSYCHOSIS), gap(Source.CONDITIONS)))) == "critical"
