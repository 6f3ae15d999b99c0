"""Criteria about the dose, about other orders of the drug, and about how often something is on record."""

from datetime import date

from cds.engine.assessment import Evidence, Outcome
from cds.engine.criteria_record import settle
from cds.engine.dates import Interval, within
from cds.engine.derive.condition_state import clinical_date
from cds.engine.derive.diagnoses import diagnoses, every_diagnosis
from cds.engine.derive.dose import Amount, Measure, Ordered, ordered_amounts
from cds.engine.derive.drug import recognise
from cds.engine.derive.evidence import condition_evidence, medication_evidence, procedure_evidence
from cds.engine.derive.exposure import exposure_of
from cds.engine.derive.medication_state import Taking, medication_state
from cds.engine.derive.order_reading import latest_weight
from cds.engine.facts import Concept, Gap, Medication, MedicationKind, Source
from cds.engine.logic import Verdict, any_of
from cds.engine.order import Route
from cds.engine.rules import (
    CountCriterion,
    CountedKind,
    DoseCriterion,
    ExposureCriterion,
    OtherOrderCriterion,
    UncodedCriterion,
)
from cds.engine.scene import Scene
from cds.engine.units import is_above, is_below, is_multiple

_Span = tuple[Interval | None, Interval | None]
_ORDERED = (MedicationKind.REQUEST, MedicationKind.DISPENSE)
_VOID = ("entered-in-error", "cancelled", "draft", "unknown")


def dose(criterion: DoseCriterion, scene: Scene) -> Outcome:
    """Ask how much is ordered; what the order does not say is not judged."""
    if criterion.per_kg:
        return _written_per_kg(criterion, scene)
    weight = latest_weight(scene.facts, scene.knowledge, scene.at, scene.context)
    measure = Measure(scene.order.medication, scene.order.route, weight)
    amounts = ordered_amounts(criterion.of, measure)
    if not amounts:
        return Outcome(Verdict.NOT_FOUND, notes=(f"the order says no {criterion.of.value.replace('_', ' ')}",))
    verdicts = [_dose_verdict(one, criterion) for one in amounts]
    verdict = any_of(verdicts)
    deciding = [one for one, each in zip(amounts, verdicts, strict=True) if each is verdict]
    return Outcome(
        verdict,
        evidence=tuple(_dose_evidence(one, scene) for one in deciding if one.amount and verdict is Verdict.PRESENT),
        missing=_dose_gaps(deciding, scene) if verdict is Verdict.UNKNOWN else (),
        notes=tuple(f"{criterion.of.value.replace('_', ' ')} {one.amount}" for one in amounts if one.amount),
    )


def _written_per_kg(criterion: DoseCriterion, scene: Scene) -> Outcome:
    dosages = scene.order.medication.dosages
    written = [dosage.rate if criterion.of is Amount.RATE else dosage.dose for dosage in dosages]
    found = any(amount is not None and "/kg" in amount.unit for amount in written)
    return Outcome(Verdict.PRESENT if found else Verdict.NOT_FOUND)


def _dose_verdict(ordered: Ordered, criterion: DoseCriterion) -> Verdict:
    if ordered.amount is None:
        return Verdict.UNKNOWN
    if criterion.above:
        return is_above(ordered.amount, criterion.above.value)
    if criterion.at_least:
        return is_above(ordered.amount, criterion.at_least.value, or_equal=True)
    if criterion.below:
        return is_below(ordered.amount, criterion.below.value)
    assert criterion.no_multiple_of is not None  # noqa: S101  (the loader asks for one)
    multiple = is_multiple(ordered.amount.value, criterion.no_multiple_of.value)
    return Verdict.NOT_FOUND if multiple else Verdict.PRESENT


def _dose_evidence(ordered: Ordered, scene: Scene) -> Evidence:
    reference = scene.order.medication.provenance.reference
    return Evidence(reference, "order", "Ordered", value=str(ordered.amount))


