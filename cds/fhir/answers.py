"""What each prefetch key answered: its resources, decoded, and whether silence of its source proves anything.

Source: CDS Hooks 2.0.1 prefetch; clinical/rules.md D-EMPTY.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cds.engine.facts import Source
from cds.fhir.bundle import MOST_ENTRIES, TOO_MANY, Entry, Opened, is_null, open_received
from cds.fhir.context import RawJson, ReadContext, Received
from cds.fhir.decode import Ignored, Resource, Unreadable, decode_resource
from cds.fhir.drug import Lookup
from cds.fhir.drug_resources import Medication
from cds.fhir.outcome import OperationOutcome
from cds.fhir.references import Addresses

_TYPES = {
    Source.PATIENT: "Patient",
    Source.CONDITIONS: "Condition",
    Source.ALLERGIES: "AllergyIntolerance",
    Source.MEDICATIONS: "MedicationRequest",
    Source.STATEMENTS: "MedicationStatement",
    Source.DISPENSES: "MedicationDispense",
    Source.PROCEDURES: "Procedure",
    Source.FLAGS: "Flag",
    Source.ENCOUNTER: "Encounter",
}
_OBSERVATION = "Observation"
_SOURCES = {name: source for source, name in _TYPES.items()} | {
    _OBSERVATION: Source.MEASUREMENTS,
    "Medication": Source.MEDICATIONS,
}
_READ_BY_ID = frozenset({Source.PATIENT, Source.ENCOUNTER})
PRODUCTS = "medication_products"
"""The key under which Medications that were read are kept; no EHR is asked for it."""
NOT_SENT = "not sent"
"""The reason of a gap whose prefetch key is missing."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry, decoded.

    Attributes:
        resource: what it holds.
        resource_type: its FHIR type; empty if that could not be seen.
        address: ``Type/id``, else the fullUrl, else words that say where it stands.
        full_url: Bundle.entry.fullUrl; empty if it has none.
        matched: it was found by the search, not brought along with what was found.
    """

    resource: Resource | Ignored | Unreadable
    resource_type: str
    address: str
    full_url: str = ""
    matched: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came for one key. `source` is None for a key that nobody asked for; its resources are read all the same."""

    key: str
    source: Source | None
    received: Received | None
    opened: Opened = field(default_factory=Opened)
    items: tuple[Item, ...] = ()

    @property
    def origin(self) -> str:
        """Return where it was read, in words."""
        return (self.received and self.received.origin) or f"prefetch {self.key}"

    def source_of(self, item: Item) -> Source:
        """Return the source that an item belongs to: that of the key, else the one where its type is expected."""
        return self.source or _SOURCES.get(item.resource_type, Source.MEASUREMENTS)


def open_answers(received: Mapping[str, Received], context: ReadContext) -> tuple[Answer, ...]:
    """Return the answer of every key: first those that were asked for, then any other that was sent.

    Where all together have more than `MOST_ENTRIES`, the last ones are not read, with a failure that says so.
    """
    answers: list[Answer] = []
    room = MOST_ENTRIES
    for key in [*context.expected, *(key for key in received if key not in context.expected)]:
        answer = _open(key, context.expected.get(key), received.get(key), room)
        room -= len(answer.items)
        answers.append(answer)
    return tuple(answers)


def unread_products(answers: Iterable[Answer]) -> str:
    """Return why Medications could not be read from the FHIR server; empty if nothing failed."""
    return next((one.received.failure for one in answers if one.key == PRODUCTS and one.received), "")


def look_up(items: Iterable[Item], context: ReadContext, unread: str = "") -> Lookup:
    """Return what references among the items can lead to; `unread` is why other Medications are not there."""
    full_urls: dict[str, str] = {}
    medications: dict[str, Medication] = {}
    for item in items:
        if item.full_url.startswith("urn:"):
            full_urls[item.full_url] = item.address
        if isinstance(item.resource, Medication):
            medications[item.address] = item.resource
    addresses = Addresses(context.patient_id, context.base_url.rstrip("/"), full_urls)
    return Lookup(addresses, medications, unread)


