"""Criteria about what is on record: diagnoses, procedures, allergies, drugs."""

from dataclasses import replace
from datetime import date

from cds.engine.assessment import Evidence, Outcome
from cds.engine.dates import Interval, Window, within
from cds.engine.derive.condition_state import Standing, acute, clinical_date
from cds.engine.derive.diagnoses import Diagnosis, diagnoses, every_diagnosis
from cds.engine.derive.ending import still
from cds.engine.derive.evidence import (
    allergy_evidence,
    condition_evidence,
    flag_evidence,
    medication_evidence,
    procedure_evidence,
    reason_evidence,
)
from cds.engine.derive.medication_state import MedicationState, Taking, medication_state
from cds.engine.derive.words import find_words
from cds.engine.facts import Allergy, Concept, Gap, GapScope, Medication, MedicationKind, Source
from cds.engine.logic import Verdict, not_
from cds.engine.rules import (
    AllergyCriterion,
    ConditionCriterion,
    ConditionState,
    Dating,
    FlagCriterion,
    MedicationCriterion,
    ProcedureCriterion,
)
from cds.engine.rules import (
    MedicationState as Wanted,
)
from cds.engine.scene import Scene

_STANDINGS = {
    ConditionState.ACTIVE: (Standing.ACTIVE,),
    ConditionState.SEQUELA_ACTIVE: (Standing.ACTIVE,),
    ConditionState.PAST: (Standing.HISTORY, Standing.REMISSION),
    ConditionState.ANY: (Standing.ACTIVE, Standing.HISTORY, Standing.REMISSION),
    ConditionState.ACUTE: (Standing.ACTIVE, Standing.HISTORY),
}
_OVER = ("inactive", "resolved")
_NOT_DONE = ("not-done", "entered-in-error", "preparation", "unknown")


def settle(
    found: list[Evidence], uncertain: list[Gap], unread: tuple[Gap, ...], notes: list[str] | None = None
) -> Outcome:
    """Return the outcome of looking for facts: present if found; else unknown if it may be there; else not found."""
    words = tuple(notes or ())
    if found:
        found.sort(key=lambda one: one.steps)
        return Outcome(Verdict.PRESENT, found[0].steps, tuple(found), notes=words)
    missing = (*uncertain, *unread)
    return Outcome(Verdict.UNKNOWN if missing else Verdict.NOT_FOUND, missing=missing, notes=words)


def condition(criterion: ConditionCriterion, scene: Scene) -> Outcome:
    """Ask for a diagnosis."""
    coded = diagnoses(scene, criterion.value_sets, criterion.excluding)
    named = coded if criterion.value_sets else every_diagnosis(scene)
    judged = [_judge(one, criterion, scene) for one in named if _says(one.condition.code, criterion.words)]
    found = _reasons(criterion, scene) + [
        one for each in judged if each.verdict is Verdict.PRESENT for one in each.evidence
    ]
    uncertain = [gap for each in judged for gap in each.missing]
    notes = [note for each in judged for note in each.notes]
    outcome = settle(found, uncertain, scene.silence([Source.CONDITIONS], criterion.value_sets), notes)
    possible = tuple(one for each in judged if each.verdict is Verdict.UNKNOWN for one in each.evidence)
    return outcome if found else replace(outcome, evidence=possible)


def _says(code: Concept, words: tuple[str, ...]) -> bool:
    return not words or bool(find_words(words, code.words))


def _judge(one: Diagnosis, criterion: ConditionCriterion, scene: Scene) -> Outcome:
    verdict, remarks = _condition_verdict(one, criterion, scene.today)
    label, reference = one.condition.code.label, one.condition.provenance.reference
    missing: tuple[Gap, ...] = ()
    if verdict is Verdict.UNKNOWN:
        missing = (_undated(Source.CONDITIONS, label, reference),)
    if verdict is Verdict.PRESENT and criterion.ended_by:
        verdict, missing = still(clinical_date(one.condition), criterion.ended_by, scene)
    if verdict is Verdict.NOT_FOUND:
        state = ", ".join((one.state.standing.value, *one.state.remarks))
        return Outcome(verdict, notes=(f"{label} ({reference}): {state}",))
    return Outcome(verdict, evidence=(condition_evidence(one, remarks, len(remarks)),), missing=missing)


