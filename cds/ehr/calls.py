"""Call a CDS Hooks service as an EHR does: read discovery, gather the data it asks for, post the hook."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

from cds.ehr.memory import search
from cds.ehr.prefetch import Prefetched, fill, fill_prefetch
from cds.ehr.seeding import patient_id, resources_of
from cds.ehr.wire import Json, fetch, send
from cds.errors import RequestError

USER = "Practitioner/example"
"""The clinician in whose name `cds ask` asks."""

PATIENT_TOKEN = "{{context.patientId}}"  # noqa: S105 - a placeholder, not a secret
"""Stands for the patient's id in an order file: ``"subject": {"reference": "Patient/{{context.patientId}}"}``."""


_ORDERS = ("MedicationRequest", "ServiceRequest")


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of discovery.

    Attributes:
        id: the last part of the service's address.
        hook: such as ``order-select``.
        prefetch: key to template; empty when the service asks for none.
    """

    id: str
    hook: str
    prefetch: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What an EHR said, what it was answered, and what it could not gather.

    Attributes:
        request: the CDS Hooks request as it was sent.
        response: the answer, with its ``cards``.
        problems: prefetch key to the reason why it was not sent.
    """

    request: Json
    response: Json
    problems: Mapping[str, str]


def discover(service: httpx.Client, hook: str) -> Service:
    """Return the service for a hook from discovery (``GET /cds-services``).

    Raises:
        FhirError: CDS-331 when discovery cannot be read.
        RequestError: CDS-234 when no service is offered for the hook.
    """
    offered = fetch(service, "cds-services").get("services") or []
    for entry in offered:
        if entry.get("hook") == hook:
            return Service(entry["id"], hook, entry.get("prefetch") or {})
    hooks = ", ".join(sorted({str(entry.get("hook")) for entry in offered})) or "none"
    raise RequestError("CDS-234", "cds-services", f"No service for the hook {hook!r}.", f"One of: {hooks}.")


def ask(service: httpx.Client, request: Json) -> Json:
    """Send a request to the service that discovery names for its hook and return the answer.

    Raises:
        FhirError: CDS-331 when the service cannot be reached or answers with an error; what it said is repeated.
        RequestError: CDS-234 when no service is offered for the hook.
    """
    return call(service, discover(service, str(request.get("hook"))), request)


def ask_about(fhir: httpx.Client, service: httpx.Client, patient: str, order: Json | None, hook: str) -> Conversation:
    """Do what an EHR does when `order` is selected or signed for a patient of its FHIR server, or its record opened.

    Args:
        fhir: a client of the EHR's FHIR server.
        service: a client of the CDS service.
        patient: the patient's id on the FHIR server.
        order: a draft order, as `read_order` returns it; None in ``patient-view``.
        hook: ``order-select``, ``order-sign`` or ``patient-view``.

    Raises:
        FhirError, RequestError: as `ask`. A prefetch query that fails is no error: it is among the problems.
    """
    found = discover(service, hook)
    request, problems = request_from(fhir, patient, order, hook, found.prefetch)
    return Conversation(request, call(service, found, request), problems)


def request_from(
    fhir: httpx.Client, patient: str, order: Json | None, hook: str, templates: Mapping[str, str]
) -> tuple[Json, Mapping[str, str]]:
    """Return the request that an EHR would send whose data lie on a FHIR server, and what it could not gather.

    Args:
        fhir: a client of the server.
        patient: the patient's id there.
        order: a draft order, as `read_order` returns it; None in ``patient-view``.
        hook: ``order-select``, ``order-sign`` or ``patient-view``.
        templates: prefetch key to template.
    """
    context = context_for(patient, order, hook)
    gathered = fill_prefetch(fhir, templates, context)
    request = _request(hook, context, gathered) | {"fhirServer": str(fhir.base_url).rstrip("/")}
    return request, gathered.problems


def request_for(bundle: Json, order: Json | None, hook: str, templates: Mapping[str, str]) -> Json:
    """Return the request that an EHR would send whose FHIR server holds just this Bundle.

    Raises:
        RequestError: CDS-232 when the Bundle has no resource ids or not exactly one Patient.

    A query that cannot be answered from memory (CDS-333) leaves its key out, as a failing query does.
    """
    resources = resources_of(bundle)
    context = context_for(patient_id(resources), order, hook)
    return _request(hook, context, fill(templates, context, lambda query: search(resources, query)))


def read_order(path: Path) -> Json:
    """Return the draft order in a file: a MedicationRequest, or a ServiceRequest for a treatment.

    Raises:
        RequestError: CDS-233 when the file cannot be read or holds something else.
    """
    try:
        order = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RequestError("CDS-233", str(path), f"Cannot be read: {error}.") from error
    if not isinstance(order, dict) or order.get("resourceType") not in _ORDERS:
        raise RequestError("CDS-233", str(path), "Not an order.", f"A FHIR {' or '.join(_ORDERS)}.")
    return order


def context_for(patient: str, order: Json | None, hook: str) -> Json:
    """Return the context of the hook with one draft order, in order-select selected; without an order, none.

    The patient's id is put where the order has `PATIENT_TOKEN`; an order without a subject gets the patient. An order
    that names somebody else keeps that, so that it can be seen what the service says to it.
    """
    context: Json = {"userId": USER, "patientId": patient}
    if order is None:
        return context
    filled: Json = json.loads(json.dumps(order).replace(PATIENT_TOKEN, patient))
    draft = {"id": "draft-order", "subject": {"reference": f"Patient/{patient}"}} | filled
    if hook == "order-select":
        context |= {"selections": [f"{draft['resourceType']}/{draft['id']}"]}
    return context | {"draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}}


def _request(hook: str, context: Json, gathered: Prefetched) -> Json:
    return {"hook": hook, "hookInstance": str(uuid4()), "context": context, "prefetch": gathered.prefetch}


def call(service: httpx.Client, found: Service, request: Json) -> Json:
    """Send a request to a service that discovery named and return the answer.

    Raises:
        FhirError: CDS-331 when the service cannot be reached or answers with an error; what it said is repeated.
    """
    return send(service, f"cds-services/{found.id}", request)
