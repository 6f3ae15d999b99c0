"""Load patients into a FHIR server under the ids that their Bundles give them."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from cds.ehr.wire import Json, send
from cds.errors import RequestError

PART_SIZE = 1000
"""The most resources that are sent in one transaction; more are sent in several."""

# A part may refer to what an earlier part brought, so what others refer to goes first.
_FIRST = ("Organization", "Practitioner", "PractitionerRole", "Patient", "Medication", "Encounter", "Condition")


def read_bundles(paths: Iterable[Path]) -> Iterator[Json]:
    """Yield the Bundles in files (``.json`` or ``.json.gz``) and in all such files of folders, in the order of names.

    Raises:
        RequestError: CDS-231 when a path does not exist or a file holds no Bundle.
    """
    for path in paths:
        files = sorted([*path.glob("*.json"), *path.glob("*.json.gz")]) if path.is_dir() else [path]
        yield from map(_read_bundle, files)


def seed(fhir: httpx.Client, bundles: Iterable[Json], progress: Callable[[str, int], None] | None = None) -> list[str]:
    """Create or replace every resource of the Bundles; doing it again changes nothing.

    Args:
        fhir: a client of the server, made by `cds.ehr.wire.connect`.
        bundles: Bundles of any type, one patient each; references among their entries may be ``urn:uuid:``.
        progress: called after each Bundle with the patient's id and the number of resources sent.

    Returns:
        The ids of the patients, in the order of the Bundles.

    Raises:
        RequestError: CDS-232 when a Bundle cannot be loaded as it is.
        FhirError: CDS-331 when the server does not take it; what it said is repeated.
    """
    patients = []
    for bundle in bundles:
        resources = resources_of(bundle)
        patient = patient_id(resources)
        for part in _parts(sorted(resources, key=_rank)):
            send(fhir, "", {"resourceType": "Bundle", "type": "transaction", "entry": part}, "application/fhir+json")
        patients.append(patient)
        if progress:
            progress(patient, len(resources))
    return patients


def resources_of(bundle: Json) -> list[Json]:
    """Return the resources of a Bundle, each with its id and with references to one another as ``Type/id``.

    A reference to an entry's ``fullUrl`` (``urn:uuid:...`` or absolute) becomes relative; nothing else is changed.

    Raises:
        RequestError: CDS-232 when it is no Bundle, or an entry has no resource or no id.
    """
    entries = bundle.get("entry") or []
    if bundle.get("resourceType") != "Bundle":
        raise RequestError("CDS-232", "resourceType", f"{bundle.get('resourceType')!r} is not a Bundle.")
    resources = [_with_id(entry, f"Bundle.entry[{number}]") for number, entry in enumerate(entries)]
    addresses = {
        entry["fullUrl"]: f"{resource['resourceType']}/{resource['id']}"
        for entry, resource in zip(entries, resources, strict=True)
        if "fullUrl" in entry
    }
    return [_relative(resource, addresses) for resource in resources]


def patient_id(resources: Iterable[Json]) -> str:
    """Return the id of the one Patient among the resources.

    Raises:
        RequestError: CDS-232 when there is none, or more than one.
    """
    ids = [resource["id"] for resource in resources if resource["resourceType"] == "Patient"]
    if len(ids) != 1:
        raise RequestError("CDS-232", "Bundle.entry", f"{len(ids)} Patients.", "A Bundle holds one Patient.")
    return str(ids[0])


def _read_bundle(path: Path) -> Json:
    try:
        packed = path.read_bytes()
        bundle = json.loads(gzip.decompress(packed) if path.suffix == ".gz" else packed)
    except (OSError, ValueError) as error:
        raise RequestError("CDS-231", str(path), f"Cannot be read: {error}.") from error
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise RequestError("CDS-231", str(path), "Not a FHIR Bundle.", "A Bundle with one patient's resources.")
    return bundle


def _with_id(entry: Json, where: str) -> Json:
    """Return the entry's resource; an id that only its ``urn:uuid:`` fullUrl gives is taken from there."""
    resource = entry.get("resource")
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise RequestError("CDS-232", where, "No resource.")
    full_url = str(entry.get("fullUrl", ""))
    identifier = resource.get("id") or (full_url.removeprefix("urn:uuid:") if full_url.startswith("urn:uuid:") else "")
    if not identifier:
        raise RequestError("CDS-232", f"{where}.resource.id", "No id.", "The id to be kept, or a urn:uuid fullUrl.")
    return {**resource, "id": identifier}


def _relative(value: Any, addresses: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a copy of a JSON value in which references to known addresses are relative."""
    if isinstance(value, list):
        return [_relative(item, addresses) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {name: _relative(item, addresses) for name, item in value.items()}
    reference = copy.get("reference")
    if isinstance(reference, str):
        copy["reference"] = addresses.get(reference, reference)
    return copy


def _rank(resource: Json) -> int:
    kind = resource["resourceType"]
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)


def _parts(resources: Iterable[Json]) -> Iterator[list[Json]]:
    """Yield the resources as entries of transactions, `PART_SIZE` at a time."""
    remaining = iter(resources)
    while part := [_upsert(resource) for resource in islice(remaining, PART_SIZE)]:
        yield part


def _upsert(resource: Json) -> Json:
    address = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": address, "resource": resource, "request": {"method": "PUT", "url": address}}