def _reasons(criterion: ConditionCriterion, scene: Scene) -> list[Evidence]:
    if not criterion.reasons:
        return []
    order = scene.order.medication
    wanted, excluded = set(criterion.value_sets), set(criterion.excluding)
    named = [(reason, scene.knowledge.index.sets_of_concept(reason)) for reason in order.reasons]
    return [
        reason_evidence(reason, order.provenance.reference)
        for reason, sets in named
        if sets & wanted and not sets & excluded and _says(reason, criterion.words)
    ]


def _condition_verdict(one: Diagnosis, criterion: ConditionCriterion, today: date) -> tuple[Verdict, tuple[str, ...]]:
    standing = one.state.standing
    if one.state.sequela and criterion.state in (ConditionState.ACTIVE, ConditionState.ACUTE):
        return Verdict.NOT_FOUND, ()
    is_past_sequela = one.state.sequela and criterion.state is ConditionState.PAST
    if standing not in _STANDINGS[criterion.state] and not is_past_sequela:
        return Verdict.NOT_FOUND, ()
    dated = clinical_date(one.condition, by_recorded=criterion.by_recorded)
    if criterion.state is ConditionState.ACUTE and criterion.within:
        if dated is None and standing is Standing.HISTORY:
            return Verdict.NOT_FOUND, ()
        verdict, remarks = acute(one.condition, criterion.within, today)
        surely = standing is Standing.ACTIVE or not remarks  # what has ended is acute only by a date inside the window
        return (verdict, remarks) if surely else (Verdict.NOT_FOUND, ())
    return _dated(dated, criterion, today), ()


def _dated(when: Interval | None, criterion: ConditionCriterion, today: date) -> Verdict:
    if criterion.undated is Dating.ONLY:
        return Verdict.NOT_FOUND if when else Verdict.PRESENT
    window = criterion.within or criterion.older_than
    if window is None:
        return Verdict.PRESENT
    if when is None and criterion.undated is not Dating.UNKNOWN:
        return Verdict.PRESENT if criterion.undated is Dating.INSIDE else Verdict.NOT_FOUND
    inside = within(when, window, today)
    return inside if criterion.within else not_(inside)


def _undated(source: Source, label: str, reference: str) -> Gap:
    return Gap(source, GapScope.VALUE, f"{label}: its date is not known well enough", reference)


def procedure(criterion: ProcedureCriterion, scene: Scene) -> Outcome:
    """Ask for a procedure, by code or by a word in its text."""
    coded = [fact for name in criterion.value_sets for fact in scene.index.procedures.get(name, ())]
    named = [fact for fact in scene.facts.procedures if find_words(criterion.words, fact.code.words)]
    found, uncertain = [], []
    for fact in {id(fact): fact for fact in (*coded, *named)}.values():
        if fact.status in _NOT_DONE:
            continue
        verdict = within(fact.performed, criterion.within, scene.today) if criterion.within else Verdict.PRESENT
        if verdict is Verdict.PRESENT:
            found.append(procedure_evidence(fact))
        elif verdict is Verdict.UNKNOWN:
            uncertain.append(_undated(Source.PROCEDURES, fact.code.label, fact.provenance.reference))
    return settle(found, uncertain, scene.silence([Source.PROCEDURES], criterion.value_sets))


def flag(criterion: FlagCriterion, scene: Scene) -> Outcome:
    """Ask for an active flag on the record, by code or by a word in its text."""
    wanted = set(criterion.value_sets)
    found = [
        flag_evidence(fact)
        for fact in scene.facts.flags
        if fact.status in ("active", "")
        and (wanted & scene.knowledge.index.sets_of_concept(fact.code) or find_words(criterion.words, fact.code.words))
    ]
    return settle(found, [], scene.silence([Source.FLAGS], criterion.value_sets))


