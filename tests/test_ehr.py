"""What an EHR does around the service: load patients, fill prefetch templates, call the hook."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from cds.ehr.calls import ask, ask_about, context_for, discover, read_order, request_for
from cds.ehr.memory import search
from cds.ehr.prefetch import fill_prefetch
from cds.ehr.seeding import read_bundles, resources_of, seed
from cds.ehr.wire import Json, connect, fetch
from cds.errors import FhirError, RequestError
from cds.hooks.prefetch import resolve

FHIR = "http://fhir.test/fhir"
SERVICE = "http://cds.test"
BORIS = {"resourceType": "Patient", "id": "boris"}
ORDER = {"resourceType": "MedicationRequest", "id": "order", "status": "draft"}
TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}&code=http://loinc.org|1,http://loinc.org|2&_count=50",
}
DISCOVERY = {"services": [{"id": "select", "hook": "order-select", "prefetch": TEMPLATES}]}


def condition(identifier: str, **elements: object) -> Json:
    """A condition of Boris, coded as LOINC 1 unless said otherwise."""
    coded = {"coding": [{"system": "http://loinc.org", "code": "1"}]}
    subject = {"reference": "Patient/boris"}
    return {"resourceType": "Condition", "id": identifier, "code": coded, "subject": subject} | elements


def bundle(*resources: Json, kind: str = "collection") -> Json:
    """A Bundle of resources."""
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": resource} for resource in resources]}


def ids(searchset: Json | None) -> list[str]:
    """The ids of the resources that a search found, in order."""
    assert searchset is not None
    return [entry["resource"]["id"] for entry in searchset.get("entry", [])]


def server(base: str, answer: Callable[[httpx.Request], Json | tuple[int, Json]]) -> httpx.Client:
    """A client of a server that is a function: it returns an object, or a status and an object."""

    def respond(request: httpx.Request) -> httpx.Response:
        answered = answer(request)
        status, body = answered if isinstance(answered, tuple) else (200, answered)
        return httpx.Response(status, json=body)

    return connect(base, httpx.MockTransport(respond))


def outcome(diagnostics: str) -> Json:
    """An OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": diagnostics}]}


def page(*resources: Json, following: str | None = None) -> Json:
    """One page of a search, perhaps with a next link."""
    links = [{"relation": "self", "url": FHIR}]
    if following:
        links.append({"relation": "next", "url": following})
    return bundle(*resources, kind="searchset") | {"link": links, "total": 9}


# Seeding


def test_a_patient_is_loaded_under_the_ids_of_its_bundle() -> None:
    """Loading twice changes nothing, because every entry is a PUT to its own address."""
    sent: list[Json] = []

    def accept(request: httpx.Request) -> Json:
        sent.append(json.loads(request.content))
        return {"resourceType": "Bundle"}

    with server(FHIR, accept) as fhir:
        patients = seed(fhir, [bundle(condition("c1"), BORIS)])

    assert ["boris"] == patients
    assert ["transaction"] == [transaction["type"] for transaction in sent]
    assert [
        {"method": "PUT", "url": "Patient/boris"},
        {"method": "PUT", "url": "Condition/c1"},
    ] == [entry["request"] for entry in sent[0]["entry"]]


def test_references_by_uuid_become_references_by_id() -> None:
    """Bundles refer to their own entries by urn:uuid; a FHIR server that keeps the ids needs Type/id."""
    by_uuid = condition("c1", subject={"reference": "urn:uuid:0f-1"})
    entries = [
        {"fullUrl": "urn:uuid:0f-1", "resource": {"resourceType": "Patient", "id": "boris"}},
        {"fullUrl": "urn:uuid:0f-2", "resource": by_uuid},
        {"fullUrl": "urn:uuid:0f-3", "resource": {"resourceType": "Encounter", "partOf": {"reference": "Encounter/x"}}},
    ]

    patient, illness, encounter = resources_of({"resourceType": "Bundle", "entry": entries})

    assert BORIS == patient
    assert condition("c1") == illness
    assert {"resourceType": "Encounter", "id": "0f-3", "partOf": {"reference": "Encounter/x"}} == encounter


