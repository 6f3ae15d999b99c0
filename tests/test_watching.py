"""An answer that is wrong is noticed, whoever asked for it and however."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import requests
from starlette.responses import Response
from starlette.types import Message

from tests.watching import violations, watched

WRONG = b'{"cards": null}'


class _Wrong(BaseHTTPRequestHandler):
    """A service that answers everything with the same wrong body."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(WRONG)))
        self.end_headers()
        self.wfile.write(WRONG)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A wrong service that is no part of this process's application."""
    server = HTTPServer(("127.0.0.1", 0), _Wrong)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_wrong_answer_of_a_service_anywhere_is_noticed(elsewhere: str) -> None:
    answered = httpx.post(f"{elsewhere}/cds-services/a", json={}).content

    assert WRONG == answered
    assert ["POST /cds-services/a 200: 'cards' is no array"] == violations()


def test_a_wrong_answer_to_a_concurrent_client_is_noticed(elsewhere: str) -> None:
    async def ask() -> bytes:
        async with httpx.AsyncClient() as client:
            return (await client.post(f"{elsewhere}/cds-services/a", json={})).content

    assert WRONG == asyncio.run(ask())
    assert ["POST /cds-services/a 200: 'cards' is no array"] == violations()


def test_a_wrong_answer_to_the_client_of_the_fuzzer_is_noticed(elsewhere: str) -> None:
    assert WRONG == requests.post(f"{elsewhere}/cds-services/a", json={}, timeout=5).content
    assert ["POST /cds-services/a 200: 'cards' is no array"] == violations()


def test_what_another_server_answers_is_left_alone(elsewhere: str) -> None:
    httpx.post(f"{elsewhere}/fhir", json={})

    assert [] == violations()


def test_a_wrong_answer_of_an_application_is_noticed_without_any_client() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def call() -> None:
        scope = {"type": "http", "method": "GET", "path": "/cds-services", "headers": []}
        await watched(Response(b"{}", 401))(scope, receive, send)

    asyncio.run(call())

    assert 2 == len(sent)
    assert ["GET /cds-services 401: the body of a 401 says something"] == violations()[:1]


def test_a_fake_without_a_network_is_left_alone() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=WRONG))
    with httpx.Client(transport=transport) as fake:
        fake.post("http://fake.test/cds-services/a")

    assert [] == violations()
