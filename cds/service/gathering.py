"""What a call is about: the orders that are assessed, and everything that is known of the patient."""

from dataclasses import dataclass, replace

from cds.engine.facts import Concept, Gap, GapScope, HookContext, Medication, PatientFacts, Source
from cds.engine.scene import local_day
from cds.engine.withhold import PATIENT_VIEW
from cds.errors import FhirError, RequestError
from cds.fhir.client import NOT_REGISTERED
from cds.fhir.gaps import bounded
from cds.fhir.read import FOREIGN, read_facts
from cds.fhir.references import Subject
from cds.hooks.drafts import select
from cds.service.completing import Completion
from cds.service.orders import (
    Orders,
    choose_orders,
    most_orders,
    newest_orders,
    ongoing_orders,
    read_orders,
    refuse_others,
    require_few,
)
from cds.service.visit import Visit

_HOW_TO_SEND = "Send the prefetch that GET /cds-services names, or fhirServer with a token that may read it."
_HOW_TO_REGISTER = (
    "Or let the operator register this FHIR base for the client: cds client add --replace --fhir-base, "
    "in development CDS_FHIR_BASES."
)
_NO_ACTIVE_ORDER = "no active order for ketamine or esketamine is on record"


@dataclass(frozen=True, slots=True)
class NotAbout:
    """No order is about the drug: `drugs` are what was ordered instead."""

    drugs: tuple[Concept, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """The orders to assess, as they stand among the facts."""

    orders: tuple[Medication, ...]
    facts: PatientFacts


async def gather(visit: Visit, completion: Completion, context: HookContext) -> Chart | NotAbout:
    """Return what is to be assessed; remarks and gaps are kept in the visit.

    In patient-view these are the active orders, else the draft orders that the hook asks about. Nothing of the patient
    is read for an order that is about another drug.

    Raises:
        RequestError, FhirError: as `select`, `refuse_others`, `choose_orders`, `require_patient`, `require_list`.
    """
    request = completion.request
    if request.hook == PATIENT_VIEW:
        return await _gather_active(visit, completion, context)
    selection = select(request)
    visit.notes += selection.remarks
    refuse_others(request, selection)
    entries = read_orders(completion)
    if missing := [entry.missing for entry in entries if entry.missing]:
        await completion.read_products(missing)
        entries = read_orders(completion)
    orders = choose_orders(request, selection, entries, visit.ports.knowledge)
    if not orders.assessed:
        return NotAbout(orders.drugs)
    facts = await _read(visit, completion, orders)
    return Chart(orders.assessed_in(facts), facts)


async def _gather_active(visit: Visit, completion: Completion, context: HookContext) -> Chart | NotAbout:
    """Look at the drugs first: where none is ketamine, nothing else of the patient is read."""
    expected, today = completion.context.expected, local_day(visit.at, context)
    drugs = [key for key, source in expected.items() if source is Source.MEDICATIONS]
    facts = read_facts(await completion.complete(drugs), completion.context)
    if ongoing_orders(facts, visit.ports.knowledge, today):
        facts = read_facts(await completion.complete(expected), completion.context)
        require_patient(visit, facts)
        return _newest(ongoing_orders(facts, visit.ports.knowledge, today), facts)
    visit.gaps = tuple(gap for gap in facts.gaps if gap.source is Source.MEDICATIONS)
    require_list(visit)
    unread = "; not all of them could be read" if visit.gaps else ""
    visit.notes += (f"{_NO_ACTIVE_ORDER} among {len(facts.medications)} that were looked at{unread}",)
    return NotAbout()


def _newest(orders: tuple[Medication, ...], facts: PatientFacts) -> Chart:
    """Return the orders that are assessed; where there are too many, cards say that the older ones were not."""
    most = most_orders(facts)
    if len(orders) <= most:
        return Chart(orders, facts)
    reason = f"of {len(orders)} active orders for ketamine or esketamine only the newest {most} were assessed"
    gap = Gap(Source.MEDICATIONS, GapScope.SOURCE, reason)
    return Chart(newest_orders(orders, most), replace(facts, gaps=(*facts.gaps, gap)))


async def _read(visit: Visit, completion: Completion, orders: Orders) -> PatientFacts:
    """Return the facts, with what could not be read of the draft orders among the gaps."""
    drafts = [entry.medication for entry in orders.entries if entry.medication]
    received = await completion.complete(completion.context.expected)
    facts = read_facts(received, completion.context, drafts)
    require_patient(visit, facts)
    require_few(orders.assessed, facts)
    unread: tuple[Gap, ...] = tuple(gap for entry in orders.entries for gap in entry.gaps)
    return replace(facts, gaps=bounded((*facts.gaps, *unread))) if unread else facts


def require_list(visit: Visit) -> None:
    """Refuse to say that no ketamine is given where the list of drugs was not read whole.

    Raises:
        FhirError: CDS-304.
    """
    if reasons := [gap.reason for gap in visit.gaps if gap.scope is GapScope.SOURCE]:
        raise FhirError(
            "CDS-304", "prefetch 'medications'", f"The active orders could not be read: {'; '.join(reasons)}.",
            "Expected all MedicationRequests of the patient.", _what_to_do(visit),
        )  # fmt: skip


def require_patient(visit: Visit, facts: PatientFacts) -> None:
    """Refuse to go on without the Patient: without age and sex no statement is possible.

    Raises:
        FhirError: CDS-301 if the Patient could not be had.
        RequestError: CDS-218 if another Patient was sent.
    """
    if facts.patient:
        return
    visit.gaps = facts.gaps
    reasons = [gap.reason for gap in facts.gaps if gap.source is Source.PATIENT]
    if any(reason.startswith(FOREIGN[Subject.ANOTHER]) for reason in reasons):
        raise RequestError(
            "CDS-218", "the Patient that was sent or read", "The Patient is another than that of the request.",
            "Expected the Patient in $.context.patientId.",
        )  # fmt: skip
    raise FhirError(
        "CDS-301", "prefetch 'patient'", f"The patient could not be read: {'; '.join(reasons) or 'not sent'}.",
        "Expected the Patient resource.", _what_to_do(visit),
    )  # fmt: skip


def _what_to_do(visit: Visit) -> str:
    refused = visit.completion.refused if visit.completion else ""
    return f"{_HOW_TO_SEND} {_HOW_TO_REGISTER}" if refused == NOT_REGISTERED else _HOW_TO_SEND
