"""Feedback before it is sealed: what was said of a card, and which card that is.

The envelope holds our own words only; what a client or a clinician wrote goes to sections that can be redacted.

Source: trust/design.md 0a.3, 0a.12, 1.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cds.audit.canonical import canonical
from cds.audit.members import Section
from cds.audit.record import Caller
from cds.audit.sealed import utc


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded reason; members that were not sent are empty."""

    system: str = ""
    code: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a client says became of a card (section feedback).

    Attributes:
        card: the card's UUID as the client names it; empty if only a suggestion is named.
        outcome: ``accepted`` or ``overridden`` (also in the envelope).
        suggestions: UUIDs of the suggestions that were taken.
        reasons: why it was overridden.
        comment: the clinician's own words.
        at: when it happened, aware; None if not said.
        extensions: name to SHA-256 (hex).
        remarks: what was odd about it.
    """

    card: str
    outcome: str
    suggestions: tuple[str, ...] = ()
    reasons: tuple[Coded, ...] = ()
    comment: str = field(default="", repr=False)
    at: datetime | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def members(self) -> Section:
        """Return it as JSON, without what is empty."""
        reasons: list[Section] = [
            _filled({"system": one.system, "code": one.code, "display": one.display}) for one in self.reasons
        ]
        return _filled(
            {
                "card": self.card,
                "outcome": self.outcome,
                "acceptedSuggestions": list(self.suggestions),
                "reasons": list(reasons),
                "userComment": self.comment,
                "outcomeTimestamp": utc(self.at) if self.at else "",
                "extensions": [{"name": name, "sha256": digest} for name, digest in self.extensions.items()],
                "remarks": list(self.remarks),
            }
        )

    def content(self) -> bytes:
        """Return what makes two items the same: everything that was said."""
        return canonical(self.members())


@dataclass(frozen=True, slots=True)
class CardSent:
    """A card on record.

    Attributes:
        uuid: in lower case.
        seq, record_id: the record of the call that it answered; `client` who called.
        subject_key, user_key: pseudonyms of the patient and of the user who saw it; empty if not known.
        topic, level, drug, route, fingerprint: what tells it from other cards; empty if it is redacted.
        rules: the topics, without level, of the rules behind it.
    """

    uuid: str
    seq: int
    record_id: str
    client: str
    subject_key: str = ""
    user_key: str = ""
    topic: str = ""
    level: str = ""
    drug: str = ""
    route: str = ""
    fingerprint: str = ""
    rules: tuple[str, ...] = ()

    def members(self) -> Section:
        """Return what feedback repeats of it (section feedback)."""
        return _filled({"uuid": self.uuid, "topic": self.topic, "level": self.level, "rules": list(self.rules)})


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """One item of feedback.

    Attributes:
        record_id: a random UUID minted by the service (envelope).
        at: when it came, by the service's clock; aware (envelope).
        service: from our table of services (envelope).
        caller: the client (envelope); its token's id goes to section request.
        body: the request body; only its SHA-256 and size are kept (section request).
        card: the card of this client that it is about; None makes it an orphan (envelope: the card's record).
    """

    record_id: str
    at: datetime
    service: str
    caller: Caller
    said: Said
    body: bytes = field(default=b"", repr=False)
    card: CardSent | None = None

    @property
    def happened(self) -> datetime:
        """Return when the card was answered; a time after the receipt is a wrong clock and counts as the receipt."""
        return min(self.said.at, self.at) if self.said.at else self.at


def _filled(members: Section) -> Section:
    return {name: value for name, value in members.items() if value not in ("", [], {})}
