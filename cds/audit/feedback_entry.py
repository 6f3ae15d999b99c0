"""Feedback as an entry of the log: an envelope of our own words, redactable sections, and its index row."""

import hashlib

from cds.audit.canonical import JsonValue
from cds.audit.feedback import FeedbackRecord
from cds.audit.indexes import Index, IndexRow
from cds.audit.members import Section
from cds.audit.record import LogEntry, RecordType
from cds.audit.sealed import utc

HOOK = "feedback"
"""What stands in the envelope where a call has its hook."""


def feedback_entry(record: FeedbackRecord, said_key: str) -> LogEntry:
    """Return the entry of one item; `said_key` is the keyed digest of what was said (`History.key_of`)."""
    return LogEntry(
        RecordType.FEEDBACK,
        _envelope(record),
        {"feedback": _feedback(record), "request": _request(record)},
        about=record.card.record_id if record.card else "",
        entry_id=record.record_id,
        rows=(_row(record, said_key),),
    )


def _envelope(record: FeedbackRecord) -> Section:
    envelope: Section = {
        "at": utc(record.at),
        "service": record.service,
        "hook": HOOK,
        "client": {"id": record.caller.client},
        "outcome": record.said.outcome,
    }
    if record.card and record.card.subject_key:
        envelope["subjectKey"] = record.card.subject_key
    return envelope


def _feedback(record: FeedbackRecord) -> JsonValue:
    about: Section = {"about": record.card.members()} if record.card else {}
    return record.said.members() | {"at": utc(record.happened)} | about


def _request(record: FeedbackRecord) -> JsonValue:
    caller = record.caller
    named = {"issuer": caller.issuer, "tenant": caller.tenant, "subject": caller.subject, "tokenId": caller.token_id}
    return {
        "bodySha256": hashlib.sha256(record.body).hexdigest(),
        "bodyBytes": len(record.body),
        "caller": {name: value for name, value in named.items() if value},
    }


def _row(record: FeedbackRecord, said_key: str) -> IndexRow:
    card = record.card
    of_card = (card.seq, card.uuid, card.subject_key or None, card.user_key or None) if card else (None,) * 4
    which = (card.topic, card.drug, card.route, card.fingerprint) if card and card.topic else (None,) * 4
    return IndexRow(Index.FEEDBACK, (said_key, *of_card, record.said.outcome, utc(record.happened), *which))
