"""Look at every answer of the service that any test sees, whoever asked and however.

Two places see them: the HTTP client libraries (httpx, and requests, which the fuzzer uses), for services that run
anywhere (a fake that answers without a network is left alone); and `watched` around an application in this process, for
whoever speaks through a bare socket. What they see is judged after the test, by `tests.response_checker`, so that no
test that measures time is held up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import httpx
import requests
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.response_checker import Answered, answer_violations

_SEEN: list[Answered] = []


def see(answered: Answered) -> None:
    """Have an answer judged when the test is over; one that is not of CDS Hooks is left out."""
    if answered.is_of_cds_hooks:
        _SEEN.append(answered)


def violations() -> list[str]:
    """Return what was wrong with the answers since the last time this was asked."""
    found: list[str] = []
    judged: set[tuple[int, str, bytes]] = set()
    while _SEEN:
        answered = _SEEN.pop()
        key = (answered.status, answered.headers.get("content-type", ""), answered.content)
        if key not in judged:
            judged.add(key)
            wrong = answer_violations(answered)
            found += [f"{answered.method} {answered.path} {answered.status}: {words}" for words in wrong]
    return found


@contextmanager
def watching_clients() -> Iterator[None]:
    """See every answer that httpx and requests bring over the network until the block ends."""
    plain, concurrent = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request
    adapted = requests.adapters.HTTPAdapter.send

    def handle(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        response = plain(self, request)
        if _is_asked(request):
            response.read()
            see(_answered(request, response))
        return response

    async def handle_async(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        response = await concurrent(self, request)
        if _is_asked(request):
            await response.aread()
            see(_answered(request, response))
        return response

    def send(self: requests.adapters.HTTPAdapter, request: Any, **settings: Any) -> requests.Response:  # noqa: ANN401
        response = adapted(self, request, **settings)
        answered = Answered(str(request.method), urlsplit(str(request.url)).path, response.status_code)
        if answered.is_of_cds_hooks:
            headers = {name.lower(): value for name, value in response.headers.items()}
            see(replace(answered, headers=headers, content=response.content))
        return response

    with (
        mock.patch.object(requests.adapters.HTTPAdapter, "send", send),
        mock.patch.object(httpx.HTTPTransport, "handle_request", handle),
        mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", handle_async),
    ):
        yield


def watched(app: ASGIApp) -> ASGIApp:
    """Return an application all of whose answers are seen."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    see(Answered(scope["method"], scope["path"], start["status"], _headers(start), b"".join(parts)))
            await send(message)

        await app(scope, receive, watch)

    return call


def _is_asked(request: httpx.Request) -> bool:
    return Answered(request.method, request.url.path, 0).is_of_cds_hooks


def _answered(request: httpx.Request, response: httpx.Response) -> Answered:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answered(request.method, request.url.path, response.status_code, headers, response.content)


def _headers(start: dict[str, Any]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start.get("headers", [])}
