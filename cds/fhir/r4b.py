"""Strict validation against FHIR R4B, for what we vouch for and for developers. The only importer of fhir.resources.

fhir.resources has R4B (4.3.0) and no plain R4; for the resources that are read here the two agree. It is imported when
it is first needed: it costs 0.3 seconds and 35 MB, and answering a hook never needs it.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from cds.fhir.lint import Json, Problem, deviations, resources_of

__all__ = ["Problem", "lint_request", "validate_resource"]

_ABSTRACT = frozenset({"Resource", "DomainResource"})


def validate_resource(resource: object) -> tuple[Problem, ...]:
    """Return what makes a resource, and each resource inside it, invalid as FHIR R4B; empty if it is valid."""
    return tuple(_problems(resource, ""))


def lint_request(request: object) -> tuple[Problem, ...]:
    """Return how a hook request deviates from CDS Hooks and FHIR R4B; the service reads most of them all the same.

    Args:
        request: the body, as JSON bytes or decoded.
    """
    if isinstance(request, bytes):
        try:
            request = json.loads(request)
        except (ValueError, RecursionError) as error:
            return (Problem("$", f"not JSON: {error}"),)
    inner = (problem for path, resource in resources_of(request) for problem in _problems(resource, path))
    return (*deviations(request), *inner)


def _problems(resource: object, path: str) -> Iterator[Problem]:
    """Yield the problems of a resource that stands at `path`: its own, then those of the resources inside it.

    Each resource is validated by itself, so that one of an unknown type does not hide the others.
    """
    if not isinstance(resource, Mapping):
        yield Problem(path or "$", "a FHIR resource is expected")
        return
    yield from _own_problems(_without_inner(resource), path)
    for inner_path, inner in _inner(resource):
        yield from _problems(inner, f"{path}.{inner_path}" if path else inner_path)


def _own_problems(resource: Json, path: str) -> Iterator[Problem]:
    model = _model(str(resource.get("resourceType", "")))
    if model is None:
        yield Problem(_at(path, ("resourceType",)), "not a resource type of FHIR R4B")
        return
    try:
        model.model_validate(dict(resource))
    except ValueError as error:
        yield from (_problem(detail, path) for detail in _details(error))
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        # The validator itself stumbles over some malformed values; what it stumbled over is a problem all the same.
        yield Problem(path or "$", f"cannot be validated ({type(error).__name__})")


@lru_cache(maxsize=256)
def _model(resource_type: str) -> Any:  # noqa: ANN401 - a pydantic model class of fhir.resources, or None
    from fhir.resources.R4B import get_fhir_model_class

    if not resource_type.isalpha() or resource_type in _ABSTRACT:
        return None
    try:
        model = get_fhir_model_class(resource_type)
    except (KeyError, ValueError):
        return None
    return model if model.has_resource_base() else None


def _inner(resource: Json) -> Iterator[tuple[str, object]]:
    """Yield the resources inside a resource with their paths: contained ones, and those of a Bundle's entries."""
    contained, entries = resource.get("contained"), resource.get("entry")
    if isinstance(contained, list):
        yield from ((f"contained[{number}]", inner) for number, inner in enumerate(contained))
    if resource.get("resourceType") == "Bundle" and isinstance(entries, list):
        for number, entry in enumerate(entries):
            if isinstance(entry, Mapping) and "resource" in entry:
                yield f"entry[{number}].resource", entry["resource"]


def _without_inner(resource: Json) -> Json:
    """Return the resource without those inside it; an entry keeps a stand-in, so that it stays valid."""
    shell = dict(resource)
    if isinstance(shell.get("contained"), list):
        del shell["contained"]
    if shell.get("resourceType") == "Bundle" and isinstance(shell.get("entry"), list):
        shell["entry"] = [
            {**entry, "resource": {"resourceType": "Basic", "code": {"text": "stand-in"}}}
            if isinstance(entry, Mapping) and "resource" in entry
            else entry
            for entry in shell["entry"]
        ]
    return shell


def _details(error: ValueError) -> list[dict[str, Any]]:
    errors = getattr(error, "errors", None)
    return list(errors()) if callable(errors) else [{"loc": (), "msg": "not valid"}]


def _problem(detail: Mapping[str, Any], path: str) -> Problem:
    return Problem(_at(path, detail["loc"]), str(detail["msg"]).removeprefix("Value error, "))


def _at(path: str, location: tuple[str | int, ...]) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return f"{path}{steps}".lstrip(".") or "$"
