"""Nobody can keep the others from being answered: not by many calls, many bad tokens, or many calls at once."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds.app.events import JsonLines
from tests.app.codes import code_of
from tests.app.sockets import answer_on, connected, head
from tests.hooks.bodies import body, request
from tests.response_checker import outcome_violations
from tests.running import Running, running, settings_in
from tests.trust.tokens import Ehr, registered_ehr

SELECT = "/cds-services/ketamine-order-select"


@contextmanager
def _production(ehr: Ehr, **settings: Any) -> Iterator[Running]:  # noqa: ANN401 - settings of any type
    with running(settings_in(ehr.folder, **ehr.production, **settings)) as service:
        yield service


def _discover(service: Running, headers: dict[str, str], address: str = "127.0.0.1") -> httpx.Response:
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=service.client.base_url, transport=transport) as client:
        return client.get("/cds-services", headers=headers)


def test_after_too_many_bad_tokens_the_address_waits_and_others_do_not(tmp_path: Path) -> None:
    ehr = registered_ehr(tmp_path)
    with _production(ehr, failed_tokens_per_minute=3) as service:
        failed = [_discover(service, {"Authorization": "Bearer abc"}).status_code for _ in range(3)]
        good = ehr.headers()
        barred, elsewhere = _discover(service, good), _discover(service, good, "127.0.0.2")

    assert [401] * 3 == failed
    assert (429, "CDS-228") == (barred.status_code, code_of(barred))
    assert 1 <= int(barred.headers["retry-after"]) <= 60
    assert 200 == elsewhere.status_code, "the token was not looked at, so it was not used up"


@pytest.mark.parametrize(("proxies", "second"), [([], 429), (["127.0.0.1"], 401)])
def test_callers_behind_a_proxy_are_told_apart_only_if_the_proxy_is_trusted(
    tmp_path: Path, proxies: list[str], second: int
) -> None:
    """Else anybody could name another address with each bad token, and none would ever be too many."""
    ehr = registered_ehr(tmp_path)
    with _production(ehr, failed_tokens_per_minute=1, trusted_proxies=proxies) as service:
        first, other = (
            _discover(service, {"X-Forwarded-For": address}).status_code for address in ("203.0.113.1", "203.0.113.2")
        )

    assert (401, second) == (first, other)


def test_good_tokens_do_not_count_as_failed(tmp_path: Path) -> None:
    ehr = registered_ehr(tmp_path)
    with _production(ehr, failed_tokens_per_minute=1) as service:
        answered = [_discover(service, ehr.headers()).status_code for _ in range(5)]

    assert [200] * 5 == answered


@pytest.mark.parametrize(("own", "allowed"), [({}, 3), ({"calls_per_minute": 2}, 2)])
def test_a_client_that_calls_too_often_is_told_when_to_come_back(
    tmp_path: Path, own: dict[str, int], allowed: int
) -> None:
    ehr = registered_ehr(tmp_path, None, **own)
    with _production(ehr, calls_per_minute=3) as service:
        answers = [service.post(body(request()), **ehr.headers(SELECT)) for _ in range(allowed + 1)]

    *answered, refused = answers
    assert [200] * allowed == [each.status_code for each in answered]
    assert (429, "CDS-225") == (refused.status_code, code_of(refused))
    assert [] == outcome_violations(refused.json())
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_in_development_calls_are_not_counted(tmp_path: Path) -> None:
    with running(settings_in(tmp_path, calls_per_minute=1)) as service:
        assert [200, 200] == [service.client.get("/cds-services").status_code for _ in range(2)]


def test_one_call_more_than_can_be_answered_at_once_is_503_and_the_others_go_on(tmp_path: Path) -> None:
    whole = body(request())
    with running(settings_in(tmp_path, most_calls_at_once=1)) as service, connected(service) as slow:
        slow.sendall(
            head("POST", SELECT, "Content-Type: application/json", f"Content-Length: {len(whole)}") + whole[:9]
        )
        _wait_until_busy(service)
        refused, ready = service.post(whole), service.client.get("/healthz")
        slow.sendall(whole[9:])
        answered = answer_on(slow)
        after = service.post(whole)

    assert (503, "CDS-227") == (refused.status_code, code_of(refused))
    assert refused.headers["retry-after"].isdigit()
    assert (200, 200, 200) == (ready.status_code, answered.status, after.status_code)


def _wait_until_busy(service: Running) -> None:
    for _ in range(100):
        if service.client.get("/cds-services").status_code == 503:
            return
    pytest.fail("the slow call was never taken in")


def test_a_flood_of_calls_is_one_line_in_the_log_and_no_line_holds_a_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ehr = registered_ehr(tmp_path)
    tokens = [ehr.token("/elsewhere", sub="canary7") for _ in range(2)]
    with _production(ehr, failed_tokens_per_minute=2) as service:
        for token in [*tokens, *tokens]:
            _discover(service, {"Authorization": f"Bearer {token}"})

    lines = [JsonLines().format(one) for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    events = [json.loads(line) for line in lines]

    assert ["127.0.0.1"] * 2 == [each["peer"] for each in events if each["event"] == "token.refused"]
    assert all(each["problem"].startswith("CDS-6") for each in events if each["event"] == "token.refused")
    assert ["CDS-228"] == [each["problem"] for each in events if each["event"] == "rate.limited"]
    assert [] == [line for line in lines if "canary7" in line or tokens[0][-20:] in line or tokens[1][:20] in line]
