"""What the order is for: pain, mood, both or unstated (rules.md D-PURPOSE)."""

from collections import defaultdict
from datetime import date

from cds.engine.definitions import PurposeDefinition
from cds.engine.derive.condition_state import Standing, condition_state
from cds.engine.derive.diagnoses import Diagnosis, settled
from cds.engine.derive.words import find_words
from cds.engine.facts import Concept, Gap, GapScope, HookContext, Medication, PatientFacts, Source
from cds.engine.logic import Verdict, any_of
from cds.engine.order import Drug, Purpose
from cds.engine.rules import Knowledge

Purposes = dict[Purpose, Verdict]


def read_purpose(
    medication: Medication, drug: Drug, facts: PatientFacts, knowledge: Knowledge, active: set[str]
) -> tuple[Purposes, str]:
    """Return for each purpose whether the order serves it, and how that was found.

    Args:
        medication: the order.
        drug: nasal esketamine without a reason serves mood.
        facts: the patient's record; `active` are the value sets of the active diagnoses in it.
        knowledge: the value sets and words of each purpose.
        active: ids of all value sets with an active diagnosis.
    """
    definitions = {Purpose.PAIN: knowledge.definitions.pain, Purpose.MOOD: knowledge.definitions.mood}
    stated = {purpose: _stated(medication, definition, knowledge) for purpose, definition in definitions.items()}
    if any(stated.values()):
        return {purpose: _verdict(bool(found)) for purpose, found in stated.items()}, "; ".join(
            filter(None, stated.values())
        )
    if drug is Drug.ESKETAMINE_NASAL:
        return {Purpose.PAIN: Verdict.NOT_FOUND, Purpose.MOOD: Verdict.PRESENT}, "nasal esketamine"
    return _from_problems(definitions, facts, knowledge, active)


def active_value_sets(facts: PatientFacts, context: HookContext, knowledge: Knowledge, today: date) -> set[str]:
    """Return the ids of all value sets of which the patient has an active diagnosis."""
    definition = knowledge.definitions.condition
    groups: dict[str, list[Diagnosis]] = defaultdict(list)
    for condition in facts.conditions:
        sets = knowledge.index.sets_of_concept(condition.code)
        state = condition_state(condition, sets, definition, today, context.encounter)
        for name in sets:
            groups[name].append(Diagnosis(condition, state))
    return {name for name, own in groups.items() if any(one.state.standing is Standing.ACTIVE for one in settled(own))}


def purpose_gaps(facts: PatientFacts, knowledge: Knowledge) -> tuple[Gap, ...]:
    """Return what could not be read of the problem list and may hold a diagnosis that tells the purpose."""
    both = (knowledge.definitions.pain, knowledge.definitions.mood)
    return tuple(dict.fromkeys(gap for definition in both for gap in _may_hold(definition, facts, knowledge)))


def _from_problems(
    definitions: dict[Purpose, PurposeDefinition], facts: PatientFacts, knowledge: Knowledge, active: set[str]
) -> tuple[Purposes, str]:
    found: Purposes = {}
    for purpose, definition in definitions.items():
        recorded = _verdict(bool(active.intersection(definition.value_sets)))
        found[purpose] = any_of([recorded, *(Verdict.UNKNOWN for _ in _may_hold(definition, facts, knowledge))])
    if Verdict.UNKNOWN in found.values():
        return found, "no reason given, and the problem list was not read whole"
    names = " and ".join(purpose.value for purpose, verdict in found.items() if verdict is Verdict.PRESENT)
    return found, f"problem list: {names}" if names else "unstated: no reason given, none in the problem list"


def _may_hold(definition: PurposeDefinition, facts: PatientFacts, knowledge: Knowledge) -> list[Gap]:
    """Return the gaps of the problem list, and of entries whose code could still be seen those of this purpose."""
    wanted = set(definition.value_sets)
    gaps = (gap for gap in facts.gaps if gap.source is Source.CONDITIONS)
    return [
        gap
        for gap in gaps
        if gap.scope is GapScope.SOURCE or any(wanted & knowledge.index.sets_of(one) for one in gap.codings)
    ]


def _stated(medication: Medication, definition: PurposeDefinition, knowledge: Knowledge) -> str:
    for reason in medication.reasons:
        names = knowledge.index.sets_of_concept(reason)
        if names.intersection(definition.value_sets):
            return f"reason {reason.label}"
    texts = [word for reason in medication.reasons for word in _searchable(reason, knowledge)]
    texts += [dosage.text for dosage in medication.dosages] + list(medication.notes) + list(medication.drug.words)
    found = find_words(definition.words, texts)
    return f"word '{found}'" if found else ""


def _searchable(reason: Concept, knowledge: Knowledge) -> tuple[str, ...]:
    """Leave out the display of a code that only supports a mood (suicidal ideation): it names the word only."""
    if not knowledge.index.sets_of_concept(reason).intersection(knowledge.definitions.mood.supporting):
        return reason.words
    displays = {coding.display.lower() for coding in reason.codings}
    return (reason.text,) if reason.text.lower() not in displays else ()


def _verdict(holds: bool) -> Verdict:
    return Verdict.PRESENT if holds else Verdict.NOT_FOUND
