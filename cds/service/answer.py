"""The seven steps of a call: read it, gather the data, translate, assess, render, record, answer.

No way through here leaves a call unrecorded: a call that cannot be recorded is not answered with cards (HTTP 503), and
no error is answered with an empty list of cards, because that would read as "checked, nothing found".
"""

import asyncio
import json
from dataclasses import replace

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
from cds.service.ports import Answer, Incoming, Ports
from cds.service.shadow import in_shadow
from cds.service.visit import Considered, Decision, Visit
from cds.trust.client import DEVELOPMENT, Caller, Client

_RECORDING_SECONDS = 0.25
"""So long a record may take at least, however late it is."""


async def answer(incoming: Incoming, ports: Ports) -> Answer:
    """Return the answer to one call, after its record is durable. Nothing is raised.

    Args:
        incoming: the call as it came.
        ports: see `Ports`.

    Returns:
        200 with cards; 400 or 412 with an OperationOutcome; 500 if the service itself failed; 503 if the call cannot
        be recorded.
    """
    visit = Visit.begin(incoming, ports)
    decision = await _decide_or_refuse(visit)
    if visit.client.shadow:
        decision = in_shadow(decision)
    try:
        async with asyncio.timeout(_seconds_left(visit)):
            await ports.recorder.append_async(decision.record)
    except TimeoutError:
        return visit.unrecorded(AuditError("CDS-402", "record", "It was not written in the time that was left."))
    except AuditError as error:
        return visit.unrecorded(error)
    except Exception as error:  # noqa: BLE001 - whatever it was: what is not recorded is not answered
        return visit.unrecorded(AuditError("CDS-408", "record", "The record could not be written."), error)
    return decision.answer


async def decide(visit: Visit) -> Decision:
    """Take the steps from the bytes of a request to its cards.

    Raises:
        RequestError, FhirError: the call cannot be answered with cards.
    """
    knowledge = visit.ports.knowledge
    request = decode(visit.incoming.body, visit.service.hook)
    completion = visit.open(request)
    visit.notes = (*request.remarks, *_extensions(request))
    context = _hook_context(visit, request)
    found = await gather(visit, completion, context)
    if isinstance(found, NotAbout):
        return visit.not_applicable(found.drugs)
    readings = [read_order(order, found.facts, context, knowledge, visit.at) for order in found.orders]
    assessments = tuple(assess(knowledge, found.facts, one, context, visit.at) for one in readings if one)
    earlier = visit.earlier(request, context)
    rendered = compose(knowledge, assessments, earlier)
    return visit.decided(Considered(request, context, found.facts, assessments, earlier), rendered)


def consider(body: bytes, service: Service, ports: Ports) -> Record:
    """Return what would be recorded of a call, without recording or answering it; nothing more is read.

    Raises:
        RequestError, FhirError: the call cannot be answered with cards.
    """
    incoming = Incoming(body, service, Caller(Client(DEVELOPMENT)))
    return asyncio.run(decide(Visit.begin(incoming, replace(ports, reader=None)))).record


async def warm_up(ports: Ports) -> None:
    """Take the whole way once with an empty patient, so that the first real call is as fast as the others."""
    codes = ports.knowledge.value_sets[ports.knowledge.definitions.drug.ketamine.value_set].codes
    system, code = next(iter(codes))
    drug = {"medicationCodeableConcept": {"coding": [{"system": system, "code": code}]}}
    subject = {"subject": {"reference": "Patient/warm-up"}}
    order = {"resourceType": "MedicationRequest", "id": "warm-up", "status": "draft"} | subject | drug
    context = {"patientId": "warm-up", "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]}}
    drugs = {"resourceType": "Bundle", "entry": [{"resource": order | {"status": "active"}}]}
    prefetch = {"patient": {"resourceType": "Patient", "id": "warm-up"}, "medications": drugs}
    for service in SERVICES.values():
        request = {"hook": service.hook, "context": context, "prefetch": prefetch}
        await decide(Visit.begin(Incoming(json.dumps(request).encode(), service, Caller(Client(DEVELOPMENT))), ports))
    for resource_type in ("MedicationRequest", "ServiceRequest"):
        ports.valid({"resourceType": resource_type, "status": "draft"})  # else the first suggestion would wait for it


def _seconds_left(visit: Visit) -> float | None:
    """Return how long recording may take: what is left of the call's deadline; None where nobody waits."""
    incoming = visit.incoming
    deadline_ms = visit.client.deadline_ms or visit.ports.deadline_ms
    left = incoming.received + deadline_ms / 1000 - asyncio.get_running_loop().time()
    return max(left, _RECORDING_SECONDS) if incoming.received else None


async def _decide_or_refuse(visit: Visit) -> Decision:
    try:
        return await decide(visit)
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
