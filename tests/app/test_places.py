"""Whatever one EHR does, the others are answered: no client has more than its share of the calls under way."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket

import httpx
import pytest

from cds.ehr.identity import Identity
from cds.ehr.keypair import make_key_pair
from cds.trust.registry import write_entries
from tests.app.codes import code_of
from tests.app.sockets import MANY, answer_on, connected, head
from tests.hooks.bodies import body, request
from tests.running import Running, running, settings_in
from tests.trust.tokens import Ehr, entry_of

SELECT = "/cds-services/ketamine-order-select"


def _ehrs(folder: Path, *names: str) -> list[Ehr]:
    """Register so many EHRs."""
    pair = make_key_pair("ES384")
    entries = [entry_of(pair, name=name, issuer=f"https://{name}.example") for name in names]
    write_entries(folder / "clients.json", entries)
    ehrs = [Ehr(folder, Identity(pair, entry.issuer, "", "")) for entry in entries]
    ehrs[0].record_keys.make("cds.example/audit/1")
    return ehrs


@contextmanager
def _answering(ehr: Ehr, most: int) -> Iterator[Running]:
    with running(settings_in(ehr.folder, **ehr.production, most_calls_at_once=most)) as service:
        yield service


@contextmanager
def _slow_call(service: Running, ehr: Ehr, length: int = MANY) -> Iterator[socket]:
    """Send a call whose body does not come, and wait until it has its place."""
    with connected(service) as connection:
        token = f"Authorization: Bearer {ehr.token(SELECT)}"
        connection.sendall(head("POST", SELECT, "Content-Type: application/json", f"Content-Length: {length}", token))
        _wait_until_in(service, ehr)
        yield connection


def _wait_until_in(service: Running, ehr: Ehr) -> None:
    for _ in range(100):
        if _discover(service, ehr).status_code == 503:
            return
    pytest.fail("the slow call was never taken in")


def _discover(service: Running, ehr: Ehr) -> httpx.Response:
    return service.client.get("/cds-services", headers=ehr.headers())


def _words(answer: httpx.Response) -> str:
    text: str = answer.json()["issue"][0]["details"]["text"]
    return text


@pytest.mark.parametrize("most", [2, 3])
def test_an_ehr_that_sends_slowly_keeps_no_other_from_being_answered(tmp_path: Path, most: int) -> None:
    slow, other = _ehrs(tmp_path, "slow", "other")
    whole = body(request())
    with _answering(slow, most) as service, _slow_call(service, slow, len(whole)) as connection:
        refused = service.post(whole, **slow.headers(SELECT))
        answered = service.post(whole, **other.headers(SELECT))
        connection.sendall(whole)
        finished, after = answer_on(connection), service.post(whole, **slow.headers(SELECT))

    assert (503, "CDS-227") == (refused.status_code, code_of(refused))
    assert "Too many calls of this client are being answered." == _words(refused)
    assert refused.headers["retry-after"].isdigit()
    assert (200, 200, 200) == (answered.status_code, finished.status, after.status_code)


def test_a_client_whose_connection_breaks_gets_its_place_back(tmp_path: Path) -> None:
    (ehr,) = _ehrs(tmp_path, "only")
    with _answering(ehr, 2) as service:
        with _slow_call(service, ehr):
            pass
        answers = (_discover(service, ehr).status_code for _ in range(100))

        assert 200 in answers


def test_all_clients_together_have_no_more_than_all_places(tmp_path: Path) -> None:
    first, second, third = _ehrs(tmp_path, "first", "second", "third")
    with _answering(first, 2) as service, ExitStack() as calls:
        for ehr in (first, second):
            calls.enter_context(_slow_call(service, ehr))
        refused = _discover(service, third)

    assert (503, "CDS-227") == (refused.status_code, code_of(refused))
    assert "Too many calls are being answered." == _words(refused)


def test_in_development_the_one_client_has_all_places(tmp_path: Path) -> None:
    with running(settings_in(tmp_path, most_calls_at_once=2)) as service, connected(service) as slow:
        slow.sendall(head("POST", SELECT, "Content-Type: application/json", f"Content-Length: {MANY}"))
        answers = [service.client.get("/cds-services").status_code for _ in range(20)]

    assert [200] * 20 == answers
