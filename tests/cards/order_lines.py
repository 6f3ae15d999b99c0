"""The order of a case, as the engine's Medication."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator

from cds.engine.facts import Coding, Concept, Dosage, Medication, MedicationKind, Provenance
from cds.knowledge.closed import Closed
from cds.knowledge.quantities import Names
from tests.cards.words import coding, interval, minutes, number, quantity

REFERENCE = "MedicationRequest/order"
ORDER_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
RATE = "0.5 mg/kg/h"
_DAYS_OF_A_WEEK = Decimal(7)

_CODES = {"ketamine": "6130", "esketamine nasal": "2119365", "esketamine injection": "2119365"}
_ROUTES = {"ketamine": "intravenous", "esketamine nasal": "nasal", "esketamine injection": "intravenous"}


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[str, BeforeValidator(_as_text)]


class OrderWords(Closed):
    """What a case says of its order; what it does not say is an intravenous ketamine infusion of 0.5 mg/kg/h.

    `text` is the name of the product; without `drug` or `code` it is all that names it. `route: none` gives none, and
    `rate: none` an infusion without a rate.

    Attributes:
        dose, rate, duration: of one administration, as "35 mg", "0.5 mg/kg/h", "40 min".
        per_day, per_week: how often.
        bolus: a further dose that is given at once.
        strength: of the product's ingredient, as "50 mg/mL" (`device`: the same for a device, as "28 mg").
        replaces: the order that this one replaces (a renewal), `group` the orders that belong together.
        authored: when the draft was written; not said by default.
        country: where the service runs, as "GB"; not set by default.
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
    duration: str = ""
    per_day: Number = ""
    per_week: Number = ""
    bolus: str = ""
    strength: str = ""
    device: str = ""
    replaces: Names = ()
    group: str = ""
    authored: str = ""
    dosage_text: str = ""
    note: str = ""
    service: str = ""
    hook: Literal["order-select", "order-sign", "patient-view"] = "order-select"
    encounter: str = ""
    country: str = ""


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
        strengths=tuple(quantity(text) for text in (words.strength, words.device) if text),
        dosages=() if is_service else _dosages(words),
        authored=interval(words.authored) if words.authored else None,
        reasons=_reasons(words, systems),
        notes=(words.note,) if words.note else (),
        replaces=words.replaces,
        group=words.group,
        encounter=words.encounter,
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


def _dosages(words: OrderWords) -> tuple[Dosage, ...]:
    route = words.route or ("" if words.dosage_text else _ROUTES[words.drug or "ketamine"])
    infusion = route == "intravenous" and not words.dose
    rate = words.rate or (RATE if infusion else "none")
    given = Concept(text="" if route == "none" else route)
    main = Dosage(
        text=words.dosage_text,
        route=given,
        dose=quantity(words.dose) if words.dose else None,
        rate=quantity(rate) if rate != "none" else None,
        per_day=_per_day(words),
        duration_minutes=minutes(words.duration) if words.duration else None,
    )
    return (main, Dosage(route=given, dose=quantity(words.bolus))) if words.bolus else (main,)


def _per_day(words: OrderWords) -> Decimal | None:
    if words.per_week:
        return number(words.per_week) / _DAYS_OF_A_WEEK
    return number(words.per_day) if words.per_day else None


def _reasons(words: OrderWords, systems: Mapping[str, str]) -> tuple[Concept, ...]:
    coded = [Concept((coding(code, systems),), words.reason_text) for code in words.reason]
    return tuple(coded) or ((Concept(text=words.reason_text),) if words.reason_text else ())
