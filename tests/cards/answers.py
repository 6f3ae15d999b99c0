"""What the engine answers to the situation of a case."""

import html
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cds.engine.assess import assess
from cds.engine.assessment import Finding
from cds.engine.card import Card
from cds.engine.derive.order_reading import read_order
from cds.engine.facts import Medication, MedicationKind
from cds.engine.logic import Verdict
from cds.engine.order import Order
from cds.engine.render import render
from cds.engine.rules import Knowledge
from cds.knowledge.load import load_knowledge
from tests.cards.case_language import Situation

CARDS = Path(__file__).resolve().parents[2] / "cards"
CASES = Path(__file__).resolve().parent
NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rule says: its level or verdict, why no card is shown, and every word that a clinician would see.

    `why` is for a reader of a failed test: what the finding rests on and what was missing.
    """

    said: str
    withheld: str = ""
    words: str = ""
    why: str = ""


@cache
def knowledge() -> Knowledge:
    """Return the knowledge of this repository, loaded once."""
    return load_knowledge(CARDS)


def assessed_order(situation: Situation, loaded: Knowledge) -> Order | None:
    """Return the order that is assessed: the draft, or at patient-view the first active order of the drug."""
    candidates = [situation.medication]
    if situation.context.hook == "patient-view":
        candidates = [fact for fact in situation.facts.medications if _is_active_order(fact)]
    read = (read_order(one, situation.facts, situation.context, loaded, situation.at) for one in candidates)
    return next((order for order in read if order is not None), None)


def _is_active_order(fact: Medication) -> bool:
    return (fact.kind, fact.status, fact.intent) == (MedicationKind.REQUEST, "active", "order")


def answer(rule_id: str, situation: Situation, loaded: Knowledge | None = None) -> Answer:
    """Return what a rule says of a situation; an order that is not ketamine makes every rule not applicable.

    Args:
        rule_id: the rule.
        situation: the patient and the order.
        loaded: the knowledge, by default that of this repository.
    """
    loaded = loaded or knowledge()
    order = assessed_order(situation, loaded)
    if order is None:
        return Answer(NOT_APPLICABLE)
    assessment = assess(loaded, situation.facts, order, situation.context, situation.at)
    finding = assessment.finding(rule_id)
    topic = next(rule.topic for rule in loaded.rules if rule.id == rule_id)
    shown = [card for card in render(loaded, (assessment,)) if topic in card.rules]
    buttons = [suggestion.label for card in shown for suggestion in card.suggestions]
    words = " ".join((finding.summary, *(plain(card) for card in shown), *buttons))
    return Answer(_said(finding), finding.withheld, words, _why(finding))


def cards(situation: Situation) -> tuple[Card, ...]:
    """Return the cards that come out, as they would be sent."""
    loaded = knowledge()
    order = assessed_order(situation, loaded)
    if order is None:
        return ()
    return render(loaded, (assess(loaded, situation.facts, order, situation.context, situation.at),))


def rows_and_levels(shown: tuple[Card, ...]) -> list[tuple[str, str]]:
    """Return for each card, sorted, the row of the clinical rules that leads it, and its level."""
    rows = {rule.topic: rule.implements[0] for rule in knowledge().rules}
    return sorted((rows[card.topic[:-1]], card.level.value) for card in shown)


def _said(finding: Finding) -> str:
    if finding.verdict is Verdict.PRESENT and finding.level is not None:
        return finding.level.value
    return finding.verdict.value.replace("-", "_")


def plain(card: Card) -> str:
    """Return a card's words as they read once Markdown is rendered."""
    unescaped = re.sub(r"\\(.)", r"\1", html.unescape(card.detail))
    return f"{card.summary} {unescaped}"


def _why(finding: Finding) -> str:
    missing = [f"{gap.source.value}: {gap.reason}" for gap in finding.missing]
    evidence = [f"{one.reference} {one.label} {one.value} {one.date} {one.remarks}" for one in finding.evidence]
    return "\n".join(("", *evidence, *missing, *finding.notes))
