"""A server of keys on this machine that can be made to fail in the ways that servers do."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOW_SECONDS = 4.0


@dataclass
class KeyServer:
    """A running server.

    Attributes:
        url: where the keys are.
        keys: the JWK set that it publishes.
        mode: ``right``, ``slow``, ``redirecting``, ``oversized``, ``failing`` or ``broken``.
        asked: the paths that were asked for.
    """

    url: str
    keys: list[dict[str, Any]] = field(default_factory=list)
    mode: str = "right"
    asked: list[str] = field(default_factory=list)

    def body(self) -> bytes:
        """Return what is published."""
        padding = "x" * 70_000 if self.mode == "oversized" else ""
        return json.dumps({"keys": self.keys, "padding": padding}).encode() if self.mode != "broken" else b"{"


@contextmanager
def key_server() -> Iterator[KeyServer]:
    """Run a server of keys until the block ends."""
    state = KeyServer("")

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            if state.mode == "slow":
                time.sleep(SLOW_SECONDS)
            status = {"redirecting": 302, "failing": 500}.get(state.mode, 200)
            body = state.body()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere.json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
