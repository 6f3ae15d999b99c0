"""``cds serve`` as a process: what it listens on, how many processes answer, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cds.audit.keys import KeyFiles
from tests.hooks.bodies import body, request
from tests.running import free_port
from tests.trust.tokens import Ehr, registered_ehr

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Served:
    """A service that runs as processes of its own, its address, and what it writes to standard error."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(how)
        return self.process.wait(_SECONDS)

    def lines(self) -> list[dict[str, object]]:
        """Return the log; every line is a JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    places = {
        "CDS_DATABASE": str(folder / "record" / "record.sqlite"),
        "CDS_PSEUDONYM_KEY": str(folder / "keys" / "pseudonym.key"),
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return others | places | settings


def _production(ehr: Ehr) -> dict[str, str]:
    return {f"CDS_{name.upper()}": str(value) for name, value in ehr.production.items()}


@contextmanager
def _serve(folder: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> Iterator[Served]:
    port, log = free_port(), folder / "service.log"
    command = [sys.executable, "-m", "cds", "serve", "--port", str(port), *arguments]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, env=_environment(folder, **(settings or {})), stdout=subprocess.DEVNULL, stderr=errors
        ) as process,
    ):
        served = Served(process, f"http://127.0.0.1:{port}", log)
        try:
            _wait(served)
            yield served
        finally:
            process.terminate()


def _wait(served: Served) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and served.process.poll() is None:
        try:
            httpx.get(f"{served.address}/healthz", timeout=1).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the service did not start: {served.log.read_text()}")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    with _serve(tmp_path) as served:
        status = served.stop(how)
        lines = served.lines()

    assert 0 == status
    assert {"service.started", "service.stopped"} <= {str(line["event"]) for line in lines}


def test_a_call_that_is_under_way_is_answered_before_the_service_ends(tmp_path: Path) -> None:
    whole = body(request())
    head = (
        f"POST /cds-services/ketamine-order-select HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(whole)}\r\n\r\n"
    )
    with (
        _serve(tmp_path) as served,
        socket.create_connection(("127.0.0.1", httpx.URL(served.address).port or 0)) as slow,
    ):
        slow.sendall(head.encode() + whole[:9])
        time.sleep(0.5)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        slow.sendall(whole[9:])
        answer = slow.recv(65536)

        assert 0 == served.process.wait(_SECONDS)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_several_processes_answer_and_share_the_tokens_that_were_used(tmp_path: Path) -> None:
    ehr = registered_ehr(tmp_path)
    with _serve(tmp_path, "--workers", "2", settings=_production(ehr)) as served:
        used = ehr.headers()
        statuses = [httpx.get(f"{served.address}/cds-services", headers=used).status_code for _ in range(8)]
        fresh = httpx.get(f"{served.address}/cds-services", headers=ehr.headers()).status_code
        status = served.stop()
        lines = served.lines()

    assert [200] + [401] * 7 == statuses
    assert (200, 0) == (fresh, status)
    assert 2 == sum(line["event"] == "service.started" for line in lines)


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with _serve(tmp_path, "--workers", "2") as served:
        children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
        for child in children:
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
        time.sleep(1)
        _wait(served)

        assert 0 == served.stop()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_service_without_its_clients_does_not_start_and_says_why_in_one_line(tmp_path: Path, workers: str) -> None:
    KeyFiles(tmp_path / "keys" / "pseudonym.key").make("cds.example/audit/1")
    settings = _environment(
        tmp_path,
        CDS_PROFILE="production",
        CDS_PUBLIC_BASE_URL="https://cds.example",
        CDS_CLIENTS=str(tmp_path / "none.json"),
        CDS_JTI_DATABASE=str(tmp_path / "jti" / "jti.sqlite"),
        CDS_PORT="0",
    )

    command = [sys.executable, "-m", "cds", "serve", "--workers", workers]
    ended = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=_SECONDS, check=False)
    *logged, what, where = ended.stderr.splitlines()

    assert 2 == ended.returncode
    assert what.startswith("CDS-60")
    assert where.startswith("See docs/problems.md#cds-60")
    assert [] == [line for line in logged if "Traceback" in line or not line.startswith("{")]


def test_a_production_service_without_its_public_address_is_refused(tmp_path: Path) -> None:
    """The image sets the profile: a container that was given nothing else must not serve."""
    settings = _environment(tmp_path, CDS_PROFILE="production", CDS_HOST="0.0.0.0")  # noqa: S104 - as in a container

    command = [sys.executable, "-m", "cds", "serve"]
    ended = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=_SECONDS, check=False)

    assert 2 == ended.returncode
    assert "CDS-240" in ended.stderr
    assert "CDS_PUBLIC_BASE_URL is required" in ended.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_is_said_by_the_exit_status(tmp_path: Path, workers: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "cds", "serve", "--port", port, "--workers", workers]
        settings = _environment(tmp_path)
        ended = subprocess.run(command, env=settings, capture_output=True, timeout=_SECONDS, check=False)

    assert 3 == ended.returncode


def test_the_log_level_and_the_command_line_reach_every_process(tmp_path: Path) -> None:
    with _serve(tmp_path, "--workers", "2", settings={"CDS_LOG_LEVEL": "warning"}) as served:
        served.stop()

    assert [] == served.lines()
