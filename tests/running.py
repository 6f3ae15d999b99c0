"""The real service on a free port, for tests that speak HTTP to it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from cds.app import create_app
from cds.app.server import server_config
from cds.audit.queries import LogReader, StoredRecord
from cds.settings import Settings
from tests.watching import watched

Json = dict[str, Any]
_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is running.

    Attributes:
        client: calls it; its base URL is the service's address.
        database: its record.
        app: to put another recorder into ``app.state.ports``.
    """

    client: httpx.Client
    database: Path
    app: FastAPI

    def post(self, body: bytes, service: str = "ketamine-order-select", **headers: str) -> httpx.Response:
        """Send a body to a service."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"content-type": "application/json", **given}
        return self.client.post(f"/cds-services/{service}", content=body, headers=sent)

    def records(self) -> list[StoredRecord]:
        """Return all records, the newest first."""
        with LogReader(self.database) as log:
            return [log.find(str(entry.seq)) for entry in log.list(limit=10_000)]


def settings_in(folder: Path, **changed: Any) -> Settings:  # noqa: ANN401 - settings of any type
    """Return settings whose record lies in `folder`."""
    defaults = {"database": folder / "record" / "record.sqlite", "pseudonym_key": folder / "keys" / "pseudonym.key"}
    return Settings(**{**defaults, **changed})


@contextmanager
def running(settings: Settings) -> Iterator[Running]:
    """Run the service of these settings in a thread until the block ends."""
    app = create_app(settings)
    server = uvicorn.Server(server_config(watched(app), settings.model_copy(update={"host": "127.0.0.1", "port": 0})))
    thread = threading.Thread(target=_run, args=(server,))
    thread.start()
    try:
        _wait(server, thread)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield Running(client, settings.database, app)
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(server: uvicorn.Server) -> None:
    with suppress(SystemExit):  # how uvicorn says that it could not start
        server.run()


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("The service did not start.")
        time.sleep(0.02)
