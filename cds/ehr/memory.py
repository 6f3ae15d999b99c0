"""Answer prefetch queries from resources in memory, as a FHIR server would that held only them.

Only the parameters that our templates use are known. Another one is an error, never ignored: a search that is answered
too widely would hide a mistake.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from cds.ehr.prefetch import searchset
from cds.ehr.wire import Json
from cds.errors import FhirError

# Where a resource keeps what the search parameters `date`, `authoredon` and the like look at.
_DATES = (
    "effectiveDateTime",
    "effectiveInstant",
    "effectivePeriod",
    "performedDateTime",
    "performedPeriod",
    "authoredOn",
    "recordedDate",
    "onsetDateTime",
    "period",
    "date",
)
_REST_OF_DATE = {len("2026"): "-01-01", len("2026-01"): "-01"}
_SORTS = frozenset({"date", "authoredon", "recorded-date", "onset-date"})


def search(resources: Sequence[Json], query: str) -> Json | None:
    """Return the resource that a read names (None when there is none), or a search's matches as a searchset Bundle.

    Args:
        resources: all that the imagined server holds, with ids and relative references.
        query: ``Type/id`` or ``Type?parameter=value&...``.

    Raises:
        FhirError: CDS-333 for a parameter that is not known here.
    """
    kind, _, parameters = query.partition("?")
    if "/" in kind:
        return next((resource for resource in resources if _address(resource) == kind), None)
    found = [resource for resource in resources if resource["resourceType"] == kind]
    for name, value in parse_qsl(parameters, keep_blank_values=True):
        found = _apply(found, name, value)
    return searchset([{"resource": resource, "search": {"mode": "match"}} for resource in found])


def _apply(resources: list[Json], name: str, value: str) -> list[Json]:
    """Return the resources narrowed or ordered by one parameter."""
    if name == "_count":
        return resources
    if name == "_sort" and value.removeprefix("-") in _SORTS:
        return sorted(resources, key=_when, reverse=value.startswith("-"))
    matches = _PARAMETERS.get(name)
    if matches is None:
        raise FhirError("CDS-333", name, f"The search parameter {name}={value} is not known in memory.")
    wanted = frozenset(value.split(","))
    return [resource for resource in resources if matches(resource, wanted)]


def _address(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _has_id(resource: Json, wanted: frozenset[str]) -> bool:
    return resource["id"] in wanted


def _is_about(resource: Json, wanted: frozenset[str]) -> bool:
    subject = resource.get("subject") or resource.get("patient") or {}
    reference = str(subject.get("reference", "")).removeprefix("Patient/")
    return reference in {value.removeprefix("Patient/") for value in wanted}


def _has_token(*elements: str) -> Callable[[Json, frozenset[str]], bool]:
    """Return the test whether one of the elements holds one of the tokens ``system|code``, ``system|`` or ``code``."""

    def matches(resource: Json, wanted: frozenset[str]) -> bool:
        return any(not wanted.isdisjoint(_tokens(coding)) for coding in _codings(resource, elements))

    return matches


def _codings(resource: Json, elements: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the codings of the elements: of CodeableConcepts, of lists of them, and of plain codes."""
    for element in elements:
        held = resource.get(element) or []
        for value in held if isinstance(held, list) else [held]:
            if isinstance(value, str):
                yield {"code": value}
            else:
                yield from value.get("coding") or []


def _tokens(coding: Mapping[str, Any]) -> set[str]:
    """Return every way to ask for a coding."""
    system, code = coding.get("system", ""), coding.get("code", "")
    return {f"{system}|{code}", f"{system}|", code} if system else {f"|{code}", code}


def _when(resource: Json) -> datetime:
    """Return the instant by which a resource is sorted; without a date it is the oldest."""
    value = next((resource[name] for name in _DATES if resource.get(name)), None)
    text = value.get("start") or value.get("end") if isinstance(value, dict) else value
    if not text:
        return datetime.min.replace(tzinfo=UTC)
    instant = datetime.fromisoformat(text + _REST_OF_DATE.get(len(text), ""))
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


_PARAMETERS: Mapping[str, Callable[[Json, frozenset[str]], bool]] = {
    "_id": _has_id,
    "patient": _is_about,
    "subject": _is_about,
    "code": _has_token("code", "medicationCodeableConcept"),
    "category": _has_token("category"),
    "status": _has_token("status"),
    "intent": _has_token("intent"),
    "clinical-status": _has_token("clinicalStatus"),
}
