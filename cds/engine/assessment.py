"""What an assessment says: for every rule its verdict, what it rests on and what was missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds.engine.facts import Coding, Concept, Gap
from cds.engine.logic import Verdict
from cds.engine.order import Order
from cds.engine.rules import Citation, Level


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that a finding rests on, in words that stand on a card.

    Attributes:
        reference: the FHIR reference, ``Observation/iop-1``.
        origin: where it was read: ``prefetch laboratory``.
        label: what it is: ``Intraocular pressure of right eye``, ``Glaucoma``.
        code: the code that matched, ``icd10cm H40.1190``; empty for a text match.
        value: the value with its unit as recorded; empty for a diagnosis.
        date: when, as precisely as is known; empty if undated.
        remarks: ``unconfirmed``, ``conflicting record``, ``status assumed``, ``preliminary``, ``stale: 400 days old``.
        steps: by how many levels the finding is lowered because of the remarks.
    """

    reference: str
    origin: str
    label: str
    code: str = ""
    value: str = ""
    date: str = ""
    remarks: tuple[str, ...] = ()
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one criterion.

    Attributes:
        steps: how much lower than written the level is, because every fact that shows it is uncertain.
        evidence: the facts that show it (or that were looked at and did not).
        missing: why it is unknown.
        notes: remarks for the trace: near misses (``1 of 2 trials``), assumptions.
        values: named values for the card's text (``count``, ``needed``).
    """

    verdict: Verdict
    steps: int = 0
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a card: the words of cards/ with placeholders, and what fills them (not yet escaped)."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that the clinician can do with one click.

    `kind` is ``delete`` (the draft), ``order`` (what `order` names) or ``add_reason`` (`reason`, to the draft).
    """

    kind: str
    label: str
    order: Coding | None = None
    reason: Concept | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's entry in the trace; every rule has exactly one, also where nothing was found.

    Attributes:
        level: the level of the finding if present.
        possible_level: a more serious level that could not be ruled out.
        withheld: why no card is shown although the finding stands; empty if one is.
        summary: the card's summary in plain text, placeholders filled.
        detail: the card's further sentences, to be filled and escaped for Markdown at the last moment.
        citations: those that apply to this finding.
        local_policy: the lines of the rule's local policy that say something about this finding.
    """

    rule_id: str
    verdict: Verdict
    level: Level | None = None
    possible_level: Level | None = None
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    withheld: str = ""
    summary: str = ""
    detail: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    local_policy: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """One order, assessed: its reading, one finding per rule in the order of the knowledge, and every gap.

    `remarks` are data errors and assumptions that belong to no single rule (a date in the future).
    """

    order: Order
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    remarks: tuple[str, ...] = ()

    def finding(self, rule_id: str) -> Finding:
        """Return the entry of one rule.

        Raises:
            KeyError: if the knowledge has no such rule.
        """
        for finding in self.findings:
            if finding.rule_id == rule_id:
                return finding
        raise KeyError(rule_id)
