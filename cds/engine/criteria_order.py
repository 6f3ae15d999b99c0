"""Criteria about the order, the patient, earlier treatments, other rules and gaps."""

from collections import Counter
from datetime import date

from cds.engine.assessment import Evidence, Finding, Outcome
from cds.engine.derive.purpose import purpose_gaps
from cds.engine.derive.trials import Trial, counted, find_trials, look_back
from cds.engine.derive.words import find_words
from cds.engine.facts import Gap, GapScope, Medication, Source, name_of
from cds.engine.logic import Verdict, all_of, any_of, not_
from cds.engine.rules import (
    GapCriterion,
    OrderCriterion,
    PatientCriterion,
    RuleCriterion,
    TrialCriterion,
)
from cds.engine.scene import Scene

_LONGEST_NAMES = 70  # what a summary has room for


def order(criterion: OrderCriterion, scene: Scene) -> Outcome:
    """Ask what is ordered; several parts must all hold."""
    ordered = scene.order
    verdicts = [
        _is(not criterion.drugs or ordered.drug in criterion.drugs),
        _is(not criterion.routes or ordered.route in criterion.routes),
        _is(not criterion.contexts or ordered.context in criterion.contexts),
        _is(not criterion.hooks or scene.context.hook in criterion.hooks),
        _is(not criterion.countries or scene.context.country in criterion.countries),
        _is(criterion.take_home is None or ordered.take_home is criterion.take_home),
    ]
    if criterion.words:
        verdicts.append(_is(bool(find_words(criterion.words, _words(ordered.medication)))))
    if criterion.purposes:
        verdicts.append(any_of(ordered.purposes[purpose] for purpose in criterion.purposes))
    verdict = all_of(verdicts)
    missing = purpose_gaps(scene.facts, scene.knowledge) if verdict is Verdict.UNKNOWN else ()
    return Outcome(verdict, missing=missing)


def _words(medication: Medication) -> list[str]:
    reasons = [word for reason in medication.reasons for word in reason.words]
    return [*(dosage.text for dosage in medication.dosages), *medication.notes, *reasons, *medication.drug.words]


def patient(criterion: PatientCriterion, scene: Scene) -> Outcome:
    """Ask for the patient's sex or age at the time of the call."""
    known = scene.facts.patient
    verdicts = []
    if criterion.sex:
        sex = known.sex if known else ""
        verdicts.append(_is(sex == criterion.sex) if sex else Verdict.UNKNOWN)
    if criterion.age_below is not None:
        verdicts.append(_younger(scene, criterion.age_below))
    if criterion.age_at_least is not None:
        verdicts.append(not_(_younger(scene, criterion.age_at_least)))
    verdict = all_of(verdicts)
    gap = Gap(Source.PATIENT, GapScope.VALUE, "the patient's sex or date of birth is not known")
    asks_age = criterion.age_below is not None or criterion.age_at_least is not None
    evidence = _age_evidence(scene) if asks_age and verdict is Verdict.PRESENT else ()
    return Outcome(verdict, evidence=evidence, missing=(gap,) if verdict is Verdict.UNKNOWN else ())


def _age_evidence(scene: Scene) -> tuple[Evidence, ...]:
    known = scene.facts.patient
    if known is None or known.birth is None:
        return ()
    age = f"{_age(known.birth.end, scene.today)} years"
    return (Evidence(known.provenance.reference, known.provenance.origin, "Age", value=age),)


def _younger(scene: Scene, age: int) -> Verdict:
    """Say whether the patient is younger than `age` years; a partial birth date counts only if all of it is."""
    birth = scene.facts.patient.birth if scene.facts.patient else None
    if birth is None:
        return Verdict.UNKNOWN
    if _age(birth.start, scene.today) < age:
        return Verdict.PRESENT
    return Verdict.NOT_FOUND