def allergy(criterion: AllergyCriterion, scene: Scene) -> Outcome:
    """Ask for an allergy, by code or text, of a substance or of a reaction's substance."""
    facts = {id(fact): fact for name in criterion.value_sets for fact in scene.index.allergies.get(name, ())}
    found, notes = [], []
    for fact in facts.values():
        if fact.verification_status in ("refuted", "entered-in-error"):
            notes.append(f"{fact.provenance.reference}: {fact.verification_status}")
        elif _allergy_counts(fact, criterion):
            remarks = (fact.type,) if fact.type == "intolerance" else ()
            found.append(allergy_evidence(fact, (*remarks, *((fact.clinical_status,) if _is_over(fact) else ()))))
    return settle(found, [], scene.silence([Source.ALLERGIES], criterion.value_sets), notes)


def _allergy_counts(fact: Allergy, criterion: AllergyCriterion) -> bool:
    if criterion.types and fact.type not in criterion.types:
        return False
    if fact.type and fact.type in criterion.excluding_types:
        return False
    wants_past = criterion.state is ConditionState.PAST
    return criterion.state is ConditionState.ANY or _is_over(fact) == wants_past


def _is_over(fact: Allergy) -> bool:
    return fact.clinical_status in _OVER


def medication(criterion: MedicationCriterion, scene: Scene) -> Outcome:
    """Ask for a drug that the patient has: active, or ended within the window, or at any time."""
    definition = scene.knowledge.definitions.medication
    listed = (fact for name in criterion.value_sets for fact in scene.index.medications.get(name, ()))
    excluded = set(criterion.excluding)
    facts = {
        id(fact): fact
        for fact in listed
        if not excluded & scene.index.medication_sets[id(fact)]
        and (fact.kind is MedicationKind.REQUEST or not criterion.requests_only)
    }
    found, uncertain, notes = [], [], []
    for fact in facts.values():
        state = medication_state(fact, definition, scene.today)
        verdict = _medication_verdict(fact, state, criterion, scene.today, scene.order.medication.group)
        if verdict is Verdict.PRESENT:
            found.append(medication_evidence(fact, state))
        elif verdict is Verdict.UNKNOWN:
            uncertain.append(_undated(Source.MEDICATIONS, fact.drug.label, fact.provenance.reference))
        elif state.taking is Taking.ENDED:
            notes.append(f"{fact.drug.label} ({fact.provenance.reference}) has ended")
    sources = [Source.MEDICATIONS] if criterion.requests_only else [Source.MEDICATIONS, Source.STATEMENTS]
    return settle(found, uncertain, scene.silence(sources, criterion.value_sets), notes)


def _medication_verdict(
    fact: Medication, state: MedicationState, criterion: MedicationCriterion, today: date, group: str
) -> Verdict:
    if state.taking is Taking.IGNORED or fact.intent in ("proposal", "option"):
        return Verdict.NOT_FOUND
    if criterion.no_rescue and _is_rescue(fact, group):
        return Verdict.NOT_FOUND
    if criterion.state is Wanted.ANY:
        return _inside(fact.authored, criterion.within, today)
    if state.taking is Taking.ACTIVE:
        return Verdict.PRESENT
    return _inside(state.ended, criterion.within, today) if criterion.within and state.ended else Verdict.NOT_FOUND


def _is_rescue(fact: Medication, group: str) -> bool:
    """Say whether a drug is only there to be given when needed, in the same group of orders."""
    as_needed = bool(fact.dosages) and all(dosage.as_needed for dosage in fact.dosages)
    return as_needed and bool(group) and fact.group == group


def _inside(when: Interval | None, window: Window | None, today: date) -> Verdict:
    return within(when, window, today) if window else Verdict.PRESENT
