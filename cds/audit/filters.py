"""Which entries to list."""

from dataclasses import dataclass
from datetime import date

from cds.audit.members import Section, child, children, text
from cds.audit.record import RecordType
from cds.audit.stored_record import Entry, StoredRecord

CALLS = (RecordType.DECISION.value, RecordType.ERROR.value)
"""The types of entries that are calls."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to list; what is left empty asks nothing.

    Attributes:
        since, until: first and last day (UTC) of the entry, both included.
        rule: a rule's id: entries in which it is present.
        level: ``critical``, ``warning`` or ``info``: of that rule, else of any card.
        outcome: ``cards``, ``no-cards``, ``not-applicable`` or ``error``.
        client, hook: by name.
        knowledge: a version, or the beginning of a digest.
        gaps: only entries in which something could not be known.
        overridden: only calls of which a card was overridden.
        types: entries of these types; empty: calls alone.
    """

    since: date | None = None
    until: date | None = None
    rule: str = ""
    level: str = ""
    outcome: str = ""
    client: str = ""
    hook: str = ""
    knowledge: str = ""
    gaps: bool = False
    overridden: bool = False
    types: tuple[str, ...] = CALLS

    def passes(self, entry: Entry) -> bool:
        """Say whether an entry passes all that its envelope alone can tell."""
        envelope = entry.envelope
        day = date.fromisoformat(text(envelope, "time")[:10])
        named = (
            (self.outcome, text(envelope, "outcome")),
            (self.hook, text(envelope, "hook")),
            (self.client, text(child(envelope, "client"), "id")),
        )
        return (
            text(envelope, "type") in self.types
            and all(wanted in {"", found} for wanted, found in named)
            and (self.since or day) <= day <= (self.until or day)
            and self._passes_knowledge(child(envelope, "knowledge"))
            and not (self.gaps and text(child(envelope, "counts"), "gaps") in {"", "0"})
            and (bool(self.rule) or self._passes_level(envelope))
        )

    def passes_rule(self, record: StoredRecord) -> bool:
        """Say whether the wanted rule is present in a record, with the wanted level."""
        return any(
            text(finding, "ruleId") == self.rule
            and text(finding, "verdict") == "present"
            and self.level in {"", text(finding, "level")}
            for assessment in children(record.section("rules"), "assessments")
            for finding in children(assessment, "rules")
        )

    def _passes_knowledge(self, knowledge: Section) -> bool:
        wanted = self.knowledge.removeprefix("sha256:")
        return not wanted or wanted == text(knowledge, "version") or text(knowledge, "sha256").startswith(wanted)

    def _passes_level(self, envelope: Section) -> bool:
        cards = child(child(envelope, "counts"), "cards")
        return not self.level or text(cards, self.level) not in {"", "0"}
