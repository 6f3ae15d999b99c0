"""When a card stays silent because the same user saw it before (rules.md D-SNOOZE). A critical one never does."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cds.engine.assessment import Evidence
from cds.engine.card import Card
from cds.engine.definitions import SnoozeDefinition
from cds.engine.rules import Level


@dataclass(frozen=True, slots=True)
class EarlierCard:
    """A card that the same user saw for this patient, and when (aware)."""

    topic: str
    drug: str
    route: str
    fingerprint: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the record says of earlier cards for the same user and patient.

    Attributes:
        at: the time of this call in the client's time zone; `today` its day.
        hook: the hook of this call.
        overridden: the cards that this user overrode, with the time of the override.
        sent: the cards that this user was sent within the last hours.
    """

    at: datetime | None = None
    today: date | None = None
    hook: str = ""
    overridden: tuple[EarlierCard, ...] = ()
    sent: tuple[EarlierCard, ...] = ()


@dataclass(frozen=True, slots=True)
class Silenced:
    """A card that is not shown, and why; it stands in the record."""

    card: Card
    why: str


NOTHING_EARLIER = Earlier()


def fingerprint(evidence: Iterable[Evidence]) -> str:
    """Return a short digest of the facts behind a card: which they are, their values and dates, in any order."""
    facts = sorted({(one.reference, one.code, one.value, one.date) for one in evidence})
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def why_silent(card: Card, earlier: Earlier, definition: SnoozeDefinition) -> str:
    """Return why a card stays silent; empty if it is shown."""
    if card.level is Level.CRITICAL or earlier.at is None or earlier.today is None:
        return ""
    first_day = definition.override_for.first_day(earlier.today)
    for one in earlier.overridden:
        day = one.at.astimezone(earlier.at.tzinfo).date()
        if _is_same(card, one) and day >= first_day:
            return f"overridden by the same user on {day}, and its facts have not changed"
    if card.level is not Level.INFO or earlier.hook != "order-sign":
        return ""
    since = earlier.at - timedelta(minutes=definition.repeat_info_after_minutes)
    if any(_is_same(card, one) and one.at >= since for one in earlier.sent):
        return "sent to the same user a short time ago, and its facts have not changed"
    return ""


def _is_same(card: Card, earlier: EarlierCard) -> bool:
    mine = (card.topic, card.drug, card.route, card.fingerprint)
    return mine == (earlier.topic, earlier.drug, earlier.route, earlier.fingerprint)
