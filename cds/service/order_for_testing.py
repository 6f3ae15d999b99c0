"""A service for trying out, in development only: it offers to order ketamine.

The public CDS Hooks Sandbox orders from a list of its own that has no ketamine; taking the suggestion of this service
is how its user gets to our cards. Which drug that is, by code and in words, is taken from the knowledge.
"""

from dataclasses import replace
from typing import Any

import orjson

from cds.audit.record import Call, Caller, KnowledgeVersion, NotApplicableRecord, Subject
from cds.engine.facts import Coding
from cds.engine.rules import Knowledge
from cds.errors import AuditError, RequestError
from cds.hooks.decode import decode
from cds.hooks.members import items, members, text
from cds.hooks.request import Draft, HookRequest
from cds.hooks.services import EXTENSION, Service
from cds.hooks.wire import NO_CARDS, TOPICS, write_outcome
from cds.service.ports import Answer, Ports

ORDER_FOR_TESTING = Service(
    "order-ketamine-for-testing",
    "order-select",
    "For trying out: order ketamine",
    "Offers to replace the order by one for ketamine or esketamine, so that a client without them can reach the cards "
    "of the other services. In development only.",
    needs="Needs draftOrders: without a MedicationRequest the answer has no cards.",
)
"""Offered where CDS_ORDER_FOR_TESTING is set."""

_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_Json = dict[str, Any]


def with_order_for_testing(discovery: bytes) -> bytes:
    """Return the answer to discovery with this service besides the others."""
    offered = orjson.loads(discovery)
    service = ORDER_FOR_TESTING
    entry = {
        "hook": service.hook,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "usageRequirements": service.usage,
    }
    return orjson.dumps({**offered, "services": [*offered["services"], entry]})


async def offer_order(body: bytes, caller: Caller, ports: Ports) -> Answer:
    """Return one card with a suggestion for each drug, or none if one of them is ordered already. Nothing is raised.

    Returns:
        200 with cards, 400 if the body is no order-select request, 503 if the call cannot be recorded.
    """
    try:
        request = decode(body, ORDER_FOR_TESTING.hook)
        record_id = ports.new_uuid()
        answer = _answer(request, record_id, ports)
        call = _call(request, body, caller, ports, record_id)
        await ports.recorder.append_async(NotApplicableRecord(replace(call, answer=answer)))
    except RequestError as error:
        return Answer(error.status, write_outcome(error, error.status), {"problem": error.code})
    except AuditError as error:
        return Answer(503, write_outcome(error, 503), {"problem": error.code})
    return Answer(200, answer, {"service": ORDER_FOR_TESTING.id, "status": 200})


def _drugs(knowledge: Knowledge) -> tuple[Coding, ...]:
    """Return the substance of each drug as RxNorm codes it: the member of its value set with the shortest name."""
    found = []
    for words in (knowledge.definitions.drug.ketamine, knowledge.definitions.drug.esketamine):
        members_of = knowledge.value_sets[words.value_set].codes.items()
        named = [Coding(system, code, member.display) for (system, code), member in members_of if system == _RXNORM]
        found += sorted(named, key=lambda coding: (len(coding.display), coding.code))[:1]
    return tuple(found)


def _answer(request: HookRequest, record_id: str, ports: Ports) -> bytes:
    drugs = _drugs(ports.knowledge)
    drafts = [draft for draft in request.drafts or () if draft.resource_type == "MedicationRequest"]
    ordered = {code for draft in drafts for code in _codes(draft)}
    if not drafts or ordered & {drug.code for drug in drugs}:
        return NO_CARDS
    card = {
        "uuid": ports.new_uuid(),
        "summary": "For trying out: order ketamine or esketamine, to see what is known of this patient",
        "indicator": "info",
        "detail": "Offered in development only, because this client's own list of medications has neither drug.",
        "source": {
            "label": "Ketamine CDS, development",
            "topic": {"system": TOPICS, "code": "TESTORDER1I", "display": "For trying out"},
        },
        "suggestions": [_suggestion(drug, drafts[0], request, ports) for drug in drugs],
        "selectionBehavior": "any",
        "extension": {EXTENSION: {"record": record_id}},
    }
    return orjson.dumps({"cards": [card]})


def _suggestion(drug: Coding, draft: Draft, request: HookRequest, ports: Ports) -> _Json:
    """Return the draft, under its own id, as an order for another drug."""
    identifier = draft.reference.partition("/")[2]
    sent = members(draft.raw) or {}
    resource = {
        "resourceType": "MedicationRequest",
        "id": identifier,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": drug.system, "code": drug.code, "display": drug.display}],
            "text": drug.display,
        },
        "subject": {"reference": f"Patient/{request.patient_id}"},
        "authoredOn": text(sent.get("authoredOn")),
    }
    resource = {name: value for name, value in resource.items() if value}
    if not ports.valid(resource):
        resource.pop("authoredOn", None)
    label = f"Order {drug.display[:1].lower()}{drug.display[1:]}"
    action = {"type": "update" if identifier else "create", "description": label, "resource": resource}
    return {"label": label, "uuid": ports.new_uuid(), "actions": [action]}


def _codes(draft: Draft) -> list[str]:
    concept = members((members(draft.raw) or {}).get("medicationCodeableConcept", b"null")) or {}
    return [text((members(coding) or {}).get("code")) for coding in items(concept.get("coding", b"null"))]


def _call(request: HookRequest, body: bytes, caller: Caller, ports: Ports, record_id: str) -> Call:
    return Call(
        record_id=record_id,
        at=ports.clock(),
        service=ORDER_FOR_TESTING.id,
        hook=ORDER_FOR_TESTING.hook,
        caller=caller,
        status=200,
        knowledge=KnowledgeVersion(ports.knowledge.version, ports.knowledge.digest),
        hook_instance=request.hook_instance,
        subject=Subject(request.fhir_server, request.patient_id, user=request.user_id),
        body=body,
        notes=("a service for trying out: nothing was assessed",),
    )
