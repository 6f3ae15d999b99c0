"""A small, complete request, and ways to write it differently."""

import json
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