def test_a_large_patient_is_loaded_in_parts_with_the_patient_first() -> None:
    """A part may refer to what an earlier one brought, never the other way round."""
    sent: list[list[str]] = []

    def accept(request: httpx.Request) -> Json:
        sent.append([entry["request"]["url"] for entry in json.loads(request.content)["entry"]])
        return {"resourceType": "Bundle"}

    many = [condition(f"c{number}") for number in range(1000)]
    with server(FHIR, accept) as fhir:
        seed(fhir, [bundle(*many, BORIS)])

    assert [1000, 1] == [len(part) for part in sent]
    assert "Patient/boris" == sent[0][0]


def test_a_refusal_of_the_server_is_repeated_in_the_error() -> None:
    """Who loads fixtures must learn what the server did not like."""
    refusal = (400, outcome("ids must not be numeric"))
    with server(FHIR, lambda _: refusal) as fhir, pytest.raises(FhirError) as caught:
        seed(fhir, [bundle(BORIS)])

    assert f"CDS-331 POST {FHIR}/: HTTP 400: ids must not be numeric" == str(caught.value)


def test_progress_is_told_patient_by_patient() -> None:
    """Three hundred patients take minutes."""
    told: list[tuple[str, int]] = []
    with server(FHIR, lambda _: {"resourceType": "Bundle"}) as fhir:
        seed(fhir, [bundle(BORIS, condition("c1"))], lambda patient, resources: told.append((patient, resources)))

    assert [("boris", 2)] == told


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        ({"resourceType": "Patient", "id": "boris"}, "resourceType"),
        ({"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1"}]}, "Bundle.entry[0]"),
        (bundle({"resourceType": "Patient"}), "Bundle.entry[0].resource.id"),
        (bundle(condition("c1")), "Bundle.entry"),
        (bundle(BORIS, {"resourceType": "Patient", "id": "amara"}), "Bundle.entry"),
    ],
)
def test_a_bundle_that_cannot_be_loaded_says_where(broken: Json, where: str) -> None:
    """No Bundle, no resource, no id, no patient, two patients."""
    with server(FHIR, lambda _: {"resourceType": "Bundle"}) as fhir, pytest.raises(RequestError) as caught:
        seed(fhir, [broken])

    assert ("CDS-232", where) == (caught.value.code, caught.value.where)


def test_bundles_are_read_from_files_folders_and_packed_files(tmp_path: Path) -> None:
    """Synthea patients are packed, fixtures are not."""
    (tmp_path / "b.json").write_text(json.dumps(bundle(BORIS)))
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(bundle(condition("c1"))).encode()))

    assert [bundle(condition("c1")), bundle(BORIS)] == list(read_bundles([tmp_path]))
    assert [bundle(BORIS)] == list(read_bundles([tmp_path / "b.json"]))


@pytest.mark.parametrize("content", [None, b"{", b"[]", b'{"resourceType": "Patient"}'])
def test_a_file_without_a_bundle_is_named(tmp_path: Path, content: bytes | None) -> None:
    """Absent, not JSON, no object, no Bundle."""
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RequestError, match=r"CDS-231 .*x\.json"):
        list(read_bundles([path]))


# Prefetch from a FHIR server


def test_a_search_is_followed_to_its_last_page() -> None:
    """HAPI gives 20 entries a page; the service must be sent all of them, without a next link."""
    second = f"{FHIR}?_getpages=1"

    def answer(request: httpx.Request) -> Json:
        if "_getpages" in str(request.url):
            return page(condition("c2"))
        return page(condition("c1"), following=second)

    with server(FHIR, answer) as fhir:
        filled = fill_prefetch(fhir, {"conditions": TEMPLATES["conditions"]}, {"patientId": "boris"})

    assert {"conditions": bundle(condition("c1"), condition("c2"), kind="searchset")} == filled.prefetch
    assert {} == filled.problems