def _dose_gaps(amounts: list[Ordered], scene: Scene) -> tuple[Gap, ...]:
    """Return why an amount is not known; a weight that could not be read is the cause before one that is missing."""
    gaps = tuple(one.problem for one in amounts if one.problem)
    value_set, _ = scene.knowledge.definitions.weight
    source = Source(scene.knowledge.definitions.observations[value_set].source)
    return (*gaps, *scene.silence([source], [value_set]))


def count(criterion: CountCriterion, scene: Scene) -> Outcome:
    """Ask how often something is on record in the window; what carries the same day counts once."""
    found, days = _counted(criterion, scene)
    number = len(days)
    unread = scene.silence(_SOURCES[criterion.kind], criterion.value_sets)
    reached = number >= criterion.at_least
    verdict = Verdict.PRESENT if reached else Verdict.UNKNOWN if unread else Verdict.NOT_FOUND
    return Outcome(
        verdict,
        evidence=tuple(found) if reached else (),
        missing=unread if verdict is Verdict.UNKNOWN else (),
        notes=(f"{number} of {criterion.at_least} within {criterion.within}",),
        values={"count": str(number), "needed": str(criterion.at_least)},
    )


_SOURCES = {
    CountedKind.CONDITIONS: (Source.CONDITIONS,),
    CountedKind.ORDERS: (Source.MEDICATIONS, Source.DISPENSES),
    CountedKind.PROCEDURES: (Source.PROCEDURES,),
}


def _counted(criterion: CountCriterion, scene: Scene) -> tuple[list[Evidence], set[Interval]]:
    found: list[tuple[Evidence, Interval | None]] = []
    if criterion.kind is CountedKind.CONDITIONS:
        found = [
            (condition_evidence(one), clinical_date(one.condition)) for one in diagnoses(scene, criterion.value_sets)
        ]
    for name in criterion.value_sets:
        if criterion.kind is CountedKind.ORDERS:
            found += [_order_of(fact, scene) for fact in scene.index.medications.get(name, ()) if _is_ordered(fact)]
        if criterion.kind is CountedKind.PROCEDURES:
            done = scene.index.procedures.get(name, ())
            found += [(procedure_evidence(fact), fact.performed) for fact in done if fact.status not in _VOID]
    inside = [(one, when) for one, when in found if when and _is_inside(when, criterion, scene)]
    return [one for one, _ in inside], {when for _, when in inside}


def _is_inside(when: Interval, criterion: CountCriterion, scene: Scene) -> bool:
    return within(when, criterion.within, scene.today) is Verdict.PRESENT


def _is_ordered(fact: Medication) -> bool:
    return fact.kind in _ORDERED and fact.status not in _VOID and not fact.draft and not fact.do_not_perform


def _order_of(fact: Medication, scene: Scene) -> tuple[Evidence, Interval | None]:
    state = medication_state(fact, scene.knowledge.definitions.medication, scene.today)
    when = fact.authored
    day = Interval(when.start, when.end) if when else None
    return medication_evidence(fact, state), day


def exposure(criterion: ExposureCriterion, scene: Scene) -> Outcome:
    """Ask whether a drug was had for so many days in the look-back."""
    facts = [fact for name in criterion.value_sets for fact in scene.index.medications.get(name, ())]
    since = criterion.within.first_day(scene.today)
    days, _, references = exposure_of(facts, scene.knowledge.definitions.medication, since, scene.today)
    needed = (scene.today - criterion.at_least.first_day(scene.today)).days
    number = len(days or ())
    unread = scene.silence([Source.MEDICATIONS, Source.STATEMENTS, Source.DISPENSES], criterion.value_sets)
    uncertain = bool(scene.silence([Source.DISPENSES]))
    reached = number >= needed and not uncertain
    verdict = Verdict.PRESENT if reached else Verdict.UNKNOWN if unread else Verdict.NOT_FOUND
    evidence = tuple(Evidence(reference, "exposure", f"had for {number} days") for reference in references[:1])
    return Outcome(
        verdict,
        evidence=evidence if reached else (),
        missing=unread if verdict is Verdict.UNKNOWN else (),
        notes=(f"{number} of {needed} days",),
    )


