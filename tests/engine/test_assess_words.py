"""assess(): which rules apply to an order, what a finding says, and why one is withheld."""

from dataclasses import replace

import pytest

from cds.engine.assessment import Finding
from cds.engine.facts import Source
from cds.engine.logic import Verdict
from cds.engine.order import Drug, OrderContext, Purpose
from cds.engine.rules import (
    AllOf,
    AnyOf,
    Applicability,
    Citation,
    ConditionCriterion,
    Criterion,
    Knowledge,
    Level,
    Line,
    PatientCriterion,
    Rule,
    RuleCriterion,
)
from tests.engine.ask import ANY_ORDER, answer, assessed, hook, rule, with_rules
from tests.engine.build import (
    CRPS,
    DEPRESSION,
    ESKETAMINE,
    GLAUCOMA,
    PSYCHOSIS,
    concept,
    condition,
    gap,
    order,
    patient,
    record,
)

CRITICAL, WARNING, INFO = Level.CRITICAL, Level.WARNING, Level.INFO
YES: Criterion = AllOf(())
NO: Criterion = AnyOf(())
MAYBE: Criterion = PatientCriterion(sex="female")  # of a patient whose sex is not known
SEXLESS = record(patient(sex=""))
GLAUCOMA_ACTIVE, PSYCHOSIS_ACTIVE = ConditionCriterion(("glaucoma",)), ConditionCriterion(("psychosis_active",))


def asked(knowledge: Knowledge, *rules: Rule) -> dict[str, Finding]:
    """Return the findings of these rules for a patient whose sex is not known."""
    return {one.rule_id: one for one in assessed(with_rules(knowledge, *rules), SEXLESS).findings}


# What does not apply


@pytest.mark.parametrize(
    ("applies", "purposes", "reason"),
    [
        (Applicability(frozenset({Drug.ESKETAMINE_NASAL}), ANY_ORDER.contexts), (), "not for ketamine"),
        (Applicability(contexts={OrderContext.PROCEDURAL: INFO}), (), "not in the context therapy"),
        (Applicability(contexts=ANY_ORDER.contexts, hooks=frozenset({"order-sign"})), (), "not for order-select"),
        (ANY_ORDER, (Purpose.MOOD,), "not for the purpose of this order"),
    ],
)
def test_a_rule_that_is_not_about_this_order_is_not_applicable_and_says_why(
    knowledge: Knowledge, applies: Applicability, purposes: tuple[Purpose, ...], reason: str
) -> None:
    one = rule(levels={CRITICAL: YES}, applies=applies, purposes=frozenset(purposes))
    pain = order(route="IV", reasons=(concept(CRPS),))

    finding = assessed(with_rules(knowledge, one), record(), pain).findings[0]

    assert (Verdict.NOT_APPLICABLE, (reason,), None) == (finding.verdict, finding.notes, finding.level)


@pytest.mark.parametrize(
    ("medication", "context", "purposes"),
    [
        (order(route="IV", reasons=(concept(DEPRESSION),)), hook(), (Purpose.MOOD,)),
        (order(route="IV", reasons=(concept(DEPRESSION),)), hook(), (Purpose.MOOD, Purpose.PAIN)),
        (order(ESKETAMINE), hook("order-sign"), (Purpose.MOOD,)),
        (order(route="IV"), hook(), ()),
    ],
)
def test_a_rule_that_is_about_this_order_applies(
    knowledge: Knowledge, medication: object, context: object, purposes: tuple[Purpose, ...]
) -> None:
    one = rule(levels={CRITICAL: YES}, purposes=frozenset(purposes))

    trace = assessed(with_rules(knowledge, one), record(), medication, context)  # type: ignore[arg-type]
    assert answer(trace.findings[0]) == "critical"


@pytest.mark.parametrize(("criterion", "possible"), [(YES, WARNING), (NO, None)])
def test_a_rule_is_unknown_while_the_purpose_of_the_order_is(
    knowledge: Knowledge, criterion: Criterion, possible: Level | None
) -> None:
    """An unread problem list must not make a rule for mood present: perhaps the order is for pain."""
    one = rule(levels={WARNING: criterion}, purposes=frozenset({Purpose.MOOD}))

    finding = assessed(with_rules(knowledge, one), record(gap(Source.CONDITIONS))).findings[0]

    assert "unknown" == answer(finding)
    assert possible == finding.possible_level
    assert [Source.CONDITIONS] == [missing.source for missing in finding.missing]


def test_an_unstated_purpose_runs_no_rule_for_a_purpose(knowledge: Knowledge) -> None:
    rules = [rule(one.value, {CRITICAL: YES}, purposes=frozenset({one})) for one in Purpose]

    assert {Verdict.NOT_APPLICABLE} == {one.verdict for one in asked(knowledge, *rules).values()}


# Asking about other rules


@pytest.mark.parametrize(
    ("others", "wanted", "expected"),
    [
        ({"a": YES}, Verdict.PRESENT, "critical"),
        ({"a": NO}, Verdict.PRESENT, "not-found"),
        ({"a": MAYBE}, Verdict.PRESENT, "unknown"),
        ({"a": NO, "b": MAYBE}, Verdict.PRESENT, "unknown"),
        ({"a": YES, "b": MAYBE}, Verdict.PRESENT, "critical"),
        ({"a": NO, "b": NO}, Verdict.NOT_FOUND, "critical"),
        ({"a": NO, "b": YES}, Verdict.NOT_FOUND, "not-found"),
        ({"a": NO, "b": MAYBE}, Verdict.NOT_FOUND, "unknown"),
        ({"a": MAYBE}, Verdict.UNKNOWN, "critical"),
        ({"a": YES}, Verdict.UNKNOWN, "not-found"),
    ],
)
def test_a_rule_can_ask_for_the_verdict_of_others(
    knowledge: Knowledge, others: dict[str, Criterion], wanted: Verdict, expected: str
) -> None:
    asking = rule("asking", {CRITICAL: RuleCriterion(tuple(others), wanted)})

    trace = asked(knowledge, *(rule(name, {WARNING: criterion}) for name, criterion in others.items()), asking)
    assert expected == answer(trace["asking"])


