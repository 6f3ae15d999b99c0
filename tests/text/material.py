"""Requests whose cards show text from every part of a patient's record, and the hostile texts put into them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from cds.ehr import request_for
from tests.running import Json

HOSTILE: dict[str, str] = json.loads((Path(__file__).parent / "hostile_texts.json").read_bytes())
"""Texts that a renderer, a terminal or a spreadsheet could take for more than words, by what they try."""
QUIET = "quiet words"
"""A text that nothing takes for more than words; like a hostile one it is no id, no date and no unit."""
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
"""The day for which the fixtures are written."""

_FIXTURES = Path(__file__).parents[2] / "fhir_fixtures"
_PATIENTS = ("noor", "boris", "kira", "rosa")
_RECORDED = (
    "another-patients-condition", "error-outcome-in-searchset", "medication-unknown", "next-page-not-read",
    "objects-where-lists-belong", "one-unreadable-entry",
)  # fmt: skip


def requests(templates: dict[str, str]) -> dict[str, Json]:
    """Return calls for fixture patients, and calls that are fixtures, by name."""
    order = json.loads((_FIXTURES / "orders" / "ketamine_iv_infusion.json").read_bytes())
    patients = {name: json.loads((_FIXTURES / "patients" / f"{name}.json").read_bytes()) for name in _PATIENTS}
    called = {name: request_for(bundle, order, "order-select", templates) for name, bundle in patients.items()}
    for name in _RECORDED:
        called[name] = json.loads((_FIXTURES / "hooks" / f"{name}.request.json").read_bytes())
    return called | {"what the EHR could not read": _failing(called["boris"])}


def as_body(request: Json) -> bytes:
    """Return the request as bytes, by a user who has seen no card yet."""
    context = request["context"] if isinstance(request.get("context"), dict) else {}
    return json.dumps(request | {"context": {"userId": f"Practitioner/{uuid4()}"} | context}).encode()


def _failing(request: Json) -> Json:
    """Return a call in which one search failed with words, and one resource cannot be read."""
    said = {"severity": "error", "code": "security", "details": {"text": "no"}, "diagnostics": "no"}
    failed = {"resourceType": "OperationOutcome", "id": "failed", "issue": [said]}
    unreadable = {"resourceType": "AllergyIntolerance", "id": "odd", "code": {"text": 1.5e3, "coding": "a", "x": "y"}}
    page = {"resourceType": "Bundle", "type": "searchset", "entry": [{"fullUrl": "urn:uuid:1", "resource": unreadable}]}
    return request | {"prefetch": request["prefetch"] | {"conditions": failed, "allergies": page}}
