"""A FHIR server that misbehaves on demand, on a free port of this machine, with nothing but asyncio."""

import asyncio
import gzip
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

Json = dict[str, Any]
_START_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: `target` is path and query, decoded; header names are in lower case."""

    target: str
    headers: Mapping[str, str]

    @property
    def resource_type(self) -> str:
        """The FHIR type that was asked for."""
        return self.target.removeprefix("/fhir/").partition("?")[0].partition("/")[0]


@dataclass(slots=True)
class FaultServer:
    """What the server holds, what it does wrong, and what it was asked.

    Attributes:
        base: its FHIR base URL.
        held: query below the base to the resource that answers it.
        faults: FHIR type (or ``*``) to what happens instead of an answer.
        asked: every request so far.
    """

    base: str = ""
    held: dict[str, Json] = field(default_factory=dict)
    faults: dict[str, "Fault"] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def asked_for(self, resource_type: str) -> list[Asked]:
        """The requests for one FHIR type."""
        return [one for one in self.asked if one.resource_type == resource_type]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection; it is closed afterwards."""
        with closing(writer), suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in head[1:] if line)
            asked = Asked(unquote(head[0].split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs})
            self.asked.append(asked)
            fault = self.faults.get(asked.resource_type) or self.faults.get("*") or answer_held
            await fault(self, asked, writer)
            await writer.drain()


Fault = Callable[[FaultServer, Asked, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def fault_server(host: str = "127.0.0.1") -> Iterator[FaultServer]:
    """Run a server in a thread of its own until the block ends."""
    served = FaultServer()
    started, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        listening = await asyncio.start_server(served.serve, host, 0)
        served.base = f"http://{host}:{listening.sockets[0].getsockname()[1]}/fhir"
        started.set()
        await stop.wait()
        listening.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()))  # which ends what is still under way
    thread.start()
    assert started.wait(_START_SECONDS)
    try:
        yield served
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(_START_SECONDS)


async def answer_held(server: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """What a healthy server does."""
    held = server.held.get(asked.target.removeprefix("/fhir/"))
    write(writer, 404 if held is None else 200, held or outcome("not-found"))


def write(
    writer: asyncio.StreamWriter, status: int, content: object, length: int | None = None, **headers: str
) -> None:
    """Write an answer; `content` is JSON, or bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"Content-Type": "application/fhir+json", "Content-Length": str(len(body) if length is None else length)}
    given |= {name.replace("_", "-"): value for name, value in headers.items()} | {"Connection": "close"}
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    writer.write("\r\n".join(lines).encode("latin-1") + body)


def outcome(code: str, severity: str = "error") -> Json:
    """An OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def page(*entries: Json, after: str | None = None) -> Json:
    """A page of a search; `after` is where the next one is said to be."""
    link = {} if after is None else {"link": [{"relation": "next", "url": after}]}
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)} | link


async def hang(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    del writer
    await asyncio.sleep(30)


async def reset(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
    """Begin an answer and break the connection."""
    write(writer, 200, b'{"resourceType":"Bundle","entry":[', length=4000)
    await writer.drain()
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def drip(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
    """Send a byte a second."""
    write(writer, 200, b"", length=4000)
    for _second in range(30):
        writer.write(b"{")
        await writer.drain()
        await asyncio.sleep(1)


async def flood(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
    """Send 50 MB."""
    write(writer, 200, b"", length=50_000_000)
    for _part in range(500):
        writer.write(b" " * 100_000)
        await writer.drain()


_BOMB = gzip.compress(b" " * 200_000_000)


async def bomb(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
    """Send 200 MB of blanks, compressed."""
    write(writer, 200, _BOMB, Content_Encoding="gzip")


async def never_end(server: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Name another next page on every page."""
    number = len(server.asked_for(asked.resource_type))
    write(writer, 200, page(after=f"{server.base}/{asked.resource_type}?page={number}"))


async def turn_in_a_circle(server: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Name the same next page again."""
    write(writer, 200, page(after=f"{server.base}/{asked.resource_type}?page=1"))


async def shout(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
    """Speak something else than HTTP."""
    writer.write(b"220 mail.example ESMTP\r\n" * 10)


def says(status: int, content: object = None, **headers: str) -> Fault:
    """Always give this answer."""

    async def say(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
        write(writer, status, outcome("exception") if content is None else content, None, **headers)

    return say


def next_page_at(address: str, *entries: Json, then: Fault | None = None) -> Fault:
    """Answer with one page whose next link names `address`; ``{base}`` and ``{authority}`` are the server's own.

    What is asked for as ``page=2`` is answered by `then`, without it by HTTP 500.
    """

    async def say(server: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
        authority = server.base.removeprefix("http://").removesuffix("/fhir")
        if "page=2" in asked.target:
            await (then or says(500))(server, asked, writer)
        else:
            write(writer, 200, page(*entries, after=address.format(base=server.base, authority=authority)))

    return say
