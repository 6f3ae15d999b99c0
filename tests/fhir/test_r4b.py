"""The strict checks: what we vouch for is valid, and a developer is told what in a request is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from cds.fhir.r4b import Problem, lint_request, validate_resource
from tests.fhir.records import Json, condition, observation, request, searchset

UUID = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
SELECTIONS = "$.context.selections"
DRAFT = request("draft-1", status="draft")


def call(**changes: object) -> Json:
    """A request to which nothing is to be said."""
    context = {
        "userId": "Practitioner/p1",
        "patientId": "amara",
        "selections": ["MedicationRequest/draft-1"],
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": DRAFT}]},
    }
    given = {"hook": "order-select", "hookInstance": UUID, "context": context, "prefetch": {"conditions": searchset()}}
    return {**given, **changes}


def in_context(**changes: object) -> Json:
    context = {**call()["context"], **changes}
    return call(context={name: value for name, value in context.items() if value is not None})


def found(request_body: object) -> list[str]:
    return [str(problem) for problem in lint_request(request_body)]


@pytest.mark.parametrize("resource", [condition(), observation(), request(), searchset(condition(), observation())])
def test_what_is_valid_has_no_problems(resource: Json) -> None:
    assert () == validate_resource(resource)


def test_every_problem_says_where_it_is() -> None:
    dosage = [{"timing": {"repeat": {"period": "often"}}}]

    problems = validate_resource(request(category={}, nickname=1, dosageInstruction=dosage))

    assert ["category", "dosageInstruction[0].timing.repeat.period", "nickname"] == sorted(
        problem.path for problem in problems
    )


@pytest.mark.parametrize("name", ["MedicationOrder", "Quantity", "Resource", "", "patient", 7])
def test_an_unknown_resource_type_is_a_problem_not_a_crash(name: object) -> None:
    (problem,) = validate_resource({"resourceType": name})

    assert Problem("resourceType", "not a resource type of FHIR R4B") == problem


@pytest.mark.parametrize("resource", [None, 5, [], "Patient/1"])
def test_what_is_no_resource_is_said_to_be_none(resource: object) -> None:
    assert (Problem("$", "a FHIR resource is expected"),) == validate_resource(resource)


def test_one_unknown_type_does_not_hide_the_problems_beside_it() -> None:
    bundle = searchset({"resourceType": "MedicationOrder"}, condition(subject=None), 5)

    assert [
        "entry[0].resource.resourceType",
        "entry[1].resource.subject",
        "entry[2].resource",
    ] == [problem.path for problem in validate_resource(bundle)]


def test_contained_resources_are_checked_too() -> None:
    contained = [{"resourceType": "Medication", "id": "m", "code": "ketamine"}]

    assert ["contained[0].code"] == [problem.path for problem in validate_resource(request(contained=contained))]


def test_a_request_as_specified_has_no_problems() -> None:
    assert [] == found(call())


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (call(hookInstance="demo"), "$.hookInstance: required: a UUID"),
        (call(hook=None), "$.hook: required: the name of the hook"),
        (call(fhirAuthorization={}), "$.fhirServer: required where fhirAuthorization is given"),
        (call(fhirServer="ehr"), "$.fhirServer: the base URL of a FHIR server is expected"),
        (call(extension=[]), "$.extension: a JSON object is expected (CDS Hooks extensions are no FHIR extensions)"),
        (call(context=None), "$.context: required: a JSON object"),
        (call(prefetch=[]), "$.prefetch: a JSON object is expected"),
        (in_context(patientId="Patient/amara"), "$.context.patientId: the bare id is expected, without 'Patient/'"),
        (in_context(patientId=None), "$.context.patientId: required: the id of the patient"),
        (in_context(userId=None), "$.context.userId: required: a reference such as Practitioner/123"),
        (in_context(draftOrders=None), "$.context.draftOrders: required: a FHIR Bundle of the unsigned orders"),
        (in_context(selections=[]), f"{SELECTIONS}: required by order-select: a list of references into draftOrders"),
        (in_context(selections=["MedicationRequest/x"]), f"{SELECTIONS}[0]: names no entry of draftOrders"),
        (in_context(selections=["x"]), f"{SELECTIONS}[0]: a reference such as MedicationRequest/123 is expected"),
        (
            call(prefetch={"conditions": searchset(link=[{"relation": "next", "url": "y"}])}),
            "$.prefetch.conditions.link[0]: a next page was not sent: rules that need all of it answer unknown",
        ),
        (
            call(prefetch={"conditions": {"resourceType": "Bundle", "type": "transaction"}}),
            "$.prefetch.conditions.type: the answer to a search is a Bundle of type searchset",
        ),
        (
            call(prefetch={"conditions": searchset({"resourceType": "Nope"})}),
            "$.prefetch.conditions.entry[0].resource.resourceType: not a resource type of FHIR R4B",
        ),
        (
            in_context(draftOrders={"resourceType": "Bundle", "entry": [{"resource": DRAFT}]}),
            "$.context.draftOrders.type: Value for the field 'type' is required.",
        ),
        (
            in_context(draftOrders=searchset(request("draft-1"))),
            "$.context.draftOrders.entry[0].resource.status: an unsigned order has the status draft",
        ),
    ],
    ids=lambda value: value.partition(": ")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_each_deviation_is_named(body: Json, problem: str) -> None:
    assert problem in found(body)


def test_null_prefetch_is_no_deviation() -> None:
    assert [] == found(call(prefetch={"conditions": None}))


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 200_000])
def test_a_body_that_is_not_json_is_one_problem(body: bytes) -> None:
    (problem,) = lint_request(body)

    assert "$" == problem.path
    assert problem.message.startswith("not JSON")


def test_the_live_requests_of_the_sandbox_are_told_what_is_not_valid(shared_folder: Path) -> None:
    body = (shared_folder / "protocol/requests/sandbox-live-order-select-ketamine-with-reason.json").read_bytes()

    assert [
        "$.context.draftOrders.type",
        "$.context.draftOrders.entry[0].resource.category",
        "$.context.draftOrders.entry[0].resource.reasonCode",
    ] == [problem.path for problem in lint_request(body)]


def test_answering_a_hook_never_loads_the_strict_validator() -> None:
    """It would add 35 MB and a third of a second to every start."""
    program = "import sys, cds.fhir.read, cds.fhir.drafts, cds.fhir.r4b; sys.exit('fhir.resources' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