def other_order(criterion: OtherOrderCriterion, scene: Scene) -> Outcome:
    """Ask for another order of ketamine or esketamine."""
    found = [
        medication_evidence(fact, medication_state(fact, scene.knowledge.definitions.medication, scene.today))
        for fact in scene.facts.medications
        if fact is not scene.order.medication and _is_other(fact, criterion, scene)
    ]
    return settle(found, [], scene.silence([Source.MEDICATIONS]))


def _is_other(fact: Medication, criterion: OtherOrderCriterion, scene: Scene) -> bool:
    order = scene.order.medication
    if fact.kind is MedicationKind.STATEMENT or fact.provenance.reference == order.provenance.reference:
        return False
    state = medication_state(fact, scene.knowledge.definitions.medication, scene.today)
    match = recognise(fact, scene.knowledge) if state.taking is Taking.ACTIVE else None
    if match is None:
        return False
    if criterion.same_route and (match.route, match.drug) != (scene.order.route, scene.order.drug):
        return False
    if criterion.older_than:
        return not fact.draft and _is_older(fact, criterion, scene)
    return not (criterion.overlapping and _same_regimen(fact, match.route, scene))


def _is_older(fact: Medication, criterion: OtherOrderCriterion, scene: Scene) -> bool:
    window = criterion.older_than
    return bool(window and fact.authored and fact.authored.end < window.first_day(scene.today))


def _same_regimen(fact: Medication, route: Route, scene: Scene) -> bool:
    """Say whether two orders belong together: one group, a bolus and an infusion of one day, or a replacement."""
    order = scene.order.medication
    if fact.group and fact.group == order.group:
        return True
    if fact.kind is not order.kind or _apart_in_time(fact, order):
        return True
    if fact.provenance.reference in order.replaces or order.provenance.reference in fact.replaces:
        return True
    both_intravenous = {route, scene.order.route} <= {Route.INTRAVENOUS, Route.UNKNOWN}
    one_day = _written(fact, scene.today) == _written(order, scene.today) is not None
    return both_intravenous and one_day and _is_bolus(fact) != _is_bolus(order)


def _apart_in_time(one: Medication, other: Medication) -> bool:
    """Say whether one order's time is known to end before the other's begins."""
    spans = [[(dosage.starts, dosage.ends) for dosage in each.dosages] for each in (one, other)]
    first, second = spans
    return _all_end_before(first, second) or _all_end_before(second, first)


def _all_end_before(first: list[_Span], second: list[_Span]) -> bool:
    ends = [end for _, end in first]
    starts = [start for start, _ in second]
    if not ends or not starts or None in ends or None in starts:
        return False
    return max(end.end for end in ends if end) < min(start.start for start in starts if start)


def _written(fact: Medication, today: date) -> date | None:
    """Return the day an order was written; a draft without a date is of today."""
    if fact.authored:
        return fact.authored.end
    return today if fact.draft else None


def _is_bolus(fact: Medication) -> bool:
    return any(dosage.dose and not dosage.rate and not dosage.duration_minutes for dosage in fact.dosages)


def uncoded(criterion: UncodedCriterion, scene: Scene) -> Outcome:
    """Ask for diagnoses that stand only in words: no rule can see them."""
    del criterion
    recorded = (one.condition for one in every_diagnosis(scene))
    found = [one for one in recorded if _is_uncoded(one.code) and one.clinical_status not in ("inactive", "resolved")]
    evidence = [Evidence(one.provenance.reference, one.provenance.origin, one.code.label) for one in found]
    return settle(evidence, [], ())


def _is_uncoded(code: Concept) -> bool:
    return bool(code.words) and not any(coding.system and coding.code for coding in code.codings)
