"""Open what came for a prefetch key: the entries of a searchset Bundle, and whether the search was answered whole.

Source: CDS Hooks 2.0.1 prefetch, FHIR R4 Bundle; clinical/rules.md D-EMPTY.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from cds.fhir.context import RawJson, Received
from cds.fhir.datatypes import FhirObject
from cds.fhir.decode import NOT_READABLE, resource_type

MOST_ENTRIES = 20_000
"""How many entries the answer to one key may have, and all answers together."""
TOO_MANY = f"not readable: more than {MOST_ENTRIES:,} entries"
"""The reason of a gap where there are more; none of them is used."""

_NULL = b"null"
_MOST_COMMAS = 1_000_000


class Search(FhirObject, frozen=True, gc=False):
    """Bundle.entry.search."""

    mode: str | None = None


class Entry(FhirObject, frozen=True, gc=False):
    """Bundle.entry: the resource is not decoded yet."""

    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw(_NULL)
    search: Search | None = None


class _Link(FhirObject, frozen=True, gc=False):
    relation: str | None = None
    url: str | None = None


class _Bundle(FhirObject, frozen=True, gc=False):
    resource_type: str | None = None
    total: int | None = None
    link: tuple[_Link, ...] = ()
    entry: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """What came for one key, opened.

    Attributes:
        entries: all entries of all pages.
        failure: why the answer is not what was asked for at all; empty if it is.
        unread: why the end of the search was not seen (``a next page was not read``); empty if it was.
        total: Bundle.total of the last page that has one.
        is_bundle: the answer was a search, not a single resource.
    """

    entries: tuple[Entry, ...] = ()
    failure: str = ""
    unread: str = ""
    total: int | None = None
    is_bundle: bool = False


@dataclass(frozen=True, slots=True)
class Paging:
    """Whether more pages follow: `url` is where, as sent; it may be empty although a page follows."""

    is_bundle: bool = False
    follows: bool = False
    url: str = ""


_BUNDLES = msgspec.json.Decoder(_Bundle)
_ENTRIES = msgspec.json.Decoder(Entry)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def open_received(received: Received) -> Opened:
    """Return the entries of all pages, and what is known about completeness; nothing is raised."""
    pages = [_open(page) for page in received.pages]
    if sum(len(page.entries) for page in pages) > MOST_ENTRIES:
        return Opened(failure=TOO_MANY)
    failure = next((page.failure for page in pages if page.failure), "")
    unread = received.failure or (pages[-1].unread if pages else "")
    totals = [page.total for page in pages if page.total is not None]
    return Opened(
        entries=tuple(entry for page in pages for entry in page.entries),
        failure=failure or ("" if pages else unread or "nothing was received"),
        unread=unread,
        total=totals[-1] if totals else None,
        is_bundle=any(page.is_bundle for page in pages),
    )


def paging(raw: RawJson) -> Paging:
    """Return what a page says of the next one; nothing is raised."""
    bundle = _bundle(raw)
    if bundle is None or bundle.resource_type != "Bundle":
        return Paging()
    following = [link.url or "" for link in bundle.link if link.relation == "next"]
    return Paging(True, bool(following), following[0] if following else "")


def is_null(raw: RawJson) -> bool:
    """Say whether the JSON value is null."""
    return bytes(raw).strip() == _NULL


def _bundle(raw: RawJson) -> _Bundle | None:
    try:
        return _BUNDLES.decode(raw)
    except NOT_READABLE:
        return _decode_by_member(raw)


def _open(raw: RawJson) -> Opened:
    if bytes(raw).count(b",") > _MOST_COMMAS:
        return Opened(failure=TOO_MANY)
    bundle = _bundle(raw)
    if bundle is None:
        return Opened(failure="not readable: neither a FHIR resource nor null")
    if bundle.resource_type not in (None, "Bundle") or not (bundle.resource_type or bundle.entry):
        return Opened((Entry(resource=msgspec.Raw(bytes(raw))),))
    follows = any(link.relation == "next" for link in bundle.link)
    return Opened(bundle.entry, "", "a next page was not read" if follows else "", bundle.total, is_bundle=True)


def _decode_by_member(raw: RawJson) -> _Bundle | None:
    """Return a Bundle that is not quite one: each member is read by itself, so that one cannot cost the others."""
    if is_null(raw):
        return _Bundle("Bundle")
    try:
        members = _MEMBERS.decode(raw)
        items = _items(members.get("entry"))[: MOST_ENTRIES + 1]
        entries = tuple(_decode_entry(item) for item in items)
        links = tuple(link for item in _items(members.get("link")) if isinstance(link := _one(item, _Link), _Link))
    except NOT_READABLE:
        return None
    total = _one(members.get("total"), int)
    return _Bundle(resource_type(raw) or None, total if isinstance(total, int) else None, links, entries)


def _decode_entry(raw: msgspec.Raw) -> Entry:
    try:
        return _ENTRIES.decode(raw)
    except NOT_READABLE:
        pass
    try:
        members = _MEMBERS.decode(raw)
    except NOT_READABLE:
        return Entry()
    full_url, search = _one(members.get("fullUrl"), str), _one(members.get("search"), Search)
    return Entry(full_url, members.get("resource", Entry().resource), search)


def _items(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    """Return the items of a JSON array; an object is taken as its only item, null as no item.

    Raises:
        msgspec.DecodeError: if it is a text, a number or a truth value.
    """
    if raw is None or is_null(raw):
        return []
    return [raw] if bytes(raw).lstrip().startswith(b"{") else _ITEMS.decode(raw)


def _one(raw: msgspec.Raw | None, wanted: Any) -> Any:  # noqa: ANN401 - a type, and a value of that type or None
    try:
        return msgspec.json.decode(raw, type=wanted) if raw is not None else None
    except NOT_READABLE:
        return None
