"""The service as it is run: four worker processes, killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.hooks.bodies import body, request
from tests.running import free_port
from tests.trust.tokens import BASE, Ehr, registered_ehr

CALLED = "/cds-services/ketamine-order-select"
_START_SECONDS = 90


@contextmanager
def _four_workers(ehr: Ehr, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``cds serve --workers 4`` in production, in a session of its own; whatever is left of it is killed."""
    folder = ehr.folder
    command = [sys.executable, "-m", "cds", "serve", "--workers", "4", "--port", str(port)]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, env=_environment(ehr), stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(port, process, folder / "serve.log")
        yield process
    finally:
        _kill_all(process)


def _environment(ehr: Ehr) -> dict[str, str]:
    """Return the settings of a service in production that knows this EHR."""
    folder = ehr.folder
    return {name: value for name, value in os.environ.items() if not name.startswith("CDS_")} | {
        "CDS_PROFILE": "production",
        "CDS_PUBLIC_BASE_URL": BASE,
        "CDS_CLIENTS": str(ehr.clients),
        "CDS_JTI_DATABASE": str(folder / "jti" / "jti.sqlite"),
        "CDS_DATABASE": str(folder / "record" / "record.sqlite"),
        "CDS_PSEUDONYM_KEY": str(folder / "keys" / "pseudonym.key"),
        "CDS_FAILED_TOKENS_PER_MINUTE": "100000",
    }


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until all four workers have started."""
    deadline = time.monotonic() + _START_SECONDS
    starts = log.read_bytes().count(b'"service.started"')
    while log.read_bytes().count(b'"service.started"') < starts // 4 * 4 + 4:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The service did not start: {log.read_text()[-2000:]}")
        time.sleep(0.1)
    httpx.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 the supervisor and all of its workers at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(30)


async def _at_once(url: str, headers: dict[str, str], times: int) -> list[int]:
    """Return the statuses of so many simultaneous calls, each over a connection of its own."""
    content = body(request())
    limits = httpx.Limits(max_connections=times, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        calls = (client.post(url, headers=headers, content=content) for _ in range(times))
        return [answer.status_code for answer in await asyncio.gather(*calls)]


@pytest.fixture
def ehr(tmp_path: Path) -> Ehr:
    return registered_ehr(tmp_path)


@pytest.mark.requirement(67)
def test_one_token_in_200_simultaneous_calls_of_four_workers_is_accepted_once_and_never_after_a_kill(ehr: Ehr) -> None:
    """Neither another worker nor a restart after kill -9 makes a used token worth anything."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{CALLED}"
    with _four_workers(ehr, port) as service:
        headers = {**ehr.headers(CALLED), "Content-Type": "application/json"}
        statuses = Counter(asyncio.run(_at_once(url, headers, 200)))
        unused = {**ehr.headers(CALLED), "Content-Type": "application/json"}
        _kill_all(service)

    with _four_workers(ehr, port):
        replays = Counter(asyncio.run(_at_once(url, headers, 20)))
        fresh = httpx.post(url, headers=ehr.headers(CALLED), content=body(request()), timeout=60)
        issued_before = httpx.post(url, headers=unused, content=body(request()), timeout=60)

    assert {200: 1, 401: 199} == statuses
    assert {401: 20} == replays
    assert (200, 401) == (fresh.status_code, issued_before.status_code)


def test_a_clean_restart_keeps_what_was_used_and_refuses_nothing_else(ehr: Ehr) -> None:
    """SIGTERM, as an update of the service sends it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/cds-services"
    with _four_workers(ehr, port) as service:
        used, unused = ehr.headers(), ehr.headers()
        first = httpx.get(url, headers=used).status_code
        service.send_signal(signal.SIGTERM)
        service.wait(30)

    with _four_workers(ehr, port):
        answers = [httpx.get(url, headers=headers).status_code for headers in (used, unused)]

    assert 200 == first
    assert [401, 200] == answers


@pytest.mark.parametrize("content", [None, '{"clients": [{"name": "a"}]}'])
def test_the_service_does_not_start_without_a_clients_file_that_it_can_use(ehr: Ehr, content: str | None) -> None:
    """Else an operator would find out from the EHR that every call is refused."""
    ehr.clients.unlink()
    if content:
        ehr.clients.write_text(content)
    command = [sys.executable, "-m", "cds", "serve", "--port", "0"]

    ended = subprocess.run(command, env=_environment(ehr), capture_output=True, text=True, timeout=60, check=False)

    assert 2 == ended.returncode
    assert f"CDS-601 {ehr.clients}: " in ended.stderr
    assert "Traceback" not in ended.stderr
