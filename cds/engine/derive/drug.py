"""Which of the two drugs is ordered, and how it is given (rules.md D-DRUG, D-ORDER, D-ROUTE)."""

import re
from dataclasses import dataclass
from functools import lru_cache

from cds.engine.definitions import DrugDefinition, DrugWords
from cds.engine.derive.words import find_words
from cds.engine.facts import Coding, Medication, MedicationKind
from cds.engine.order import Drug, Route
from cds.engine.rules import Knowledge


@dataclass(frozen=True, slots=True)
class DrugMatch:
    """What was recognised: the drug, and how (``code ...`` or ``match=text ...``)."""

    drug: Drug
    found: str
    route: Route
    route_found: str


def recognise(medication: Medication, knowledge: Knowledge) -> DrugMatch | None:
    """Say which of the two drugs an order is for; None if for neither, or for a topical product.

    Needs nothing but the order, so that any other order is answered before patient data are looked at.
    """
    definition = knowledge.definitions.drug
    if medication.kind is MedicationKind.SERVICE and not _is_treatment(medication, definition):
        return None
    match = _by_code(medication, knowledge) or _by_text(medication, definition)
    if match is None:
        return None
    is_esketamine, found = match
    route, route_found = read_route(medication, knowledge)
    if route is Route.TOPICAL:
        return None
    drug = _form(medication, route, definition) if is_esketamine else Drug.KETAMINE
    if drug is Drug.ESKETAMINE_NASAL and route is Route.UNKNOWN:
        route, route_found = Route.NASAL, "esketamine without route or form"
    return DrugMatch(drug, found, route, route_found)


def read_route(medication: Medication, knowledge: Knowledge) -> tuple[Route, str]:
    """Return the route and how it was found: route code, route text, dosage text, or the product's form."""
    definition = knowledge.definitions.drug
    for dosage in medication.dosages:
        for coding in dosage.route.codings:
            names = knowledge.index.sets_of(coding)
            for route, value_set in definition.route_value_sets.items():
                if value_set in names:
                    return Route(route), f"route code {coding.code}"
    for what, texts in _route_texts(medication):
        for route, words in definition.routes.items():
            if found := find_words(words, texts):
                return Route(route), f"{what}: {found}"
    return Route.UNKNOWN, "no route given: treated as intravenous"


def _route_texts(medication: Medication) -> tuple[tuple[str, tuple[str, ...]], ...]:
    routes = tuple(word for dosage in medication.dosages for word in dosage.route.words)
    dosages = tuple(dosage.text for dosage in medication.dosages if dosage.text)
    product = (*medication.form.words, *medication.drug.words)
    return ("route text", routes), ("dosage text", dosages), ("dose form", product)


def _is_treatment(medication: Medication, definition: DrugDefinition) -> bool:
    words = (*medication.drug.words, *(word for category in medication.categories for word in category.words))
    codes = tuple(coding.code for category in medication.categories for coding in category.codings)
    is_treatment, is_test = definition.service_words, definition.service_exclusions
    return bool(find_words(is_treatment, words)) and not find_words(is_test, (*words, *codes))


def _by_code(medication: Medication, knowledge: Knowledge) -> tuple[bool, str] | None:
    definition = knowledge.definitions.drug
    codings = [coding for concept in (medication.drug, *medication.ingredients) for coding in concept.codings]
    for value_set, is_esketamine in ((definition.esketamine.value_set, True), (definition.ketamine.value_set, False)):
        for coding in codings:
            if value_set in knowledge.index.sets_of(coding):
                return is_esketamine, f"code {_written(coding)}"
    return None


def _by_text(medication: Medication, definition: DrugDefinition) -> tuple[bool, str] | None:
    texts = (text for concept in (medication.drug, *medication.ingredients) for text in concept.words)
    cleaned = [_compiled(definition.taken_out).sub(" ", text) for text in texts]
    for words, is_esketamine in ((definition.esketamine, True), (definition.ketamine, False)):
        if found := next(filter(None, (_search(words, text) for text in cleaned)), ""):
            return is_esketamine, f"match=text {found}"
    return None


def _search(words: DrugWords, text: str) -> str:
    matches = (_compiled(pattern).search(text) for pattern in words.patterns)
    return next((match.group(0) for match in matches if match), "")


def _form(medication: Medication, route: Route, definition: DrugDefinition) -> Drug:
    if route is Route.NASAL:
        return Drug.ESKETAMINE_NASAL
    if route in (Route.INTRAVENOUS, Route.INTRAMUSCULAR, Route.SUBCUTANEOUS):
        return Drug.ESKETAMINE_INJECTABLE
    if route is not Route.UNKNOWN:
        return Drug.KETAMINE
    texts = (*medication.drug.words, *medication.form.words)
    is_nasal = find_words(definition.nasal_words, texts) or not find_words(definition.injectable_words, texts)
    return Drug.ESKETAMINE_NASAL if is_nasal else Drug.ESKETAMINE_INJECTABLE


def _written(coding: Coding) -> str:
    return f"{coding.system}|{coding.code}"


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
