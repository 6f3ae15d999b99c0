"""Take in a request body within its limits of size and time."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from cds.errors import RequestError
from cds.hooks.body import check_headers, check_size

SECONDS = 10.0
"""How long a client may take to send a body."""


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Return the body; headers are judged before a byte of it is read.

    Raises:
        RequestError: CDS-204 too large (413), CDS-211 and CDS-212 not plain JSON (415), CDS-223 too slow (408).
    """
    _check_page(request)
    check_headers(request.headers.get("content-type", ""), request.headers.get("content-encoding", ""))
    announced = request.headers.get("content-length", "")
    check_size(int(announced) if announced.isdigit() else 0, most_bytes)
    try:
        async with asyncio.timeout(SECONDS):
            return await _collect(request, most_bytes)
    except (TimeoutError, ClientDisconnect):
        raise RequestError(
            "CDS-223", "$", f"The body did not come within {SECONDS:.0f} s.", "Expected all of it.", "Try again.", 408
        ) from None


def _check_page(request: Request) -> None:
    """Refuse a web page that does not say what it sends: its browser would not ask first whether it may call.

    Source: Fetch standard, "CORS-safelisted request-header" (a missing Content-Type needs no preflight).
    """
    if "origin" in request.headers and not request.headers.get("content-type", "").strip():
        raise RequestError(
            "CDS-212", "Content-Type", "A web page does not say what it sends.", "Expected application/json.",
            "Set the Content-Type header.", 415,
        )  # fmt: skip


async def _collect(request: Request, most_bytes: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        check_size(size, most_bytes)
        parts.append(part)
    return b"".join(parts)
