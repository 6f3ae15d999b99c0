"""Decode one FHIR resource: strictly first, then leniently, else say why not. A resource never costs another."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from cds.engine.facts import Coding
from cds.fhir.drug_resources import (
    Medication,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    ServiceRequest,
)
from cds.fhir.gaps import MOST_CODINGS
from cds.fhir.lenient import decode_leniently
from cds.fhir.outcome import OperationOutcome
from cds.fhir.resources import AllergyIntolerance, Condition, Encounter, Flag, Observation, Patient, Procedure

Resource = (
    Patient
    | Encounter
    | Condition
    | AllergyIntolerance
    | Procedure
    | Flag
    | Observation
    | Medication
    | MedicationRequest
    | MedicationStatement
    | MedicationDispense
    | ServiceRequest
    | OperationOutcome
)

NOT_READABLE: tuple[type[Exception], ...] = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
"""What decoding JSON can raise."""

_TYPES: dict[str, Any] = {kind.__name__: kind for kind in Resource.__args__}
_MOST_OBJECTS = 5_000
_OLDER_TYPES = frozenset({"MedicationOrder", "MedicationPrescription"})
_CODE_MEMBERS = ("code", "medicationCodeableConcept", "medication", "concept")
_DECODER: msgspec.json.Decoder[Resource] = msgspec.json.Decoder(Resource)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A resource that could not be decoded: what can be seen of it, and why not.

    `codings` are as sent; their systems are not canonical yet.
    """

    resource_type: str
    id: str
    reason: str
    codings: tuple[Coding, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A resource of a type that no rule reads."""

    resource_type: str
    id: str


def decode_resource(raw: bytes | msgspec.Raw) -> Resource | Ignored | Unreadable:
    """Return the resource, or that it is ignored or could not be read; nothing is raised.

    One of more than 5,000 objects is not read: reading it would take as long as a whole record.
    """
    if bytes(raw).count(b"{") > _MOST_OBJECTS:
        return _too_large(raw)
    try:
        return _DECODER.decode(raw)
    except NOT_READABLE:
        return _second_try(raw)


def resource_type(raw: bytes | msgspec.Raw) -> str:
    """Return the resourceType of a JSON object, empty if it has none that can be read."""
    try:
        return _TYPE_DECODER.decode(raw).resource_type or ""
    except NOT_READABLE:
        return ""


class _Head(msgspec.Struct, rename="camel"):
    resource_type: str | None = None


_TYPE_DECODER = msgspec.json.Decoder(_Head)
_PLACE = re.compile(r"\[[^]]*\]")


def _second_try(raw: bytes | msgspec.Raw) -> Resource | Ignored | Unreadable:
    try:
        seen = msgspec.json.decode(raw)
        seen = seen[0] if isinstance(seen, list) and len(seen) == 1 else seen
    except NOT_READABLE as error:
        return Unreadable("", "", _words(error))
    if not isinstance(seen, dict) or not isinstance(name := seen.get("resourceType"), str):
        return Unreadable("", "", "not a FHIR resource: it has no resourceType")
    wanted = _TYPES.get(name)
    if wanted is None:
        return _of_other_type(name, seen)
    try:
        resource: Resource = decode_leniently(raw, wanted)
    except NOT_READABLE as error:
        return Unreadable(name, _id(seen), _words(error), _visible_codings(seen))
    return resource


def _too_large(raw: bytes | msgspec.Raw) -> Unreadable:
    reason = f"not readable: it has more than {_MOST_OBJECTS:,} objects"
    try:
        seen = msgspec.json.decode(raw)
    except NOT_READABLE as error:
        return Unreadable("", "", _words(error))
    if not isinstance(seen, dict):
        return Unreadable("", "", reason)
    name = seen.get("resourceType")
    codings = _visible_codings(seen)[: MOST_CODINGS + 1]
    return Unreadable(name if isinstance(name, str) else "", _id(seen), reason, codings)


def _of_other_type(name: str, seen: dict[str, Any]) -> Ignored | Unreadable:
    if name not in _OLDER_TYPES:
        return Ignored(name, _id(seen))
    return Unreadable(name, _id(seen), f"{name} is no resource of FHIR R4", _visible_codings(seen))


def _id(seen: dict[str, Any]) -> str:
    return identifier if isinstance(identifier := seen.get("id"), str) else ""


def _visible_codings(value: Any) -> tuple[Coding, ...]:  # noqa: ANN401 - any JSON value
    """Return the codings of a resource that can be seen although it cannot be decoded."""
    if isinstance(value, list):
        return tuple(coding for item in value for coding in _visible_codings(item))
    if not isinstance(value, dict):
        return ()
    items = value.get("coding")
    found = [
        Coding(*(part if isinstance(part := item.get(name), str) else "" for name in ("system", "code", "display")))
        for item in (items if isinstance(items, list) else [items])
        if isinstance(item, dict)
    ]
    for member in _CODE_MEMBERS:
        found.extend(_visible_codings(value.get(member)))
    return tuple(found)


def _words(error: Exception) -> str:
    """Return what was wrong, without any value of the resource."""
    if isinstance(error, RecursionError):
        return "not readable: nested too deeply"
    if isinstance(error, msgspec.ValidationError):
        element = _PLACE.sub("", str(error).rpartition(" - at `$")[2]).strip(".`")
        return f"not readable: {element or 'it'} is not as FHIR has it"
    return "not readable: not valid JSON"
