"""Fill the prefetch templates of a CDS service from a FHIR server, as an EHR does before it calls a hook."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from cds.ehr.wire import Json, fetch
from cds.errors import FhirError
from cds.hooks.prefetch import resolve

MOST_PAGES = 200
"""A search of more pages than this is given up; with 20 entries a page it has brought 4,000 resources by then."""


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What the templates brought.

    Attributes:
        prefetch: key to resource or searchset Bundle. A key whose query failed is absent: never null, never an error.
        problems: key to the reason why it is absent.
    """

    prefetch: Json
    problems: dict[str, str]


def fill(templates: Mapping[str, str], context: Mapping[str, object], read: Callable[[str], Json | None]) -> Prefetched:
    """Answer every template by `read`, which takes a query and returns a resource, or None where there is none."""
    prefetch: Json = {}
    problems: dict[str, str] = {}
    for key, template in templates.items():
        query = resolve(template, context)
        if query is None:
            problems[key] = "the context lacks a token of the template"
            continue
        try:
            resource = read(query)
        except FhirError as error:
            problems[key] = str(error)
            continue
        if resource is None:
            problems[key] = "there is no such resource"
        else:
            prefetch[key] = resource
    return Prefetched(prefetch, problems)


def fill_prefetch(fhir: httpx.Client, templates: Mapping[str, str], context: Mapping[str, object]) -> Prefetched:
    """Run every template against the FHIR server; searches are followed to their last page.

    Args:
        fhir: a client of the server, made by `cds.ehr.wire.connect`.
        templates: key to template, as discovery gives them.
        context: the context of the hook request.
    """
    return fill(templates, context, lambda query: read_all(fhir, query))


def read_all(fhir: httpx.Client, query: str) -> Json:
    """Return a resource by its ``Type/id``, or all pages of a search as one searchset Bundle without a next link.

    Raises:
        FhirError: CDS-331 when any page cannot be had, CDS-332 when a next link leaves the server, leads in a circle or
            there are more than `MOST_PAGES`.
    """
    page = fetch(fhir, query)
    if page.get("resourceType") != "Bundle":
        return page
    entries = list(page.get("entry") or [])
    seen = set[str]()
    while url := _next_link(page):
        _check_next(fhir, url, seen)
        seen.add(url)
        page = fetch(fhir, url)
        entries.extend(page.get("entry") or [])
    return searchset(entries)


def searchset(entries: list[Json]) -> Json:
    """Return a searchset Bundle of entries; without any, it has no ``entry`` (FHIR forbids empty lists)."""
    return {"resourceType": "Bundle", "type": "searchset", **({"entry": entries} if entries else {})}


def _next_link(page: Json) -> str | None:
    links = (link for link in page.get("link") or [] if link.get("relation") == "next")
    return next((link.get("url") for link in links), None)


def _check_next(fhir: httpx.Client, url: str, seen: set[str]) -> None:
    if not url.startswith(str(fhir.base_url).rstrip("/")):
        raise FhirError("CDS-332", str(fhir.base_url), "The next page of a search lies on another server.")
    if url in seen or len(seen) >= MOST_PAGES:
        raise FhirError("CDS-332", str(fhir.base_url), f"A search has no end after {len(seen) + 1} pages.")
