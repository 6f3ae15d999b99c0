"""From assessments to cards: one card per family, the most serious first, never more than the limit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cds.engine.assessment import Assessment, Finding, Offer
from cds.engine.card import Card, Suggestion
from cds.engine.card_detail import detail_of, folded_lines
from cds.engine.citing import quoted_once
from cds.engine.logic import Verdict
from cds.engine.quiet import NOTHING_EARLIER, Earlier, Silenced, fingerprint, why_silent
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


@dataclass(frozen=True, slots=True)
class Rendered:
    """The cards that are shown, and those that stay silent because the same user saw them before."""

    cards: tuple[Card, ...]
    silenced: tuple[Silenced, ...] = ()


def render(knowledge: Knowledge, assessments: Sequence[Assessment]) -> tuple[Card, ...]:
    """Return the cards of one call by a user who has seen none before."""
    return compose(knowledge, assessments, NOTHING_EARLIER).cards


def compose(knowledge: Knowledge, assessments: Sequence[Assessment], earlier: Earlier) -> Rendered:
    """Return the cards of one call, for all of its orders; equal cards of several orders are shown once.

    Args:
        knowledge: the rules behind the assessments.
        assessments: one for each order.
        earlier: what the same user was shown and has overridden for this patient, from the record.
    """
    cards: dict[tuple[str, str, str], Card] = {}
    for assessment in assessments:
        for family in _families(knowledge, assessment):
            card = _card(knowledge, family)
            cards.setdefault((card.topic, card.summary, card.detail), card)
    ordered = sorted(cards.values(), key=lambda card: card.level.rank)
    judged = [(card, why_silent(card, earlier, knowledge.definitions.snooze)) for card in ordered]
    shown = tuple(card for card, why in judged if not why)
    silenced = tuple(Silenced(card, why) for card, why in judged if why)
    return Rendered(quoted_once(_limited(shown, knowledge.definitions.max_cards)), silenced)


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
            own[_family(one)].append(one)
    for one in everything:
        if one.level in one.rule.joins:
            host = one.rule.joins[one.level]
            own[host if host in own else one.rule.family].append(one)
    return [card for family in own.values() for card in _apart(_led(family))]


def _family(one: Shown) -> str:
    """Return what a finding shares a card by: its family; interactions have one card for each level."""
    return f"{one.rule.family} {one.level.value}" if one.rule.kind == "interaction" else one.rule.family


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
        detail=detail_of(knowledge, [one.finding for one in family], lead.assessment),
        source_label=source.label if source else "Local policy",
        source_url=source.url if source else "",
        topic_display=fill_summary(lead.rule.title, {}),
        override_reasons=_reasons(knowledge, family),
        suggestions=_suggestions(family),
        drug=lead.assessment.order.drug.value,
        route=lead.assessment.order.route.value,
        fingerprint=fingerprint(evidence for one in family for evidence in one.finding.evidence),
        citations=tuple(dict.fromkeys(citation for one in family for citation in one.finding.citations)),
    )


def _reasons(knowledge: Knowledge, family: list[Shown]) -> tuple[OverrideReason, ...]:
    codes = dict.fromkeys(code for one in family if one.rule.card for code in one.rule.card.override_reasons)
    return tuple(knowledge.override_reasons[code] for code in codes)


def _suggestions(family: list[Shown]) -> tuple[Suggestion, ...]:
    """Return what the findings of a card offer, each once; a draft without an id can be neither deleted nor changed."""
    reference = family[0].assessment.order.medication.provenance.reference
    draft = reference if "/" in reference else ""
    offers = dict.fromkeys(offer for one in family for offer in one.finding.offers)
    return tuple(_suggestion(offer, draft) for offer in offers if draft or offer.kind == "order")


def _suggestion(offer: Offer, draft: str) -> Suggestion:
    if offer.kind == "delete":
        return Suggestion(offer.label, delete=draft)
    if offer.kind == "order":
        return Suggestion(offer.label, order=offer.order)
    return Suggestion(offer.label, update=draft, reason=offer.reason)


def _limited(cards: tuple[Card, ...], limit: int) -> tuple[Card, ...]:
    """Fold what is over the limit into the last card, as lines; a critical card is never folded."""
    critical = sum(card.level is Level.CRITICAL for card in cards)
    keep = max(limit, critical)
    if len(cards) <= keep:
        return cards
    last, rest = cards[keep - 1], cards[keep:]
    lines = folded_lines([(card.summary, card.level) for card in rest])
    rules = tuple(topic for card in (last, *rest) for topic in card.rules)
    return (*cards[: keep - 1], replace(last, detail=f"{last.detail}\n\n**Also**\n{lines}", rules=rules))
