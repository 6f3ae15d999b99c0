"""Serve only calls that name this service by a host that is configured.

A page in a browser can make any name point to this machine (DNS rebinding); the Host header tells such calls apart.
Source: trust/design.md 0a.7.
"""

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from cds.app.events import log_event
from cds.app.refusals import outcome
from cds.errors import RequestError


class KnownHosts:
    """Answers every call under another host with 400 and an OperationOutcome."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on if its Host is known."""
        if scope["type"] != "http" or _host(scope) in self._names:
            await self._app(scope, receive, send)
            return
        error = RequestError(
            "CDS-222", "Host", "The service is not known under the host of this call.",
            "Expected one of the configured names.", "Add the name to CDS_ALLOWED_HOSTS.",
        )  # fmt: skip
        log_event("call.refused", {"status": 400, "problem": error.code}, logging.WARNING)
        await outcome(error, 400)(scope, receive, send)


def host_of(url: str) -> str:
    """Return the host of an address as a Host header has it, without the port; empty if there is none.

    >>> host_of("https://cds.example:8443/hooks")
    'cds.example'
    """
    return _without_port(urlsplit(url).netloc.rpartition("@")[2])


def _host(scope: Scope) -> str:
    sent = [value for name, value in scope["headers"] if name == b"host"]
    return _without_port(sent[0].decode("latin-1")) if len(sent) == 1 else ""


def _without_port(host: str) -> str:
    """Return the host without its port, in lower case.

    >>> _without_port("[::1]:8000"), _without_port("LOCALHOST")
    ('[::1]', 'localhost')
    """
    name, _, port = host.lower().rpartition(":")
    return name if name and port.isdigit() else host.lower()
