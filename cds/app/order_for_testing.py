"""The addresses of the service for trying out; added only where CDS_ORDER_FOR_TESTING is set."""

import logging

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from cds.app.bodies import read_body
from cds.app.events import log_event
from cds.app.feedback import add_feedback_of, caller_of
from cds.app.openapi import answers, needs_token, request_body
from cds.app.refusals import FHIR_JSON, PRIVATE
from cds.audit.record import Caller
from cds.errors import RequestError
from cds.hooks.wire import write_outcome
from cds.service import Answer
from cds.service.order_for_testing import ORDER_FOR_TESTING, offer_order


def add_order_for_testing(app: FastAPI) -> None:
    """Add the service's address and those of its feedback."""
    app.add_api_route(
        f"/cds-services/{ORDER_FOR_TESTING.id}",
        _offer,
        methods=["POST"],
        summary=ORDER_FOR_TESTING.title,
        operation_id=ORDER_FOR_TESTING.id,
        responses=answers("Cards", 408, 413, 415),
        openapi_extra=needs_token(requestBody=request_body(ORDER_FOR_TESTING)),
    )
    add_feedback_of(app, ORDER_FOR_TESTING)


async def _offer(request: Request) -> Response:
    try:
        body = await read_body(request, request.app.state.settings.max_body_bytes)
        answered = await offer_order(body, Caller(caller_of(request).client.name), request.app.state.ports)
    except RequestError as error:
        answered = Answer(error.status, write_outcome(error, error.status), {"problem": error.code})
    is_done = answered.status == 200
    log_event("order.offered" if is_done else "hook.refused", answered.figures, logging.INFO)
    media_type = "application/json" if is_done else FHIR_JSON
    return Response(answered.body, answered.status, PRIVATE, media_type)