@pytest.mark.parametrize(("wanted", "expected"), [(Verdict.PRESENT, "not-found"), (Verdict.NOT_FOUND, "critical")])
def test_a_rule_that_does_not_apply_counts_as_not_found(knowledge: Knowledge, wanted: Verdict, expected: str) -> None:
    nowhere = rule("nowhere", {CRITICAL: YES}, applies=Applicability())

    trace = asked(knowledge, nowhere, rule("asking", {CRITICAL: RuleCriterion(("nowhere",), wanted)}))
    assert expected == answer(trace["asking"])


# What is said, and what is withheld


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ((YES, YES), ["first", "second", "always"]),
        ((NO, YES), ["second", "always"]),
        ((MAYBE, NO), ["always"]),
    ],
)
def test_sentences_and_citations_are_said_where_their_criterion_holds(
    knowledge: Knowledge, when: tuple[Criterion, Criterion], expected: list[str]
) -> None:
    """A sentence whose criterion is unknown is not said."""
    words = ("first", "second")
    lines = (*(Line(text, one) for text, one in zip(words, when, strict=True)), Line("always"))
    citations = tuple(Citation("s", line.text, "Says so.", when=line.when) for line in lines)
    one = rule("one", {CRITICAL: YES}, detail=lines, because=citations)
    assert one.card
    one = replace(one, card=replace(one.card, summaries={CRITICAL: lines}))

    finding = asked(knowledge, one)["one"]

    assert expected == [sentence.text for sentence in finding.detail]
    assert expected == [citation.label for citation in finding.citations]
    assert expected[0] == finding.summary


def test_a_summary_is_filled_from_the_facts_that_decide(knowledge: Knowledge) -> None:
    one = rule("one", {CRITICAL: PSYCHOSIS_ACTIVE, WARNING: GLAUCOMA_ACTIVE}, summary="Found: {{labels}} ({{date}})")
    facts = record(
        condition(GLAUCOMA, display="Glaucoma"), condition(PSYCHOSIS, name="c2", display="Psychosis", onset="2024")
    )

    assert assessed(with_rules(knowledge, one), facts).findings[0].summary == "Found: Psychosis (2024)"


def test_a_sentence_with_a_criterion_is_filled_from_its_own_facts(knowledge: Knowledge) -> None:
    lines = (Line("Also {{labels}}.", GLAUCOMA_ACTIVE),)
    one = rule("one", {CRITICAL: PSYCHOSIS_ACTIVE}, detail=lines)
    facts = record(condition(GLAUCOMA, display="Glaucoma"), condition(PSYCHOSIS, name="c2", display="Psychosis"))

    (sentence,) = assessed(with_rules(knowledge, one), facts).findings[0].detail

    assert ("Also {{labels}}.", "Glaucoma") == (sentence.text, sentence.values["labels"])


@pytest.mark.parametrize(
    ("when", "withheld"),
    [((YES,), "reason 0"), ((NO, YES), "reason 1"), ((NO,), ""), ((MAYBE,), ""), ((YES, YES), "reason 0")],
)
def test_a_finding_can_stand_without_a_card(knowledge: Knowledge, when: tuple[Criterion, ...], withheld: str) -> None:
    """What is unknown withholds nothing."""
    lines = tuple(Line(f"reason {number}", one) for number, one in enumerate(when))

    finding = asked(knowledge, rule("one", {CRITICAL: YES}, withheld_when=lines))["one"]

    assert ("critical", withheld) == (answer(finding), finding.withheld)


@pytest.mark.parametrize(
    ("least", "level", "shown"),
    [
        (CRITICAL, CRITICAL, True),
        (CRITICAL, WARNING, False),
        (CRITICAL, INFO, False),
        (WARNING, CRITICAL, True),
        (WARNING, WARNING, True),
        (WARNING, INFO, False),
        (INFO, INFO, True),
    ],
)
def test_a_context_shows_findings_down_to_its_least_level(
    knowledge: Knowledge, least: Level, level: Level, shown: bool
) -> None:
    one = rule("one", {level: YES}, applies=Applicability(contexts={OrderContext.PROCEDURAL: least}))

    trace = assessed(with_rules(knowledge, one), record(), order(text="RSI"))

    assert shown is not bool(trace.findings[0].withheld)
    assert level.value == answer(trace.findings[0])


def test_the_words_on_an_unconfirmed_fact_are_kept_within_the_limit_of_a_summary(knowledge: Knowledge) -> None:
    one = rule("one", {CRITICAL: PSYCHOSIS_ACTIVE}, summary="x" * 139)

    trace = assessed(with_rules(knowledge, one), record(condition(PSYCHOSIS, verification="provisional")))

    assert len(trace.findings[0].summary) == 139


def test_a_label_that_looks_like_a_placeholder_is_shown_as_it_is_also_when_unconfirmed(knowledge: Knowledge) -> None:
    one = rule("one", {CRITICAL: PSYCHOSIS_ACTIVE}, summary="{{labels}} found")
    odd = condition(PSYCHOSIS, verification="provisional", display="{{date}}")

    summary = assessed(with_rules(knowledge, one), record(odd)).findings[0].summary

    assert summary == "Unconfirmed: {{date}} found"
