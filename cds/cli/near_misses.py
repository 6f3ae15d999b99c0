"""What a rule saw and did not count: the values below its thresholds, the diagnoses that are over or refuted."""

from collections.abc import Iterator
from dataclasses import replace

from cds.audit.record import DecisionRecord
from cds.engine.assessment import Assessment, Finding
from cds.engine.criteria import evaluate
from cds.engine.facts import Condition
from cds.engine.logic import Verdict
from cds.engine.rules import (
    AllOf,
    AnyOf,
    BloodPressureCriterion,
    ConditionCriterion,
    Criterion,
    Knowledge,
    Named,
    ObservationCriterion,
    Rule,
    Unless,
)
from cds.engine.scene import Scene, index_facts, local_day


def with_near_misses(record: DecisionRecord, knowledge: Knowledge) -> DecisionRecord:
    """Return the decision with a note for everything that a rule looked at and that was not enough."""
    return replace(record, assessments=tuple(_noted(one, record, knowledge) for one in record.assessments))


def _noted(assessment: Assessment, record: DecisionRecord, knowledge: Knowledge) -> Assessment:
    facts, order, context, at = record.facts, assessment.order, record.context, record.call.at
    index = index_facts(facts, knowledge, order.medication)
    findings = {finding.rule_id: finding for finding in assessment.findings}
    scene = Scene(knowledge, facts, index, order, context, at, local_day(at, context), findings)
    pairs = zip(knowledge.rules, assessment.findings, strict=True)
    return replace(assessment, findings=tuple(_finding(rule, finding, scene) for rule, finding in pairs))


def _finding(rule: Rule, finding: Finding, scene: Scene) -> Finding:
    if finding.verdict not in (Verdict.NOT_FOUND, Verdict.PRESENT):
        return finding
    missed = (words for level in rule.levels.values() for words in _missed(level, scene))
    return replace(finding, notes=tuple(dict.fromkeys((*finding.notes, *missed))))


def _missed(criterion: Criterion, scene: Scene) -> Iterator[str]:
    """Yield what was not enough for a criterion; what lifts another criterion is no near miss."""
    if isinstance(criterion, AnyOf | AllOf):
        for part in criterion.criteria:
            yield from _missed(part, scene)
    elif isinstance(criterion, Unless | Named):
        yield from _missed(criterion.criterion, scene)
    elif isinstance(criterion, ObservationCriterion | BloodPressureCriterion):
        yield from _measured(criterion, scene)
    elif isinstance(criterion, ConditionCriterion) and evaluate(criterion, scene).verdict is Verdict.NOT_FOUND:
        for name in criterion.value_sets:
            yield from (_condition(fact) for fact in scene.index.conditions.get(name, ()))


def _measured(criterion: ObservationCriterion | BloodPressureCriterion, scene: Scene) -> Iterator[str]:
    outcome = evaluate(criterion, scene)
    asked = _comparison(criterion)
    if outcome.verdict is Verdict.NOT_FOUND and asked:
        for one in outcome.evidence:
            yield f"{one.label} {one.value} ({one.date}): not {asked}"


def _comparison(criterion: ObservationCriterion | BloodPressureCriterion) -> str:
    """Return what is asked of a value, such as ``above 21 mm[Hg]``; empty if it is no comparison with a number."""
    if isinstance(criterion, BloodPressureCriterion):
        pairs = (("above", criterion.above), ("at most", criterion.at_most))
        found = [f"{word} {pair[0].value}/{pair[1]}" for word, pair in pairs if pair]
    else:
        named = ("above", "at_least", "below", "at_most")
        found = [f"{name.replace('_', ' ')} {getattr(criterion, name)}" for name in named if getattr(criterion, name)]
        found += [f"above {criterion.above_upper_limit} x upper limit"] if criterion.above_upper_limit else []
    return ", ".join(found)


def _condition(fact: Condition) -> str:
    statuses = ", ".join(status for status in (fact.clinical_status, fact.verification_status) if status)
    when = fact.onset or fact.recorded
    dated = f" of {when}" if when else ""
    return f"{fact.code.label}{dated} ({statuses or 'no status'}; {fact.provenance.reference}): does not count here"
