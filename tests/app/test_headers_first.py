"""Headers are judged before a byte of the body is read: nobody who is refused can make the service wait or store."""

import time
from collections.abc import Iterator

import pytest

from cds.app.headers import MOST_BYTES, MOST_HEADERS
from tests.app.codes import code_of
from tests.app.sockets import MANY, exchange, head
from tests.running import Running, running, settings_in
from tests.trust.tokens import Ehr, registered_ehr

SELECT = "/cds-services/ketamine-order-select"
JSON = "Content-Type: application/json"
NEVER = f"Content-Length: {MANY}"
LONG = f"X-Long: {'a' * MOST_BYTES}"
MANY_HEADERS = [f"X-{number}: a" for number in range(MOST_HEADERS)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"), max_body_bytes=10_000_000)) as service:
        yield service


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Ehr:
    return registered_ehr(tmp_path_factory.mktemp("ehr"))


@pytest.fixture(scope="module")
def production(ehr: Ehr) -> Iterator[Running]:
    with running(settings_in(ehr.folder, **ehr.production)) as service:
        yield service


REFUSED = {
    "another host": (head("POST", SELECT, JSON, NEVER, host="evil.example"), 400, "CDS-222"),
    "no JSON": (head("POST", SELECT, "Content-Type: text/plain", NEVER), 415, "CDS-212"),
    "compressed": (head("POST", SELECT, JSON, "Content-Encoding: gzip", NEVER), 415, "CDS-211"),
    "too large": (head("POST", SELECT, JSON, "Content-Length: 10000001"), 413, "CDS-204"),
    "no such service": (head("POST", "/cds-services/elsewhere", JSON, NEVER), 404, "CDS-220"),
    "another method": (head("PUT", SELECT, JSON, NEVER), 405, "CDS-221"),
    "too long": (head("POST", SELECT, JSON, LONG, NEVER), 431, "CDS-226"),
    "too many": (head("POST", SELECT, JSON, *MANY_HEADERS, NEVER), 431, "CDS-226"),
    "two ends": (head("POST", SELECT, JSON, "Transfer-Encoding: chunked", NEVER), 400, "CDS-226"),
    "slash at the end": (head("POST", f"{SELECT}/", JSON, NEVER), 404, "CDS-220"),
    "slash at the end of discovery": (head("GET", "/cds-services/"), 404, "CDS-220"),
    "written with escapes": (head("POST", "/cds-services/ketamine%2Dorder-select", JSON, NEVER), 404, "CDS-220"),
    "two slashes": (head("POST", "//cds-services/ketamine-order-select", JSON, NEVER), 404, "CDS-220"),
    "dots": (head("POST", "/knowledge/../cds-services/ketamine-order-select", JSON, NEVER), 404, "CDS-220"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_headers_rule_out_is_refused_although_no_byte_of_the_body_came(service: Running, name: str) -> None:
    sent, status, code = REFUSED[name]

    answer = exchange(service, sent)

    assert (status, code) == (answer.status, code_of(answer))
    assert "application/fhir+json" == answer.headers["content-type"]
    assert 2 > answer.seconds


def test_a_call_without_a_token_is_refused_before_anything_of_it_is_looked_at(production: Running) -> None:
    for sent in (head("POST", SELECT, JSON, NEVER), head("POST", SELECT, "Content-Type: text/plain", NEVER)):
        answer = exchange(production, sent)

        assert (401, b"") == (answer.status, answer.body)
        assert 2 > answer.seconds


def test_a_token_alone_does_not_make_the_service_read_what_is_too_large(production: Running, ehr: Ehr) -> None:
    token = f"Authorization: Bearer {ehr.token(SELECT)}"

    answer = exchange(production, head("POST", SELECT, JSON, token, "Content-Length: 10000001"))

    assert (413, "CDS-204") == (answer.status, code_of(answer))


@pytest.mark.parametrize(("length", "status"), [(9_000, 401), (MOST_BYTES, 431)])
def test_an_authorization_that_is_too_long_is_not_taken_apart(production: Running, length: int, status: int) -> None:
    answer = exchange(production, head("GET", "/cds-services", f"Authorization: Bearer {'a' * length}"))

    assert status == answer.status


def test_an_authorization_of_megabytes_costs_nothing(production: Running) -> None:
    """Taking eight megabytes apart would cost seconds: the server ends the connection before it has read them."""
    began = time.monotonic()
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        exchange(production, head("GET", "/cds-services", f"Authorization: Bearer {'a' * 8_000_000}"))

    assert 2 > time.monotonic() - began
