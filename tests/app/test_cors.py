"""Which web pages may call: those of the listed origins, and no other; without a list none."""

from collections.abc import Iterator

import httpx
import pytest

from tests.app.codes import code_of
from tests.hooks.bodies import body, request
from tests.running import Running, running, settings_in
from tests.trust.tokens import Ehr, registered_ehr

ORIGIN, OTHER = "https://app.example", "https://evil.example"
SELECT = "/cds-services/ketamine-order-select"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Ehr:
    return registered_ehr(tmp_path_factory.mktemp("ehr"))


@pytest.fixture(scope="module")
def service(ehr: Ehr) -> Iterator[Running]:
    settings = settings_in(ehr.folder, **ehr.production, cors_origins=(ORIGIN,), failed_tokens_per_minute=3)
    with running(settings) as service:
        yield service


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("closed"))) as service:
        yield service


def _allowed(response: httpx.Response) -> str | None:
    allowed: str | None = response.headers.get("access-control-allow-origin")
    return allowed


@pytest.mark.parametrize("path", ["/cds-services", SELECT, f"{SELECT}/feedback"])
def test_a_preflight_of_a_listed_origin_is_answered_without_a_token(service: Running, path: str) -> None:
    """A browser never sends a token with it."""
    answer = service.client.options(path, headers={"Origin": ORIGIN, **ASKS})

    assert (200, ORIGIN) == (answer.status_code, _allowed(answer))
    assert {"GET", "POST", "OPTIONS"} == set(answer.headers["access-control-allow-methods"].split(", "))
    assert {"authorization", "content-type"} <= set(answer.headers["access-control-allow-headers"].lower().split(", "))
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "asked"),
    [
        (OTHER, ASKS),
        (f"{ORIGIN}.evil.example", ASKS),
        (f"{ORIGIN}:8443", ASKS),
        ("http://app.example", ASKS),
        ("HTTPS://APP.EXAMPLE", ASKS),
        ("null", ASKS),
        (ORIGIN, ASKS | {"Access-Control-Request-Method": "DELETE"}),
        (ORIGIN, ASKS | {"Access-Control-Request-Headers": "x-anything"}),
    ],
)
def test_any_other_preflight_is_refused(service: Running, origin: str, asked: dict[str, str]) -> None:
    answer = service.client.options(SELECT, headers={"Origin": origin, **asked})

    assert 400 == answer.status_code
    assert origin == ORIGIN or _allowed(answer) is None


def test_answers_and_refusals_alike_can_be_read_by_a_listed_origin(service: Running, ehr: Ehr) -> None:
    """Else a page could not tell its user what is wrong."""
    page = {"Origin": ORIGIN}
    answers = {
        200: service.post(body(request()), **page, **ehr.headers(SELECT)),
        412: service.post(body(request() | {"prefetch": {}}), **page, **ehr.headers(SELECT)),
        415: service.post(b"", **{**page, **ehr.headers(SELECT), "content-type": "text/plain"}),
        404: service.client.get("/elsewhere", headers=page | ehr.headers("/elsewhere")),
        400: service.client.get("/cds-services", headers=page | {"Host": "evil.example"}),
        401: service.client.get("/cds-services", headers=page),
    }
    for _ in range(2):
        service.client.get("/cds-services")
    answers[429] = service.client.get("/cds-services", headers=page | ehr.headers())

    assert list(answers) == [each.status_code for each in answers.values()]
    assert {ORIGIN} == {_allowed(each) for each in answers.values()}
    assert "retry-after" in answers[429].headers["access-control-expose-headers"].lower()
    assert all("origin" in each.headers["vary"].lower() for each in answers.values())


def test_an_answer_to_another_origin_cannot_be_read_by_it(service: Running) -> None:
    answer = service.client.get("/healthz", headers={"Origin": OTHER})

    assert (200, None) == (answer.status_code, _allowed(answer))


@pytest.mark.parametrize("headers", [{}, {"content-type": ""}, {"content-type": "text/plain"}])
def test_a_page_cannot_send_a_call_without_its_browser_asking_first(closed: Running, headers: dict[str, str]) -> None:
    """Else any page could make a service on this machine read FHIR servers on this machine."""
    answer = closed.client.post(SELECT, content=body(request()), headers={"Origin": OTHER, **headers})

    assert (415, "CDS-212") == (answer.status_code, code_of(answer))


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:3000", "null"])
def test_without_a_list_no_origin_is_allowed(closed: Running, origin: str) -> None:
    asked = closed.client.options(SELECT, headers={"Origin": origin, **ASKS})
    called = closed.client.get("/cds-services", headers={"Origin": origin})

    assert (405, "CDS-221", None) == (asked.status_code, code_of(asked), _allowed(asked))
    assert (200, None) == (called.status_code, _allowed(called))
