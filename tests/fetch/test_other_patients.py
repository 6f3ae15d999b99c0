"""Another patient's data on what was read are never used, and a source that holds them was not read whole.

Source: trust/design.md 0a.9.
"""

import asyncio

import pytest

from tests.fetch.calls import (
    CRPS,
    bundle_of,
    call,
    entry,
    fill,
)
from tests.fetch.fault_server import (
    Asked,
    Fault,
    FaultServer,
    page,
    says,
    write,
)
from tests.hooks.bodies import condition, infusion
from tests.running import Json, Running

MIXED_UP = {
    "a diagnosis": (
        "Condition",
        condition("theirs", "icd10cm|F29", "2026-01-01", subject={"reference": "Patient/boris"}),
    ),
    "a diagnosis of the same id elsewhere": (
        "Condition",
        condition("theirs", "icd10cm|F29", "2026-01-01", subject={"reference": "https://b.example/fhir/Patient/amara"}),
    ),
    "a diagnosis of nobody": ("Condition", condition("theirs", "icd10cm|F29", "2026-01-01", subject=None)),
}


@pytest.mark.parametrize("name", MIXED_UP)
def test_another_patients_data_on_a_page_that_was_read_are_not_used_and_are_named(
    service: Running, server: FaultServer, name: str
) -> None:
    kind, theirs = MIXED_UP[name]
    server.faults[kind] = _two_pages(entry(CRPS), entry(theirs))

    found = call(service, server.base)

    assert "KETPSYCHOSIS1C" not in found.topics
    assert {"KETCRPS1I", "KETGAP0W"} <= set(found.topics)
    assert "(Condition/theirs)" in found.reasons("conditions")


SOURCES = {
    "Condition": "conditions",
    "AllergyIntolerance": "allergies",
    "MedicationRequest": "medications",
    "MedicationStatement": "medication_statements",
    "MedicationDispense": "medication_dispenses",
    "Procedure": "procedures",
    "Flag": "flags",
    "Observation": "blood_pressure",
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_list_that_holds_somebody_elses_entry_is_flagged_whatever_it_lists(
    service: Running, server: FaultServer, kind: str
) -> None:
    """Acceptance check 34: each resource in turn is another patient's; none is among the facts."""
    boris = {"reference": "Patient/boris"}
    theirs = {"resourceType": kind, "id": "theirs", "status": "active", "subject": boris, "patient": boris}
    server.faults[kind] = says(200, page(entry(theirs | {"code": {"text": "ketamine"}})))

    found = call(service, server.base)

    assert 200 == found.response.status_code
    assert f"holds another patient's data ({kind}/theirs)" in found.reasons(SOURCES[kind])
    assert "theirs" not in str(found.record.section("facts")["facts"])


def test_another_patients_order_brought_along_with_a_medication_is_not_used(
    service: Running, server: FaultServer
) -> None:
    listed = infusion(id="listed", medicationReference={"reference": "Medication/vial"})
    del listed["medicationCodeableConcept"]
    fill(server, service, conditions=[CRPS], medications=[listed])
    theirs = condition("theirs", "icd10cm|F29", "2026-01-01", subject={"reference": "Patient/boris"})
    vial = {"resourceType": "Medication", "id": "vial", "code": {"text": "midazolam"}}
    server.held["Medication/vial"] = bundle_of(vial, theirs)

    found = call(service, server.base)

    assert "KETPSYCHOSIS1C" not in found.topics
    assert "another patient" in str(found.record.section("facts"))


def test_a_server_that_answers_with_another_patient_is_refused(service: Running, server: FaultServer) -> None:
    server.held["Patient/amara"] = {"resourceType": "Patient", "id": "boris"}

    found = call(service, server.base)

    assert (400, "CDS-218") == (found.response.status_code, found.problem)


def _two_pages(first: Json, second: Json) -> Fault:
    async def say(server: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
        follows = "page=2" not in asked.target
        found = page(first, after=f"{server.base}/Condition?page=2") if follows else page(second)
        write(writer, 200, found)

    return say
