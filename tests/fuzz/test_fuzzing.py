"""Requests as broken, old and hostile EHRs send them: each gets an orderly answer in time, and none turns into silence.

2,000 changed requests and as many as a tenth of that from the OpenAPI document, the same in every run; ``make fuzz``
sends 10,000 others each time. What came of all of them is printed and asserted: a fuzzer whose requests are all refused
at the door would prove nothing.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cds.app import create_app
from cds.settings import Settings
from tests.fuzz.losses import with_lost_data
from tests.fuzz.mutations import Mutant, mutants
from tests.fuzz.odd_values import MEMBERS, as_json
from tests.fuzz.seeds import seeds, written
from tests.fuzz.served import Served, served
from tests.fuzz.tally import Answer, Tally, violations_of
from tests.hooks.test_body import BAD_BODIES
from tests.running import Json

CASES = int(os.environ.get("CDS_FUZZ_CASES", "2000"))
RANDOM = os.environ.get("CDS_FUZZ_RANDOM") == "1"
DEADLINE_SECONDS = 2.5
MARGIN_SECONDS = 1.0  # for the network, and for a machine that runs other tests at the same time
MOST_GROWTH_BYTES = 100_000_000
GAPS = "KETGAP0"
GUARDED = {"conditions", "allergies", "medications", "blood_pressure"}
"""Parts of a record on which a warning rests for every order of the fixtures."""
AS_DOCUMENTED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@dataclass
class Run:
    """A service that is fuzzed.

    Attributes:
        service: runs in a process of its own.
        templates: the prefetch templates that it offers, by hook.
        tally: what came of all cases.
        memory_bytes: what the service held when it was warm.
    """

    service: Served
    templates: Mapping[str, Mapping[str, str]]
    tally: Tally
    memory_bytes: int = 0

    def call(self, body: bytes, hook: str) -> httpx.Response:
        """Send a body to the service of a hook, judge the answer and count it."""
        return self.tally.send(lambda: self.service.post(body, f"ketamine-{hook}"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Every valid request is sent twice before anything is counted or measured."""
    with served(tmp_path_factory.mktemp("fuzz")) as service:
        answer = service.client.get("/cds-services", headers=service.ehr.headers("/cds-services")).json()
        templates = {one["hook"]: one["prefetch"] for one in answer["services"]}
        warm = Run(service, templates, Tally())
        for request in 2 * list(seeds(templates, today()).values()):
            warm.call(as_json(unseen(request)), request["hook"])
        yield Run(service, templates, Tally(), service.memory_bytes())


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def today() -> date:
    return datetime.now(UTC).date()


def explore(cases: int) -> settings:
    """Return how hypothesis runs: the same cases in every run, or others each time."""
    return settings(
        max_examples=cases,
        derandomize=not RANDOM,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=True,
    )


def unseen(request: Json) -> Json:
    """Return the request by a user who was shown nothing yet: else cards of other cases would silence its own."""
    context = request.get("context")
    if isinstance(context, dict):
        request = request | {"context": context | {"userId": f"Practitioner/{uuid4()}"}}
    return request


def test_no_changed_request_breaks_the_service_and_none_about_an_order_becomes_silence(run: Run) -> None:
    """What a request says of the order still counts where its record is damaged."""
    valid = seeds(run.templates, today())
    speaking = _orders_with_cards(run.service, valid)

    @explore(CASES)
    @given(st.data(), st.sampled_from(sorted(valid)))
    def send(data: st.DataObject, name: str) -> None:
        mutant = data.draw(mutants(unseen(valid[name])), label="mutant")
        response = run.call(mutant.body, valid[name]["hook"])
        if response.status_code == httpx.codes.OK and name in speaking and _only_in_prefetch(mutant):
            assert response.json()["cards"], mutant.changes

    send()


