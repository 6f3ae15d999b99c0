"""The seven steps of a call: read it, gather the data, translate, assess, render, record, answer.

No way through here leaves a call unrecorded: a call that cannot be recorded is not answered with cards (HTTP 503), and
no error is answered with an empty list of cards, because that would read as "checked, nothing found".
"""

import json
from dataclasses import replace

from cds.engine.assess import assess
from cds.engine.derive.order_reading import read_order
from cds.engine.facts import HookContext, PatientFacts, Source
from cds.engine.render import render
from cds.errors import AuditError, CdsError, FhirError, RequestError
from cds.fhir.read import FOREIGN, read_facts
from cds.fhir.references import Subject
from cds.hooks.decode import decode
from cds.hooks.drafts import select
from cds.hooks.request import HookRequest
from cds.hooks.services import SERVICES, Service
from cds.service.orders import Orders, find_orders
from cds.service.ports import Answer, Ports
from cds.service.visit import Decision, Visit


async def answer(body: bytes, service: Service, ports: Ports) -> Answer:
    """Return the answer to one call, after its record is durable. Nothing is raised.

    Args:
        body: the request body as it came.
        service: the service that was called.
        ports: see `Ports`.

    Returns:
        200 with cards; 400 or 412 with an OperationOutcome; 500 if the service itself failed; 503 if the call cannot
        be recorded.
    """
    visit = Visit.begin(body, service, ports)
    decision = _decide_or_refuse(visit)
    try:
        await ports.recorder.append_async(decision.record)
    except AuditError as error:
        return visit.unrecorded(error)
    except Exception as error:  # noqa: BLE001 - whatever it was: what is not recorded is not answered
        return visit.unrecorded(AuditError("CDS-408", "record", "The record could not be written."), error)
    return decision.answer


def decide(visit: Visit) -> Decision:
    """Take the steps from the bytes of a request to its cards.

    Raises:
        RequestError, FhirError: the call cannot be answered with cards.
    """
    knowledge = visit.ports.knowledge
    visit.request = request = decode(visit.body, visit.service.hook)
    selection = select(request)
    visit.notes = (*request.remarks, *selection.remarks, *_extensions(request))
    orders = find_orders(request, selection, visit.read_context(request), knowledge)
    if not orders.assessed:
        return visit.not_applicable(orders.drugs)
    facts = _read_patient(visit, request, orders)
    context = _hook_context(visit, request)
    drafts = orders.assessed_in(facts)
    readings = [read_order(draft, facts, context, knowledge, visit.at) for draft in drafts]
    assessments = tuple(assess(knowledge, facts, one, context, visit.at) for one in readings if one)
    return visit.decided(context, facts, assessments, render(knowledge, assessments))


def warm_up(ports: Ports) -> None:
    """Take the whole way once with an empty patient, so that the first real call is as fast as the others."""
    codes = ports.knowledge.value_sets[ports.knowledge.definitions.drug.ketamine.value_set].codes
    system, code = next(iter(codes))
    drug = {"medicationCodeableConcept": {"coding": [{"system": system, "code": code}]}}
    order = {"resourceType": "MedicationRequest", "id": "warm-up", "status": "draft"} | drug
    context = {"patientId": "warm-up", "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]}}
    prefetch = {"patient": {"resourceType": "Patient", "id": "warm-up"}}
    for service in SERVICES.values():
        request = {"hook": service.hook, "context": context, "prefetch": prefetch}
        decide(Visit.begin(json.dumps(request).encode(), service, ports))


def _decide_or_refuse(visit: Visit) -> Decision:
    try:
        return decide(visit)
    except RequestError as error:
        return visit.refused(error, error.status)
    except FhirError as error:
        return visit.refused(error, 412)
    except Exception as error:  # noqa: BLE001 - an error must never look like "checked, nothing found"
        fault = CdsError(
            "CDS-500", visit.service.id, "The service failed.", action="Tell its operator the record's id."
        )
        return visit.refused(fault, 500, error)


def _read_patient(visit: Visit, request: HookRequest, orders: Orders) -> PatientFacts:
    """Return the facts, with what could not be read of the draft orders among the gaps.

    Raises:
        FhirError: CDS-301 if the Patient could not be had; without age and sex no statement is possible.
        RequestError: CDS-218 if another Patient was sent.
    """
    drafts = [entry.medication for entry in orders.entries if entry.medication]
    facts = read_facts(visit.ports.complete(request), visit.read_context(request), drafts)
    if facts.patient is None:
        visit.gaps = facts.gaps
        raise _no_patient(facts)
    unread = tuple(gap for entry in orders.entries for gap in entry.gaps)
    return replace(facts, gaps=(*facts.gaps, *unread)) if unread else facts


def _no_patient(facts: PatientFacts) -> FhirError | RequestError:
    reasons = [gap.reason for gap in facts.gaps if gap.source is Source.PATIENT]
    if any(reason.startswith(FOREIGN[Subject.ANOTHER]) for reason in reasons):
        return RequestError(
            "CDS-218", "$.prefetch.patient", "The Patient is another than that of the request.",
            "Expected the Patient in $.context.patientId.",
        )  # fmt: skip
    return FhirError(
        "CDS-301", "prefetch 'patient'", f"The patient could not be read: {'; '.join(reasons) or 'not sent'}.",
        "Expected the Patient resource.",
        "Send the prefetch that GET /cds-services names; data are not read from fhirServer yet.",
    )  # fmt: skip


def _hook_context(visit: Visit, request: HookRequest) -> HookContext:
    encounter = f"Encounter/{request.encounter_id}" if request.encounter_id else ""
    return HookContext(request.hook, request.patient_id, encounter, str(visit.ports.zone))


def _extensions(request: HookRequest) -> tuple[str, ...]:
    return tuple(f"extension {name} sha256:{digest}" for name, digest in request.extensions.items())