def test_the_query_is_the_template_with_the_patient_in_it() -> None:
    """What reaches the server, as it is decoded there."""
    asked: list[tuple[str, dict[str, str]]] = []

    def answer(request: httpx.Request) -> Json:
        asked.append((request.url.path, dict(request.url.params)))
        return page()

    with server(FHIR, answer) as fhir:
        fill_prefetch(fhir, {"conditions": TEMPLATES["conditions"]}, {"patientId": "boris"})

    query = {"patient": "boris", "code": "http://loinc.org|1,http://loinc.org|2", "_count": "50"}
    assert [("/fhir/Condition", query)] == asked


def test_a_failing_query_costs_only_its_own_key() -> None:
    """A key whose query failed is absent: null or an error would say something else."""

    def answer(request: httpx.Request) -> Json | tuple[int, Json]:
        return BORIS if "Patient" in request.url.path else (403, outcome("no scope"))

    with server(FHIR, answer) as fhir:
        filled = fill_prefetch(fhir, TEMPLATES, {"patientId": "boris"})

    assert {"patient": BORIS} == filled.prefetch
    assert {"conditions": f"CDS-331 GET {FHIR}/Condition: HTTP 403: no scope"} == filled.problems


def test_a_later_page_that_fails_costs_the_whole_key() -> None:
    """Half a problem list would look like a whole one."""

    def answer(request: httpx.Request) -> Json | tuple[int, Json]:
        if "_getpages" in str(request.url):
            return 410, outcome("search expired")
        return page(condition("c1"), following=f"{FHIR}?_getpages=1")

    with server(FHIR, answer) as fhir:
        filled = fill_prefetch(fhir, {"conditions": TEMPLATES["conditions"]}, {"patientId": "boris"})

    assert {} == filled.prefetch
    assert {"conditions"} == filled.problems.keys()


@pytest.mark.parametrize("following", [f"{FHIR}?_getpages=1", "http://elsewhere.test/fhir?page=2"])
def test_pages_in_a_circle_or_on_another_server_are_not_followed(following: str) -> None:
    """An EHR that ran for ever, or called strangers, would be no model."""
    with server(FHIR, lambda _: page(condition("c1"), following=following)) as fhir:
        filled = fill_prefetch(fhir, {"conditions": TEMPLATES["conditions"]}, {"patientId": "boris"})

    assert {} == filled.prefetch
    assert "CDS-332" in filled.problems["conditions"]


def test_a_search_without_matches_is_sent_as_an_empty_searchset() -> None:
    """Nothing recorded is an answer; an absent key is none."""
    with server(FHIR, lambda _: page()) as fhir:
        filled = fill_prefetch(fhir, {"conditions": TEMPLATES["conditions"]}, {"patientId": "boris"})

    assert {"conditions": {"resourceType": "Bundle", "type": "searchset"}} == filled.prefetch


def test_a_template_with_a_token_that_the_context_lacks_is_skipped() -> None:
    """As the CDS Hooks Sandbox does."""
    templates = {"encounter": "Encounter/{{context.encounterId}}"}
    with server(FHIR, lambda _: BORIS) as fhir:
        filled = fill_prefetch(fhir, templates, {"patientId": "boris", "encounterId": None})

    assert {} == filled.prefetch
    assert {"encounter"} == filled.problems.keys()


def test_a_value_cannot_add_a_parameter_to_a_template() -> None:
    """An identifier with an ampersand stays one value."""
    assert "Condition?patient=a%26b%3Dc" == resolve("Condition?patient={{context.patientId}}", {"patientId": "a&b=c"})


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
def test_a_server_that_does_not_answer_is_named_with_what_to_do(error: httpx.HTTPError) -> None:
    """The exception's own text is left out: it can hold a header's value."""

    def fail(_: httpx.Request) -> Json:
        raise error

    with server(FHIR, fail) as fhir, pytest.raises(FhirError) as caught:
        fetch(fhir, "metadata")

    said = f"No answer ({type(error).__name__}). Is the server running, and is this its address?"
    assert f"CDS-331 GET {FHIR}/metadata: {said}" == str(caught.value)


