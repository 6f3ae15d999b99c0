"""Read the unsigned orders of a session (``context.draftOrders``), before and without any data of the patient.

Source: CDS Hooks order-select and order-sign; clinical/rules.md D-ORDER, D-DRUG (where a Medication is looked for).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cds.engine.facts import Coding, Gap, GapScope, Medication, Provenance, Source
from cds.fhir.answers import Item, decode_item, look_up, open_answers, unread_products
from cds.fhir.bundle import is_null, open_received
from cds.fhir.context import RawJson, ReadContext, Received
from cds.fhir.decode import Unreadable
from cds.fhir.drug import Lookup
from cds.fhir.drug_resources import MedicationRequest, ServiceRequest
from cds.fhir.medication import read_medication
from cds.fhir.reading import Reading
from cds.fhir.references import Subject

ORIGIN = "draftOrders"
"""The origin of what was read from the hook's context."""


@dataclass(frozen=True, slots=True)
class DraftEntry:
    """One resource among the draft orders.

    Attributes:
        reference: ``MedicationRequest/request-123``; a draft without an id is called by its fullUrl or its place.
        full_url: the entry's fullUrl; empty if it has none.
        resource_type: as sent; empty if it could not be seen.
        medication: the order; None if it is no MedicationRequest or ServiceRequest, or could not be used. Its drug is
            empty where none was chosen yet.
        missing: the address of its Medication (``Medication/12``) that was not found; read it from the FHIR server and
            read the drafts again with it among `received`. Empty if nothing is missing.
        gaps: what of it could not be read or used.
    """

    reference: str
    full_url: str
    resource_type: str
    medication: Medication | None = None
    missing: str = ""
    gaps: tuple[Gap, ...] = ()


def entries_of(bundle: RawJson) -> tuple[tuple[str, RawJson], ...]:
    """Return fullUrl (or empty) and resource of every entry of a draftOrders Bundle that has a resource."""
    opened = open_received(Received((bundle,)))
    return tuple((entry.full_url or "", entry.resource) for entry in opened.entries if not is_null(entry.resource))


def read_drafts(
    entries: Iterable[tuple[str, RawJson]], context: ReadContext, received: Mapping[str, Received] | None = None
) -> tuple[DraftEntry, ...]:
    """Return the draft orders, one for each resource, in their order; nothing is raised.

    Args:
        entries: fullUrl (or empty) and raw resource of each entry; Medications among them are used for the others.
        context: how to read; what it says about prefetch keys is not used here.
        received: the prefetch. It is opened only if a drug is named by a Medication that is not among the entries.
    """
    numbered = enumerate(entries, start=1)
    items = [decode_item(raw, f"entry {number} of {ORIGIN}", full_url) for number, (full_url, raw) in numbered]
    lookup = look_up(items, context)
    drafts = [_read(item, context, lookup) for item in items]
    if received and any(draft.missing for draft in drafts):
        answers = open_answers(received, context)
        sent = [item for answer in answers for item in answer.items]
        lookup = look_up([*sent, *items], context, unread_products(answers))
        drafts = [_read(item, context, lookup) for item in items]
    return tuple(drafts)


def _read(item: Item, context: ReadContext, lookup: Lookup) -> DraftEntry:
    resource, draft = item.resource, DraftEntry(item.address, item.full_url, item.resource_type)
    if isinstance(resource, Unreadable):
        codings = tuple(replace(coding, system=context.canonical(coding.system)) for coding in resource.codings)
        return replace(draft, gaps=(_gap(draft, GapScope.ENTRY, resource.reason, codings),))
    if not isinstance(resource, MedicationRequest | ServiceRequest):
        return draft
    if lookup.addresses.subject(resource.subject) is Subject.ANOTHER:
        return replace(draft, gaps=(_gap(draft, GapScope.ENTRY, "it is for another patient"),))
    reading = Reading(
        context, Provenance(draft.reference, ORIGIN, version=(resource.meta and resource.meta.version_id) or "")
    )
    medication, missing = read_medication(resource, reading, lookup)
    not_named = (lookup.why_missing(missing),) if missing and not medication.drug.label else ()
    problems = dict.fromkeys((*reading.problems, *not_named))
    return replace(
        draft,
        medication=replace(medication, draft=True),
        missing=missing,
        gaps=tuple(_gap(draft, GapScope.VALUE, problem, medication.drug.codings) for problem in problems),
    )


def _gap(draft: DraftEntry, scope: GapScope, reason: str, codings: tuple[Coding, ...] = ()) -> Gap:
    return Gap(Source.MEDICATIONS, scope, reason, draft.reference, codings)
