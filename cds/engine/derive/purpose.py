"""What the order is for: pain, mood, both or unstated (rules.md D-PURPOSE)."""

from datetime import date

from cds.engine.definitions import PurposeDefinition
from cds.engine.derive.condition_state import Standing, condition_state
from cds.engine.derive.words import find_words
from cds.engine.facts import Concept, HookContext, Medication, PatientFacts, Source
from cds.engine.logic import Verdict
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
    return _from_problems(definitions, facts, active)


def active_value_sets(facts: PatientFacts, context: HookContext, knowledge: Knowledge, today: date) -> set[str]:
    """Return the ids of all value sets of which the patient has an active diagnosis."""
    definition = knowledge.definitions.condition
    found: set[str] = set()
    for condition in facts.conditions:
        sets = knowledge.index.sets_of_concept(condition.code)
        if sets and condition_state(condition, sets, definition, today, context.encounter).standing is Standing.ACTIVE:
            found |= sets
    return found


def _from_problems(
    definitions: dict[Purpose, PurposeDefinition], facts: PatientFacts, active: set[str]
) -> tuple[Purposes, str]:
    families = {purpose: _family(definition, active) for purpose, definition in definitions.items()}
    if facts.source_gaps(Source.CONDITIONS):
        unread = {purpose: Verdict.PRESENT if family else Verdict.UNKNOWN for purpose, family in families.items()}
        return unread, "no reason given, and the problem list was not read whole"
    found = " and ".join(purpose.value for purpose, family in families.items() if family)
    return (
        {purpose: _verdict(family) for purpose, family in families.items()},
        f"problem list: {found}" if found else "unstated: no reason given, none in the problem list",
    )


def _family(definition: PurposeDefinition, active: set[str]) -> bool:
    return bool(active.intersection(definition.value_sets))


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
    """Leave out the display of a code that only supports a purpose: it names the word without meaning it."""
    supporting = set(knowledge.definitions.pain.supporting) | set(knowledge.definitions.mood.supporting)
    return () if knowledge.index.sets_of_concept(reason) & supporting else reason.words


def _verdict(holds: bool) -> Verdict:
    return Verdict.PRESENT if holds else Verdict.NOT_FOUND
