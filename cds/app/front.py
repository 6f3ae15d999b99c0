"""What every call passes before its route: headers, caller, and how many calls are answered at once.

Nothing here reads a byte of the body. Source: trust/design.md 0a.11.
"""

import logging
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds.app.events import log_event, log_exception
from cds.app.gates import Gate
from cds.app.headers import authorization, check_headers
from cds.app.places import Places
from cds.app.refusals import outcome, wait
from cds.errors import CdsError, RequestError
from cds.trust.client import Caller

HEALTH = "/healthz"
KNOWLEDGE = "/knowledge/"
"""Pages that clinicians open from a card, in a browser that has no token; they hold nothing about patients."""

_BUSY_SECONDS = 1
_COUNTED = frozenset({401, 413, 429})


class Front:
    """Refuses a call, or hands it to its route with its caller in ``request.state.caller``.

    The gate is taken from ``app.state.gate``; ``app.state.count`` takes the status of a call that is turned away.
    """

    def __init__(self, app: ASGIApp, most_at_once: int) -> None:
        self._app = app
        self._places = Places(most_at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = _Sending(send, scope["app"].state.count)
        try:
            await self._judge(_as_called(scope), receive, sending)
        except Exception as error:  # noqa: BLE001 - a fault is an answer that says so, without its words
            log_exception("call.failed", error, {"status": 500, "problem": "CDS-500"})
            fault = CdsError("CDS-500", "service", "The service failed.", action="Tell its operator the time.")
            if not sending.started:
                await outcome(fault, 500)(scope, receive, send)

    async def _judge(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check_headers(scope["headers"])
        except RequestError as error:
            log_event("call.refused", {"status": error.status, "problem": error.code}, logging.WARNING)
            await outcome(error, error.status)(scope, receive, send)
            return
        path: str = scope["path"]
        if path == HEALTH or path.startswith(KNOWLEDGE):
            await self._app(scope, receive, send)
        else:
            await self._admit(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        gate: Gate = scope["app"].state.gate
        peer = scope["client"][0] if scope.get("client") else ""
        admitted = await gate.admit(authorization(scope["headers"]), scope["path"], peer)
        if not isinstance(admitted, Response):
            admitted = self._with_a_place(admitted)
        if isinstance(admitted, Response):
            await admitted(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = admitted
        with self._places.taken(admitted.client.name):
            await self._app(scope, receive, send)

    def _with_a_place(self, caller: Caller) -> Caller | Response:
        name = caller.client.name
        error = self._places.refusal(name)
        if error is None:
            return caller
        log_event("call.refused", {"status": 503, "problem": error.code, "client": name}, logging.WARNING)
        return wait(error, 503, _BUSY_SECONDS)


class _Sending:
    """Passes an answer on, and knows whether it has begun; what is turned away in numbers is counted for the record."""

    def __init__(self, send: Send, count: Callable[[int], None]) -> None:
        self._send = send
        self._count = count
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if message["status"] in _COUNTED:
                self._count(message["status"])
        await self._send(message)


def _as_called(scope: Scope) -> Scope:
    """Return the call with its path exactly as it was sent, so that what is judged is what is routed; HEAD is as GET.

    The server leaves out the body of the answer to HEAD.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "path": raw.decode("latin-1"), "method": method}
