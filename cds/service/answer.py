"""The seven steps of a call: read it, gather the data, translate, assess, render, record, answer.

No way through here leaves a call unrecorded: a call that cannot be recorded is not answered with cards (HTTP 503), and
no error is answered with an empty list of cards, because that would read as "checked, nothing found".
"""

import json

from cds.audit.record import Record
from cds.engine.assess import assess
from cds.engine.derive.order_reading import read_order
from cds.engine.facts import HookContext
from cds.engine.render import compose
from cds.errors import AuditError, CdsError, FhirError, RequestError
from cds.hooks.decode import decode
from cds.hooks.request import HookRequest
from cds.hooks.services import SERVICES, Service
from cds.service.gathering import NotAbout, gather
from cds.service.ports import Answer, Ports
from cds.service.shadow import in_shadow
from cds.service.visit import Considered, Decision, Visit
from cds.trust.client import DEVELOPMENT, Client

_DEVELOPMENT = Client(DEVELOPMENT)


async def answer(
    body: bytes, service: Service, ports: Ports, base_url: str = "", client: Client = _DEVELOPMENT
) -> Answer:
    """Return the answer to one call, after its record is durable. Nothing is raised.

    Args:
        body: the request body as it came.
        service: the service that was called.
        ports: see `Ports`.
        client: who calls.
        base_url: the address under which the client reaches us, without a trailing slash, for links; empty if unknown.

    Returns:
        200 with cards; 400 or 412 with an OperationOutcome; 500 if the service itself failed; 503 if the call cannot
        be recorded.
    """
    visit = Visit.begin(body, service, ports, base_url)
    decision = _decide_or_refuse(visit)
    if client.shadow:
        decision = in_shadow(decision)
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
    visit.notes = (*request.remarks, *_extensions(request))
    context = _hook_context(visit, request)
    found = gather(visit, request, context)
    if isinstance(found, NotAbout):
        return visit.not_applicable(found.drugs)
    readings = [read_order(order, found.facts, context, knowledge, visit.at) for order in found.orders]
    assessments = tuple(assess(knowledge, found.facts, one, context, visit.at) for one in readings if one)
    earlier = visit.earlier(request, context)
    rendered = compose(knowledge, assessments, earlier)
    return visit.decided(Considered(request, context, found.facts, assessments, earlier), rendered)


def consider(body: bytes, service: Service, ports: Ports) -> Record:
    """Return what would be recorded of a call, without recording or answering it.

    Raises:
        RequestError, FhirError: the call cannot be answered with cards.
    """
    return decide(Visit.begin(body, service, ports)).record


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
    for resource_type in ("MedicationRequest", "ServiceRequest"):
        ports.valid({"resourceType": resource_type, "status": "draft"})  # else the first suggestion would wait for it


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


def _hook_context(visit: Visit, request: HookRequest) -> HookContext:
    encounter = f"Encounter/{request.encounter_id}" if request.encounter_id else ""
    return HookContext(request.hook, request.patient_id, encounter, str(visit.ports.zone), visit.ports.country)


def _extensions(request: HookRequest) -> tuple[str, ...]:
    return tuple(f"extension {name} sha256:{digest}" for name, digest in request.extensions.items())
