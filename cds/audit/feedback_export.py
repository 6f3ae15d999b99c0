"""Feedback in a computable form: one row for every card that was shown, and for every feedback on an unknown card.

Source: 45 CFR 170.315(b)(11)(ii)(C): intervention, action taken, user feedback, user, date, location.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields

from cds.audit.canonical import JsonValue
from cds.audit.feedback_log import FeedbackLog, Given, Lost, Period, ShownCard
from cds.audit.feedback_report import is_of
from cds.audit.spreadsheet import neutral_cell


@dataclass(frozen=True, slots=True)
class Row:
    """One row; the first six columns are those that the regulation names.

    Attributes:
        intervention: the rule's id; ``unknown`` for feedback on a card that is not known.
        action_taken: ``accepted``, ``overridden`` or ``ignored``.
        user_feedback: the reasons given and the user's own words, ``; `` between them.
        user: the user to whom the card was shown, a FHIR reference.
        date: when it was answered (UTC), or when it was shown if it was ignored.
        location: a FHIR reference; the organisation's or the encounter's where no location is known.
        accepted_suggestions: their labels.
        record: the number of the call's record; that of the feedback if the card is not known.
    """

    intervention: str
    action_taken: str
    user_feedback: str
    user: str
    date: str
    location: str
    level: str = ""
    topic: str = ""
    summary: str = ""
    accepted_suggestions: str = ""
    shown: str = ""
    client: str = ""
    service: str = ""
    card: str = ""
    record: str = ""


def rows(log: FeedbackLog, period: Period, rule: str = "") -> Iterator[Row]:
    """Yield the rows of a period, the earliest card first, then feedback on cards that are not known."""
    for card in log.shown(period, Lost()):
        if is_of(card, rule):
            yield _row(card)
    if not rule:
        yield from map(_orphan, log.orphans(period))


def as_csv(found: Iterable[Row]) -> str:
    """Return the rows as CSV (RFC 4180) with a head; no cell can be taken as a formula."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(field.name for field in fields(Row))
    writer.writerows([neutral_cell(value) for value in asdict(row).values()] for row in found)
    return written.getvalue()


def as_members(found: Iterable[Row]) -> JsonValue:
    """Return the rows as JSON objects."""
    return [asdict(row) for row in found]


def _row(card: ShownCard) -> Row:
    given = card.given
    taken = given.suggestions if given else ()
    return Row(
        intervention=card.rule,
        action_taken=card.action,
        user_feedback=_words(given) if given else "",
        user=card.user,
        date=given.at if given else card.at,
        location=card.location or card.organization or card.encounter,
        level=card.level,
        topic=card.topic,
        summary=card.summary,
        accepted_suggestions="; ".join(card.suggestions.get(uuid.lower(), uuid) for uuid in taken),
        shown=card.at,
        client=card.client,
        service=card.service,
        card=card.uuid,
        record=str(card.seq),
    )


def _orphan(given: Given) -> Row:
    return Row(
        intervention="unknown",
        action_taken=given.outcome,
        user_feedback=_words(given),
        user="",
        date=given.at,
        location="",
        accepted_suggestions="; ".join(given.suggestions),
        client=given.client,
        service=given.service,
        card=given.card,
        record=str(given.seq),
    )


def _words(given: Given) -> str:
    return "; ".join(part for part in (*given.reasons, given.comment) if part)
