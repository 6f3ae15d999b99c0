"""Calls written byte by byte, for what no HTTP client would send."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse

from tests.running import Running

MANY = 9_000_000
"""A Content-Length whose bytes never come."""


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer, and how many seconds it took."""

    status: int
    headers: HTTPMessage
    body: bytes
    seconds: float


def head(method: str, path: str, *headers: str, host: str = "localhost") -> bytes:
    """Return the head of a call, with its empty line."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode("latin-1")


@contextmanager
def connected(service: Running) -> Iterator[socket.socket]:
    """Connect to a service until the block ends."""
    with socket.create_connection(("127.0.0.1", service.client.base_url.port or 0), timeout=10) as connection:
        yield connection


def answer_on(connection: socket.socket, method: str = "GET") -> Raw:
    """Return the next answer of a connection; to HEAD it has no body."""
    began = time.monotonic()
    with closing(HTTPResponse(connection, method=method)) as response:
        response.begin()
        return Raw(response.status, response.headers, response.read(), time.monotonic() - began)


def exchange(service: Running, sent: bytes) -> Raw:
    """Send bytes on a connection of their own and return the answer."""
    with connected(service) as connection:
        connection.sendall(sent)
        return answer_on(connection, sent.split(b" ", 1)[0].decode())
