"""The addresses of the service. Errors are OperationOutcomes, which CDS Hooks clients know."""

import logging

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import cds
from cds.app.attributes import HTML_HEADERS, attributes_json, attributes_page, wants_a_page
from cds.app.bodies import read_body
from cds.app.events import Values, log_event, log_exception
from cds.errors import RequestError
from cds.hooks.services import SERVICES, SOURCE_ATTRIBUTES
from cds.hooks.wire import write_outcome
from cds.service import Answer, Ports, answer
from cds.settings import Settings

FHIR_JSON = "application/fhir+json"


def add_routes(app: FastAPI) -> None:
    """Add every address of the service."""
    app.add_api_route(
        "/cds-services", discover, methods=["GET"], summary="Which services there are (CDS Hooks discovery)"
    )
    app.add_api_route("/cds-services/{service_id}", call, methods=["POST"], summary="Call a service (CDS Hooks)")
    app.add_api_route(SOURCE_ATTRIBUTES, attributes, methods=["GET"], summary="What a rule rests on (13 attributes)")
    app.add_api_route("/healthz", health, methods=["GET"], summary="Whether calls can be answered")


async def discover(request: Request) -> Response:
    """Answer discovery; the prefetch templates are those of the knowledge that is loaded."""
    content: bytes = request.app.state.discovery
    return Response(content, media_type="application/json")


async def call(request: Request, service_id: str) -> Response:
    """Answer a hook; the body is read as bytes, because it is recorded and checked as it came."""
    service = SERVICES.get(service_id)
    if service is None:
        raise HTTPException(404)
    settings: Settings = request.app.state.settings
    try:
        body = await read_body(request, settings.max_body_bytes)
    except RequestError as error:
        refused: Values = {"service": service.id, "status": error.status, "problem": error.code}
        log_event("hook.refused", refused, logging.WARNING)
        return _outcome(error, error.status)
    answered = await answer(body, service, _ports(request), _base_url(request))
    _log(answered)
    headers = {"Retry-After": "5"} if answered.status == 503 else None
    media_type = "application/json" if answered.status == 200 else FHIR_JSON
    return Response(answered.body, answered.status, headers, media_type)


async def attributes(request: Request, rule_id: str) -> Response:
    """Answer the 13 source attributes of a rule, as a page for a browser and as JSON for everybody else."""
    knowledge = _ports(request).knowledge
    rule = next((rule for rule in knowledge.rules if rule.id == rule_id), None)
    if rule is None:
        known = f"GET {_base_url(request)}/cds-services names the knowledge that is loaded."
        return _outcome(RequestError("CDS-224", "rule", "The knowledge has no such rule.", action=known), 404)
    if wants_a_page(request.headers.get("accept", "")):
        return Response(attributes_page(rule, knowledge), 200, HTML_HEADERS, "text/html")
    return Response(attributes_json(rule, knowledge), 200, {"Vary": "Accept"}, "application/json")


async def health(request: Request) -> Response:
    """Answer 200 if a call could be answered now, else 503: without a record there is no answer."""
    ports = _ports(request)
    ready = ports.recorder.healthy
    said = {
        "status": "ready" if ready else "the record cannot be written",
        "version": cds.__version__,
        "knowledge": ports.knowledge.digest,
    }
    return JSONResponse(said, 200 if ready else 503)


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer an address or a method that is not offered, in words a client can log."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    offered = ", ".join(f"POST /cds-services/{name}" for name in SERVICES)
    where = request.method
    if status == 405:
        wrong = RequestError("CDS-221", where, "This method is not offered at this address.", f"Offered: {offered}.")
    else:
        wrong = RequestError("CDS-220", where, "There is no such service.", f"Offered: {offered}, GET /cds-services.")
    log_event("address.refused", {"status": status, "problem": wrong.code}, logging.WARNING)
    return _outcome(wrong, status, headers)


def _outcome(error: RequestError, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(write_outcome(error, status), status, headers, FHIR_JSON)


def _base_url(request: Request) -> str:
    """Return the address under which clients reach us: as it is set, else as this call named it (its Host is known)."""
    settings: Settings = request.app.state.settings
    return settings.public_base_url or str(request.base_url).rstrip("/")


def _ports(request: Request) -> Ports:
    ports: Ports = request.app.state.ports
    return ports


def _log(answered: Answer) -> None:
    if answered.exception:
        log_exception("hook.failed", answered.exception, answered.figures)
    elif answered.status == 200:
        log_event("hook.answered", answered.figures)
    else:
        log_event("hook.refused", answered.figures, logging.WARNING)
