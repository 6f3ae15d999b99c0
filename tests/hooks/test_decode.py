"""Requests as EHRs really send them are read; what is required and missing is named with its path."""

from typing import Any

import pytest

from cds.errors import CdsError, FhirError, RequestError
from cds.hooks.decode import decode
from cds.hooks.drafts import select
from cds.hooks.members import MOST_MEMBERS
from tests.hooks.bodies import Json, body, bundle, draft, request


def test_a_complete_request_is_read_without_a_remark() -> None:
    read = decode(body(request(encounterId="e-1") | {"fhirServer": "https://ehr.example/fhir/"}), "order-select")

    assert ("order-select", "amara", "e-1") == (read.hook, read.patient_id, read.encounter_id)
    assert "https://ehr.example/fhir" == read.fhir_server
    assert ("MedicationRequest/draft-1",) == read.selections
    assert ["MedicationRequest/draft-1"] == [draft.reference for draft in read.drafts or ()]
    assert ["patient"] == list(read.prefetch)
    assert () == read.remarks


def test_a_request_without_prefetch_or_selections_is_read() -> None:
    sent = request(selections=None)
    del sent["prefetch"]

    read = decode(body(sent), "order-select")

    assert ({}, ()) == (read.prefetch, read.selections)


def test_a_null_in_the_prefetch_stays_a_null() -> None:
    """It says that the EHR has nothing there, which is not the same as a key that was not sent."""
    read = decode(body(request() | {"prefetch": {"conditions": None}}), "order-select")

    assert {"conditions": b"null"} == read.prefetch


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"hookInstance": "call 17"}, "hookInstance is no UUID"),
        ({"hookInstance": 17}, "hookInstance is no UUID"),
        ({"hookInstance": None}, "hookInstance is missing"),
        ({"fhirAuthorization": "token"}, "fhirAuthorization is no object"),
        (request(userId="nadia"), "userId is no reference: '\"nadia\"'"),
        (request(userId=7), "userId is no reference: '7'"),
        (request(selections=["draft-1"]), "selections is no reference"),
        (request(selections="MedicationRequest/1/2"), "selections is no reference"),
    ],
)
def test_what_is_odd_and_does_no_harm_is_noted(change: Json, remark: str) -> None:
    read = decode(body(request() | change), "order-select")

    assert remark in read.remarks[0]


def test_a_patient_id_written_as_a_reference_is_read_as_its_id() -> None:
    read = decode(body(request(patientId="Patient/amara")), "order-select")

    assert ("amara", ("patientId is written as a reference",)) == (read.patient_id, read.remarks)


def test_a_bundle_without_type_and_with_an_object_where_a_list_belongs_is_read() -> None:
    """The CDS Hooks Sandbox sends Bundles without type; others write a single entry without its list."""
    read = decode(body(request(draftOrders={"resourceType": "Bundle", "entry": {"resource": draft()}})), "order-select")

    assert ["MedicationRequest/draft-1"] == [draft.reference for draft in read.drafts or ()]


def test_the_token_is_in_no_representation_of_the_request() -> None:
    sent = request() | {"fhirAuthorization": {"access_token": "s3cret", "token_type": "Bearer", "patient": "amara"}}

    read = decode(body(sent), "order-select")

    assert "s3cret" not in repr(read)
    assert "s3cret" not in str(read.authorization)


def test_extensions_are_kept_by_name_and_digest_only() -> None:
    read = decode(body(request() | {"extension": {"com.ehr.request": {"note": "Mr Smith"}}}), "order-select")

    assert ["com.ehr.request"] == list(read.extensions)
    assert "Smith" not in repr(read)


def _without(sent: Json, *path: str) -> Json:
    place: Any = sent
    for step in path[:-1]:
        place = place[step]
    place.pop(path[-1])
    return sent


