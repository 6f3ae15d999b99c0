"""A card as the engine makes it, before it is written as CDS Hooks JSON."""

from dataclasses import dataclass

from cds.engine.facts import Coding, Concept
from cds.engine.rules import Citation, Level, OverrideReason


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing a clinician can do with one click.

    Attributes:
        delete: the reference of the draft order to take out.
        order: what to order.
        reason: the diagnosis to add as the reason of the draft order that `update` names.
    """

    label: str
    delete: str = ""
    order: Coding | None = None
    update: str = ""
    reason: Concept | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One advisory card.

    Attributes:
        topic: the topic of its most serious rule with C, W or I for its level (rules.md D-TOPIC).
        rules: the topics, without level, of all rules behind it.
        summary: plain text, at most 139 characters.
        detail: GitHub Flavored Markdown; every text that came from FHIR is already escaped.
        source_label, source_url: the primary source of the guidance.
        drug, route: of the order that it is about, and `fingerprint` of the facts behind it: an override is remembered
            for these (rules.md D-SNOOZE).
        citations: of all findings behind it; their lines stand in `detail`.
    """

    topic: str
    rules: tuple[str, ...]
    level: Level
    summary: str
    detail: str
    source_label: str
    source_url: str
    topic_display: str = ""
    override_reasons: tuple[OverrideReason, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    drug: str = ""
    route: str = ""
    fingerprint: str = ""
    citations: tuple[Citation, ...] = ()
