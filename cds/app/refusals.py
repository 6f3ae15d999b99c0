"""Answers that say no: OperationOutcomes, which CDS Hooks clients know, and the bare 401."""

from collections.abc import Mapping

from starlette.responses import Response

from cds.errors import CdsError
from cds.hooks.wire import write_outcome

FHIR_JSON = "application/fhir+json"
"""The media type of an OperationOutcome."""

PRIVATE: Mapping[str, str] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""The headers of every answer that is about a call."""


def outcome(error: CdsError, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as an OperationOutcome."""
    return Response(write_outcome(error, status), status, {**PRIVATE, **(headers or {})}, FHIR_JSON)


def wait(error: CdsError, status: int, seconds: int) -> Response:
    """Return an error that passes: the answer says after how many seconds to try again."""
    return outcome(error, status, {"Retry-After": str(seconds)})


def unauthorized() -> Response:
    """Return the answer to every call whose token is missing or not accepted: the same for all, and without a reason.

    Source: trust/design.md 2.1; RFC 6750 section 3.
    """
    return Response(status_code=401, headers={**PRIVATE, "WWW-Authenticate": "Bearer"})
