"""A real ``cds serve`` in a process of its own, in the production profile, and an EHR that calls it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.running import free_port
from tests.trust.tokens import Ehr, registered_ehr

_START_SECONDS = 60
_STOP_SECONDS = 20
_CALL_SECONDS = 30
_NO_LIMIT = "1000000"


@dataclass(frozen=True, slots=True)
class Served:
    """A service in a process of its own.

    Attributes:
        client: calls it.
        ehr: the one registered client, which signs.
        process: the service.
        folder: holds its record, its keys, and what it wrote: ``service.out`` and ``service.err``.
    """

    client: httpx.Client
    ehr: Ehr
    process: subprocess.Popen[bytes]
    folder: Path

    def post(self, body: bytes, service: str = "ketamine-order-select", **headers: str) -> httpx.Response:
        """Call a service with a fresh token."""
        path = f"/cds-services/{service}"
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            path, content=body, headers={"content-type": "application/json", **self.ehr.headers(path), **given}
        )

    def memory_bytes(self) -> int:
        """Return how much memory of its own the service holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
        assert found, "this test reads /proc, which Linux has"
        return int(found[1]) * 1024

    def written(self) -> bytes:
        """Return all that the service wrote to standard output and standard error."""
        return b"".join((self.folder / name).read_bytes() for name in ("service.out", "service.err"))


@contextmanager
def served(
    folder: Path,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = ("-m", "cds"),
    **registration: Any,  # noqa: ANN401 - members of any type
) -> Iterator[Served]:
    """Run the service until the block ends; rate limits are raised so far that none is met.

    Args:
        folder: a new folder for all of its files.
        environment: further settings.
        program: what Python runs instead of the command line.
        registration: of the client, as for `registered_ehr`.
    """
    ehr = registered_ehr(folder, calls_per_minute=int(_NO_LIMIT), **registration)
    port = free_port()
    command = [sys.executable, *program, "serve", "--port", str(port)]
    with (folder / "service.out").open("wb") as out, (folder / "service.err").open("wb") as err:
        process = subprocess.Popen(command, env=_environment(folder, ehr, environment or {}), stdout=out, stderr=err)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_CALL_SECONDS) as client:
                service = Served(client, ehr, process, folder)
                _wait_until_ready(service)
                yield service
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _environment(folder: Path, ehr: Ehr, more: Mapping[str, str]) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    settings = {
        "database": folder / "record" / "record.sqlite",
        "pseudonym_key": folder / "keys" / "pseudonym.key",
        "calls_per_minute": _NO_LIMIT,
        "failed_tokens_per_minute": _NO_LIMIT,
        **ehr.production,
    }
    return others | {f"CDS_{name.upper()}": _as_text(value) for name, value in settings.items()} | dict(more)


def _as_text(value: object) -> str:
    return json.dumps(value) if isinstance(value, list | tuple) else str(value)


def _wait_until_ready(service: Served) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and service.process.poll() is None:
        try:
            if service.client.get("/healthz").is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"The service did not start: {service.written().decode(errors='replace')[-2000:]}")
