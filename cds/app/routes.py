"""The addresses of the service. Errors are OperationOutcomes, which CDS Hooks clients know."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import cds
from cds.app.attributes import HTML_HEADERS, JSON_HEADERS, attributes_json, attributes_page, wants_a_page
from cds.app.bodies import read_body
from cds.app.events import Values, log_event, log_exception
from cds.app.front import HEALTH
from cds.app.openapi import RULE, answers, needs_token, open_answers, request_body
from cds.app.refusals import FHIR_JSON, PRIVATE, outcome
from cds.errors import RequestError
from cds.hooks.services import SERVICES, SOURCE_ATTRIBUTES, Service
from cds.service import Answer, Incoming, Ports, answer
from cds.settings import Settings
from cds.trust.client import Caller

_RETRY_SECONDS = "5"
_EXACTLY = "Write the address exactly so, without a slash at its end."


def add_routes(app: FastAPI) -> None:
    """Add every address of the service."""
    app.add_api_route(
        "/cds-services",
        discover,
        methods=["GET"],
        summary="Which services there are (CDS Hooks discovery)",
        responses=answers("Services"),
        openapi_extra=needs_token(),
    )
    for service in SERVICES.values():
        app.add_api_route(
            f"/cds-services/{service.id}",
            _call_of(service),
            methods=["POST"],
            summary=f"{service.title} (CDS Hooks {service.hook})",
            description=service.usage,
            operation_id=service.id,
            responses=answers("Cards", 408, 412, 413, 415),
            openapi_extra=needs_token(requestBody=request_body(service)),
        )
    app.add_api_route(
        SOURCE_ATTRIBUTES,
        attributes,
        methods=["GET"],
        summary="What a rule rests on (13 source attributes)",
        responses=open_answers(404),
        openapi_extra={"parameters": [RULE]},
    )
    app.add_api_route(
        HEALTH, health, methods=["GET"], summary="Whether calls can be answered", responses=open_answers(503)
    )


async def discover(request: Request) -> Response:
    """Answer discovery; the prefetch templates are those of the knowledge that is loaded."""
    content: bytes = request.app.state.discovery
    return Response(content, 200, PRIVATE, "application/json")


def _call_of(service: Service) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers calls of a service; a body is read as bytes: it is recorded and checked as it came."""

    async def call(request: Request) -> Response:
        settings: Settings = request.app.state.settings
        caller: Caller = request.state.caller
        try:
            body = await read_body(request, settings.max_body_bytes)
        except RequestError as error:
            refused: Values = {
                "client": caller.client.name,
                "service": service.id,
                "status": error.status,
                "problem": error.code,
            }
            log_event("hook.refused", refused, logging.WARNING)
            return outcome(error, error.status)
        received = asyncio.get_running_loop().time()
        incoming = Incoming(body, service, caller, _base_url(request), received)
        answered = await answer(incoming, _ports(request))
        _log(answered)
        headers = {**PRIVATE, "Retry-After": _RETRY_SECONDS} if answered.status == 503 else PRIVATE
        media_type = "application/json" if answered.status == 200 else FHIR_JSON
        return Response(answered.body, answered.status, headers, media_type)

    return call


async def attributes(request: Request) -> Response:
    """Answer the 13 source attributes of a rule, as a page for a browser and as JSON for everybody else."""
    knowledge, rule_id = _ports(request).knowledge, request.path_params["rule_id"]
    rule = next((rule for rule in knowledge.rules if rule.id == rule_id), None)
    if rule is None:
        known = "GET /cds-services names the knowledge that is loaded."
        return outcome(RequestError("CDS-224", "rule", "The knowledge has no such rule.", action=known), 404)
    if wants_a_page(request.headers.get("accept", "")):
        return Response(attributes_page(rule, knowledge), 200, HTML_HEADERS, "text/html")
    return Response(attributes_json(rule, knowledge), 200, JSON_HEADERS, "application/json")


async def health(request: Request) -> Response:
    """Answer 200 if a call could be answered now, else 503: without a record there is no answer."""
    ports = _ports(request)
    ready = ports.recorder.healthy
    said = {
        "status": "ready" if ready else "the record cannot be written",
        "version": cds.__version__,
        "knowledge": ports.knowledge.digest,
    }
    return JSONResponse(said, 200 if ready else 503, PRIVATE)


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer an address or a method that is not offered, in words a client can log."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if headers.get("Allow") == "GET":
        headers["Allow"] = "GET, HEAD"
    offered = ", ".join(["GET /cds-services", *(f"POST /cds-services/{name}" for name in SERVICES)])
    where = request.method
    if status == 405:
        wrong = RequestError("CDS-221", where, "This method is not offered at this address.", f"Offered: {offered}.")
    else:
        wrong = RequestError("CDS-220", where, "There is no such service.", f"Offered: {offered}.", _EXACTLY)
    log_event("address.refused", {"status": status, "problem": wrong.code}, logging.WARNING)
    return outcome(wrong, status, headers)


def _base_url(request: Request) -> str:
    """Return the address under which clients reach us: as it is set, else as this call named it (its Host is known)."""
    settings: Settings = request.app.state.settings
    return settings.public_base_url or str(request.base_url).rstrip("/")


def _ports(request: Request) -> Ports:
    ports: Ports = request.app.state.ports
    return ports


def _log(answered: Answer) -> None:
    figures = answered.figures
    if answered.exception:
        log_exception("hook.failed", answered.exception, figures)
    elif answered.status == 200:
        log_event("hook.answered", figures)
    else:
        log_event("hook.refused", figures, logging.WARNING)