def _age(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def trials(criterion: TrialCriterion, scene: Scene) -> Outcome:
    """Ask how many adequate earlier treatments there are.

    What could not be read may hold more of them. Where dispenses were not read, a length that rests on
    prescriptions alone is only possible, because dispenses would replace it.
    """
    definition = scene.knowledge.definitions.trials[criterion.of]
    found = find_trials(scene, definition, criterion.only)
    counted_sets = definition_sets(scene, criterion)
    unread = _unread(scene, counted_sets)
    unsure = bool(scene.silence([Source.DISPENSES], counted_sets))
    sure = [trial for trial in found if trial.dispensed] if unsure else list(found)
    known = counted(sure, definition, unknown_durations=criterion.unknown_durations)
    shown = counted(found, definition, unknown_durations=criterion.unknown_durations)
    needed = criterion.at_least if criterion.at_least is not None else criterion.fewer_than or 0
    reached = Verdict.PRESENT if known >= needed else Verdict.UNKNOWN if unread else Verdict.NOT_FOUND
    verdict = reached if criterion.at_least is not None else not_(reached)
    since = look_back(scene, definition)
    return Outcome(
        verdict,
        evidence=tuple(evidence for trial in found for evidence in _evidence(trial)),
        missing=unread if verdict is Verdict.UNKNOWN else (),
        notes=(f"{definition.title}: {shown} of {needed} since {since}", *map(str, found)),
        values={"count": str(shown), "needed": str(needed), "listed": "; ".join(map(str, found)) or "none"},
    )


def definition_sets(scene: Scene, criterion: TrialCriterion) -> tuple[str, ...]:
    """Return the value sets that a count looks for."""
    groups = scene.knowledge.definitions.trials[criterion.of].groups
    return criterion.only or tuple(name for group in groups for name in (*group.value_sets, *group.procedures))


def _unread(scene: Scene, value_sets: tuple[str, ...]) -> tuple[Gap, ...]:
    sources = [Source.MEDICATIONS, Source.STATEMENTS, Source.DISPENSES]
    procedures = {
        name for one in scene.knowledge.definitions.trials.values() for group in one.groups for name in group.procedures
    }
    if procedures.intersection(value_sets):
        sources.append(Source.PROCEDURES)
    return scene.silence(sources, value_sets)


def _evidence(trial: Trial) -> list[Evidence]:
    return [Evidence(reference, "trial", str(trial)) for reference in trial.references[:1]]


def rule(criterion: RuleCriterion, scene: Scene) -> Outcome:
    """Ask for the verdict of other rules; one that does not apply to this order counts as not found."""
    found = [scene.findings[name] for name in criterion.rules if name in scene.findings]
    verdicts = [_said(one, criterion) for one in found]
    if criterion.verdict is Verdict.UNKNOWN:
        verdict = _is(Verdict.UNKNOWN in verdicts)
    elif criterion.verdict is Verdict.PRESENT:
        verdict = any_of(verdicts)
    else:
        verdict = all_of(map(not_, verdicts))
    missing = tuple(gap for one in found for gap in one.missing) if verdict is Verdict.UNKNOWN else ()
    return Outcome(verdict, missing=missing)


def _said(finding: Finding, criterion: RuleCriterion) -> Verdict:
    """Return a rule's verdict; where levels are asked for, one at another level counts as not found."""
    if finding.verdict is Verdict.NOT_APPLICABLE:
        return Verdict.NOT_FOUND
    if not criterion.levels or finding.verdict is not Verdict.PRESENT or finding.level in criterion.levels:
        return finding.verdict
    return Verdict.UNKNOWN if finding.possible_level in criterion.levels else Verdict.NOT_FOUND


def gap(criterion: GapCriterion, scene: Scene) -> Outcome:
    """Ask whether something could not be read: whole sources, or single entries and values that could matter."""
    if criterion.whole:
        gaps = tuple(
            one for one in scene.facts.gaps if one.source in criterion.sources and one.scope is GapScope.SOURCE
        )
        return Outcome(_is(bool(gaps)), missing=gaps, values={"gaps": _named(gaps)})
    entries = [one for one in scene.facts.gaps if one.scope is not GapScope.SOURCE and _matters(one, scene)]
    values = [
        one
        for finding in scene.findings.values()
        if finding.verdict is Verdict.UNKNOWN or finding.possible_level
        for one in finding.missing
        if one.reference and one.scope is GapScope.VALUE
    ]
    pointed = [
        one
        for finding in scene.findings.values()
        if finding.verdict is Verdict.UNKNOWN and finding.evidence
        for one in finding.missing
    ]
    gaps = tuple(dict.fromkeys((*entries, *values, *pointed)))
    return Outcome(_is(bool(gaps)), missing=gaps, values={"gaps": _named(gaps)})


def _named(gaps: tuple[Gap, ...]) -> str:
    """Return in a few words what could not be read: ``conditions (HTTP 403), blood pressure (2 unreadable)``.

    Where that is too long for a summary, the names alone, and of many the first ones.
    """
    whole = {name_of(one.source): one.reason for one in gaps if one.scope is GapScope.SOURCE}
    single = Counter(name_of(one.source) for one in gaps if one.scope is not GapScope.SOURCE)
    causes = whole | {name: f"{number} unreadable" for name, number in single.items() if name not in whole}
    words = ", ".join(f"{name} ({cause})" for name, cause in causes.items())
    if len(words) <= _LONGEST_NAMES:
        return words
    names = list(causes)
    for shown in range(len(names), 0, -1):
        more = f" and {len(names) - shown} more" if shown < len(names) else ""
        words = ", ".join(names[:shown]) + more
        if len(words) <= _LONGEST_NAMES:
            return words
    return words


def _matters(one: Gap, scene: Scene) -> bool:
    """Say whether an unreadable entry could change a verdict: its code is not known, or is in a value set."""
    return not one.codings or any(scene.knowledge.index.sets_of(coding) for coding in one.codings)


def _is(holds: bool) -> Verdict:
    return Verdict.PRESENT if holds else Verdict.NOT_FOUND
