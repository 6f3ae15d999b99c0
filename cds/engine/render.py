"""From assessments to cards: one card per family, the most serious first, never more than the limit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cds.engine.assessment import Assessment, Finding
from cds.engine.card import Card, Suggestion
from cds.engine.card_detail import detail_of, folded_line
from cds.engine.logic import Verdict
from cds.engine.rules import Knowledge, Level, OverrideReason, Rule
from cds.engine.wording import fill_summary

_LETTERS = {Level.CRITICAL: "C", Level.WARNING: "W", Level.INFO: "I"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding that is shown, with its rule and the order it is about."""

    rule: Rule
    finding: Finding
    assessment: Assessment

    @property
    def level(self) -> Level:
        """Return the level of the finding."""
        return self.finding.level or Level.INFO


def render(knowledge: Knowledge, assessments: Sequence[Assessment]) -> tuple[Card, ...]:
    """Return the cards of one call, for all of its orders; equal cards of several orders are shown once."""
    cards: dict[tuple[str, str, str], Card] = {}
    for assessment in assessments:
        for family in _families(knowledge, assessment):
            card = _card(knowledge, family)
            cards.setdefault((card.topic, card.summary, card.detail), card)
    ordered = sorted(cards.values(), key=lambda card: card.level.rank)
    return _limited(tuple(ordered), knowledge.definitions.max_cards)


def shown(knowledge: Knowledge, assessment: Assessment) -> tuple[Shown, ...]:
    """Return the findings that are shown, in the order of the rules."""
    rules = {rule.id: rule for rule in knowledge.rules}
    return tuple(
        Shown(rules[finding.rule_id], finding, assessment)
        for finding in assessment.findings
        if finding.verdict is Verdict.PRESENT and not finding.withheld and rules[finding.rule_id].card
    )


def _families(knowledge: Knowledge, assessment: Assessment) -> Iterable[list[Shown]]:
    """Group findings that share a card; one that joins a family of which nothing is shown stands by itself."""
    everything = shown(knowledge, assessment)
    own: dict[str, list[Shown]] = defaultdict(list)
    for one in everything:
        if one.level not in one.rule.joins:
            own[one.rule.family].append(one)
    for one in everything:
        if one.level in one.rule.joins:
            host = one.rule.joins[one.level]
            own[host if host in own else one.rule.family].append(one)
    return [card for family in own.values() for card in _apart(_led(family))]


def _apart(family: list[Shown]) -> list[list[Shown]]:
    """Give every critical finding a card of its own; the milder ones of the family stay with the first."""
    others = [one for one in family[1:] if one.level is Level.CRITICAL]
    return [[one for one in family if one not in others], *([one] for one in others)]


def _led(family: list[Shown]) -> list[Shown]:
    """Put the leading finding first: the most serious, then the best graded; one that joined never leads."""
    return sorted(family, key=lambda one: (one.level in one.rule.joins, one.level.rank, _grade(one)))


def _grade(one: Shown) -> str:
    return next((citation.grade for citation in one.finding.citations if citation.grade), "~")


def _card(knowledge: Knowledge, family: list[Shown]) -> Card:
    lead = family[0]
    source = next(iter(lead.finding.citations), None)
    return Card(
        topic=lead.rule.topic + _LETTERS[lead.level],
        rules=tuple(one.rule.topic for one in family),
        level=lead.level,
        summary=lead.finding.summary,
        detail=detail_of(knowledge, [(one.rule, one.finding) for one in family], lead.assessment),
        source_label=source.label if source else "Local policy",
        source_url=source.url if source else "",
        topic_display=fill_summary(lead.rule.title, {}),
        override_reasons=_reasons(knowledge, family),
        suggestions=_suggestions(family),
    )


def _reasons(knowledge: Knowledge, family: list[Shown]) -> tuple[OverrideReason, ...]:
    codes = dict.fromkeys(code for one in family if one.rule.card for code in one.rule.card.override_reasons)
    return tuple(knowledge.override_reasons[code] for code in codes)


def _suggestions(family: list[Shown]) -> tuple[Suggestion, ...]:
    wanted = any("delete_draft" in one.rule.card.suggestions for one in family if one.rule.card)
    reference = family[0].assessment.order.medication.provenance.reference
    return (Suggestion("Remove this draft order", delete=reference),) if wanted and "/" in reference else ()


def _limited(cards: tuple[Card, ...], limit: int) -> tuple[Card, ...]:
    """Fold what is over the limit into the last card, as lines; a critical card is never folded."""
    critical = sum(card.level is Level.CRITICAL for card in cards)
    keep = max(limit, critical)
    if len(cards) <= keep:
        return cards
    last, rest = cards[keep - 1], cards[keep:]
    lines = "\n".join(folded_line(card.summary, card.level) for card in rest)
    rules = tuple(topic for card in (last, *rest) for topic in card.rules)
    return (*cards[: keep - 1], replace(last, detail=f"{last.detail}\n\n**Also**\n{lines}", rules=rules))
