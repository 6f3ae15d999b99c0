"""The checker finds what is wrong with discovery, with errors, and around the body of an answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.response_checker import (
    Answered,
    answer_violations,
    discovery_violations,
    outcome_violations,
)

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Condition?patient={{context.patientId}}&date=ge2020&date=le2021", "stands twice"),
        ("Condition?patient={{context.patientId}}&_include=Condition:encounter", "recommended subset"),
        ("Condition?patient={{context.draftOrders}}", "unknown token"),
        ("Observation?code=" + "x" * 2000, "too long"),
        ("/Patient/{{context.patientId}}", "neither a read nor a search"),
    ],
)
def test_a_prefetch_template_that_some_client_cannot_fill_is_named(template: str, expected: str) -> None:
    service = {"hook": "order-select", "id": "a", "title": "A", "description": "A", "prefetch": {"key": template}}

    violations = discovery_violations({"services": [service]})

    assert any(expected in violation for violation in violations), violations


GOOD_SERVICE: Json = {
    "hook": "order-select",
    "id": "ketamine-order-select",
    "title": "A",
    "description": "A",
    "usageRequirements": "A",
    "prefetch": {"patient": "Patient/{{context.patientId}}"},
}


def test_a_good_discovery_has_no_violation() -> None:
    assert [] == discovery_violations({"services": [GOOD_SERVICE]})
    assert [] == discovery_violations({"services": []})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hook": None}, "'hook' is missing"),
        ({"id": None}, "'id' is missing"),
        ({"id": "a/b"}, "no part of an address"),
        ({"title": None}, "'title' is missing"),
        ({"description": None}, "'description' is missing"),
        ({"version": "3.0.0"}, "unknown member"),
        ({"prefetch": []}, "is empty"),
        ({"prefetch": ["Patient/1"]}, "prefetch is no object"),
        ({"prefetch": {"patient": {"query": "Patient/1"}}}, "is no text"),
    ],
)
def test_a_service_that_is_not_as_discovery_lists_it_is_named(change: Json, expected: str) -> None:
    service = {name: value for name, value in (GOOD_SERVICE | change).items() if value is not None}

    violations = discovery_violations({"services": [service]})

    assert any(expected in violation for violation in violations), violations


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, "no array"),
        ({"services": [GOOD_SERVICE, GOOD_SERVICE]}, "used twice"),
        ({"services": ["a"]}, "no object"),
        ({"services": [GOOD_SERVICE], "cards": []}, "unknown member"),
    ],
)
def test_a_list_of_services_that_is_none_is_named(answer: Json, expected: str) -> None:
    violations = discovery_violations(answer)

    assert any(expected in violation for violation in violations), violations


FHIR_JSON = {"content-type": "application/fhir+json"}
OUTCOME = json.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "invalid", "details": {"text": "x"}, "diagnostics": "x"}],
    }
).encode()
PATH = "/cds-services/ketamine-order-select"
BARE_401 = Answered("POST", PATH, 401, {"www-authenticate": "Bearer"})
CARDS = Answered("POST", PATH, 200, {"content-type": "application/json"}, b'{"cards":[]}')
REFUSED = Answered("POST", PATH, 412, FHIR_JSON, OUTCOME)


def test_good_answers_have_no_violation() -> None:
    assert [[], [], []] == [answer_violations(answered) for answered in (CARDS, REFUSED, BARE_401)]


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (replace(CARDS, status=201), "neither 200 nor an error"),
        (replace(CARDS, status=302), "neither 200 nor an error"),
        (replace(CARDS, headers={"content-type": "text/plain"}), "media type"),
        (replace(CARDS, headers=FHIR_JSON), "media type"),
        (replace(CARDS, content=b""), "no JSON"),
        (replace(CARDS, content=b'{"cards": [],}'), "no JSON"),
        (replace(CARDS, content=b'/* none */ {"cards": []}'), "no JSON"),
        (replace(CARDS, content=b'{"cards": [], "cards": []}'), "stands twice"),
        (replace(CARDS, content=b'{"cards": [NaN]}'), "NaN"),
        (replace(CARDS, content='{"cards": [], "é": 1}'.encode("latin-1")), "no JSON"),
        (replace(CARDS, method="GET", path="/cds-services"), "'services' is no array"),
        (replace(REFUSED, content=b'{"detail": "Not Found"}'), "no OperationOutcome"),
        (replace(REFUSED, content=b'{"cards": []}'), "no OperationOutcome"),
        (replace(REFUSED, headers={"content-type": "application/json"}), "media type"),
        (replace(BARE_401, content=OUTCOME), "says something"),
        (replace(BARE_401, headers={}), "WWW-Authenticate"),
        (replace(BARE_401, headers={"www-authenticate": 'Bearer error="expired"'}), "WWW-Authenticate"),
    ],
)
def test_an_answer_that_is_wrong_around_its_body_is_named(answered: Answered, expected: str) -> None:
    violations = answer_violations(answered)

    assert any(expected in violation for violation in violations), violations


@pytest.mark.parametrize(
    ("method", "path", "is_judged"),
    [
        ("GET", "/cds-services", True),
        ("POST", "/hooks/cds-services/a?x=1", True),
        ("OPTIONS", "/cds-services", False),
        ("GET", "/knowledge/a/source-attributes", False),
        ("GET", "/fhir/Patient/cds-services-patient", False),
    ],
)
def test_only_what_is_of_cds_hooks_is_judged(method: str, path: str, is_judged: bool) -> None:
    assert is_judged == Answered(method, path, 200).is_of_cds_hooks


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"cards": []}, "no OperationOutcome"),
        ({"resourceType": "OperationOutcome", "issue": []}, "no issue"),
        ({"resourceType": "OperationOutcome", "issue": ["x"]}, "no object"),
        ({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "oops"}]}, "no issue type"),
        (
            {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]},
            "'text' is missing",
        ),
    ],
)
def test_an_error_that_says_nothing_is_named(answer: Json, expected: str) -> None:
    violations = outcome_violations(answer)

    assert any(expected in violation for violation in violations), violations
