"""The order of a case, as the engine's Medication."""

from collections.abc import Mapping
from typing import Literal

from cds.engine.facts import Coding, Concept, Dosage, Medication, MedicationKind, Provenance
from cds.knowledge.closed import Closed
from cds.knowledge.quantities import Names
from tests.cards.words import coding, quantity

REFERENCE = "MedicationRequest/order"
ORDER_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
RATE = "0.5 mg/kg/h"

_CODES = {"ketamine": "6130", "esketamine nasal": "2119365", "esketamine injection": "2119365"}
_ROUTES = {"ketamine": "intravenous", "esketamine nasal": "nasal", "esketamine injection": "intravenous"}


class OrderWords(Closed):
    """What a case says of its order; what it does not say is an intravenous ketamine infusion of 0.5 mg/kg/h.

    `text` is the name of the product; without `drug` or `code` it is all that names it. `route: none` gives none.
    """

    drug: Literal["ketamine", "esketamine nasal", "esketamine injection"] | None = None
    code: str = ""
    text: str = ""
    form: str = ""
    route: str = ""
    category: str = ""
    reason: Names = ()
    reason_text: str = ""
    rate: str = ""
    dose: str = ""
    dosage_text: str = ""
    note: str = ""
    service: str = ""
    hook: Literal["order-select", "order-sign"] = "order-select"
    encounter: str = ""


NAMED: Mapping[str, OrderWords] = {
    "ketamine infusion": OrderWords(),
    "esketamine nasal": OrderWords(drug="esketamine nasal"),
    "esketamine injection": OrderWords(drug="esketamine injection"),
    "oral ketamine": OrderWords(route="oral"),
}


def order(words: OrderWords, systems: Mapping[str, str]) -> Medication:
    """Return the draft order that a case describes."""
    is_service = bool(words.service)
    return Medication(
        provenance=Provenance("ServiceRequest/order" if is_service else REFERENCE, "context draftOrders"),
        kind=MedicationKind.SERVICE if is_service else MedicationKind.REQUEST,
        drug=_drug(words, systems),
        form=Concept(text=words.form or ("nasal spray" if words.drug == "esketamine nasal" else "")),
        status="draft",
        intent="order",
        categories=(Concept((Coding(ORDER_CATEGORY, words.category),), words.category),) if words.category else (),
        dosages=() if is_service else (_dosage(words),),
        reasons=_reasons(words, systems),
        notes=(words.note,) if words.note else (),
        draft=True,
    )


def _drug(words: OrderWords, systems: Mapping[str, str]) -> Concept:
    if words.service:
        return Concept(text=words.service)
    if words.code:
        return Concept((coding(words.code, systems),), words.text)
    if words.text and words.drug is None:
        return Concept(text=words.text)
    return Concept((Coding(systems["rxnorm"], _CODES[words.drug or "ketamine"]),), words.text)


def _dosage(words: OrderWords) -> Dosage:
    route = words.route or ("" if words.dosage_text else _ROUTES[words.drug or "ketamine"])
    infusion = route == "intravenous" and not words.dose
    rate = words.rate or (RATE if infusion else "")
    return Dosage(
        text=words.dosage_text,
        route=Concept(text="" if route == "none" else route),
        dose=quantity(words.dose) if words.dose else None,
        rate=quantity(rate) if rate else None,
    )


def _reasons(words: OrderWords, systems: Mapping[str, str]) -> tuple[Concept, ...]:
    coded = [Concept((coding(code, systems),), words.reason_text) for code in words.reason]
    return tuple(coded) or ((Concept(text=words.reason_text),) if words.reason_text else ())
