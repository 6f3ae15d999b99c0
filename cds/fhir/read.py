"""Turn what an EHR sent into the facts of one patient. The entry point is `read_facts`; it never raises on content.

Every part that cannot be read costs only itself and is named as a `Gap`:

- a whole source (not sent, an error, another patient's data, cut short): silence of it proves nothing;
- one entry (it cannot be decoded, or does not say what it is about);
- one value of an entry (a date in the future, a value that is no quantity).

Source: clinical/rules.md D-EMPTY, D-OBS, D-TIME, D-COND-NO.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeVar

from cds.engine import facts
from cds.engine.dates import Interval
from cds.engine.facts import Gap, GapScope, PatientFacts, Source
from cds.fhir.answers import Answer, Item, look_up, open_answers, unread_products, why_cut_short, why_not_whole
from cds.fhir.context import ReadContext, Received
from cds.fhir.decode import Unreadable
from cds.fhir.drug import Lookup
from cds.fhir.entries import read_entry, states_fact, whose
from cds.fhir.gaps import bounded
from cds.fhir.medication import with_diagnoses
from cds.fhir.observation import sorted_by
from cds.fhir.reading import Reading
from cds.fhir.references import Subject
from cds.fhir.resources import Observation

FOREIGN = {
    Subject.ANOTHER: "holds another patient's data",
    Subject.NONE: "holds data of no stated patient",
}
"""How the reason of a gap begins where a source holds resources that are not the patient's."""

_NEWEST_FIRST = frozenset({Source.BLOOD_PRESSURE, Source.LABORATORY, Source.DRUG_SCREENS, Source.MEASUREMENTS})
_MOST_NAMED = 3
_F = TypeVar("_F", bound=facts.Fact)


@dataclass(slots=True)
class _Record:
    """What was read so far. `seen` holds the references that were used already."""

    context: ReadContext
    lookup: Lookup
    found: list[facts.Fact] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    complete_since: dict[Source, Interval] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def read_facts(
    received: Mapping[str, Received], context: ReadContext, drafts: Iterable[facts.Medication] = ()
) -> PatientFacts:
    """Return everything that was sent about the patient, and everything that could not be known.

    Args:
        received: what came, by prefetch key (`cds.fhir.context.as_received` makes it from a request's prefetch).
            A key that was not asked for is read as well; it never makes a source complete.
        context: how to read, and what was asked for.
        drafts: the unsigned orders of the session; they follow the recorded drugs, with their reasons resolved.

    Returns:
        The facts. `patient` is None, with a gap, where the Patient is missing, null, an error or somebody else.
    """
    answers = open_answers(received, context)
    items = (item for answer in answers for item in answer.items)
    record = _Record(context, look_up(items, context, unread_products(answers)))
    for answer in answers:
        _read_answer(answer, record)
    return _gathered(record, tuple(drafts))


def _read_answer(answer: Answer, record: _Record) -> None:
    reasons = list(why_not_whole(answer))
    foreign: dict[Subject, list[str]] = {}
    for item in answer.items:
        subject = _read_item(item, answer, record)
        if subject is not Subject.OURS:
            foreign.setdefault(subject, []).append(item.address)
    reasons.extend(f"{FOREIGN[subject]} ({_listed(names)})" for subject, names in foreign.items())
    source = answer.source or (answer.source_of(answer.items[0]) if answer.items else None)
    if source is None:
        return
    cut_short = why_cut_short(answer) if answer.source else ""
    since = _read_back_to(answer, record.context) if cut_short else None
    if since:
        record.complete_since[source] = max(since, record.complete_since.get(source, since))
    elif cut_short:
        reasons.append(cut_short)
    record.gaps.extend(Gap(source, GapScope.SOURCE, reason) for reason in dict.fromkeys(reasons))


def _read_item(item: Item, answer: Answer, record: _Record) -> Subject:
    """Add one entry to the record and return whose it is; what says nothing about a patient is nobody else's."""
    resource, source, reference = item.resource, answer.source_of(item), item.address
    if isinstance(resource, Unreadable):
        canonical = record.context.canonical
        codings = tuple(replace(coding, system=canonical(coding.system)) for coding in resource.codings)
        record.gaps.append(Gap(source, GapScope.ENTRY, resource.reason, reference, codings))
    if not states_fact(resource):
        return Subject.OURS
    subject = whose(resource, record.lookup.addresses)
    if subject is Subject.OURS and reference not in record.seen:
        record.seen.add(reference)
        version = (resource.meta and resource.meta.version_id) or ""
        provenance = facts.Provenance(reference, answer.origin, answer.source, version)
        fact, gaps = read_entry(resource, Reading(record.context, provenance), record.lookup, source)
        record.gaps.extend(gaps)
        record.found.extend([fact] if fact else [])
    return subject


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _read_back_to(answer: Answer, context: ReadContext) -> Interval | None:
    """Return the oldest day of an answer that is surely sorted newest first, else None.

    Everything later than that day was read; of the day itself something may be missing.
    """
    matched = [item.resource for item in answer.items if item.matched]
    if answer.source not in _NEWEST_FIRST or not matched or any(why_not_whole(answer)):
        return None
    dates = [sorted_by(resource, context) if isinstance(resource, Observation) else None for resource in matched]
    known = [date for date in dates if date]
    descending = all(later.start >= earlier.start for later, earlier in pairwise(known))
    return known[-1] if descending and len(known) == len(dates) else None


def _gathered(record: _Record, drafts: tuple[facts.Medication, ...]) -> PatientFacts:
    patient = next(_of(record, facts.Patient), None)
    conditions = tuple(_of(record, facts.Condition))
    diagnoses = {condition.provenance.reference: condition.code for condition in conditions}
    return PatientFacts(
        record.context.patient_id,
        patient,
        conditions,
        tuple(_of(record, facts.Observation)),
        tuple(with_diagnoses(drug, diagnoses) for drug in (*_of(record, facts.Medication), *drafts)),
        tuple(_of(record, facts.Allergy)),
        tuple(_of(record, facts.Procedure)),
        next(_of(record, facts.Encounter), None),
        bounded(record.gaps),
        record.complete_since,
        tuple(_of(record, facts.Flag)),
    )


def _of(record: _Record, kind: type[_F]) -> Iterator[_F]:
    return (fact for fact in record.found if isinstance(fact, kind))
