"""Answering a criterion: one function per word of the vocabulary, and the three-valued combinators."""

from collections.abc import Callable
from typing import Any

from cds.engine import criteria_dose, criteria_measured, criteria_order, criteria_record
from cds.engine.assessment import Outcome
from cds.engine.logic import Verdict, all_of, any_of, not_
from cds.engine.rules import (
    AllergyCriterion,
    AllOf,
    AnyOf,
    BloodPressureCriterion,
    ChildPughCriterion,
    ConditionCriterion,
    CountCriterion,
    Criterion,
    DoseCriterion,
    ExposureCriterion,
    FlagCriterion,
    GapCriterion,
    MedicationCriterion,
    Named,
    NotCriterion,
    ObservationCriterion,
    OrderCriterion,
    OtherOrderCriterion,
    PatientCriterion,
    ProcedureCriterion,
    RuleCriterion,
    TrialCriterion,
    UncodedCriterion,
    Unless,
)
from cds.engine.scene import Scene


def evaluate(criterion: Criterion, scene: Scene) -> Outcome:
    """Return the answer to one criterion, with the facts it rests on and what was missing.

    Each is answered once for a scene: many rules ask the same, and texts ask again what levels have asked.
    """
    answer = scene.answers.get(id(criterion))
    if answer is None:
        answer = scene.answers[id(criterion)] = _WORDS[type(criterion)](criterion, scene)
    return answer


def holds(when: Criterion | None, scene: Scene) -> bool:
    """Say whether a condition of a text, citation or suggestion is met; one without a criterion always is."""
    return when is None or evaluate(when, scene).verdict is Verdict.PRESENT


def _any(criterion: AnyOf, scene: Scene) -> Outcome:
    outcomes = [evaluate(one, scene) for one in criterion.criteria]
    verdict = any_of(outcome.verdict for outcome in outcomes)
    steps = [outcome.steps for outcome in outcomes if outcome.verdict is Verdict.PRESENT]
    return _combined(verdict, outcomes, min(steps, default=0))


def _all(criterion: AllOf, scene: Scene) -> Outcome:
    outcomes = [evaluate(one, scene) for one in criterion.criteria]
    verdict = all_of(outcome.verdict for outcome in outcomes)
    combined = _combined(verdict, outcomes, max((outcome.steps for outcome in outcomes), default=0))
    if verdict is not Verdict.UNKNOWN:
        return combined
    seen = tuple(one for outcome in outcomes if outcome.verdict is Verdict.PRESENT for one in outcome.evidence)
    return Outcome(
        verdict, combined.steps, (*seen, *combined.evidence), combined.missing, combined.notes, combined.values
    )


def _combined(verdict: Verdict, outcomes: list[Outcome], steps: int) -> Outcome:
    deciding = [outcome for outcome in outcomes if outcome.verdict is verdict]
    evidence = dict.fromkeys(one for outcome in deciding for one in outcome.evidence)
    missing = dict.fromkeys(gap for outcome in deciding for gap in outcome.missing)
    notes = dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
    values = {name: value for outcome in outcomes for name, value in outcome.values.items()}
    shown = tuple(evidence) if verdict is not Verdict.NOT_FOUND else ()
    return Outcome(verdict, steps, shown, tuple(missing), tuple(notes), values)


def _not(criterion: NotCriterion, scene: Scene) -> Outcome:
    inner = evaluate(criterion.criterion, scene)
    notes = tuple(f"{one.label} ({one.reference})" for one in inner.evidence)
    return Outcome(not_(inner.verdict), missing=inner.missing, notes=(*inner.notes, *notes), values=inner.values)


def _unless(criterion: Unless, scene: Scene) -> Outcome:
    outcome = evaluate(criterion.criterion, scene)
    if outcome.verdict is not Verdict.PRESENT:
        return outcome
    exception = evaluate(criterion.exception, scene)
    if exception.verdict is not Verdict.PRESENT:
        return outcome
    notes = tuple(f"lifted by {one.label} {one.value} ({one.reference})" for one in exception.evidence)
    return Outcome(Verdict.NOT_FOUND, notes=(*outcome.notes, *notes))


def _named(criterion: Named, scene: Scene) -> Outcome:
    return evaluate(criterion.criterion, scene)


_WORDS: dict[type, Callable[[Any, Scene], Outcome]] = {
    AnyOf: _any,
    AllOf: _all,
    NotCriterion: _not,
    Unless: _unless,
    Named: _named,
    ConditionCriterion: criteria_record.condition,
    ProcedureCriterion: criteria_record.procedure,
    FlagCriterion: criteria_record.flag,
    AllergyCriterion: criteria_record.allergy,
    MedicationCriterion: criteria_record.medication,
    ObservationCriterion: criteria_measured.observation,
    BloodPressureCriterion: criteria_measured.blood_pressure,
    ChildPughCriterion: criteria_measured.child_pugh,
    TrialCriterion: criteria_order.trials,
    OrderCriterion: criteria_order.order,
    PatientCriterion: criteria_order.patient,
    DoseCriterion: criteria_dose.dose,
    CountCriterion: criteria_dose.count,
    ExposureCriterion: criteria_dose.exposure,
    OtherOrderCriterion: criteria_dose.other_order,
    UncodedCriterion: criteria_dose.uncoded,
    RuleCriterion: criteria_order.rule,
    GapCriterion: criteria_order.gap,
}
