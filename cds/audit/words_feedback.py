"""Feedback in words: which card, what was done with it, why."""

from collections.abc import Iterator

from cds.audit.members import Section, child, children, text, texts
from cds.audit.stored_record import StoredRecord


def feedback_lines(record: StoredRecord) -> Iterator[str]:
    """Yield what one entry of feedback says; nothing of it if it is redacted."""
    said = record.section("feedback")
    about = child(said, "about")
    card = text(about, "uuid") or text(said, "card") or "a card that is not named"
    yield f"  {text(record.envelope, 'outcome')} {text(said, 'at')[:19]}  card {card}  {text(about, 'topic')}".rstrip()
    yield from (f"    because   {_reason(reason)}" for reason in children(said, "reasons"))
    yield from (f"    in words  {text(said, 'userComment')}" for _ in [0] if text(said, "userComment"))
    yield from (f"    took      suggestion {uuid}" for uuid in texts(said, "acceptedSuggestions"))
    yield from (f"    note      {remark}" for remark in texts(said, "remarks"))
    if not text(record.envelope, "about"):
        yield "    note      no card of this client is known by that name"


def _reason(reason: Section) -> str:
    words = (text(reason, "code"), text(reason, "display"), text(reason, "system"))
    return ", ".join(word for word in words if word)
