"""The addresses at which feedback is taken, beside those of the services."""

import logging
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from cds.app.bodies import read_body
from cds.app.events import log_event, log_exception
from cds.errors import RequestError
from cds.hooks.services import SERVICES, Service
from cds.hooks.wire import write_outcome
from cds.service import Answer
from cds.service.feedback import FeedbackPorts, IncomingFeedback, take_feedback
from cds.settings import Settings
from cds.trust.client import DEVELOPMENT, Caller, Client

_RETRY_SECONDS = "5"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_FHIR_JSON = "application/fhir+json"


def add_feedback_routes(app: FastAPI) -> None:
    """Add both addresses of every service; what they need is ``app.state.feedback``."""
    for service in SERVICES.values():
        add_feedback_of(app, service)


def add_feedback_of(app: FastAPI, service: Service) -> None:
    """Add both addresses of one service."""
    app.add_api_route(
        f"/cds-services/{service.id}/feedback",
        _taking(service),
        methods=["POST"],
        summary=f"Feedback on cards of {service.id} (CDS Hooks)",
        operation_id=f"{service.id}-feedback",
    )
    app.add_api_route(
        f"/cds-services/{service.id}/analytics/{{suggestion}}",
        _taking(service),
        methods=["POST"],
        summary=f"A suggestion of {service.id} was taken (as before CDS Hooks 1.0)",
        operation_id=f"{service.id}-analytics",
    )


def _taking(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        settings: Settings = request.app.state.settings
        ports: FeedbackPorts = request.app.state.feedback
        caller = caller_of(request)
        suggestion = request.path_params.get("suggestion", "")
        try:
            body = await read_body(request, settings.max_body_bytes)
        except RequestError as error:
            return _response(Answer(error.status, write_outcome(error, error.status), {"problem": error.code}), caller)
        return _response(await take_feedback(IncomingFeedback(service, caller, body, suggestion), ports), caller)

    return take


def caller_of(request: Request) -> Caller:
    """Return who calls: whom the token names, and without tokens the client of development."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller or Caller(Client(DEVELOPMENT))


def _response(answered: Answer, caller: Caller) -> Response:
    figures = {"client": caller.client.name, "status": answered.status, **answered.figures}
    if answered.exception:
        log_exception("feedback.failed", answered.exception, figures)
    else:
        is_taken = answered.status == 200
        event, level = ("feedback.taken", logging.INFO) if is_taken else ("feedback.refused", logging.WARNING)
        log_event(event, figures, level)
    headers = {**_HEADERS, "Retry-After": _RETRY_SECONDS} if answered.status == 503 else _HEADERS
    media_type = "application/json" if answered.status == 200 else _FHIR_JSON
    return Response(answered.body, answered.status, headers, media_type)
