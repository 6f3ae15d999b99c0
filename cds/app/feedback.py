"""The addresses at which feedback is taken, beside those of the services."""

import logging
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from cds.app.bodies import read_body
from cds.app.events import log_event, log_exception
from cds.app.openapi import answers, needs_token
from cds.app.refusals import FHIR_JSON, PRIVATE
from cds.errors import RequestError
from cds.hooks.feedback import MOST_ITEMS
from cds.hooks.services import SERVICES, Service
from cds.hooks.wire import write_outcome
from cds.service import Answer
from cds.service.feedback import FeedbackPorts, IncomingFeedback, take_feedback
from cds.settings import Settings
from cds.trust.client import Caller

_RETRY_SECONDS = "5"
_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
_ITEM = {
    "type": "object",
    "required": ["card", "outcome", "outcomeTimestamp"],
    "properties": {
        "card": _TEXT,
        "outcome": {"enum": ["accepted", "overridden"]},
        "acceptedSuggestions": {"type": "array", "items": {"type": "object", "required": ["id"]}},
        "overrideReason": {"type": "object"},
        "outcomeTimestamp": {"type": "string", "format": "date-time"},
    },
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["feedback"],
                "properties": {"feedback": {"type": "array", "maxItems": MOST_ITEMS, "items": _ITEM}},
            }
        }
    },
}
_SUGGESTION = {"name": "suggestion", "in": "path", "required": True, "schema": _TEXT}
_DONE = {"description": "It is recorded.", "content": {"application/json": {"schema": {"type": "object"}}}}
_ANSWERS = {**answers("Cards", 404, 408, 413, 415), 200: _DONE}


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
        responses=_ANSWERS,
        openapi_extra=needs_token(requestBody=_BODY),
    )
    app.add_api_route(
        f"/cds-services/{service.id}/analytics/{{suggestion}}",
        _taking(service),
        methods=["POST"],
        summary=f"A suggestion of {service.id} was taken (as before CDS Hooks 1.0)",
        operation_id=f"{service.id}-analytics",
        responses=_ANSWERS,
        openapi_extra=needs_token(parameters=[_SUGGESTION]),
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
    """Return who calls, as the gate found."""
    caller: Caller = request.state.caller
    return caller


def _response(answered: Answer, caller: Caller) -> Response:
    figures = {"client": caller.client.name, "status": answered.status, **answered.figures}
    if answered.exception:
        log_exception("feedback.failed", answered.exception, figures)
    else:
        is_taken = answered.status == 200
        event, level = ("feedback.taken", logging.INFO) if is_taken else ("feedback.refused", logging.WARNING)
        log_event(event, figures, level)
    headers = {**PRIVATE, "Retry-After": _RETRY_SECONDS} if answered.status == 503 else PRIVATE
    media_type = "application/json" if answered.status == 200 else FHIR_JSON
    return Response(answered.body, answered.status, headers, media_type)