def test_an_answer_that_is_no_json_object_is_an_error() -> None:
    """A proxy's page of HTML with status 200 is no FHIR."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with connect(FHIR, transport) as fhir, pytest.raises(FhirError, match="HTTP 200: not a JSON object: '<html>'"):
        fetch(fhir, "Patient/boris")


# The same from memory


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Condition?patient=boris", ["c1", "c2", "c3"]),
        ("Condition?subject=Patient/boris", ["c1", "c2", "c3"]),
        ("Condition?patient=amara", []),
        ("Condition?patient=boris&code=http://loinc.org|1", ["c1"]),
        ("Condition?patient=boris&code=http://loinc.org|9,http://snomed.info/sct|2", ["c2"]),
        ("Condition?patient=boris&code=2", ["c2"]),
        ("Condition?patient=boris&code=http://snomed.info/sct|", ["c2"]),
        ("Condition?patient=boris&category=problem-list-item", ["c3"]),
        ("Condition?patient=boris&clinical-status=active,recurrence", ["c3"]),
        ("Condition?_id=c2,c3", ["c2", "c3"]),
        ("Condition?patient=boris&_sort=-recorded-date&_count=1", ["c3", "c2", "c1"]),
        ("Condition?patient=boris&_sort=recorded-date", ["c1", "c2", "c3"]),
        ("Patient?_id=boris", ["boris"]),
        ("Observation?patient=boris", []),
    ],
)
def test_a_bundle_in_memory_answers_as_a_fhir_server_would(query: str, found: list[str]) -> None:
    """The parameters that prefetch templates use."""
    snomed = {"coding": [{"system": "http://snomed.info/sct", "code": "2"}]}
    listed: Json = {
        "category": [{"coding": [{"code": "problem-list-item"}]}],
        "clinicalStatus": {"coding": [{"code": "active"}]},
    }
    resources = [
        BORIS,
        condition("c1"),
        condition("c2", code=snomed, recordedDate="2026-01"),
        condition("c3", code={"text": "pain"}, recordedDate="2026-01-01T12:00:00+01:00", **listed),
    ]

    assert found == ids(search(resources, query))


def test_an_order_is_found_by_its_drug_and_its_status() -> None:
    """MedicationRequest keeps its code elsewhere, and its status is a plain code."""
    drug = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130"}]}
    resources = [ORDER | {"medicationCodeableConcept": drug, "subject": {"reference": "Patient/boris"}}]

    assert ["order"] == ids(search(resources, "MedicationRequest?patient=boris&code=6130&status=draft,active"))
    assert [] == ids(search(resources, "MedicationRequest?patient=boris&code=6130&status=active"))


def test_results_are_ordered_by_instant_whatever_element_and_zone_holds_it() -> None:
    """Midnight in Berlin is before midnight in London."""
    dated: list[Json] = [
        {"effectiveDateTime": "2026-01-01T00:00:00+01:00"},
        {"effectivePeriod": {"start": "2026-01-01T00:00:00Z"}},
        {"effectiveDateTime": "2025"},
        {},
    ]
    resources = [{"resourceType": "Observation", "id": f"o{number}", **date} for number, date in enumerate(dated)]

    assert ["o1", "o0", "o2", "o3"] == ids(search(resources, "Observation?_sort=-date"))


def test_a_read_of_an_absent_resource_gives_nothing() -> None:
    """So its key is left out, as for a 404."""
    assert search([BORIS], "Patient/boris") == BORIS
    assert search([BORIS], "Patient/amara") is None


@pytest.mark.parametrize("query", ["Condition?recorder=x", "Condition?_sort=severity", "Condition?code:in=x"])
def test_a_parameter_that_memory_does_not_know_is_refused(query: str) -> None:
    """Ignoring it would answer too much and hide the mistake."""
    with pytest.raises(FhirError, match="CDS-333"):
        search([BORIS], query)


# Calling the hook


def test_the_service_for_a_hook_is_found_through_discovery() -> None:
    """An EHR knows only the service's address."""
    posted: list[str] = []

    def answer(request: httpx.Request) -> Json:
        if request.method == "GET":
            return DISCOVERY
        posted.append(request.url.path)
        return {"cards": [json.loads(request.content)["hookInstance"]]}

    with server(SERVICE, answer) as service:
        answered = ask(service, {"hook": "order-select", "hookInstance": "i"})

    assert {"cards": ["i"]} == answered
    assert ["/cds-services/select"] == posted


