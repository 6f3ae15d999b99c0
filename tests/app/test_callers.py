"""In production every call has a token of a registered client, and whoever has none learns nothing."""

from collections.abc import Iterator

import pytest

from tests.app.codes import code_of
from tests.app.sockets import Raw, exchange, head
from tests.hooks.bodies import body, request
from tests.response_checker import discovery_violations, response_violations
from tests.running import Running, running, settings_in
from tests.trust.tokens import BASE, Ehr, registered_ehr

SELECT = "/cds-services/ketamine-order-select"


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Ehr:
    return registered_ehr(tmp_path_factory.mktemp("ehr"))


@pytest.fixture(scope="module")
def service(ehr: Ehr) -> Iterator[Running]:
    with running(settings_in(ehr.folder, **ehr.production, failed_tokens_per_minute=1000)) as service:
        yield service


def _said(answer: Raw) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return all that a caller can see of an answer but its date."""
    headers = sorted((name.lower(), value) for name, value in answer.headers.items() if name.lower() != "date")
    return answer.status, tuple(headers), answer.body


STRANGERS = (
    ("GET", "/cds-services"),
    ("HEAD", "/cds-services"),
    ("OPTIONS", "/cds-services"),
    ("PUT", "/cds-services"),
    ("POST", SELECT),
    ("POST", f"{SELECT}/"),
    ("POST", f"{SELECT}/feedback"),
    ("POST", "/cds-services/ketamine%2Dorder-select"),
    ("POST", "/cds-services/there-is-no-such-service"),
    ("GET", "/cds-services/there-is-no-such-service"),
    ("GET", "/"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/KNOWLEDGE/x"),
    ("GET", "/healthz/"),
)


def test_whoever_has_no_token_cannot_even_tell_which_services_exist(service: Running) -> None:
    seen = {_said(exchange(service, head(method, path))) for method, path in STRANGERS if method != "HEAD"}
    ((status, headers, content),) = seen

    assert (401, b"") == (status, content)
    assert ("www-authenticate", "Bearer") in headers


def test_every_token_that_is_not_accepted_gets_the_same_answer(service: Running, ehr: Ehr) -> None:
    good, used = ehr.token(SELECT), ehr.token(SELECT)
    bearers = {
        "none": (),
        "no token": ("Authorization: Bearer",),
        "another scheme": ("Authorization: Basic YTpi",),
        "no JWT": ("Authorization: Bearer abc",),
        "too long": (f"Authorization: Bearer {'a' * 9000}",),
        "for another service": (f"Authorization: Bearer {ehr.token('/cds-services')}",),
        "for another host": (f"Authorization: Bearer {ehr.token(SELECT, aud='http://localhost' + SELECT)}",),
        "expired": (f"Authorization: Bearer {ehr.token(SELECT, iat=1, exp=2)}",),
        "two": (f"Authorization: Bearer {good}", f"Authorization: Bearer {good}"),
        "used before": (f"Authorization: Bearer {used}",),
    }
    assert 200 == service.post(body(request()), authorization=f"Bearer {used}").status_code

    answers = {name: _said(exchange(service, head("POST", SELECT, *sent))) for name, sent in bearers.items()}

    assert dict.fromkeys(bearers, answers["none"]) == answers
    assert (401, b"") == (answers["none"][0], answers["none"][2])


def test_a_registered_client_gets_discovery_and_cards_whose_links_begin_with_the_public_address(
    service: Running, ehr: Ehr
) -> None:
    offered = service.client.get("/cds-services", headers=ehr.headers("/cds-services"))
    answer = service.post(body(request()), **ehr.headers(SELECT))

    assert (200, 200) == (offered.status_code, answer.status_code)
    assert [] == discovery_violations(offered.json()) + response_violations(answer.json())
    assert answer.json()["cards"][0]["links"][0]["url"].startswith(f"{BASE}/knowledge/")


def test_the_record_says_which_client_called(service: Running, ehr: Ehr) -> None:
    service.post(body(request()), **ehr.headers(SELECT))

    assert "test-ehr" in str(service.records()[0].envelope["client"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/cds-services/there-is-no-such-service", 404, "CDS-220"),
        ("GET", SELECT, 405, "CDS-221"),
        ("POST", f"{SELECT}/", 404, "CDS-220"),
        ("POST", "/cds-services/ketamine%2Dorder-select", 404, "CDS-220"),
    ],
)
def test_a_registered_client_is_told_what_is_not_offered(
    service: Running, ehr: Ehr, method: str, path: str, status: int, code: str
) -> None:
    answer = exchange(service, head(method, path, f"Authorization: Bearer {ehr.token(path)}"))

    assert (status, code) == (answer.status, code_of(answer))


def test_a_path_written_in_another_way_needs_a_token_for_that_way(service: Running, ehr: Ehr) -> None:
    """Else a token for one address could be used at another that only looks different."""
    token = f"Authorization: Bearer {ehr.token(SELECT)}"

    assert 401 == exchange(service, head("POST", "/cds-services/ketamine%2Dorder-select", token)).status


def test_pages_about_the_knowledge_and_the_state_of_the_service_need_no_token(service: Running) -> None:
    """A clinician opens them from a card in a browser; they hold nothing about patients."""
    rule = service.app.state.ports.knowledge.rules[0].id
    page = service.client.get(f"/knowledge/{rule}/source-attributes", headers={"accept": "text/html"})

    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
    assert 200 == service.client.get("/healthz").status_code
    assert 404 == service.client.get("/knowledge/no_such_rule/source-attributes").status_code


@pytest.mark.parametrize("host", ["cds.example", "cds.example:443", "CDS.example", "127.0.0.1:1"])
def test_the_public_name_and_the_allowed_names_are_served(service: Running, ehr: Ehr, host: str) -> None:
    token = f"Authorization: Bearer {ehr.token('/cds-services')}"

    assert 200 == exchange(service, head("GET", "/cds-services", token, host=host)).status


@pytest.mark.parametrize("host", ["evil.example", "cds.example.evil.example", "", "cds.example@evil.example"])
def test_another_name_is_refused_even_with_a_good_token(service: Running, ehr: Ehr, host: str) -> None:
    token = f"Authorization: Bearer {ehr.token('/cds-services')}"

    answer = exchange(service, head("GET", "/cds-services", token, host=host))

    assert (400, "CDS-222") == (answer.status, code_of(answer))
