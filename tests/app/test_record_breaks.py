"""A service whose record is broken for good answers what is under way and ends, so that somebody starts it again."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from cds.audit.offline.notes import VerificationKey
from cds.audit.process_lock import ProcessLock
from cds.audit.queries import LogReader
from tests.app.test_serve import Served, _environment, _serve
from tests.crash.faults import strace
from tests.hooks.bodies import body, request
from tests.running import running, settings_in

_SECONDS = 30
_CALL = "/cds-services/ketamine-order-select"


def post(served: Served) -> httpx.Response:
    return httpx.post(
        f"{served.address}{_CALL}", content=body(request()), headers={"content-type": "application/json"}, timeout=20
    )


def problem(answer: httpx.Response) -> str:
    return str(answer.json()["issue"][0])


@contextmanager
def disk_fails(process: int) -> Iterator[None]:
    """Let every sync of a process fail from now on, as a disk does."""
    command = [strace(), "-f", "-p", str(process), "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr
        attached = tracer.stderr.readline()
        try:
            assert "attached" in attached, attached
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate()


def rotated(folder: Path) -> VerificationKey:
    """Change the key of the log as an operator does, and return the new one."""
    environment = _environment(folder)
    command = [sys.executable, "-m", "cds", "log", "rotate"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return VerificationKey.parse(done.stdout)


def test_an_error_of_the_disk_ends_the_service_and_the_next_start_goes_on(tmp_path: Path) -> None:
    with _serve(tmp_path) as served:
        recorded = post(served).status_code
        with disk_fails(served.process.pid):
            failed = post(served)
            status = served.process.wait(_SECONDS)
        said = served.log.read_text()
    with _serve(tmp_path) as again:
        after = post(again).status_code
        again.stop()

    assert (200, 503, 2, 200) == (recorded, failed.status_code, status, after)
    assert "CDS-403" in problem(failed)
    assert '"record.broken"' in said
    assert "See docs/problems.md#cds-403" in said


def test_a_service_whose_log_was_altered_ends_and_is_not_started_again(tmp_path: Path) -> None:
    with _serve(tmp_path) as served:
        post(served)
        with closing(sqlite3.connect(tmp_path / "record" / "record.sqlite", isolation_level=None)) as connection:
            connection.execute("DELETE FROM checkpoint")
        failed = post(served)
        status = served.process.wait(_SECONDS)

    assert (503, 2) == (failed.status_code, status)
    assert "CDS-409" in served.log.read_text().splitlines()[-2]


def test_of_several_workers_the_broken_one_is_replaced_and_all_end_if_that_does_not_help(tmp_path: Path) -> None:
    with _serve(tmp_path, "--workers", "2") as served:
        post(served)
        with closing(sqlite3.connect(tmp_path / "record" / "record.sqlite", isolation_level=None)) as connection:
            connection.execute("DELETE FROM checkpoint")
        failed = post(served).status_code
        status = served.process.wait(_SECONDS)

    assert (503, 3) == (failed, status)


def test_workers_go_on_with_a_key_that_was_changed_while_they_ran(tmp_path: Path) -> None:
    """Each ends at its first refusal, and the one that takes its place reads the new key."""
    with _serve(tmp_path, "--workers", "2") as served:
        post(served)
        key = rotated(tmp_path)
        until = time.monotonic() + _SECONDS
        statuses: list[int] = []
        while statuses[-5:] != [200] * 5 and time.monotonic() < until:
            try:
                statuses.append(post(served).status_code)
            except httpx.HTTPError:
                time.sleep(0.2)
        served.stop()
    with LogReader(tmp_path / "record" / "record.sqlite") as log:
        newest = log.note()

    assert [200] * 5 == statuses[-5:]
    assert key.signs_last(newest)


def test_a_log_that_others_hold_is_answered_within_the_deadline(tmp_path: Path) -> None:
    """And it heals when they let go."""
    with running(settings_in(tmp_path, deadline_ms=900)) as service:
        first = service.post(body(request())).status_code
        lock = ProcessLock(service.database.with_name(service.database.name + ".lock"))
        with lock.held():
            began = time.monotonic()
            answer = service.post(body(request()))
            seconds = time.monotonic() - began
            ready = service.client.get("/healthz").status_code
        lock.close()
        until = time.monotonic() + _SECONDS
        while service.client.get("/healthz").status_code != 200 and time.monotonic() < until:
            time.sleep(0.05)
        last = service.post(body(request())).status_code
        recorded = len(service.records())

    assert (200, 503, 503, 200) == (first, answer.status_code, ready, last)
    assert "CDS-402" in problem(answer)
    assert "5" == answer.headers["retry-after"]
    assert seconds < 1.4
    assert 2 == recorded  # what was given up is not written later
