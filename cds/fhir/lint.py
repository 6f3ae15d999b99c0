"""What is not as CDS Hooks has it in a request; what is not as FHIR has it is found by `cds.fhir.r4b`.

Source: CDS Hooks 2.0.1, and the hook library (order-select, order-sign).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
"""A JSON object."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REFERENCE = re.compile(r"\w+/[\w\-.]+")
_DRAFTS = "$.context.draftOrders"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as the specification has it.

    Attributes:
        path: where: ``category``, or ``$.context.draftOrders.entry[0].resource.category`` in a request.
        message: what is wrong there, without any value of the resource.
    """

    path: str
    message: str

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.path}: {self.message}"


def deviations(request: object) -> Iterator[Problem]:
    """Yield how a request deviates from CDS Hooks, in the order in which it is written."""
    if not isinstance(request, Mapping):
        yield Problem("$", "a JSON object is expected")
        return
    yield from _envelope(request)
    yield from _context(request)
    yield from _drafts(request)
    yield from _prefetch(request)


def resources_of(request: object) -> Iterator[tuple[str, object]]:
    """Yield the FHIR content of a request, each with its path: the draft orders and every prefetch value but null."""
    if not isinstance(request, Mapping):
        return
    context, prefetch = request.get("context"), request.get("prefetch")
    if isinstance(context, Mapping) and isinstance(context.get("draftOrders"), Mapping):
        yield _DRAFTS, context["draftOrders"]
    if isinstance(prefetch, Mapping):
        yield from ((f"$.prefetch.{key}", value) for key, value in prefetch.items() if value is not None)


def _envelope(request: Json) -> Iterator[Problem]:
    if not isinstance(request.get("hook"), str):
        yield Problem("$.hook", "required: the name of the hook")
    instance = request.get("hookInstance")
    if not isinstance(instance, str) or not _UUID.fullmatch(instance):
        yield Problem("$.hookInstance", "required: a UUID")
    if "fhirAuthorization" in request and "fhirServer" not in request:
        yield Problem("$.fhirServer", "required where fhirAuthorization is given")
    server = request.get("fhirServer")
    if server is not None and not str(server).startswith(("https://", "http://")):
        yield Problem("$.fhirServer", "the base URL of a FHIR server is expected")
    yield from _extension(request)


def _extension(request: Json) -> Iterator[Problem]:
    if "extension" in request and not isinstance(request["extension"], Mapping):
        yield Problem("$.extension", "a JSON object is expected (CDS Hooks extensions are no FHIR extensions)")


def _context(request: Json) -> Iterator[Problem]:
    context = request.get("context")
    if not isinstance(context, Mapping):
        yield Problem("$.context", "required: a JSON object")
        return
    patient, user = context.get("patientId"), context.get("userId")
    if not isinstance(patient, str) or not patient:
        yield Problem("$.context.patientId", "required: the id of the patient")
    elif "/" in patient:
        yield Problem("$.context.patientId", "the bare id is expected, without 'Patient/'")
    if not isinstance(user, str) or not _REFERENCE.fullmatch(user):
        yield Problem("$.context.userId", "required: a reference such as Practitioner/123")
    if request.get("hook") == "order-select":
        yield from _selections(context)


def _selections(context: Json) -> Iterator[Problem]:
    selections = context.get("selections")
    if not isinstance(selections, list) or not selections:
        yield Problem("$.context.selections", "required by order-select: a list of references into draftOrders")
        return
    known = {f"{draft.get('resourceType')}/{draft.get('id')}" for _, draft in _draft_resources(context)}
    for number, selected in enumerate(selections):
        path = f"$.context.selections[{number}]"
        if not isinstance(selected, str) or not _REFERENCE.fullmatch(selected):
            yield Problem(path, "a reference such as MedicationRequest/123 is expected")
        elif selected not in known:
            yield Problem(path, "names no entry of draftOrders")


def _drafts(request: Json) -> Iterator[Problem]:
    context = request.get("context")
    if not isinstance(context, Mapping) or not str(request.get("hook", "")).startswith("order-s"):
        return
    if not isinstance(context.get("draftOrders"), Mapping):
        yield Problem(_DRAFTS, "required: a FHIR Bundle of the unsigned orders")
    for number, draft in _draft_resources(context):
        if draft.get("status") != "draft" and request.get("hook") == "order-select":
            yield Problem(f"{_DRAFTS}.entry[{number}].resource.status", "an unsigned order has the status draft")


def _draft_resources(context: Json) -> Iterator[tuple[int, Json]]:
    bundle = context.get("draftOrders")
    entries = bundle.get("entry") if isinstance(bundle, Mapping) else None
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, Mapping) and isinstance(entry.get("resource"), Mapping):
            yield number, entry["resource"]


def _prefetch(request: Json) -> Iterator[Problem]:
    prefetch = request.get("prefetch")
    if prefetch is None:
        return
    if not isinstance(prefetch, Mapping):
        yield Problem("$.prefetch", "a JSON object is expected")
        return
    for key, value in prefetch.items():
        yield from _answer(value, f"$.prefetch.{key}")


def _answer(value: Any, path: str) -> Iterator[Problem]:  # noqa: ANN401 - any JSON value
    if not isinstance(value, Mapping) or value.get("resourceType") != "Bundle":
        return
    if value.get("type") not in (None, "searchset"):
        yield Problem(f"{path}.type", "the answer to a search is a Bundle of type searchset")
    links = value.get("link")
    for number, link in enumerate(links if isinstance(links, list) else []):
        if isinstance(link, Mapping) and link.get("relation") == "next":
            yield Problem(
                f"{path}.link[{number}]", "a next page was not sent: rules that need all of it answer unknown"
            )