def test_a_hook_without_a_service_is_an_error_that_names_those_there_are() -> None:
    """A silent nothing would look like no cards."""
    with server(SERVICE, lambda _: DISCOVERY) as service, pytest.raises(RequestError) as caught:
        discover(service, "order-dispatch")

    assert "CDS-234 cds-services: No service for the hook 'order-dispatch'. One of: order-select." == str(caught.value)


def test_a_problem_that_the_service_names_reaches_the_caller() -> None:
    """HTTP 412 says what is missing."""

    def answer(request: httpx.Request) -> Json | tuple[int, Json]:
        return DISCOVERY if request.method == "GET" else (412, outcome("No prefetch 'patient' was sent."))

    with (
        server(SERVICE, answer) as service,
        pytest.raises(FhirError, match=r"HTTP 412: No prefetch 'patient' was sent\."),
    ):
        ask(service, {"hook": "order-select"})


def test_the_request_from_a_server_is_the_request_from_a_bundle() -> None:
    """Except for the ids of the call and the server's address, which a Bundle does not have."""
    whole = bundle(BORIS, condition("c1"), condition("c2"), condition("c3", code={"text": "pain"}))
    held = resources_of(whole)

    def as_server(request: httpx.Request) -> Json:
        query = str(request.url.copy_with(scheme=None, host=None)).removeprefix("/fhir/")
        return search(held, query) or {}

    def as_service(request: httpx.Request) -> Json:
        return DISCOVERY if request.method == "GET" else {"cards": []}

    with server(FHIR, as_server) as fhir, server(SERVICE, as_service) as service:
        conversation = ask_about(fhir, service, "boris", ORDER, "order-select")
    local = request_for(whole, ORDER, "order-select", TEMPLATES)

    assert {"cards": []} == conversation.response
    assert {} == conversation.problems
    assert ["c1", "c2"] == ids(local["prefetch"]["conditions"])
    assert local | {"fhirServer": FHIR, "hookInstance": ""} == conversation.request | {"hookInstance": ""}


def test_a_selected_order_is_named_and_a_signed_one_is_not() -> None:
    """order-sign has no selections."""
    selected = context_for("boris", ORDER, "order-select")
    signed = context_for("boris", ORDER, "order-sign")

    assert ["MedicationRequest/order"] == selected["selections"]
    assert "selections" not in signed
    assert selected["draftOrders"] == signed["draftOrders"]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({}, "Patient/boris"),
        ({"subject": {"reference": "Patient/{{context.patientId}}"}}, "Patient/boris"),
        ({"subject": {"reference": "Patient/amara"}}, "Patient/amara"),
    ],
)
def test_the_order_is_for_the_patient_unless_it_says_otherwise(subject: Json, expected: str) -> None:
    """An order for somebody else is left as it is: the service must be seen to refuse it."""
    context = context_for("boris", ORDER | subject, "order-sign")

    assert expected == context["draftOrders"]["entry"][0]["resource"]["subject"]["reference"]


def test_an_order_is_read_from_a_file(tmp_path: Path) -> None:
    """As it is; the patient comes in later."""
    path = tmp_path / "order.json"
    path.write_text(json.dumps(ORDER))

    assert ORDER == read_order(path)


def test_a_treatment_may_be_ordered_as_a_service(tmp_path: Path) -> None:
    """An infusion is often ordered as a ServiceRequest; it is selected by its own type."""
    path = tmp_path / "order.json"
    path.write_text(json.dumps(ORDER | {"resourceType": "ServiceRequest"}))

    assert ["ServiceRequest/order"] == context_for("boris", read_order(path), "order-select")["selections"]


def test_without_an_order_the_context_names_none() -> None:
    """patient-view asks about the patient."""
    assert {"userId", "patientId"} == set(context_for("boris", None, "patient-view"))


@pytest.mark.parametrize("content", [None, b"{", b'{"resourceType": "Patient"}'])
def test_a_file_without_an_order_is_named(tmp_path: Path, content: bytes | None) -> None:
    """Absent, not JSON, something else."""
    path = tmp_path / "order.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RequestError, match=r"CDS-233 .*order\.json"):
        read_order(path)