def test_data_that_did_not_come_are_unknown_on_a_card(run: Run) -> None:
    """A search that failed must not look like a patient who has nothing."""
    valid = {name: one for name, one in written(run.templates, today()).items() if one["hook"] != "patient-view"}
    whole = {name: _rules(run.call(as_json(unseen(request)), request["hook"])) for name, request in valid.items()}

    @explore(CASES // 8)
    @given(st.data(), st.sampled_from(sorted(valid)))
    def send(data: st.DataObject, name: str) -> None:
        mutant = data.draw(with_lost_data(unseen(valid[name])), label="mutant")
        response = run.call(mutant.body, valid[name]["hook"])
        assert response.status_code == httpx.codes.OK, response.text
        shown, lost = _rules(response), {key for _, key in mutant.changed}
        assert GAPS in shown or not (lost & GUARDED or whole[name] - shown), (mutant.changes, whole[name] - shown)

    send()


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_what_follows_the_openapi_document_and_what_does_not_is_answered_as_documented(
    run: Run, mode: GenerationMode, session: requests.Session
) -> None:
    document = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
    operations = [found.ok() for found in document.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > len(run.templates), "discovery, and one service for each hook"
    if mode is GenerationMode.NEGATIVE:  # what takes nothing cannot be called wrongly
        operations = [one for one in operations if one.body or one.path_parameters]

    for operation in operations:
        _send_cases_of(operation.as_strategy(generation_mode=mode), CASES // 20 // len(operations), run, session)


def _send_cases_of(strategy: st.SearchStrategy[Case[Any]], cases: int, run: Run, session: requests.Session) -> None:
    address = str(run.service.client.base_url)

    @explore(cases)
    @given(strategy)
    def send(case: Case[Any]) -> None:
        judge = violations_of if _answers_with_cards(case.operation.path) else _only_as_documented
        token = run.service.ehr.headers(case.formatted_path)
        response = run.tally.send(lambda: case.call(address, session, token), judge)
        case.validate_response(response, checks=AS_DOCUMENTED)

    send()


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_no_parser_should_take_is_refused_by_the_running_service(run: Run, name: str) -> None:
    body, code, *_ = BAD_BODIES[name]

    response = run.call(body, "order-select")

    assert (400, code) == (response.status_code, response.json()["issue"][0]["details"]["coding"][0]["code"])


@pytest.mark.parametrize("member", MEMBERS)
def test_odd_json_inside_of_a_request_is_refused_in_order(run: Run, member: str) -> None:
    """NaN, numbers out of range, half of a surrogate pair, NUL, a byte order mark, a name that stands twice, depth."""
    order = b'{"resourceType": "MedicationRequest", "id": "d", "medicationCodeableConcept": {"text": "ketamine"}}'
    context = b'"context": {"patientId": "amara", "draftOrders": {"entry": [{"resource": ' + order + b"}]}}"

    response = run.call(b'{"hook": "order-select", ' + context + b", " + MEMBERS[member] + b"}", "order-select")

    assert response.status_code in {400, 412}


def test_enough_cases_reached_a_decision_all_in_time_and_memory_did_not_grow(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last test of this module: it looks at what came of all cases of the others."""
    growth = run.service.memory_bytes() - run.memory_bytes

    with capsys.disabled():
        print(f"\nfuzzing: {run.tally}; memory grew by {growth / 1e6:.0f} MB")
    assert run.tally.cases >= CASES
    assert run.tally.statuses[200] >= run.tally.cases / 2
    assert run.tally.with_cards >= run.tally.cases / 4
    assert max(run.tally.seconds) <= DEADLINE_SECONDS + MARGIN_SECONDS
    assert growth < MOST_GROWTH_BYTES


def _answers_with_cards(path: str) -> bool:
    """Say whether cards or discovery are answered at this address; feedback is answered by an empty object."""
    return path.startswith("/cds-services") and not path.endswith("/feedback") and "/analytics/" not in path


def _only_as_documented(_: Answer) -> list[str]:
    return []


def _rules(response: httpx.Response) -> set[str]:
    """Return the topics of all rules that stand on a card."""
    cards = response.json()["cards"]
    return {rule for card in cards for rule in card["extension"]["org.ketamine-cds"]["rules"]}


def _orders_with_cards(service: Served, valid: Mapping[str, Json]) -> set[str]:
    """Return the requests about an order that are answered with cards as they are."""
    orders = {name: request for name, request in valid.items() if request["hook"].startswith("order-")}
    answers = {
        name: service.post(as_json(unseen(request)), f"ketamine-{request['hook']}") for name, request in orders.items()
    }
    return {name for name, answer in answers.items() if answer.is_success and answer.json()["cards"]}


def _only_in_prefetch(mutant: Mutant) -> bool:
    return all(path[0] == "prefetch" and len(path) > 1 for path in mutant.changed)
