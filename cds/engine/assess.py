"""Assessing one order: every rule gets a verdict, its evidence and what was missing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from cds.engine.assessment import Assessment, Evidence, Finding, Outcome, Sentence
from cds.engine.criteria import evaluate, holds
from cds.engine.derive.purpose import purpose_gaps
from cds.engine.facts import Coding, HookContext, PatientFacts
from cds.engine.logic import Verdict, any_of
from cds.engine.offers import offers_of
from cds.engine.order import Order
from cds.engine.rules import Citation, Criterion, Knowledge, Level, Line, Rule
from cds.engine.scene import Scene, index_facts, local_day
from cds.engine.withhold import renewed_order, why_withheld
from cds.engine.wording import SUMMARY_LIMIT, evidence_values, fill_summary, shortened

_UNCONFIRMED = "unconfirmed"


def assess(knowledge: Knowledge, facts: PatientFacts, order: Order, context: HookContext, at: datetime) -> Assessment:
    """Return one finding for every rule, in the order of the knowledge.

    Args:
        knowledge: the rules.
        facts: the patient's record as it was read, the other draft orders of the session included.
        order: the order as `cds.engine.derive.order_reading.read_order` read it.
        context: what the hook says.
        at: the time of the call, with a time zone.
    """
    index = index_facts(facts, knowledge, order.medication)
    scene = Scene(knowledge, facts, index, order, context, at, local_day(at, context))
    scene = replace(scene, renewed=renewed_order(scene))
    for rule in knowledge.rules:
        scene.findings[rule.id] = _finding(rule, scene)
    return Assessment(order, tuple(scene.findings.values()), facts.gaps)


def _finding(rule: Rule, scene: Scene) -> Finding:
    unmet = _not_applicable(rule, scene)
    if unmet:
        return Finding(rule.id, Verdict.NOT_APPLICABLE, notes=(unmet,))
    levels = sorted(rule.levels.items(), key=lambda item: item[0].rank)
    outcomes = {level: _answer(criterion, scene) for level, criterion in levels}
    level = _level(outcomes)
    possible = _possible(outcomes, level)
    if _purpose_unknown(rule, scene):  # then it is not known whether the rule applies at all
        missing = purpose_gaps(scene.facts, scene.knowledge)
        return Finding(rule.id, Verdict.UNKNOWN, possible_level=level or possible, missing=missing)
    if level is None:
        return _silent(rule, outcomes, possible)
    return _present(rule, scene, outcomes, level, possible)


def _answer(criterion: Criterion, scene: Scene) -> Outcome:
    """Return the answer to a criterion, with a name for every fact that was recorded as a bare code."""
    outcome = evaluate(criterion, scene)
    named = tuple(_named(one, scene) for one in outcome.evidence)
    return outcome if named == outcome.evidence else replace(outcome, evidence=named)


def _named(one: Evidence, scene: Scene) -> Evidence:
    system, _, code = one.code.rpartition("|")
    if not code or one.label != code:
        return one
    return replace(one, label=scene.knowledge.index.name_of(Coding(system, code)) or code)


def _not_applicable(rule: Rule, scene: Scene) -> str:
    order, applies = scene.order, rule.applies
    if order.drug not in applies.drugs:
        return f"not for {order.drug.value}"
    if order.context not in applies.contexts:
        return f"not in the context {order.context.value}"
    if applies.hooks and scene.context.hook not in applies.hooks:
        return f"not for {scene.context.hook}"
    if applies.purposes and any_of(order.purposes[one] for one in applies.purposes) is Verdict.NOT_FOUND:
        return "not for the purpose of this order"
    return ""


def _purpose_unknown(rule: Rule, scene: Scene) -> bool:
    purposes = (scene.order.purposes[one] for one in rule.applies.purposes)
    return bool(rule.applies.purposes) and any_of(purposes) is Verdict.UNKNOWN


def _level(outcomes: dict[Level, Outcome]) -> Level | None:
    """Return the most serious level that holds, each lowered by what is uncertain about its facts."""
    held = [level.lowered(one.steps) for level, one in outcomes.items() if one.verdict is Verdict.PRESENT]
    return min(held, key=lambda level: level.rank, default=None)


def _possible(outcomes: dict[Level, Outcome], level: Level | None) -> Level | None:
    unknown = [each for each, one in outcomes.items() if one.verdict is Verdict.UNKNOWN]
    worse = [each for each in unknown if level is None or each.rank < level.rank]
    return min(worse, key=lambda each: each.rank, default=None)


def _silent(rule: Rule, outcomes: dict[Level, Outcome], possible: Level | None) -> Finding:
    """Return the finding of a rule of which no level holds: unknown if one may, else not found."""
    unknown = [one for one in outcomes.values() if one.verdict is Verdict.UNKNOWN]
    return Finding(
        rule.id,
        Verdict.UNKNOWN if unknown else Verdict.NOT_FOUND,
        possible_level=possible,
        evidence=_unique(one.evidence for one in unknown),
        missing=tuple(dict.fromkeys(gap for one in unknown for gap in one.missing)),
        notes=_notes(outcomes),
        values={name: value for one in outcomes.values() for name, value in one.values.items()},
    )


def _present(rule: Rule, scene: Scene, outcomes: dict[Level, Outcome], level: Level, possible: Level | None) -> Finding:
    held = [one for one in outcomes.values() if one.verdict is Verdict.PRESENT]
    at_level = (one for each, one in outcomes.items() if one in held and each.lowered(one.steps) is level)
    deciding = min(at_level, key=lambda one: one.steps)  # the surest of those that give this level
    unknown = [one for each, one in outcomes.items() if one.verdict is Verdict.UNKNOWN and each.rank < level.rank]
    values = {**evidence_values(deciding.evidence), **deciding.values}
    return Finding(
        rule.id,
        Verdict.PRESENT,
        level,
        possible,
        evidence=_unique([deciding.evidence, *(one.evidence for one in held)]),
        missing=tuple(dict.fromkeys(gap for one in (deciding, *unknown) for gap in one.missing)),
        notes=_notes(outcomes),
        values=values,
        withheld=why_withheld(rule, scene, level, deciding.evidence),
        summary=_summary(rule, scene, level, values, deciding.evidence),
        detail=_detail(rule, scene, values),
        citations=_citations(rule, scene),
        local_policy=tuple(line for line in rule.local_policy if holds(rule.policy_when.get(line), scene)),
        offers=offers_of(rule, scene),
    )


def _unique(groups: Iterable[Iterable[Evidence]]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(one for group in groups for one in group))


def _notes(outcomes: dict[Level, Outcome]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for one in outcomes.values() for note in one.notes))


def _summary(rule: Rule, scene: Scene, level: Level, values: dict[str, str], evidence: tuple[Evidence, ...]) -> str:
    if rule.card is None:
        return ""
    written = [rule.card.summaries[each] for each in _at_least_as_serious(level) if each in rule.card.summaries]
    sentence = next(_said(written[0], scene, values), Sentence(rule.title))
    words = fill_summary(sentence.text, sentence.values)
    unconfirmed = bool(evidence) and all(_UNCONFIRMED in one.remarks for one in evidence)
    return shortened("Unconfirmed: " + words, SUMMARY_LIMIT) if unconfirmed else words


def _at_least_as_serious(level: Level) -> list[Level]:
    """Return the level and those above it, nearest first: a lowered finding may have no words of its own."""
    return [each for each in reversed(Level) if each.rank <= level.rank]


def _detail(rule: Rule, scene: Scene, values: dict[str, str]) -> tuple[Sentence, ...]:
    return tuple(_said(rule.card.detail, scene, values)) if rule.card else ()


def _said(lines: Sequence[Line], scene: Scene, values: dict[str, str]) -> Iterator[Sentence]:
    """Yield the sentences whose criterion holds, each filled from the facts of its own criterion if it has any."""
    for line in lines:
        if line.when is None:
            yield Sentence(line.text, values)
            continue
        outcome = _answer(line.when, scene)
        if outcome.verdict is Verdict.PRESENT:
            own = evidence_values(outcome.evidence) if outcome.evidence else {}
            yield Sentence(line.text, {**values, **own, **outcome.values})


def _citations(rule: Rule, scene: Scene) -> tuple[Citation, ...]:
    return tuple(one for one in rule.because if holds(one.when, scene))
