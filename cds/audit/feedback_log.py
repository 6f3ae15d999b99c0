"""Every card that was shown, with what was last said of it; the basis of reports. Nothing is written.

A card that stayed silent and a call in shadow mode are not shown. Source: trust/design.md 0a.12; 45 CFR 170.315(b)(11).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import orjson

from cds.audit.members import Section, child, children, text, texts
from cds.audit.queries import LogReader
from cds.audit.record import CallOutcome, RecordType

_SECTION = "SELECT content FROM section WHERE seq = ? AND name = ?"
_LEVELS = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class Period:
    """Which days count (UTC), both included, and which client; what is left empty asks nothing."""

    since: date | None = None
    until: date | None = None
    client: str = ""

    def holds(self, envelope: Section) -> bool:
        """Say whether an entry counts."""
        day = date.fromisoformat(text(envelope, "at")[:10])
        client = text(child(envelope, "client"), "id")
        return (self.since or day) <= day <= (self.until or day) and self.client in {"", client}


@dataclass(frozen=True, slots=True)
class Given:
    """Feedback as it is on record; texts are the client's, empty where nothing was said or it is redacted.

    Attributes:
        seq: its entry.
        card: the card's UUID as the client named it.
        at: when it happened (UTC).
        outcome: ``accepted`` or ``overridden``.
        reasons: one line for each: ``data-outdated-or-wrong``, or words where there is no code.
        is_orphan: no card of this client is known.
    """

    seq: int
    at: str
    outcome: str
    client: str
    service: str = ""
    card: str = ""
    reasons: tuple[str, ...] = ()
    comment: str = ""
    suggestions: tuple[str, ...] = ()
    is_orphan: bool = False


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card that was sent to a user.

    Attributes:
        rule: the id of the rule that leads it; `topic` is the rule's with the level's letter.
        at: when it was decided (UTC).
        user, location, organization, encounter: FHIR references; empty where not known.
        suggestions: UUID to label.
        given: what was last said of it; None if it was ignored.
    """

    seq: int
    record_id: str
    uuid: str
    at: str
    client: str
    service: str
    rule: str
    topic: str
    level: str
    summary: str
    user: str = ""
    location: str = ""
    organization: str = ""
    encounter: str = ""
    suggestions: Mapping[str, str] = field(default_factory=dict)
    given: Given | None = None

    @property
    def action(self) -> str:
        """Return ``accepted``, ``overridden`` or ``ignored``."""
        return self.given.outcome if self.given else "ignored"


@dataclass(slots=True)
class Lost:
    """Cards that were shown and cannot be told apart any more, because their records are redacted."""

    cards: int = 0


class FeedbackLog(LogReader):
    """A log opened to read cards with their feedback; use it in a ``with`` block."""

    def shown(self, period: Period, lost: Lost) -> Iterator[ShownCard]:
        """Yield the cards that were shown in a period, the earliest first; what is redacted is counted in `lost`."""
        given = self.latest()
        for seq, envelope in self.envelopes():
            if text(envelope, "type") != RecordType.DECISION.value or not period.holds(envelope):
                continue
            if text(envelope, "outcome") == CallOutcome.CARDS.value:
                yield from self._cards(seq, envelope, given, lost)

    def latest(self) -> Mapping[str, Given]:
        """Return what was last said of each card that is known, by the card's UUID."""
        said: dict[str, Given] = {}
        for uuid, given in self._given():
            known = said.get(uuid)
            if uuid and (known is None or (known.at, known.seq) <= (given.at, given.seq)):
                said[uuid] = given
        return said

    def orphans(self, period: Period) -> list[Given]:
        """Return what was said in a period of cards that are not known, or not this client's."""
        counted = {seq for seq, envelope in self.envelopes() if period.holds(envelope)}
        return [given for uuid, given in self._given() if given.is_orphan and given.seq in counted]

    def section(self, seq: int, name: str) -> Section:
        """Return a section's JSON; empty if it is redacted or was never there."""
        rows = self._rows(_SECTION, seq, name)
        read = orjson.loads(rows[0][0]) if rows else {}
        return read if isinstance(read, dict) else {}

    def envelopes(self) -> Iterator[tuple[int, Section]]:
        """Yield number and envelope of every call and feedback, the earliest first."""
        for seq, envelope in self._rows("SELECT seq, envelope FROM entry ORDER BY seq"):
            read: Section = orjson.loads(envelope)
            if text(read, "at"):
                yield seq, read

    def _given(self) -> Iterator[tuple[str, Given]]:
        """Yield all feedback, the earliest first, with the UUID of its card; empty for an orphan."""
        for seq, envelope in self.envelopes():
            if text(envelope, "type") == RecordType.FEEDBACK.value:
                said = self.section(seq, "feedback")
                yield text(child(said, "about"), "uuid"), _given(seq, envelope, said)

    def _cards(self, seq: int, envelope: Section, given: Mapping[str, Given], lost: Lost) -> Iterator[ShownCard]:
        counts = child(child(envelope, "counts"), "cards")
        rules = self.section(seq, "rules")
        cards, said = children(self.section(seq, "cards"), "cards"), children(rules, "cards")
        if len(cards) != len(said) or not cards:
            lost.cards += sum(int(text(counts, level) or 0) for level in _LEVELS)
            return
        names = rules_by_topic(rules)
        who = self._who(seq)
        for sent, card in zip(cards, said, strict=True):
            uuid = text(sent, "uuid").lower()
            topics = texts(card, "rules")
            yield ShownCard(
                seq=seq,
                record_id=text(envelope, "id"),
                uuid=uuid,
                at=text(envelope, "at"),
                client=text(child(envelope, "client"), "id"),
                service=text(envelope, "service"),
                rule=names.get(topics[0], topics[0]) if topics else "",
                topic=text(card, "topic"),
                level=text(card, "level"),
                summary=text(sent, "summary"),
                suggestions={text(one, "uuid").lower(): text(one, "label") for one in children(sent, "suggestions")},
                given=given.get(uuid),
                **who,
            )

    def _who(self, seq: int) -> dict[str, str]:
        """Return who saw the cards of a record, and where."""
        subject = self.section(seq, "subject")
        facts = children(self.section(seq, "facts"), "facts") if text(subject, "encounter") else []
        encounter = next((fact for fact in facts if text(fact, "factType") == "encounter"), {})
        return {
            "user": text(subject, "user"),
            "encounter": text(subject, "encounter"),
            "location": text(subject, "location") or text(encounter, "location"),
            "organization": text(subject, "organization") or text(encounter, "organization"),
        }


def rules_by_topic(rules: Section) -> Mapping[str, str]:
    """Return the id of each rule by its topic, from the section `rules` of a decision."""
    findings = (one for assessed in children(rules, "assessments") for one in children(assessed, "rules"))
    return {text(finding, "topic"): text(finding, "ruleId") for finding in findings}


def _given(seq: int, envelope: Section, said: Section) -> Given:
    return Given(
        seq=seq,
        at=text(said, "at") or text(envelope, "at"),
        outcome=text(envelope, "outcome"),
        client=text(child(envelope, "client"), "id"),
        service=text(envelope, "service"),
        card=text(said, "card"),
        reasons=tuple(_reason(reason) for reason in children(said, "reasons")),
        comment=text(said, "userComment"),
        suggestions=tuple(texts(said, "acceptedSuggestions")),
        is_orphan=not text(envelope, "about"),
    )


def _reason(reason: Section) -> str:
    """Return a reason by its code, of which the report counts equal ones; by its words if it has none."""
    return text(reason, "code") or text(reason, "display") or text(reason, "system")
