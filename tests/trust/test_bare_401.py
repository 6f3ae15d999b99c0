"""Every call that is not accepted gets the same answer over HTTP, whatever was wrong with it."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cds.app.events import JsonLines
from cds.audit.keys import KeyFiles
from tests.hooks.bodies import body, request
from tests.running import Running, running, settings_in
from tests.trust.forging import Case, Forged, cases, forge, register_all
from tests.trust.tokens import BASE, registered_ehr

BAD = cases("bad_tokens.yaml")
CALLED = "/cds-services/ketamine-order-select"
PLENTY = 1_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("service")
    register_all(folder / "clients.json")
    KeyFiles(folder / "keys" / "pseudonym.key").make("cds.example/audit/1")
    settings = settings_in(
        folder,
        profile="production",
        clients=folder / "clients.json",
        jti_database=folder / "jti" / "jti.sqlite",
        public_base_url=BASE,
        failed_tokens_per_minute=PLENTY,
        calls_per_minute=PLENTY,
    )
    with running(settings) as service:
        yield service


def _headers(authorization: str) -> list[tuple[bytes, bytes]]:
    """Return the header as its bytes go over the wire; what is not Latin-1 goes as UTF-8."""
    return [(b"Authorization", authorization.encode())] if authorization else []


def _shown(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Return all that a caller sees, but the time."""
    return answer.status_code, answer.content, sorted(pair for pair in answer.headers.items() if pair[0] != "date")


@pytest.mark.requirement(63, 65, 66, 67)
@pytest.mark.parametrize("case", BAD)
def test_a_call_with_a_bad_token_gets_the_same_bare_401_as_one_without(service: Running, case: Case) -> None:
    """Nobody learns how near he came."""
    forged = forge(case, datetime.now(UTC))
    plain = service.client.get("/cds-services")

    if forged.path == "/cds-services":
        answer = service.client.get(forged.path, headers=_headers(forged.authorization))
    else:
        answer = service.client.post(forged.path, headers=_headers(forged.authorization), content=body(request()))

    assert _shown(plain) == _shown(answer)
    assert (401, b"", "Bearer") == (answer.status_code, answer.content, answer.headers["www-authenticate"])


@pytest.mark.requirement(63)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cds-services"),
        ("POST", CALLED),
        ("POST", "/cds-services/ketamine-order-sign"),
        ("POST", f"{CALLED}/feedback"),
        ("POST", "/cds-services/nobody-offers-this"),
        ("DELETE", CALLED),
        ("GET", "/cds-services/"),
    ],
)
def test_without_a_token_no_address_of_cds_hooks_says_anything(service: Running, method: str, path: str) -> None:
    """Not even whether there is such a service."""
    bare = service.client.get("/cds-services")

    assert _shown(bare) == _shown(service.client.request(method, path))


@pytest.mark.requirement(63, 64)
def test_discovery_and_a_call_are_answered_with_a_token_each(service: Running) -> None:
    discovery = forge({}, datetime.now(UTC))
    call = forge({"path": CALLED}, datetime.now(UTC))

    offered = service.client.get("/cds-services", headers=_headers(discovery.authorization))
    answered = service.client.post(CALLED, headers=_headers(call.authorization), content=body(request()))

    assert [200, 200] == [offered.status_code, answered.status_code]
    assert {"services"} == set(offered.json())
    assert "cards" in answered.json()


@pytest.mark.requirement(67)
def test_the_token_of_a_call_is_worth_nothing_afterwards(service: Running) -> None:
    headers = _headers(forge({}, datetime.now(UTC)).authorization)

    answers = [service.client.get("/cds-services", headers=headers) for _ in range(2)]

    assert [200, 401] == [answer.status_code for answer in answers]
    assert _shown(service.client.get("/cds-services")) == _shown(answers[1])


@pytest.mark.requirement(68)
@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "Forwarded", "X-Original-Host"])
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_no_header_decides_for_whom_a_token_is(service: Running, name: str, host: str) -> None:
    """Aud is compared with the configured address alone."""
    forged = forge({"claims": {"aud": f"https://{host}/cds-services"}}, datetime.now(UTC))
    value = f"host={host}" if name == "Forwarded" else host

    answer = service.client.get(
        "/cds-services", headers=[*_headers(forged.authorization), (name.encode(), value.encode())]
    )

    assert answer.is_client_error
    assert b"services" not in answer.content


def test_two_authorizations_in_one_call_are_none(service: Running) -> None:
    """Two programs could read two different ones."""
    forged = forge({}, datetime.now(UTC))
    stranger = forge({"key": "stranger", "header": {"kid": "ec"}}, datetime.now(UTC))

    answer = service.client.get(
        "/cds-services", headers=[*_headers(forged.authorization), *_headers(stranger.authorization)]
    )

    assert 401 == answer.status_code


def test_a_stranger_is_refused_before_a_byte_of_his_body_is_read(service: Running) -> None:
    """A body that never comes must not hold the service."""
    url = service.client.base_url
    lines = (f"POST {CALLED} HTTP/1.1", f"Host: {url.host}", "Content-Type: application/json", "Content-Length: 500000")
    head = "\r\n".join([*lines, "", ""])
    with socket.create_connection((url.host, url.port or 80), timeout=5) as connection:
        connection.sendall(head.encode())

        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 401 ")


@contextmanager
def _log() -> Iterator[list[str]]:
    """Collect what the service logs, as it would be written."""
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines().format(record))

    logger, collect = logging.getLogger(), Collect()
    level = logger.level
    logger.addHandler(collect)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.removeHandler(collect)
        logger.setLevel(level)


def test_no_part_of_a_token_comes_into_the_log_of_good_and_bad_calls(service: Running) -> None:
    """The log says the reason as a code, and nothing that could be used."""
    forged: list[Forged] = [forge(case, datetime.now(UTC)) for case in ({}, *(one.values[0] for one in BAD))]

    with _log() as lines:
        for one in forged:
            service.client.get("/cds-services", headers=_headers(one.authorization))
    log = "\n".join(lines)

    parts = {part for one in forged for part in one.authorization.replace(" ", ".").split(".") if len(part) > 20}
    assert "token.refused" in log
    assert "CDS-617" in log
    assert [] == [part for part in parts if part in log]


def test_an_ehr_that_is_registered_while_the_service_runs_is_answered(tmp_path: Path) -> None:
    """And one that is no longer registered is not, without a restart."""
    ehr = registered_ehr(tmp_path)
    with running(settings_in(tmp_path, **ehr.production)) as service:
        before = service.client.get("/cds-services", headers=ehr.headers()).status_code
        other = registered_ehr(tmp_path, issuer="https://new.example")
        time.sleep(1.05)
        after = [service.client.get("/cds-services", headers=one.headers()).status_code for one in (other, ehr)]

    assert 200 == before
    assert [200, 401] == after