REFUSED: dict[str, tuple[Json, str, str]] = {
    "no hook": (_without(request(), "hook"), "CDS-214", "$.hook"),
    "a hook that is no text": (request() | {"hook": 7}, "CDS-215", "$.hook"),
    "an empty hook": (request() | {"hook": " "}, "CDS-214", "$.hook"),
    "another hook": (request("patient-view"), "CDS-213", "$.hook"),
    "no context": (_without(request(), "context"), "CDS-214", "$.context"),
    "null context": (request() | {"context": None}, "CDS-214", "$.context"),
    "a context that is a list": (request() | {"context": []}, "CDS-215", "$.context"),
    "no patientId": (request(patientId=None), "CDS-214", "$.context.patientId"),
    "a patientId that is a number": (request(patientId=7), "CDS-215", "$.context.patientId"),
    "a patientId with a slash": (request(patientId="../metadata"), "CDS-216", "$.context.patientId"),
    "a patientId of 65 characters": (request(patientId="a" * 65), "CDS-216", "$.context.patientId"),
    "a prefetch that is a list": (request() | {"prefetch": []}, "CDS-215", "$.prefetch"),
    "draftOrders that are a list": (request(draftOrders=[]), "CDS-215", "$.context.draftOrders"),
    "draftOrders that are an order": (request(draftOrders=draft()), "CDS-215", "$.context.draftOrders"),
    "an order of DSTU2": (
        request(draftOrders=bundle(draft(resourceType="MedicationOrder"))),
        "CDS-217",
        "$.context.draftOrders.entry[0].resource",
    ),
    "an order of DSTU1": (
        request(draftOrders=bundle(draft(), draft(resourceType="MedicationPrescription"))),
        "CDS-217",
        "$.context.draftOrders.entry[1].resource",
    ),
    "a token for somebody else": (
        request() | {"fhirAuthorization": {"access_token": "x", "patient": "boris"}},
        "CDS-218",
        "$.fhirAuthorization.patient",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_cannot_be_answered_is_refused_with_the_path_of_what_is_wrong(name: str) -> None:
    sent, code, where = REFUSED[name]

    with pytest.raises(RequestError) as caught:
        decode(body(sent), "order-select")

    assert (code, where, 400) == (caught.value.code, caught.value.where, caught.value.status)
    assert caught.value.expected.startswith("Expected ")


@pytest.mark.parametrize(
    "sent", [request(draftOrders=None), request() | {"context": {"patientId": "a", "draftOrders": None}}]
)
def test_a_request_without_draft_orders_says_that_they_are_missing(sent: Json) -> None:
    read = decode(body(sent), "order-select")

    with pytest.raises(FhirError) as caught:
        select(read)

    assert ("CDS-302", "$.context.draftOrders") == (caught.value.code, caught.value.where)


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b'{"hook": "order-select", "hook": "order-select"}', "$"),
        (b'{"hook": "order-select", "context": {"patientId": "a", "patientId": "b"}}', "$.context"),
        (body(request()).replace(b'"prefetch": {', b'"prefetch": {"patient": null, '), "$.prefetch"),
    ],
)
def test_a_name_that_stands_twice_is_refused(raw: bytes, where: str) -> None:
    """Two parsers could read two different patients from one request."""
    with pytest.raises(RequestError) as caught:
        decode(raw, "order-select")

    assert ("CDS-208", where) == (caught.value.code, caught.value.where)
    assert caught.value.expected.startswith("Expected ")


@pytest.mark.parametrize("where", ["$", "$.context", "$.prefetch"])
def test_an_object_of_very_many_members_is_refused(where: str) -> None:
    """Each prefetch key costs time of its own, and a name that stands twice is looked for among all."""
    sent = request()
    (sent if where == "$" else sent[where.removeprefix("$.")]).update({f"x{n}": None for n in range(MOST_MEMBERS)})

    with pytest.raises(RequestError) as caught:
        decode(body(sent), "order-select")

    assert ("CDS-209", where) == (caught.value.code, caught.value.where)


def test_a_name_that_stands_twice_inside_a_resource_is_read_as_the_last() -> None:
    raw = body(request()).replace(b'"status": "draft"', b'"status": "active", "status": "draft"')

    assert "draft" == select(decode(raw, "order-select")).drafts[0].status


def test_an_error_repeats_what_was_sent_only_in_part_and_with_control_characters_visible() -> None:
    with pytest.raises(CdsError) as caught:
        decode(body(request("\u202e\x1b[31m" + "x" * 5000)), "order-select")

    assert "\\u202e\\x1b[31m" in caught.value.what
    assert len(caught.value.what) < 200
