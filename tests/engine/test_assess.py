"""assess(): one entry in the trace for every rule; levels, doubts, and what could not be ruled out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.assessment import Finding
from cds.engine.facts import Source
from cds.engine.logic import Verdict
from cds.engine.rules import (
    AllOf,
    AnyOf,
    Applicability,
    CardText,
    ConditionCriterion,
    Criterion,
    Knowledge,
    Level,
    Line,
    Named,
    NotCriterion,
    PatientCriterion,
    Rule,
    Unless,
)
from tests.engine.ask import FEW, answer, assessed, found, published, rule, with_rules
from tests.engine.build import (
    CRPS,
    GLAUCOMA,
    PSYCHOSIS,
    condition,
    gap,
    patient,
    record,
)

CRITICAL, WARNING, INFO = Level.CRITICAL, Level.WARNING, Level.INFO
YES: Criterion = AllOf(())
NO: Criterion = AnyOf(())
MAYBE: Criterion = PatientCriterion(sex="female")  # of a patient whose sex is not known
SEXLESS = record(patient(sex=""))
CRITERIA = {Verdict.PRESENT: YES, Verdict.NOT_FOUND: NO, Verdict.UNKNOWN: MAYBE}
GLAUCOMA_ACTIVE, PSYCHOSIS_ACTIVE = ConditionCriterion(("glaucoma",)), ConditionCriterion(("psychosis_active",))


def asked(knowledge: Knowledge, *rules: Rule) -> dict[str, Finding]:
    """Return the findings of these rules for a patient whose sex is not known."""
    return {one.rule_id: one for one in assessed(with_rules(knowledge, *rules), SEXLESS).findings}


# The trace


def test_every_rule_has_exactly_one_entry_in_the_order_of_the_knowledge(knowledge: Knowledge) -> None:
    trace = assessed(knowledge, record(condition(CRPS)))

    assert [one.id for one in knowledge.rules] == [one.rule_id for one in trace.findings]


def test_rules_that_find_nothing_or_do_not_apply_stand_in_the_trace_too(knowledge: Knowledge) -> None:
    rules = (
        rule("yes", {CRITICAL: YES}),
        rule("no", {CRITICAL: NO}),
        rule("maybe", {CRITICAL: MAYBE}),
        rule("nowhere", {CRITICAL: YES}, applies=Applicability()),
    )

    verdicts = {name: one.verdict for name, one in asked(knowledge, *rules).items()}

    assert verdicts == {
        "yes": Verdict.PRESENT,
        "no": Verdict.NOT_FOUND,
        "maybe": Verdict.UNKNOWN,
        "nowhere": Verdict.NOT_APPLICABLE,
    }


def test_an_entry_is_found_by_the_id_of_its_rule(knowledge: Knowledge) -> None:
    trace = assessed(with_rules(knowledge, rule("one", {CRITICAL: YES})), record())

    assert trace.finding("one").rule_id == "one"
    with pytest.raises(KeyError):
        trace.finding("two")


def test_the_same_record_is_assessed_the_same_every_time(knowledge: Knowledge) -> None:
    facts = record(condition(CRPS), condition(PSYCHOSIS, name="c2"), gap(Source.LABORATORY))

    assert assessed(knowledge, facts) == assessed(knowledge, facts)


def test_every_gap_of_the_record_is_kept(knowledge: Knowledge) -> None:
    gaps = (gap(Source.LABORATORY), gap(Source.ENCOUNTER))

    assert gaps == assessed(knowledge, record(*gaps)).gaps


def test_the_evidence_names_the_resource_and_where_it_was_read(knowledge: Knowledge) -> None:
    finding = found(
        knowledge, GLAUCOMA_ACTIVE, record(condition(GLAUCOMA, name="eye", onset="2019", display="Glaucoma"))
    )

    (evidence,) = finding.evidence
    expected = (
        "Condition/eye",
        "prefetch conditions",
        "Glaucoma",
        "http://hl7.org/fhir/sid/icd-10-cm|H40.1190",
        "2019",
    )
    assert expected == (evidence.reference, evidence.origin, evidence.label, evidence.code, evidence.date)


# Levels


@pytest.mark.parametrize(
    ("levels", "expected", "possible"),
    [
        ({CRITICAL: YES, WARNING: YES, INFO: YES}, "critical", None),
        ({INFO: YES, WARNING: YES, CRITICAL: YES}, "critical", None),
        ({CRITICAL: NO, WARNING: YES, INFO: YES}, "warning", None),
        ({CRITICAL: NO, WARNING: NO, INFO: YES}, "info", None),
        ({CRITICAL: NO, WARNING: NO, INFO: NO}, "not-found", None),
        ({CRITICAL: MAYBE, WARNING: YES}, "warning", CRITICAL),
        ({CRITICAL: MAYBE, WARNING: MAYBE, INFO: YES}, "info", CRITICAL),
        ({CRITICAL: NO, WARNING: MAYBE, INFO: YES}, "info", WARNING),
        ({CRITICAL: YES, WARNING: MAYBE}, "critical", None),
        ({CRITICAL: NO, WARNING: YES, INFO: MAYBE}, "warning", None),
        ({CRITICAL: MAYBE, WARNING: NO}, "unknown", CRITICAL),
        ({CRITICAL: NO, WARNING: MAYBE}, "unknown", WARNING),
        ({CRITICAL: MAYBE}, "unknown", CRITICAL),
        ({}, "not-found", None),
    ],
)
def test_the_most_serious_level_that_holds_wins_and_what_may_be_worse_is_said(
    knowledge: Knowledge, levels: dict[Level, Criterion], expected: str, possible: Level | None
) -> None:
    finding = found(knowledge, levels, SEXLESS)

    assert (expected, possible) == (answer(finding), finding.possible_level)


@FEW
@given(st.dictionaries(st.sampled_from(list(Level)), st.sampled_from(list(CRITERIA))))
def test_a_finding_follows_from_its_levels(verdicts: dict[Level, Verdict]) -> None:
    finding = found(published(), {level: CRITERIA[verdict] for level, verdict in verdicts.items()}, SEXLESS)

    held = [level for level, verdict in verdicts.items() if verdict is Verdict.PRESENT]
    assert min(held, key=lambda level: level.rank, default=None) is finding.level
    assert (finding.verdict is Verdict.PRESENT) is bool(held)
    assert (finding.verdict is Verdict.UNKNOWN) is (not held and Verdict.UNKNOWN in verdicts.values())
    assert bool(finding.missing) is (finding.possible_level is not None)


def test_a_level_that_could_not_be_ruled_out_says_why(knowledge: Knowledge) -> None:
    finding = found(knowledge, {CRITICAL: MAYBE, WARNING: YES}, SEXLESS)

    assert ["the patient's sex or date of birth is not known"] == [one.reason for one in finding.missing]


def test_facts_of_a_milder_level_are_listed_behind_those_that_decide(knowledge: Knowledge) -> None:
    """rules.md D-MERGE: one card with all facts."""
    facts = record(condition(GLAUCOMA, name="eye"), condition(PSYCHOSIS, name="mind"))

    finding = found(knowledge, {CRITICAL: PSYCHOSIS_ACTIVE, WARNING: GLAUCOMA_ACTIVE}, facts)

    assert ["Condition/mind", "Condition/eye"] == [one.reference for one in finding.evidence]


# Doubt lowers a level


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        pytest.param(AnyOf((PSYCHOSIS_ACTIVE, GLAUCOMA_ACTIVE)), "critical", id="any: the surer fact decides"),
        pytest.param(AllOf((PSYCHOSIS_ACTIVE, GLAUCOMA_ACTIVE)), "warning", id="all: the less sure fact decides"),
        pytest.param(Named("x", PSYCHOSIS_ACTIVE), "warning", id="a name changes nothing"),
        pytest.param(Unless(PSYCHOSIS_ACTIVE, NO), "warning", id="unless changes nothing"),
        pytest.param(AllOf((YES, PSYCHOSIS_ACTIVE)), "warning", id="beside something that is no fact"),
    ],
)
def test_a_doubt_passes_through_the_combinations(knowledge: Knowledge, criterion: Criterion, expected: str) -> None:
    facts = record(condition(PSYCHOSIS, verification="provisional"), condition(GLAUCOMA, name="c2"))

    assert expected == answer(found(knowledge, criterion, facts))


def test_a_lowered_level_loses_to_a_sure_one_in_between(knowledge: Knowledge) -> None:
    facts = record(condition(PSYCHOSIS, verification="provisional"), condition(GLAUCOMA, name="c2"))

    finding = found(knowledge, {CRITICAL: PSYCHOSIS_ACTIVE, WARNING: GLAUCOMA_ACTIVE}, facts)

    assert ("warning", "Condition/c2") == (answer(finding), finding.evidence[0].reference)


def test_a_lowered_level_without_words_of_its_own_takes_those_of_the_next_graver_one(knowledge: Knowledge) -> None:
    only_critical = replace(
        rule("one", {CRITICAL: PSYCHOSIS_ACTIVE}), card=CardText({CRITICAL: (Line("Active psychosis"),)})
    )

    trace = assessed(with_rules(knowledge, only_critical), record(condition(PSYCHOSIS, verification="provisional")))

    assert ("warning", "Unconfirmed: Active psychosis") == (answer(trace.findings[0]), trace.findings[0].summary)


# Combinations


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (AnyOf((MAYBE, YES)), "critical"),
        (AnyOf((MAYBE, NO)), "unknown"),
        (AllOf((MAYBE, YES)), "unknown"),
        (AllOf((MAYBE, NO)), "not-found"),
        (NotCriterion(YES), "not-found"),
        (NotCriterion(NO), "critical"),
        (NotCriterion(MAYBE), "unknown"),
        (Unless(YES, YES), "not-found"),
        (Unless(YES, NO), "critical"),
        (Unless(YES, MAYBE), "critical"),
        (Unless(MAYBE, YES), "unknown"),
        (Unless(NO, MAYBE), "not-found"),
        (Named("x", MAYBE), "unknown"),
    ],
)
def test_criteria_combine_in_three_values_and_an_unknown_exception_lifts_nothing(
    knowledge: Knowledge, criterion: Criterion, expected: str
) -> None:
    assert expected == answer(found(knowledge, criterion, SEXLESS))
