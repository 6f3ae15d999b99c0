"""Seal a record: a permanent envelope with commitments to sections that can be redacted. Pure.

The envelope holds our own words and numbers only. Each section is bound to it by SHA-256 over its name, a random
salt and its bytes; without the salt a value such as a blood pressure could be found by trying all of them.
"""

from collections import Counter
from collections.abc import Callable

import orjson

from cds.audit.canonical import JsonValue, canonical
from cds.audit.identifiers import hidden
from cds.audit.indexes import rows_of_answer
from cds.audit.members import Section, children, text
from cds.audit.pseudonym import Pseudonym
from cds.audit.record import (
    CallOutcome,
    DecisionRecord,
    ErrorRecord,
    LogEntry,
    NotApplicableRecord,
    Record,
    RecordType,
)
from cds.audit.sealed import Sealed, SealedSection, ShownCard, Stamp, utc
from cds.audit.sections import facts_section, is_uuid, request_section, rules_section, subject_section
from cds.engine.logic import Verdict
from cds.engine.rules import Level
from cds.errors import AuditError

ENVELOPE_VERSION = 1
SALT_BYTES = 32
_COUNTED = {
    Verdict.PRESENT: "present",
    Verdict.NOT_FOUND: "notFound",
    Verdict.UNKNOWN: "unknown",
    Verdict.NOT_APPLICABLE: "notApplicable",
}


def seal(record: Record, stamp: Stamp, pseudonym: Pseudonym, salt: Callable[[int], bytes]) -> Sealed:
    """Return the record as envelope and sections; `salt(n)` gives n random bytes, new ones for each section.

    Raises:
        AuditError: CDS-407, if the id is no UUID, the answer no JSON object, or a text cannot be written as UTF-8.
        ValueError: if the answer is no JSON at all.
    """
    if not is_uuid(record.call.record_id):
        raise AuditError("CDS-407", "record", "The record's id is not a UUID.")
    if not isinstance(orjson.loads(record.call.answer), dict):
        raise AuditError("CDS-407", "record", "The answer is not a JSON object.")
    contents = contents_of(record)
    sections = tuple(SealedSection(name, salt(SALT_BYTES), content) for name, content in contents.items())
    envelope = _envelope(record, stamp) | {
        "subjectEpoch": pseudonym.epoch,
        "sections": {section.name: section.commitment for section in sections},
    }
    subject = record.call.subject
    if subject.patient:
        envelope["subjectKey"] = pseudonym.of(subject.fhir_server, subject.patient)
    rows = rows_of_answer(record.call.answer)
    return Sealed(record.call.record_id, canonical(envelope), sections, _shown(record, pseudonym), rows=rows)


def seal_entry(entry: LogEntry, stamp: Stamp, pseudonym: Pseudonym, salt: Callable[[int], bytes]) -> Sealed:
    """Return an entry that is no call as envelope and sections; `salt` as in `seal`.

    Raises:
        AuditError: CDS-407, if it cannot be written as canonical JSON.
    """
    sections = tuple(SealedSection(name, salt(SALT_BYTES), canonical(value)) for name, value in entry.sections.items())
    envelope: Section = {
        **entry.envelope,
        **_stamped(entry.type, entry.entry_id, stamp),
        "subjectEpoch": pseudonym.epoch,
        "sections": {section.name: section.commitment for section in sections},
    }
    if entry.about:
        envelope["about"] = entry.about
    return Sealed(entry.entry_id, canonical(envelope), sections, about=entry.about, rows=entry.rows)


def _stamped(kind: RecordType, entry_id: str, stamp: Stamp) -> Section:
    """Return what every envelope begins with."""
    return {
        "v": ENVELOPE_VERSION,
        "type": kind.value,
        "id": entry_id,
        "time": utc(stamp.time),
        "monoUs": stamp.mono_us,
        "instance": stamp.instance,
        "engine": {"version": stamp.software.version, "build": stamp.software.build},
        "configSha256": stamp.software.config_sha256,
    }


def _shown(record: Record, pseudonym: Pseudonym) -> tuple[ShownCard, ...]:
    """Return the cards of a user who is known; nobody else can be shown one for a second time."""
    call = record.call
    who = call.subject
    if not isinstance(record, DecisionRecord) or not who.user or call.computed:
        return ()
    keys = (
        pseudonym.of(who.fhir_server, who.patient),
        pseudonym.of_user(call.caller.client, who.fhir_server, who.user),
        utc(call.at),
    )
    return tuple(ShownCard(*keys, card.topic, card.drug, card.route, card.fingerprint) for card in record.cards)


def contents_of(record: Record) -> dict[str, bytes]:
    """Return the bytes of each section of a record, by name; the subject's identifiers stand in `subject` alone."""
    subject = canonical(subject_section(record.call))
    rest = {name: hidden(content, record.call.subject) for name, content in _contents(record).items()}
    return {"subject": subject} | rest


def _contents(record: Record) -> dict[str, bytes]:
    contents = {"request": canonical(request_section(record))}
    if isinstance(record, DecisionRecord):
        contents["facts"] = canonical(facts_section(record.facts))
        contents["rules"] = canonical(rules_section(record))
    call = record.call
    if call.computed:
        return contents | {"cards": call.answer, "shadow": call.computed}
    return contents | {"outcome" if isinstance(record, ErrorRecord) else "cards": call.answer}


def _envelope(record: Record, stamp: Stamp) -> Section:
    call = record.call
    kind = RecordType.ERROR if isinstance(record, ErrorRecord) else RecordType.DECISION
    envelope: Section = _stamped(kind, call.record_id, stamp) | {
        "at": utc(call.at),
        "service": call.service,
        "hook": call.hook,
        "client": {"id": call.caller.client},
        "httpStatus": call.status,
        "outcome": _outcome(record).value,
        "knowledge": {"version": call.knowledge.version, "sha256": call.knowledge.digest.removeprefix("sha256:")},
        "durationUs": dict(call.durations_us),
        "counts": _counts(record),
    }
    if is_uuid(call.hook_instance):
        envelope["hookInstance"] = call.hook_instance
    if isinstance(record, ErrorRecord):
        envelope["problem"] = record.problem
    if call.computed:
        envelope["shadow"] = True
    return envelope


def _outcome(record: Record) -> CallOutcome:
    if record.call.computed:
        return CallOutcome.SHADOW
    if isinstance(record, ErrorRecord):
        return CallOutcome.ERROR
    if isinstance(record, NotApplicableRecord):
        return CallOutcome.NOT_APPLICABLE
    return CallOutcome.CARDS if _indicators(record.call.answer) else CallOutcome.NO_CARDS


def _counts(record: Record) -> JsonValue:
    if not isinstance(record, DecisionRecord):
        return {"gaps": len(record.call.gaps)}
    call = record.call
    verdicts = Counter(finding.verdict for assessment in record.assessments for finding in assessment.findings)
    gaps = {gap for assessment in record.assessments for gap in assessment.gaps}
    counts: Section = {name: verdicts[verdict] for verdict, name in _COUNTED.items()}
    counts |= {"silenced": len(record.silenced), "gaps": len(gaps), "cards": _by_level(call.answer)}
    return counts | ({"shadow": _by_level(call.computed)} if call.computed else {})


def _by_level(answer: bytes) -> JsonValue:
    indicators = Counter(_indicators(answer))
    return {level.value: indicators[level.value] for level in Level}


def _indicators(answer: bytes) -> list[str]:
    return [text(card, "indicator") for card in children(orjson.loads(answer), "cards")]
