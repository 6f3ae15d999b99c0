"""What a call is about: the orders that are assessed, and everything that is known of the patient."""

from dataclasses import dataclass, replace

from cds.engine.facts import Concept, Gap, HookContext, Medication, PatientFacts, Source
from cds.engine.scene import local_day
from cds.engine.withhold import PATIENT_VIEW
from cds.errors import FhirError, RequestError
from cds.fhir.read import FOREIGN, read_facts
from cds.fhir.references import Subject
from cds.hooks.drafts import select
from cds.hooks.request import HookRequest
from cds.service.orders import Orders, find_orders, ongoing_orders
from cds.service.visit import Visit

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


def gather(visit: Visit, request: HookRequest, context: HookContext) -> Chart | NotAbout:
    """Return what is to be assessed; remarks and gaps are kept in the visit.

    In patient-view these are the active orders, else the draft orders that the hook asks about. Nothing of the patient
    is read for an order that is about another drug.

    Raises:
        RequestError, FhirError: as `cds.hooks.drafts.select`, `find_orders` and `require_patient`.
    """
    if request.hook == PATIENT_VIEW:
        return _gather_active(visit, request, context)
    selection = select(request)
    visit.notes += selection.remarks
    orders = find_orders(request, selection, visit.read_context(request), visit.ports.knowledge)
    if not orders.assessed:
        return NotAbout(orders.drugs)
    facts = _read(visit, request, orders)
    return Chart(orders.assessed_in(facts), facts)


def _gather_active(visit: Visit, request: HookRequest, context: HookContext) -> Chart | NotAbout:
    facts = read_facts(visit.ports.complete(request), visit.read_context(request))
    orders = ongoing_orders(facts, visit.ports.knowledge, local_day(visit.at, context))
    if orders:
        require_patient(visit, facts)
        return Chart(orders, facts)
    visit.gaps = tuple(gap for gap in facts.gaps if gap.source is Source.MEDICATIONS)
    unread = "; not all of them could be read" if visit.gaps else ""
    visit.notes += (f"{_NO_ACTIVE_ORDER} among {len(facts.medications)} that were looked at{unread}",)
    return NotAbout()


def _read(visit: Visit, request: HookRequest, orders: Orders) -> PatientFacts:
    """Return the facts, with what could not be read of the draft orders among the gaps."""
    drafts = [entry.medication for entry in orders.entries if entry.medication]
    facts = read_facts(visit.ports.complete(request), visit.read_context(request), drafts)
    require_patient(visit, facts)
    unread: tuple[Gap, ...] = tuple(gap for entry in orders.entries for gap in entry.gaps)
    return replace(facts, gaps=(*facts.gaps, *unread)) if unread else facts


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
            "CDS-218", "$.prefetch.patient", "The Patient is another than that of the request.",
            "Expected the Patient in $.context.patientId.",
        )  # fmt: skip
    raise FhirError(
        "CDS-301", "prefetch 'patient'", f"The patient could not be read: {'; '.join(reasons) or 'not sent'}.",
        "Expected the Patient resource.",
        "Send the prefetch that GET /cds-services names; data are not read from fhirServer yet.",
    )  # fmt: skip
