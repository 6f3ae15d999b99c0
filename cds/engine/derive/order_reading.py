"""Reading an order: the drug, its route, the context and the purpose, each with how it was found."""

from datetime import datetime
from decimal import Decimal

from cds.engine.derive.dose import Amount, Measure, ordered_amounts
from cds.engine.derive.drug import DrugMatch, recognise
from cds.engine.derive.purpose import active_value_sets, read_purpose
from cds.engine.derive.readings import readings
from cds.engine.derive.words import find_words
from cds.engine.facts import HookContext, Medication, PatientFacts
from cds.engine.order import Drug, Order, OrderContext, Route
from cds.engine.rules import Knowledge
from cds.engine.scene import local_day

_BOLUS_ROUTES = (Route.INTRAVENOUS, Route.UNKNOWN, Route.INTRAMUSCULAR)  # unknown is treated as intravenous
_INJECTED_AT_HOME = (Route.INTRAMUSCULAR, Route.SUBCUTANEOUS)
_SELF_GIVEN = (Route.ORAL, Route.SUBLINGUAL, Route.NASAL)


def read_order(
    medication: Medication, facts: PatientFacts, context: HookContext, knowledge: Knowledge, at: datetime
) -> Order | None:
    """Return what is ordered, or None if it is neither ketamine nor esketamine (rule RG-0)."""
    match = recognise(medication, knowledge)
    if match is None:
        return None
    today = local_day(at, context)
    order_context, context_found = read_context(medication, match, facts, knowledge, at, context)
    active = active_value_sets(facts, context, knowledge, today)
    purposes, purpose_found = read_purpose(medication, match.drug, facts, knowledge, active)
    return Order(
        medication, match.drug, match.found, match.route, match.route_found, order_context, context_found,
        purposes, purpose_found, is_take_home(medication, match.drug, match.route),
    )  # fmt: skip


def is_take_home(medication: Medication, drug: Drug, route: Route) -> bool:
    """Say whether the drug leaves with the patient: self-given outside hospital, or injected in the community."""
    categories = {word.lower() for category in medication.categories for word in category.words_and_codes}
    if drug is Drug.ESKETAMINE_NASAL:
        return False
    if route in _SELF_GIVEN:
        return "inpatient" not in categories
    return route in _INJECTED_AT_HOME and "community" in categories


def read_context(
    medication: Medication,
    match: DrugMatch,
    facts: PatientFacts,
    knowledge: Knowledge,
    at: datetime,
    context: HookContext,
) -> tuple[OrderContext, str]:
    """Return why the drug is given, as far as it changes which rules run (rules.md D-CONTEXT).

    The words of an order never make nasal esketamine procedural: its label says that it is not an anaesthetic.
    """
    definition = knowledge.definitions.context
    reasons = [word for reason in medication.reasons for word in reason.words]
    categories = [word for category in medication.categories for word in category.words]
    texts = [*reasons, *categories, *(dosage.text for dosage in medication.dosages), *medication.notes]
    procedural = () if match.drug is Drug.ESKETAMINE_NASAL else definition.procedural_words
    if found := find_words(procedural, [*texts, *medication.drug.words]):
        return OrderContext.PROCEDURAL, f"the order says '{found}'"
    if found := find_words(definition.acute_pain_words, texts):
        return OrderContext.ACUTE_PAIN, f"the order says '{found}'"
    encounter = facts.encounter
    if encounter and encounter.class_code.code in definition.emergency_classes:
        bolus = _bolus_per_kg(medication, match.route, facts, knowledge, at, context)
        if bolus is not None and bolus >= definition.bolus_at_least.value:
            return OrderContext.PROCEDURAL, f"emergency encounter and a single dose of {bolus:.2f} mg/kg"
    return OrderContext.THERAPY, "nothing says otherwise"


def _bolus_per_kg(
    medication: Medication, route: Route, facts: PatientFacts, knowledge: Knowledge, at: datetime, context: HookContext
) -> Decimal | None:
    """Return the one-off dose per kg of an intravenous or intramuscular order that is nothing else."""
    if route not in _BOLUS_ROUTES or len(medication.dosages) != 1:
        return None
    if medication.dosages[0].per_day is not None:
        return None
    measure = Measure(medication, route, latest_weight(facts, knowledge, at, context))
    ordered = ordered_amounts(Amount.BOLUS, measure)
    return ordered[0].amount.value if ordered and ordered[0].amount else None


def latest_weight(facts: PatientFacts, knowledge: Knowledge, at: datetime, context: HookContext) -> Decimal | None:
    """Return the patient's latest recent weight in kg, or None if there is none that can be used."""
    value_set, window = knowledge.definitions.weight
    definition = knowledge.definitions.observations[value_set]
    weights = (fact for fact in facts.observations if value_set in knowledge.index.sets_of_concept(fact.code))
    found = readings(weights, definition, window, local_day(at, context))
    return found[0].value.value if found and found[0].value else None