def decode_item(raw: RawJson, place: str, full_url: str = "") -> Item:
    """Return a resource, decoded; one without an id or a fullUrl is called by its place (``entry 3 of conditions``)."""
    resource = decode_resource(raw)
    name = resource.resource_type if isinstance(resource, Ignored | Unreadable) else type(resource).__name__
    address = f"{name}/{resource.id}" if name and resource.id else full_url or f"{name} {place}".strip()
    return Item(resource, name, address, full_url)


def why_not_whole(answer: Answer) -> Iterator[str]:
    """Yield each reason why this answer is not what was asked for, except that it was cut short."""
    if answer.source is None:
        return
    if answer.received is None:
        yield NOT_SENT if answer.key == answer.source.value else f"{answer.key} {NOT_SENT}"
    elif answer.opened.failure:
        yield answer.opened.failure
    elif reported := tuple(_reported(answer)):
        yield from reported
    else:
        yield from _unfit(answer, answer.source)


def why_cut_short(answer: Answer) -> str:
    """Return why the end of the search was not seen; empty if it was."""
    opened = answer.opened
    if opened.failure:
        return ""
    matched = sum(item.matched for item in answer.items)
    if opened.unread:
        return f"cut short: {opened.unread}"
    if opened.total is not None and opened.total > matched and not any(_reported(answer)):
        return f"cut short: {matched} of {opened.total} were sent"
    return ""


def _open(key: str, source: Source | None, received: Received | None, room: int) -> Answer:
    if received is None:
        return Answer(key, source, None)
    opened = open_received(received)
    if len(opened.entries) > room:
        opened = Opened(failure=TOO_MANY)
    wanted = _TYPES.get(source, _OBSERVATION) if source else ""
    numbered = enumerate(opened.entries, start=1)
    items = tuple([_item(entry, wanted, f"entry {number} of {key}") for number, entry in numbered])
    return Answer(key, source, received, opened, items)


def _item(entry: Entry, wanted: str, place: str) -> Item:
    if is_null(entry.resource):
        return Item(
            Unreadable("", "", "an entry without a resource"), "", entry.full_url or place, entry.full_url or ""
        )
    item = decode_item(entry.resource, place, entry.full_url or "")
    mode = entry.search.mode if entry.search else None
    own = not wanted or item.resource_type in ("", wanted)
    matched = not isinstance(item.resource, OperationOutcome) and (mode == "match" if mode else own)
    return item if matched else replace(item, matched=False)


def _reported(answer: Answer) -> Iterator[str]:
    """Yield what the EHR itself says of errors and of data that it left out; what it did send is used all the same."""
    for item in answer.items:
        if isinstance(outcome := item.resource, OperationOutcome):
            if outcome.is_error or not answer.opened.is_bundle:
                yield f"the EHR reported an error: {outcome.words}"
            elif outcome.missing:
                yield f"the EHR says that data are missing: {outcome.missing}"
        elif isinstance(outcome, Unreadable) and outcome.resource_type == "OperationOutcome":
            yield "the EHR reported an error: no reason that can be read"


def _unfit(answer: Answer, source: Source) -> Iterator[str]:
    """Yield why what was sent cannot be the answer: nothing of the type, no search result, or not readable."""
    wanted, by_id = _TYPES.get(source, _OBSERVATION), source in _READ_BY_ID
    names = {item.resource_type for item in answer.items} - {"", "OperationOutcome"}
    if names and wanted not in names:
        yield f"holds {', '.join(sorted(names))} and no {wanted}"
    elif not by_id and not answer.opened.is_bundle:
        yield f"a single {wanted}, not the result of a search" if names else "not a FHIR Bundle"
    elif by_id and any(isinstance(item.resource, Unreadable) for item in answer.items):
        yield f"the {wanted} is not readable"
    elif source is Source.PATIENT and not names:
        yield "the EHR has no such patient"
