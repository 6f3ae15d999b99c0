"""What each address answers, whatever is asked of it, and what browsers and caches are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import orjson
import pytest

from cds.app.gates import TokenGate
from cds.app.limits import Limits
from cds.errors import TrustUnavailableError
from cds.hooks.services import SERVICES
from cds.trust.client import Caller
from tests.app.codes import code_of
from tests.app.sockets import exchange, head
from tests.hooks.bodies import body, request
from tests.response_checker import outcome_violations, response_violations
from tests.running import Running, running, settings_in

CANARY = "canary7"
SELECT = "/cds-services/ketamine-order-select"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        yield service


@pytest.mark.parametrize(
    ("path", "status"), [("/cds-services", 200), ("/healthz", 200), ("/nowhere", 404), (SELECT, 405)]
)
def test_head_is_get_without_the_body(service: Running, path: str, status: int) -> None:
    got, headed = exchange(service, head("GET", path)), exchange(service, head("HEAD", path, "Connection: close"))

    assert (status, status) == (got.status, headed.status)
    assert got.headers["content-length"] == headed.headers["content-length"]
    assert got.headers["content-type"] == headed.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/cds-services", {"GET", "HEAD"}),
        ("OPTIONS", "/cds-services", {"GET", "HEAD"}),
        ("DELETE", SELECT, {"POST"}),
        ("OPTIONS", SELECT, {"POST"}),
        ("TRACE", "/healthz", {"GET", "HEAD"}),
    ],
)
def test_a_method_that_is_not_offered_is_405_and_names_those_that_are(
    service: Running, method: str, path: str, allowed: set[str]
) -> None:
    answer = service.client.request(method, path)

    assert (405, "CDS-221") == (answer.status_code, code_of(answer))
    assert allowed == set(answer.headers["allow"].split(", "))
    assert [] == outcome_violations(answer.json())


def test_no_answer_about_a_patient_is_kept_by_a_cache_or_taken_for_another_kind(service: Running) -> None:
    answers = [
        service.client.get("/cds-services"),
        service.post(body(request())),
        service.post(b"{"),
        service.post(b"", content_type="text/plain"),
        service.client.get("/nowhere"),
        service.client.get("/cds-services", headers={"host": "evil.example"}),
    ]

    assert [200, 200, 400, 415, 404, 400] == [each.status_code for each in answers]
    assert {"no-store"} == {each.headers["cache-control"] for each in answers}
    assert {"nosniff"} == {each.headers["x-content-type-options"] for each in answers}
    assert not [each for each in answers if "server" in each.headers]


@contextmanager
def _state(service: Running, **changed: object) -> Iterator[None]:
    """Put something else into the application until the block ends."""
    before = {name: getattr(service.app.state, name) for name in changed}
    for name, value in changed.items():
        setattr(service.app.state, name, value)
    yield
    for name, value in before.items():
        setattr(service.app.state, name, value)


@dataclass
class _Failing:
    """Stands where clients are known, and fails."""

    error: Exception

    async def identify(self, authorization: str, path: str, now: datetime) -> Caller:  # noqa: ARG002 - as it is asked
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError(CANARY), 500, "CDS-500"),
        (TrustUnavailableError("CDS-621", "jti", CANARY), 503, "CDS-229"),
    ],
)
def test_a_fault_while_the_caller_is_looked_at_lets_nobody_in_and_tells_nothing(
    service: Running, error: Exception, status: int, code: str
) -> None:
    gate = TokenGate(_Failing(error), Limits(10, 10), service.app.state.ports.clock)
    with _state(service, gate=gate):
        answer = service.post(body(request()))

    assert (status, code) == (answer.status_code, code_of(answer))
    assert CANARY not in answer.text
    assert (status == 503) == ("retry-after" in answer.headers)


def test_a_fault_of_a_route_is_an_outcome_that_tells_nothing(service: Running) -> None:
    with _state(service, ports=None):
        answer = service.client.get("/healthz")

    assert (500, "CDS-500") == (answer.status_code, code_of(answer))


def test_every_service_answers_the_example_of_the_openapi_document_as_it_says(service: Running) -> None:
    document = service.client.get("/openapi.json").json()
    for name in SERVICES:
        operation = document["paths"][f"/cds-services/{name}"]["post"]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        answer = service.post(orjson.dumps(example), name)

        assert 200 == answer.status_code, answer.text
        assert [] == response_violations(answer.json())
        statuses = {"200", "400", "401", "405", "408", "412", "413", "415", "429", "431", "500", "503"}
        assert statuses == set(operation["responses"])


def test_the_openapi_document_refers_to_nothing_that_it_does_not_have(service: Running) -> None:
    text = service.client.get("/openapi.json").text
    document = orjson.loads(text)
    used = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}

    assert used <= set(document["components"]["schemas"])
    assert {"/cds-services", "/healthz"} <= set(document["paths"])


def test_there_is_no_page_that_loads_scripts_from_elsewhere(service: Running) -> None:
    assert [404, 404] == [service.client.get(path).status_code for path in ("/docs", "/redoc")]
