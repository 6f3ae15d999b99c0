"""Valid requests to start from: collected fixtures, what the stand-in EHR sends for fixture patients, and captures."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from cds.ehr import request_for
from cds.fhir.shift import as_of
from tests.running import Json

_ROOT = Path(__file__).parents[2]
_FIXTURES = _ROOT / "fhir_fixtures"
_CAPTURED = _ROOT.parent / "shared" / "protocol" / "requests"
_ORDERS = ("ketamine_iv_infusion", "ketamine_iv_depression", "esketamine_nasal", "ketamine_oral_lozenge")
_LARGEST_BYTES = 20_000


def seeds(templates: Mapping[str, Mapping[str, str]], today: date) -> dict[str, Json]:
    """Return valid requests by name.

    Args:
        templates: the prefetch templates that the service offers, by hook.
        today: the day to which the fixtures' dates are moved.
    """
    found = {path.stem: _read(path, today) for path in sorted((_FIXTURES / "hooks").glob("*.json"))}
    for path in sorted(_CAPTURED.glob("*.json")) if _CAPTURED.is_dir() else ():
        found[path.stem] = _read(path, today)
    found |= written(templates, today)
    return {name: request for name, request in found.items() if _is_request(request)}


def written(templates: Mapping[str, Mapping[str, str]], today: date) -> dict[str, Json]:
    """Return what an EHR that answers every query sends for the fixture patients, in every hook."""
    found = {}
    for number, path in enumerate(sorted((_FIXTURES / "patients").glob("*.json"))):
        bundle = _read(path, today)
        order = _read(_FIXTURES / "orders" / f"{_ORDERS[number % len(_ORDERS)]}.json", today)
        for hook, keys in templates.items():
            request = request_for(bundle, None if hook == "patient-view" else order, hook, keys)
            if len(json.dumps(request)) < _LARGEST_BYTES:
                found[f"{hook} of {path.stem}"] = request
    return found


def _read(path: Path, today: date) -> Json:
    read: Json = as_of(json.loads(path.read_bytes()), today)
    return read


def _is_request(request: Json) -> bool:
    return isinstance(request.get("hook"), str) and isinstance(request.get("prefetch", {}), dict)
