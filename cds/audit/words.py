"""A stored record in words: what was asked, what was read, what every rule said and why, what was sent.

All text from requests is shown with its control and bidi characters made visible.
"""

from collections import Counter
from collections.abc import Iterator

import orjson

from cds.audit.canonical import JsonValue
from cds.audit.filters import CALLS
from cds.audit.members import Section, child, children, text, texts
from cds.audit.record import Record, RecordType
from cds.audit.seal import contents_of
from cds.audit.stored_record import StoredRecord, parsed
from cds.audit.visible import visible, visible_json
from cds.audit.words_feedback import feedback_lines
from cds.audit.words_rules import assessment_lines, card_lines, code_words, gap_line, silent_lines

_ORIGINS = {"prefetch": "sent with the call", "none": "neither sent nor read"}
"""Origins of a key that need other words for a reader who knows no CDS Hooks."""
_STEPS = {"beforeAppend": "in all", "evaluate": "assessing", "fetch": "reading the FHIR server"}
"""The steps whose durations an envelope holds."""


def show(record: StoredRecord) -> str:
    """Return the whole record as indented JSON: its number, envelope and sections, and what is gone or altered."""
    return written(whole(record))


def whole(record: StoredRecord) -> Section:
    """Return the whole record as JSON."""
    sections: Section = {name: parsed(record.content(name)) for name in record.sections}
    found: Section = {"number": record.seq, "envelope": record.envelope, "sections": sections}
    if record.redacted:
        found["redacted"] = list(record.redacted)
    if record.altered:
        found["altered"] = list(record.altered)
    return found


