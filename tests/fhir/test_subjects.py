"""Another patient's data are never used, and a source that holds them was not read whole (D-COND-NO)."""

import pytest

from cds.engine.facts import Source
from tests.fhir.records import BASE, Json, condition, read, reasons, searchset

ALLERGY = {"resourceType": "AllergyIntolerance", "id": "a1", "code": {"text": "ketamine"}}


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/boris"},
        {"reference": "https://elsewhere.example/fhir/Patient/amara"},
        {"reference": f"{BASE}/Patient/boris"},
        {"reference": "Group/amara"},
        {"reference": "urn:uuid:0b2ad1b5-0a4a-4a61-9d3b-8c33e1f3a111"},
        {"reference": "#patient"},
    ],
    ids=lambda subject: subject["reference"],
)
def test_a_diagnosis_of_somebody_else_is_not_used(subject: Json) -> None:
    facts = read({"conditions": searchset(condition("ours"), condition("theirs", subject=subject))})

    assert ["Condition/ours"] == [one.provenance.reference for one in facts.conditions]
    assert ("holds another patient's data (Condition/theirs)",) == reasons(facts, Source.CONDITIONS)


@pytest.mark.parametrize("subject", [None, {}, {"display": "Amara"}, {"identifier": {"value": "MRN 1"}}, []])
def test_a_diagnosis_of_nobody_is_not_used(subject: object) -> None:
    facts = read({"conditions": searchset(condition("c9", subject=subject))})

    assert () == facts.conditions
    assert ("holds data of no stated patient (Condition/c9)",) == reasons(facts, Source.CONDITIONS)


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/amara",
        f"{BASE}/Patient/amara",
        "Patient/amara/_history/3",
        f"{BASE}/Patient/amara/_history/3",
        " Patient/amara ",
    ],
)
def test_the_ways_to_name_our_patient(reference: str) -> None:
    facts = read({"conditions": searchset(condition(subject={"reference": reference}))})

    assert 1 == len(facts.conditions)
    assert () == facts.gaps


def test_without_a_server_in_the_request_an_absolute_reference_is_taken_by_its_end() -> None:
    """A client that sends no fhirServer gives nothing to compare the base with."""
    facts = read({"conditions": searchset(condition(subject={"reference": f"{BASE}/Patient/amara"}))}, base_url="")

    assert 1 == len(facts.conditions)


def test_a_base_url_may_end_in_a_slash() -> None:
    bundle = searchset(condition(subject={"reference": f"{BASE}/Patient/amara"}))

    facts = read({"conditions": bundle}, base_url=f"{BASE}/")

    assert 1 == len(facts.conditions)


def test_a_urn_that_is_our_patients_full_url_is_our_patient() -> None:
    urn = "urn:uuid:0b2ad1b5-0a4a-4a61-9d3b-8c33e1f3a111"
    patient = {"resourceType": "Patient", "id": "amara"}
    bundle = searchset(condition(subject={"reference": urn}))
    bundle["entry"].append({"fullUrl": urn, "resource": patient, "search": {"mode": "include"}})

    facts = read({"conditions": bundle})

    assert 1 == len(facts.conditions)
    assert () == facts.gaps


def test_a_subject_written_as_plain_text_is_read() -> None:
    facts = read({"conditions": searchset(condition(subject="Patient/amara"))})

    assert 1 == len(facts.conditions)


def test_allergies_name_their_patient_in_another_member() -> None:
    ours = {**ALLERGY, "patient": {"reference": "Patient/amara"}}
    theirs = {**ALLERGY, "id": "a2", "patient": {"reference": "Patient/boris"}}

    facts = read({"allergies": searchset(ours, theirs)})

    assert ["AllergyIntolerance/a1"] == [one.provenance.reference for one in facts.allergies]
    assert ("holds another patient's data (AllergyIntolerance/a2)",) == reasons(facts, Source.ALLERGIES)


def test_many_resources_of_somebody_else_are_counted_not_listed() -> None:
    theirs = [condition(f"x{number}", subject={"reference": "Patient/boris"}) for number in range(5)]

    facts = read({"conditions": searchset(*theirs)})

    (reason,) = reasons(facts, Source.CONDITIONS)
    assert "holds another patient's data (Condition/x0, Condition/x1, Condition/x2 and 2 more)" == reason


def test_another_patient_as_the_patient_is_said_to_be_another() -> None:
    facts = read({"patient": {"resourceType": "Patient", "id": "boris"}})

    assert facts.patient is None
    assert ("holds another patient's data (Patient/boris)",) == reasons(facts, Source.PATIENT)


def test_a_resource_that_was_sent_twice_is_used_once() -> None:
    facts = read({"conditions": searchset(condition(), condition()), "extra": searchset(condition())})

    assert 1 == len(facts.conditions)


def test_resources_without_an_id_are_never_taken_for_duplicates() -> None:
    unnamed = condition()
    del unnamed["id"]

    facts = read({"conditions": searchset(unnamed, unnamed)})

    references = [one.provenance.reference for one in facts.conditions]
    assert ["Condition entry 1 of conditions", "Condition entry 2 of conditions"] == references
