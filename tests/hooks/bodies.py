"""A small, complete request, and ways to write it differently."""

import json
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]


def draft(**members: Any) -> Json:  # noqa: ANN401 - any JSON
    """Return a draft order for ketamine, with members changed or added."""
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/amara"},
        "medicationCodeableConcept": {"text": "ketamine 50 mg/mL injection"},
    } | members


def bundle(*resources: Json) -> Json:
    """Return a draftOrders Bundle."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}


def request(hook: str = "order-select", **context: Any) -> Json:  # noqa: ANN401
    """Return a request for the draft above; members of the context can be changed, added, or taken out by None."""
    complete = {
        "userId": "Practitioner/nadia",
        "patientId": "amara",
        "selections": ["MedicationRequest/draft-1"],
        "draftOrders": bundle(draft()),
    } | context
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {name: value for name, value in complete.items() if value is not None},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "amara", "gender": "female"}},
    }


def body(value: Any) -> bytes:  # noqa: ANN401
    """Return JSON bytes."""
    return json.dumps(value).encode()


CODES = {"icd10cm": "http://hl7.org/fhir/sid/icd-10-cm", "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm"}
CODES |= {"loinc": "http://loinc.org"}
_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def concept(written: str, display: str = "") -> Json:
    """Return a CodeableConcept for ``icd10cm|F20.0``."""
    system, _, code = written.partition("|")
    coding = {"system": CODES[system], "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}


def condition(identifier: str, written: str, recorded: str, **members: Any) -> Json:  # noqa: ANN401 - any JSON
    """Return an active diagnosis."""
    return {
        "resourceType": "Condition",
        "id": identifier,
        "clinicalStatus": {"coding": [{"system": _STATUS, "code": "active"}]},
        "code": concept(written),
        "subject": {"reference": "Patient/amara"},
        "recordedDate": recorded,
    } | members


def observation(identifier: str, written: str, on: str, value: float, unit: str) -> Json:
    """Return a final measurement in a UCUM unit."""
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {
        "resourceType": "Observation",
        "id": identifier,
        "status": "final",
        "code": concept(written),
        "subject": {"reference": "Patient/amara"},
        "effectiveDateTime": on,
        "valueQuantity": quantity,
    }


def infusion(**members: Any) -> Json:  # noqa: ANN401
    """Return an active order for intravenous ketamine that is on record."""
    return (
        draft(
            id="infusion",
            status="active",
            authoredOn="2026-01-12",
            medicationCodeableConcept=concept("rxnorm|6130", "ketamine"),
            dosageInstruction=[{"text": "intravenous infusion"}],
        )
        | members
    )


def searchset(*resources: Json) -> Json:
    """Return the result of a search."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def whole_record(keys: Iterable[str], **found: Json) -> Json:
    """Return a prefetch with an answer for every key that discovery offers: what was found, else nothing on record."""
    patient = {"resourceType": "Patient", "id": "amara", "gender": "female", "birthDate": "1980-01-02"}
    return {key: searchset() for key in keys if key != "encounter"} | {"patient": patient} | found
