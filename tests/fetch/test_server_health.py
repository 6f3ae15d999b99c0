"""What may pass is tried once more; a server that is down is left alone, for that client and for a while.

Source: trust/design.md 0a.11, 2.3 (timeouts).
"""

import asyncio

import pytest

from cds.fhir.client import Circuits
from cds.trust.client import Client
from tests.fetch.calls import (
    LOCAL,
    ask,
    call,
    without_prefetch,
)
from tests.fetch.fault_server import (
    Asked,
    Fault,
    FaultServer,
    answer_held,
    hang,
    says,
)
from tests.running import Json, Running

RETRIED: dict[str, tuple[Json, int]] = {
    "503": ({"status": 503}, 2),
    "502": ({"status": 502}, 2),
    "504": ({"status": 504}, 2),
    "429 for no time": ({"status": 429, "Retry_After": "0"}, 2),
    "429 for long": ({"status": 429, "Retry_After": "60"}, 1),
    "429 for unknown": ({"status": 429}, 1),
    "503 for long": ({"status": 503, "Retry_After": "60"}, 1),
    "500": ({"status": 500}, 1),
    "403": ({"status": 403}, 1),
    "404": ({"status": 404}, 1),
}


@pytest.mark.parametrize("name", RETRIED)
def test_what_may_pass_is_tried_once_more(service: Running, server: FaultServer, name: str) -> None:
    answer, times = RETRIED[name]
    server.faults["Condition"] = _at_first(says(**answer, content={}))

    found = call(service, server.base)

    assert times == len(server.asked_for("Condition"))
    assert (times == 2) == ("KETPSYCHOSIS1C" in found.topics)


def test_a_connection_that_broke_is_tried_once_more(service: Running, server: FaultServer) -> None:
    async def break_off(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server.faults["Condition"] = _at_first(break_off)

    assert "KETPSYCHOSIS1C" in call(service, server.base).topics


def test_requests_run_side_by_side_and_not_without_bound(service: Running, server: FaultServer) -> None:
    at_once: list[int] = [0, 0]

    async def slowly(of: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
        at_once[0] += 1
        at_once[1] = max(at_once)
        await asyncio.sleep(0.05)
        await answer_held(of, asked, writer)
        at_once[0] -= 1

    server.faults["*"] = slowly

    assert 200 == call(service, server.base).response.status_code
    assert 6 == at_once[1]


def test_a_server_that_failed_three_calls_in_a_row_is_left_alone(service: Running, server: FaultServer) -> None:
    """Answers come at once instead of at the deadline; other clients are not affected."""
    client, other = (Client(name, fhir_bases=(server.base,), deadline_ms=500) for name in ("hospital", "clinic"))
    server.faults["*"] = hang

    answers = ask(service, without_prefetch(server.base), client, LOCAL, times=4)
    asked = len(server.asked)
    ask(service, without_prefetch(server.base), other, LOCAL)

    assert {412} == {answer.status for answer in answers}
    assert b"no answer in time" in answers[2].body
    assert b"not asked: the FHIR server failed several calls in a row" in answers[3].body
    assert 100 > float(answers[3].figures["duration_ms"])
    assert len(server.asked) > asked


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_server_that_refuses_is_well(service: Running, server: FaultServer, status: int) -> None:
    client = Client("hospital", fhir_bases=(server.base,))
    server.faults["*"] = says(status)

    answers = ask(service, without_prefetch(server.base), client, LOCAL, times=6)

    assert all(f"HTTP {status}".encode() in answer.body for answer in answers)


def test_a_server_that_refuses_and_is_slow_is_well(service: Running, server: FaultServer) -> None:
    client = Client("hospital", fhir_bases=(server.base,), deadline_ms=500)
    server.faults = {"*": says(403), "Condition": hang}

    answers = ask(service, without_prefetch(server.base), client, LOCAL, times=4)

    assert b"HTTP 403" in answers[3].body


def test_after_a_pause_one_call_tries_again_and_decides() -> None:
    now = [0.0]
    circuits = Circuits(lambda: now[0], most_failures=2, pause_seconds=10)
    seen = []
    for moment, well in ((0, False), (0, False), (1, None), (10, False), (11, None), (20, True), (20, True)):
        now[0] = moment
        seen.append(circuits.may_ask("hospital", "base"))
        if well is not None:
            circuits.report("hospital", "base", well=well)

    assert [True, True, False, True, False, True, True] == seen
    assert circuits.may_ask("clinic", "base")


def test_while_one_call_tries_again_the_others_wait() -> None:
    now = [0.0]
    circuits = Circuits(lambda: now[0], most_failures=1, pause_seconds=10)
    circuits.report("hospital", "base", well=False)
    now[0] = 10

    assert [True, False, False] == [circuits.may_ask("hospital", "base") for _ in range(3)]


def _at_first(fault: Fault) -> Fault:
    """The fault for the first request only."""

    async def say(server: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
        is_first = len(server.asked_for(asked.resource_type)) == 1
        await (fault if is_first else answer_held)(server, asked, writer)

    return say
