"""What an EHR could have sent, in small, and how it is read: the ground of the tests of reading."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cds.engine.facts import Gap, GapScope, PatientFacts, Source
from cds.fhir.context import ReadContext, as_received
from cds.fhir.read import read_facts

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
BASE = "https://ehr.example/fhir"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
SUBJECT = {"reference": "Patient/amara"}
KEYS = {
    "patient": Source.PATIENT,
    "conditions": Source.CONDITIONS,
    "allergies": Source.ALLERGIES,
    "medications": Source.MEDICATIONS,
    "medication_statements": Source.STATEMENTS,
    "medication_dispenses": Source.DISPENSES,
    "procedures": Source.PROCEDURES,
    "flags": Source.FLAGS,
    "encounter": Source.ENCOUNTER,
    "blood_pressure": Source.BLOOD_PRESSURE,
    "laboratory": Source.LABORATORY,
    "laboratory_2": Source.LABORATORY,
}

Json = dict[str, Any]


def canonical(uri: str) -> str:
    """One alias is enough to see that it is asked."""
    return ICD if uri == "urn:oid:2.16.840.1.113883.6.90" else uri


def context(base_url: str = BASE, **changes: object) -> ReadContext:
    """How the tests read, unless they say otherwise: no source was asked for."""
    given: Json = {"expected": {}, "patient_id": "amara", "at": NOON, "zone": UTC, "canonical": canonical, **changes}
    return ReadContext(base_url=base_url, **given)


def read(prefetch: Mapping[str, object], base_url: str = BASE, **changes: object) -> PatientFacts:
    """Read a prefetch; of the known sources just those were asked for that were sent."""
    expected = {key: source for key, source in KEYS.items() if key in prefetch}
    raw = {key: json.dumps(value).encode() for key, value in prefetch.items()}
    return read_facts(as_received(raw), context(base_url, **{"expected": expected, **changes}))


def searchset(*resources: object, **members: object) -> Json:
    """The answer to a search."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources], **members}


def condition(identifier: str = "c1", **members: object) -> Json:
    """An active diagnosis."""
    status = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    code = {"coding": [{"system": ICD, "code": "F20.0", "display": "Paranoid schizophrenia"}]}
    given = {"resourceType": "Condition", "id": identifier, "subject": SUBJECT, "code": code, "clinicalStatus": status}
    return _without_none({**given, **members})


def observation(identifier: str = "o1", **members: object) -> Json:
    """A laboratory value of the day before."""
    given = {
        "resourceType": "Observation",
        "id": identifier,
        "status": "final",
        "subject": SUBJECT,
        "code": {"coding": [{"system": LOINC, "code": "1742-6", "display": "ALT"}]},
        "effectiveDateTime": "2026-01-31T08:00:00Z",
        "valueQuantity": {"value": 22, "unit": "U/L", "system": UCUM, "code": "U/L"},
    }
    return _without_none({**given, **members})


def request(identifier: str = "m1", **members: object) -> Json:
    """An order for a drug."""
    given = {
        "resourceType": "MedicationRequest",
        "id": identifier,
        "status": "active",
        "intent": "order",
        "subject": SUBJECT,
        "authoredOn": "2026-01-10",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "36437", "display": "sertraline"}]},
    }
    return _without_none({**given, **members})


def quantity(value: float, unit: str) -> Json:
    """A Quantity in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def gaps(facts: PatientFacts, scope: GapScope) -> tuple[Gap, ...]:
    """The gaps of one scope."""
    return tuple(gap for gap in facts.gaps if gap.scope is scope)


def reasons(facts: PatientFacts, source: Source) -> tuple[str, ...]:
    """Why silence of a source proves nothing."""
    return tuple(gap.reason for gap in facts.source_gaps(source))


def _without_none(members: Mapping[str, object]) -> Json:
    return {name: value for name, value in members.items() if value is not None}
