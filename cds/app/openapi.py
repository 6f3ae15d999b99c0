"""The OpenAPI document of the service: CDS Hooks as JSON Schema, as far as a client's developer needs it.

It describes what a client should send; what is read goes further (missing optional members, older versions).
"""

from typing import Any

from fastapi import FastAPI

from cds.app.refusals import FHIR_JSON
from cds.engine.withhold import PATIENT_VIEW
from cds.hooks.services import Service

Json = dict[str, Any]

_ID = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
_TEXT = {"type": "string", "minLength": 1}
_URL = {"type": "string", "format": "uri"}
_UUID = {"type": "string", "format": "uuid"}
_RESOURCE = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": _TEXT}}
_CODING = {"type": "object", "required": ["system", "code"], "properties": dict.fromkeys(("system", "code"), _TEXT)}

_AUTHORIZATION = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "scope", "subject"],
    "properties": {
        "access_token": _TEXT,
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer", "minimum": 0},
        "scope": {"type": "string"},
        "subject": {"type": "string"},
        "patient": _ID,
    },
}
_CARD = {
    "type": "object",
    "required": ["uuid", "summary", "indicator", "source"],
    "properties": {
        "uuid": _UUID,
        "summary": {"type": "string", "minLength": 1, "maxLength": 139},
        "detail": _TEXT,
        "indicator": {"enum": ["info", "warning", "critical"]},
        "source": {
            "type": "object",
            "required": ["label"],
            "properties": {"label": _TEXT, "url": _URL, "topic": _CODING},
        },
        "suggestions": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["label"]}},
        "selectionBehavior": {"const": "any"},
        "overrideReasons": {"type": "array", "minItems": 1, "items": _CODING},
        "links": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["label", "url", "type"]}},
    },
}
_OFFERED = {
    "type": "object",
    "required": ["id", "hook", "title", "description"],
    "properties": {**dict.fromkeys(("id", "hook", "title", "description"), _TEXT), "prefetch": {"type": "object"}},
}
RULE: Json = {
    "name": "rule_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z0-9_]+$"},
}
"""The parameter of an address that is about one rule."""

_ISSUE = {"type": "object", "required": ["severity", "code", "details", "diagnostics"]}

_COMPONENTS: Json = {
    "schemas": {
        "Cards": {
            "type": "object",
            "required": ["cards"],
            "properties": {"cards": {"type": "array", "items": {"$ref": "#/components/schemas/Card"}}},
        },
        "Card": _CARD,
        "Services": {
            "type": "object",
            "required": ["services"],
            "properties": {"services": {"type": "array", "items": _OFFERED}},
        },
        "OperationOutcome": {
            "type": "object",
            "required": ["resourceType", "issue"],
            "properties": {
                "resourceType": {"const": "OperationOutcome"},
                "issue": {"type": "array", "minItems": 1, "items": _ISSUE},
            },
        },
    },
    "securitySchemes": {
        "clientJwt": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of a registered client, as CDS Hooks 2.0.1 has it. Not asked for in development.",
        }
    },
}

_REASONS = {
    400: "The request cannot be read, or is about somebody else's data.",
    404: "There is no such thing at this address.",
    405: "This method is not offered here.",
    408: "The body did not come in time.",
    412: "Data without which nothing can be said could not be had.",
    413: "The body is too large.",
    415: "The body is not plain JSON.",
    429: "Too many calls of this client, or too many failed tokens of this address; see Retry-After.",
    431: "The headers are too many or too long.",
    500: "The service failed.",
    503: "The answer cannot be recorded, or the service is busy; see Retry-After.",
}


class Described(FastAPI):
    """An application whose OpenAPI document has our schemas."""

    def openapi(self) -> Json:
        """Return the document; it is made once."""
        if not self.openapi_schema:
            document = super().openapi()
            document.setdefault("components", {}).update(_COMPONENTS)
        return super().openapi()


def answers(schema: str, *statuses: int) -> dict[int | str, Json]:
    """Return what an operation answers: 200 with this schema, 401 without a body, and an OperationOutcome else."""
    found: dict[int | str, Json] = {
        200: {"description": "As CDS Hooks has it.", "content": {"application/json": _of(schema)}},
        401: {"description": "The token is missing or not accepted. No body."},
    }
    for status in sorted({400, 405, 429, 431, 500, 503, *statuses}):
        found[status] = {"description": _REASONS[status], "content": {FHIR_JSON: _of("OperationOutcome")}}
    return found


def open_answers(refusal: int) -> dict[int | str, Json]:
    """Return what an operation without a token answers: 200 with an object, or this refusal."""
    found: dict[int | str, Json] = {
        200: {"description": "As it says.", "content": {"application/json": {"schema": {"type": "object"}}}}
    }
    for status in sorted({400, 405, 431, 500, refusal}):
        found[status] = {"description": _REASONS[status], "content": {FHIR_JSON: _of("OperationOutcome")}}
    return found


def needs_token(**more: object) -> Json:
    """Return the parts of an operation that FastAPI does not find by itself."""
    return {"security": [{"clientJwt": []}, {}], **more}


def request_body(service: Service) -> Json:
    """Return what is sent to a service, with an example."""
    schema = {
        "type": "object",
        "required": ["hook", "hookInstance", "context"],
        "properties": {
            "hook": {"const": service.hook},
            "hookInstance": _UUID,
            "context": _context(service.hook),
            "prefetch": {"type": "object", "additionalProperties": {"anyOf": [_RESOURCE, {"type": "null"}]}},
            "fhirServer": _URL,
            "fhirAuthorization": _AUTHORIZATION,
            "extension": {"type": "object"},
        },
        "dependentRequired": {"fhirAuthorization": ["fhirServer"]},
    }
    return {"required": True, "content": {"application/json": {"schema": schema, "example": _example(service.hook)}}}


def _context(hook: str) -> Json:
    who = {"type": "string", "pattern": r"^[A-Za-z]+/[A-Za-z0-9\-.]{1,64}$"}
    properties: Json = {"userId": who, "patientId": _ID, "encounterId": _ID}
    required = ["userId", "patientId"]
    if hook != PATIENT_VIEW:
        bundle = {
            "type": "object",
            "required": ["entry"],
            "properties": {"entry": {"type": "array", "items": _entry()}},
        }
        properties["draftOrders"] = bundle
        required.append("draftOrders")
    if hook == "order-select":
        properties["selections"] = {"type": "array", "items": who}
    return {"type": "object", "required": required, "properties": properties}


def _entry() -> Json:
    return {"type": "object", "required": ["resource"], "properties": {"resource": _RESOURCE}}


def _example(hook: str) -> Json:
    """Return a call for an invented patient of whom nothing is known but the birth date."""
    patient = {"resourceType": "Patient", "id": "example", "birthDate": "1980-02-01"}
    order = {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "ketamine"},
        "subject": {"reference": "Patient/example"},
    }
    context: Json = {"userId": "Practitioner/example", "patientId": "example"}
    if hook != PATIENT_VIEW:
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
    if hook == "order-select":
        context["selections"] = ["MedicationRequest/draft-1"]
    prefetch: Json = {"patient": patient}
    if hook == PATIENT_VIEW:
        prefetch["medications"] = {"resourceType": "Bundle", "type": "searchset", "entry": []}
    instance = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    return {"hook": hook, "hookInstance": instance, "context": context, "prefetch": prefetch}


def _of(schema: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{schema}"}}