def written(value: Section) -> str:
    """Return JSON indented for a terminal."""
    return visible_json(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def explain(record: StoredRecord) -> str:
    """Return the whole story of one decision for a reader at a terminal."""
    is_call = text(record.envelope, "type") in CALLS
    parts = (_head, _who, _asked, _read, _missing, _rules, _sent) if is_call else (_entry,)
    return "\n".join(visible(line) for part in parts for line in part(record))


def explain_decision(record: Record) -> str:
    """Return the story of a decision that is not recorded: what was asked, read and missing, and what came of it."""
    unsealed = StoredRecord(0, {}, contents_of(record))
    return "\n".join(visible(line) for part in (_asked, _read, _missing, _rules, _sent) for line in part(unsealed))


def _head(record: StoredRecord) -> Iterator[str]:
    envelope = record.envelope
    knowledge, engine = child(envelope, "knowledge"), child(envelope, "engine")
    spent = child(envelope, "durationUs").items()
    durations = ", ".join(f"{_STEPS.get(name, name)} {_milliseconds(time)}" for name, time in spent)
    yield f"Record {record.seq}  {text(envelope, 'id')}  {text(envelope, 'time')}"
    yield (
        f"  {text(envelope, 'hook')} ({text(envelope, 'service')}), HTTP {text(envelope, 'httpStatus')}: "
        f"{text(envelope, 'outcome')} {text(envelope, 'problem')}"
    ).rstrip()
    yield f"  Decided for the time {text(envelope, 'at')}" + (f"; took {durations}" if durations else "")
    yield f"  Knowledge {text(knowledge, 'version')}, SHA-256 {text(knowledge, 'sha256')}"
    yield f"  Program   {text(engine, 'version')} {text(engine, 'build')}".rstrip()
    yield from (f"  REDACTED: section {name}" for name in record.redacted)
    yield from (f"  ALTERED: section {name} is not what was recorded. Do not rely on it." for name in record.altered)


def _entry(record: StoredRecord) -> Iterator[str]:
    """Yield what an entry says that is no call."""
    yield f"Entry {record.seq}  {text(record.envelope, 'id')}  {text(record.envelope, 'time')}"
    if text(record.envelope, "type") == RecordType.FEEDBACK.value:
        yield f"  Feedback of the client {text(child(record.envelope, 'client'), 'id')}"
        yield from feedback_lines(record)
        yield from (f"  REDACTED: section {name}" for name in record.redacted)
    else:
        yield from written(whole(record)).split("\n")


def _who(record: StoredRecord) -> Iterator[str]:
    subject, request = record.section("subject"), record.section("request")
    yield from _title("WHO AND WHOM")
    yield f"  Client    {text(child(record.envelope, 'client'), 'id')}"
    yield from (f"  {name:9} {value}" for name, value in child(request, "caller").items())
    pseudonym = text(record.envelope, "subjectKey")
    patient = text(subject, "patient") or ("redacted" if "subject" in record.redacted else "not known")
    yield f"  Patient   {patient}" + (f"  (in envelopes: {pseudonym})" if pseudonym else "")
    yield from (f"  {name:9} {value}" for name, value in subject.items() if name != "patient")


def _asked(record: StoredRecord) -> Iterator[str]:
    request = record.section("request")
    yield from _title("WHAT WAS ASKED")
    yield f"  Request of {text(request, 'bodyBytes')} bytes, SHA-256 {text(request, 'bodySha256')}"
    instance = text(record.envelope, "hookInstance") or text(request, "hookInstance")
    yield from (f"  {name:9} {value}" for name, value in (("Instance", instance),) if value)
    for order in children(request, "orders"):
        yield from _order_lines(order)
    yield from (f"  Not ketamine: {concept_words(drug)}" for drug in children(request, "drugs"))
    yield from (f"  Note: {note}" for note in texts(request, "notes"))


def _order_lines(order: Section) -> Iterator[str]:
    medication = child(order, "medication")
    reference = text(child(medication, "provenance"), "reference")
    yield f"  Order     {reference} {concept_words(child(medication, 'drug'))}".rstrip()
    yield from (f"    dosage    {_dosage(dosage)}" for dosage in children(medication, "dosages"))
    yield f"    drug      {text(order, 'drug')} ({text(order, 'drugFound')})"
    yield f"    route     {text(order, 'route')} ({text(order, 'routeFound')})"
    yield f"    context   {text(order, 'context')} ({text(order, 'contextFound')})"
    purposes = ", ".join(f"{name} {verdict}" for name, verdict in child(order, "purposes").items())
    yield f"    purpose   {purposes} ({text(order, 'purposeFound')})"
    if order.get("takeHome"):
        yield "    the drug leaves with the patient"
    yield from (f"    not read  {gap_line(gap)}" for gap in children(order, "gaps"))


def _dosage(dosage: Section) -> str:
    amounts = [(name, child(dosage, name)) for name in ("doseLow", "dose", "rate")]
    said = [f"{name} {text(amount, 'value')} {text(amount, 'unit')}" for name, amount in amounts if amount]
    days = [f"{text(dosage, 'perDay')} per day"] if text(dosage, "perDay") else []
    route = concept_words(child(dosage, "route"))
    return "; ".join(part for part in (text(dosage, "text"), route, *said, *days) if part) or "without a dose"


def concept_words(concept: Section) -> str:
    """Return a CodeableConcept as its text and its codes."""
    codes = ", ".join(code_words(coding) for coding in children(concept, "codings"))
    return " ".join(part for part in (text(concept, "text"), f"[{codes}]" if codes else "") if part)


def _read(record: StoredRecord) -> Iterator[str]:
    sources = children(record.section("request"), "sources")
    kinds = Counter(text(fact, "factType") for fact in children(record.section("facts"), "facts"))
    yield from _title("WHAT WAS READ")
    for source in sources:
        origin = text(source, "origin")
        yield f"  {text(source, 'key'):24} {text(source, 'resources') or '0':>4}  {_ORIGINS.get(origin, origin)}"
    none = "redacted" if "facts" in record.redacted else "none"
    yield "  Facts: " + (", ".join(f"{count} {kind}" for kind, count in kinds.items()) or none)


def _missing(record: StoredRecord) -> Iterator[str]:
    gaps = children(record.section("facts"), "gaps") + children(record.section("request"), "gaps")
    if gaps:
        yield from _title("WHAT WAS MISSING")
    yield from (f"  {gap_line(gap)}" for gap in gaps)


def _rules(record: StoredRecord) -> Iterator[str]:
    for assessment in children(record.section("rules"), "assessments"):
        yield from _title(f"WHAT THE RULES SAID of {text(assessment, 'order') or 'the order'}")
        yield from assessment_lines(assessment)


def _sent(record: StoredRecord) -> Iterator[str]:
    if "shadow" in record.sections:
        yield from _shadow(record)
    elif "cards" in record.sections:
        yield from _title("CARDS AS SENT")
        yield from card_lines(record.section("cards"))
    if silenced := children(record.section("rules"), "silenced"):
        yield from _title("CARDS THAT STAYED SILENT")
        yield from silent_lines(silenced)
    if "outcome" in record.sections:
        yield from _title("ERROR AS SENT")
        yield from _issues(record.section("outcome"))


def _shadow(record: StoredRecord) -> Iterator[str]:
    """Tell what a client in shadow mode would have been sent; it was sent no cards."""
    computed = record.section("shadow")
    if "cards" in computed:
        yield from _title("CARDS THAT WOULD HAVE BEEN SENT (shadow mode)")
        yield from card_lines(computed)
    else:
        yield from _title("ERROR THAT WOULD HAVE BEEN SENT (shadow mode)")
        yield from _issues(computed)


def _issues(outcome: Section) -> Iterator[str]:
    for issue in children(outcome, "issue"):
        yield f"  {text(child(issue, 'details'), 'text')} {text(issue, 'diagnostics')}".rstrip()


def _title(words: str) -> Iterator[str]:
    yield ""
    yield words


def _milliseconds(microseconds: JsonValue) -> str:
    return f"{microseconds / 1000:.1f} ms" if isinstance(microseconds, int) else "?"
