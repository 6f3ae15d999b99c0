"""D-COND-UNCONF, D-COND-PAST, D-COND-REM and D-COND-NO: diagnoses that are not simply active."""

from dataclasses import replace

import pytest

from cds.engine.dates import Window
from cds.engine.rules import ConditionCriterion, ConditionState, Knowledge, Level
from tests.engine.ask import answer, found, remarks
from tests.engine.build import DEPRESSION, PSYCHOSIS, SPINAL_CORD_INJURY, concept, condition, record

ACTIVE = ConditionCriterion(("psychosis_active",))
PAST = ConditionCriterion(("psychosis_active",), ConditionState.PAST)
ANY = ConditionCriterion(("psychosis_active",), ConditionState.ANY)
SEQUELA = "icd10cm|S14.109S"
NERVE_SEQUELA, HAEMORRHAGE_SEQUELA = "icd10cm|S44.00XS", "icd10cm|I69.10"


# D-COND-UNCONF


@pytest.mark.parametrize("verification", ["unconfirmed", "provisional", "differential"])
@pytest.mark.parametrize(
    ("level", "expected"), [(Level.CRITICAL, "warning"), (Level.WARNING, "info"), (Level.INFO, "info")]
)
def test_an_unconfirmed_diagnosis_gives_the_same_rule_one_step_lower(
    knowledge: Knowledge, verification: str, level: Level, expected: str
) -> None:
    finding = found(knowledge, {level: ACTIVE}, record(condition(PSYCHOSIS, verification=verification)))

    assert (expected, ("unconfirmed",)) == (answer(finding), remarks(finding))


@pytest.mark.parametrize("level", list(Level))
def test_a_summary_on_an_unconfirmed_diagnosis_says_so_first(knowledge: Knowledge, level: Level) -> None:
    """An unconfirmed indication stays info, and says so as well."""
    finding = found(knowledge, {level: ACTIVE}, record(condition(PSYCHOSIS, verification="provisional")))

    assert finding.summary == "Unconfirmed: rule_of_the_test"


def test_a_confirmed_diagnosis_beside_an_unconfirmed_one_keeps_the_level(knowledge: Knowledge) -> None:
    both = (condition(PSYCHOSIS, verification="provisional"), condition(PSYCHOSIS, name="c2"))

    finding = found(knowledge, ACTIVE, record(*both))

    assert ("critical", "rule_of_the_test") == (answer(finding), finding.summary)


def test_a_confirmed_lesser_fact_decides_the_words_beside_an_unconfirmed_graver_one(knowledge: Knowledge) -> None:
    """Lowered to warning by doubt and warning for sure: the sure fact is no 'Unconfirmed' one."""
    levels = {Level.CRITICAL: ACTIVE, Level.WARNING: PAST}
    both = (condition(PSYCHOSIS, verification="provisional"), condition(PSYCHOSIS, name="c2", status="resolved"))

    finding = found(knowledge, levels, record(*both))

    assert ("warning", "rule_of_the_test") == (answer(finding), finding.summary)


def test_an_unconfirmed_diagnosis_without_a_status_is_lowered_once(knowledge: Knowledge) -> None:
    finding = found(knowledge, ACTIVE, record(condition(PSYCHOSIS, status="", verification="provisional")))

    assert ("warning", ("unconfirmed", "status assumed")) == (answer(finding), remarks(finding))


# D-COND-PAST


@pytest.mark.parametrize("status", ["inactive", "resolved"])
def test_what_is_over_is_history(knowledge: Knowledge, status: str) -> None:
    over = record(condition(PSYCHOSIS, status=status))

    assert [answer(found(knowledge, one, over)) for one in (ACTIVE, PAST, ANY)] == ["not-found", "critical", "critical"]


def test_an_abatement_in_the_past_outweighs_the_status_active(knowledge: Knowledge) -> None:
    ended = record(condition(PSYCHOSIS, status="active", abated=True))

    assert [answer(found(knowledge, one, ended)) for one in (ACTIVE, PAST)] == ["not-found", "critical"]


def test_an_active_diagnosis_is_no_history(knowledge: Knowledge) -> None:
    assert answer(found(knowledge, PAST, record(condition(PSYCHOSIS)))) == "not-found"


