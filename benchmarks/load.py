"""Send one request over and over on several connections, and count the answers."""

import asyncio
import re
import time
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"


def post(path: str, body: bytes) -> bytes:
    """Return a whole HTTP request that posts a JSON body."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode("ascii") + _END + body


def requests_answered(port: int, request: bytes, connections: int, seconds: float) -> tuple[int, float]:
    """Return how many requests were answered, and the seconds that this took.

    Args:
        port: of the server on 127.0.0.1.
        request: as `post` makes it.
        connections: each sends its next request when its last one is answered.
        seconds: no request is begun after this time.

    Raises:
        RuntimeError: when an answer is not HTTP 200, or a connection is closed.
    """
    return asyncio.run(_run(port, request, connections, seconds))


async def _run(port: int, request: bytes, connections: int, seconds: float) -> tuple[int, float]:
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    made = [
        loop.create_connection(lambda: _Connection(request, begun + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    clients = [client for _, client in await asyncio.gather(*made)]
    await asyncio.gather(*(client.done for client in clients))
    return sum(client.answered for client in clients), time.perf_counter() - begun


@dataclass
class _Connection(asyncio.Protocol):
    """One connection: request, answer, request, answer, until the time is over."""

    request: bytes
    deadline: float
    answered: int = 0
    received: bytearray = field(default_factory=bytearray)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, body = self.received.partition(_END)
        length = _LENGTH.search(head)
        if not end or (length and len(body) < int(length[1])):
            return
        if not head.startswith(b"HTTP/1.1 200 ") or not length:
            self._stop(f"not an answer with status 200 and a length: {bytes(self.received[:500])!r}")
            return
        self.answered += 1
        self.received.clear()
        if time.perf_counter() < self.deadline:
            self.transport.write(self.request)
        else:
            self._stop()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError("the server closed the connection"))

    def _stop(self, problem: str = "") -> None:
        if problem:
            self.done.set_exception(RuntimeError(problem))
        else:
            self.done.set_result(None)
        self.transport.close()
