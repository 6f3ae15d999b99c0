"""The gate: which orders the rules are about. Of draft orders this is known before any data of the patient are read.

Source: clinical/rules.md RG-0, D-ORDER, D-DRUG.
"""

from dataclasses import dataclass
from datetime import date

from cds.engine.derive.drug import recognise
from cds.engine.derive.medication_state import Taking, medication_state
from cds.engine.facts import Concept, Medication, MedicationKind, PatientFacts
from cds.engine.rules import Knowledge
from cds.errors import FhirError, RequestError
from cds.fhir.datatypes import Reference
from cds.fhir.drafts import DraftEntry, read_drafts
from cds.fhir.references import Addresses, Subject
from cds.hooks.drafts import DRAFT_ORDERS, SEND_DRAFTS, Selection
from cds.hooks.request import HookRequest
from cds.service.completing import Completion

MOST_ORDERS = 50
"""How many orders for the drug are assessed for one call."""
_MOST_WORK = 20_000

_ORDERED = ("order", "")


@dataclass(frozen=True, slots=True)
class Orders:
    """The draft orders of one call.

    Attributes:
        assessed: the orders that are asked about and that the rules are about.
        drugs: what else was ordered, if nothing is assessed.
        entries: all draft orders as they were read.
    """

    assessed: tuple[Medication, ...]
    drugs: tuple[Concept, ...]
    entries: tuple[DraftEntry, ...]

    def assessed_in(self, facts: PatientFacts) -> tuple[Medication, ...]:
        """Return the orders as they stand among the facts, where the reasons they refer to are resolved."""
        wanted = {order.provenance.reference for order in self.assessed}
        return tuple(fact for fact in facts.medications if fact.draft and fact.provenance.reference in wanted)


def read_orders(completion: Completion) -> tuple[DraftEntry, ...]:
    """Return all draft orders, with what was received so far of the Medications that name their drugs."""
    pairs = ((draft.full_url, draft.raw) for draft in completion.request.drafts or ())
    return read_drafts(pairs, completion.context, completion.received)


def refuse_others(request: HookRequest, selection: Selection) -> None:
    """Refuse an order that is for somebody else.

    Raises:
        RequestError: CDS-218.
    """
    for draft in selection.drafts:
        if _whose(draft.subject, request) is Subject.ANOTHER:
            raise RequestError(
                "CDS-218", f"{draft.path}.subject", "The order is for another patient than the request.",
                "Expected the Patient in $.context.patientId.",
            )  # fmt: skip


def choose_orders(
    request: HookRequest, selection: Selection, entries: tuple[DraftEntry, ...], knowledge: Knowledge
) -> Orders:
    """Return the orders that the rules are about, of all that were read.

    Raises:
        RequestError: CDS-209 if there are more than `MOST_ORDERS`.
        FhirError: (HTTP 412) CDS-303 if it cannot be known whether one is about the drug, and none is known to be;
            CDS-302 if none is, and those that are selected were not sent.
    """
    wanted = {draft.path for draft in selection.drafts}
    pairs = zip(request.drafts or (), entries, strict=True)
    chosen = [entry for draft, entry in pairs if draft.path in wanted]
    orders = [entry.medication for entry in chosen if entry.medication]
    assessed = tuple(order for order in orders if recognise(order, knowledge))
    require_few(assessed)
    if not assessed:
        _require_known(chosen)
        _require_sent(selection)
    return Orders(assessed, tuple(order.drug for order in orders), entries)


def ongoing_orders(facts: PatientFacts, knowledge: Knowledge, today: date) -> tuple[Medication, ...]:
    """Return the orders on record that are active now and that the rules are about: what patient-view looks at."""
    definition = knowledge.definitions.medication
    return tuple(
        fact
        for fact in facts.medications
        if fact.kind is MedicationKind.REQUEST
        and fact.status == "active"
        and fact.intent in _ORDERED
        and medication_state(fact, definition, today).taking is Taking.ACTIVE
        and recognise(fact, knowledge)
    )


def most_orders(facts: PatientFacts | None = None) -> int:
    """Return how many orders are assessed: fewer where each has to be held against a very large record."""
    size = sum(1 for _ in facts) if facts else 0
    return max(1, min(MOST_ORDERS, _MOST_WORK // max(size, 1)))


def require_few(orders: tuple[Medication, ...], facts: PatientFacts | None = None) -> None:
    """Refuse more draft orders than are assessed; to leave some of them out would look like "checked".

    Raises:
        RequestError: CDS-209.
    """
    if len(orders) > (most := most_orders(facts)):
        beside = "" if most == MOST_ORDERS else ", beside a very large record"
        raise RequestError(
            "CDS-209", DRAFT_ORDERS, f"There are {len(orders)} orders for ketamine or esketamine{beside}.",
            f"Expected at most {most}.", "Send fewer at once.",
        )  # fmt: skip


def newest_orders(orders: tuple[Medication, ...], most: int) -> tuple[Medication, ...]:
    """Return the `most` newest orders as they stood; one without a date may be as new as any."""
    by_age = sorted(orders, key=lambda order: order.authored.start if order.authored else date.max, reverse=True)
    kept = {id(order) for order in by_age[:most]}
    return tuple(order for order in orders if id(order) in kept)


def _require_known(chosen: list[DraftEntry]) -> None:
    for entry in chosen:
        if entry.medication is None or (entry.missing and not entry.medication.drug.label):
            reason = "; ".join(gap.reason for gap in entry.gaps) or "it cannot be read"
            raise FhirError(
                "CDS-303", f"draft order {entry.reference}", f"It cannot be known what is ordered: {reason}.",
                "Expected a MedicationRequest or ServiceRequest whose drug is named by code or in words.",
                "Send the Medication in draftOrders, as contained resource or in the prefetch, or make it readable.",
            )  # fmt: skip


def _require_sent(selection: Selection) -> None:
    """Refuse to say that nothing is to be said of an order that was never seen."""
    if selection.not_sent:
        raise FhirError(
            "CDS-302", DRAFT_ORDERS, "The orders that are selected are not among the draft orders.",
            "Expected a Bundle of the unsigned orders, those in $.context.selections among them.", SEND_DRAFTS,
        )  # fmt: skip


def _whose(subject: str, request: HookRequest) -> Subject:
    return Addresses(request.patient_id, request.fhir_server).subject(Reference(subject))