@pytest.mark.parametrize(
    ("value_set", "code", "state", "expected"),
    [
        ("spinal_cord_injury", SEQUELA, ConditionState.ACTIVE, "not-found"),
        ("spinal_cord_injury", SEQUELA, ConditionState.PAST, "critical"),
        ("spinal_cord_injury", SEQUELA, ConditionState.ANY, "critical"),
        ("spinal_cord_injury", SEQUELA, ConditionState.SEQUELA_ACTIVE, "critical"),
        ("spinal_cord_injury", SEQUELA, ConditionState.ACUTE, "not-found"),
        ("spinal_cord_injury", SPINAL_CORD_INJURY, ConditionState.ACTIVE, "critical"),
        ("spinal_cord_injury", SPINAL_CORD_INJURY, ConditionState.SEQUELA_ACTIVE, "critical"),
        ("spinal_cord_injury", SPINAL_CORD_INJURY, ConditionState.PAST, "not-found"),
        ("post_nerve_injury_pain", NERVE_SEQUELA, ConditionState.SEQUELA_ACTIVE, "critical"),
        ("post_nerve_injury_pain", NERVE_SEQUELA, ConditionState.ACTIVE, "not-found"),
        ("intracranial_haemorrhage_history", HAEMORRHAGE_SEQUELA, ConditionState.ACTIVE, "not-found"),
        ("intracranial_haemorrhage_history", HAEMORRHAGE_SEQUELA, ConditionState.PAST, "critical"),
        ("intracranial_haemorrhage_history", "icd10cm|S06.5X0S", ConditionState.PAST, "critical"),
    ],
)
def test_an_active_sequela_code_is_history_except_where_the_sequela_itself_is_meant(
    knowledge: Knowledge, value_set: str, code: str, state: ConditionState, expected: str
) -> None:
    """History for contraindications; for pain after an injury it is what is treated."""
    window = Window(28) if state is ConditionState.ACUTE else None
    fact = condition(code, onset="2026-01-25")

    assert expected == answer(found(knowledge, ConditionCriterion((value_set,), state, within=window), record(fact)))


def test_a_sequela_that_is_over_is_not_active_for_an_indication_either(knowledge: Knowledge) -> None:
    criterion = ConditionCriterion(("spinal_cord_injury",), ConditionState.SEQUELA_ACTIVE)

    assert answer(found(knowledge, criterion, record(condition(SEQUELA, status="resolved")))) == "not-found"


# D-COND-REM


@pytest.mark.parametrize(
    ("code", "status", "value_set"),
    [
        pytest.param(PSYCHOSIS, "remission", "psychosis_active", id="by the status"),
        pytest.param("icd10cm|F33.41", "active", "mdd_in_remission", id="depression, by a remission code"),
        pytest.param("icd10cm|F33.42", "", "mdd_in_remission", id="depression, by a remission code without a status"),
        pytest.param("icd10cm|F11.21", "active", "sud_in_remission", id="substance use, by a remission code"),
        pytest.param("icd10cm|F33.41", "recurrence", "mdd_in_remission", id="a remission code marked as recurrence"),
    ],
)
def test_what_is_in_remission_is_never_active_and_becomes_history(
    knowledge: Knowledge, code: str, status: str, value_set: str
) -> None:
    facts = record(condition(code, status=status))
    active, past = ConditionCriterion((value_set,)), ConditionCriterion((value_set,), ConditionState.PAST)

    assert answer(found(knowledge, active, facts)) == "not-found"
    assert answer(found(knowledge, past, facts)) == "critical"
    assert remarks(found(knowledge, past, facts)) == ("in remission",)


def test_a_current_code_beside_a_remission_code_is_active(knowledge: Knowledge) -> None:
    facts = record(condition("icd10cm|F33.41"), condition(DEPRESSION, name="c2"))

    assert answer(found(knowledge, ConditionCriterion(("mdd_any_current",)), facts)) == "critical"


# D-COND-NO


@pytest.mark.parametrize("verification", ["refuted", "entered-in-error"])
@pytest.mark.parametrize("status", ["active", "resolved", "remission", ""])
@pytest.mark.parametrize("state", [ConditionState.ACTIVE, ConditionState.PAST, ConditionState.ANY])
def test_what_is_refuted_or_in_error_is_nothing_whatever_its_status(
    knowledge: Knowledge, verification: str, status: str, state: ConditionState
) -> None:
    fact = condition(PSYCHOSIS, status=status, verification=verification)

    assert answer(found(knowledge, ConditionCriterion(("psychosis_active",), state), record(fact))) == "not-found"


def test_a_family_history_code_is_never_a_diagnosis_of_the_patient(knowledge: Knowledge) -> None:
    """Even beside a code of the diagnosis in the same concept."""
    fact = replace(condition("icd10cm|Z83.511"), code=concept("icd10cm|Z83.511", "icd10cm|H40.1190"))

    assert answer(found(knowledge, ConditionCriterion(("glaucoma",)), record(fact))) == "not-found"
