"""Read feedback on cards in every form that clients write; a bad item costs only itself.

The forms: CDS Hooks 2.0 and 3.0; the draft of May 2020 (`overrideReason` holds code and system itself); Epic
(`overrideReasons`, one object, whose reason may stand in extensions alone). The fourth, of before 1.0, is a POST whose
address names the suggestion (`read_click`).

Source: CDS Hooks 2.0.1 "Feedback"; trust/design.md 0a.3, 0a.12.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from cds.errors import RequestError
from cds.hooks.body import check_json
from cds.hooks.members import items, missing, require_text, shown, text, unique_members
from cds.hooks.override_reasons import NULL, Reason, extensions_of, member, reasons_of

MOST_ITEMS = 1_000
"""How many items one body may hold."""

_LONGEST_ID = 255


class Outcome(StrEnum):
    """What a clinician did with a card."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One item: what became of one card.

    Attributes:
        path: where it stands in the request: ``$.feedback[0]``.
        card: the card's UUID in lower case, or whatever the client calls it; empty if only a suggestion is named.
        outcome: see `Outcome`.
        suggestions: the UUIDs of the suggestions that were taken.
        reasons: why the card was overridden; most clients send one or none.
        comment: the clinician's own words.
        at: when it happened, aware; None if the client does not say.
        extensions: name to SHA-256 (hex) of each extension; only what Epic's say of the reason is kept, as a `Reason`.
        remarks: what was odd although it could be read.
    """

    path: str
    card: str
    outcome: Outcome
    suggestions: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    comment: str = field(default="", repr=False)
    at: datetime | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedbackRead:
    """What could be read of a body, and one error for each item that could not."""

    feedback: tuple[Feedback, ...]
    errors: tuple[RequestError, ...] = ()


def read_feedback(body: bytes) -> FeedbackRead:
    """Return the items of a feedback body.

    Raises:
        RequestError: nothing of it can be read: CDS-201 to CDS-210 as `cds.hooks.body` says, CDS-214 no `feedback`,
            CDS-250 more than `MOST_ITEMS`.
    """
    check_json(body)
    sent = unique_members(body, "$").get("feedback", NULL)
    if sent == NULL:
        raise missing("$.feedback", "a list")
    listed = items(sent)
    if len(listed) > MOST_ITEMS:
        raise RequestError(
            "CDS-250",
            "$.feedback",
            f"The list has {len(listed)} items.",
            f"At most {MOST_ITEMS}.",
            "Send several lists.",
        )
    found: list[Feedback] = []
    errors: list[RequestError] = []
    for number, raw in enumerate(listed):
        try:
            found.append(_item(raw, f"$.feedback[{number}]"))
        except RequestError as error:
            errors.append(error)
    return FeedbackRead(tuple(found), tuple(errors))


def read_click(suggestion: str) -> Feedback:
    """Return what a POST to ``.../analytics/{suggestion}`` says: that the suggestion was taken, now.

    Raises:
        RequestError: CDS-251 if the suggestion's id is longer than any id is.
    """
    path = "the address"
    return Feedback(path, "", Outcome.ACCEPTED, (_identifier(suggestion, path),))


def _item(raw: bytes, path: str) -> Feedback:
    found = unique_members(raw, path)
    card = _identifier(require_text(found, "card", path), f"{path}.card")
    outcome = _outcome(found, path)
    suggestions = _suggestions(found, path)
    at, remark = _moment(found, path)
    overriding = [value for name in ("overrideReason", "overrideReasons") for value in items(found.get(name, NULL))]
    extensions = extensions_of([raw, *overriding, *(member(value, "reason") for value in overriding)])
    remarks = [remark] if remark else []
    if outcome is Outcome.ACCEPTED and not suggestions:
        remarks.append("it is not said which suggestion was taken")
    return Feedback(
        path,
        card,
        outcome,
        suggestions,
        tuple(dict.fromkeys(reason for value in overriding for reason in reasons_of(value))),
        "\n".join(comment for value in overriding if (comment := text(member(value, "userComment")))),
        at,
        extensions,
        tuple(remarks),
    )


def _identifier(sent: str, path: str) -> str:
    """Return an id; in lower case, as ours are, if it is written as a UUID."""
    if not 0 < len(sent) <= _LONGEST_ID:
        raise RequestError(
            "CDS-251", path, f"The id has {len(sent)} characters.", f"An id of at most {_LONGEST_ID}, such as a UUID."
        )
    return sent.lower() if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", sent) else sent


def _outcome(found: Mapping[str, bytes], path: str) -> Outcome:
    sent = require_text(found, "outcome", path)
    try:
        return Outcome(sent.strip().lower())
    except ValueError:
        raise RequestError(
            "CDS-252", f"{path}.outcome", f"The outcome is {shown(sent)}.", "Expected 'accepted' or 'overridden'."
        ) from None


def _suggestions(found: Mapping[str, bytes], path: str) -> tuple[str, ...]:
    """Return the ids of accepted suggestions, which stand in objects; the id alone is understood as well."""
    taken = items(found.get("acceptedSuggestions", NULL))
    ids = [text(member(one, "id")) or text(one) for one in taken]
    if "" in ids:
        raise missing(f"{path}.acceptedSuggestions[{ids.index('')}].id", "the UUID of a suggestion")
    return tuple(dict.fromkeys(_identifier(one, f"{path}.acceptedSuggestions") for one in ids))


def _moment(found: Mapping[str, bytes], path: str) -> tuple[datetime | None, str]:
    """Return when it happened, and what was odd about how that is said."""
    raw = found.get("outcomeTimestamp", NULL)
    if raw in {NULL, b'""'}:
        return None, "it is not said when"
    try:
        at = datetime.fromisoformat(text(raw))
        remark = "" if at.tzinfo else "the time has no offset: it is taken as UTC"
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), remark
    except (ValueError, OverflowError):
        raise RequestError(
            "CDS-253", f"{path}.outcomeTimestamp", f"The time is {shown(raw.decode())}.",
            "Expected ISO 8601 in UTC, such as 2026-02-01T12:00:00Z.",
        ) from None  # fmt: skip
