"""What clients in shadow mode would have been shown, and what their clinicians ordered next without having seen it.

A card that would have come at every change of one order counts once: its calls within a day are one episode.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import orjson

from cds.audit.canonical import JsonValue
from cds.audit.feedback_log import FeedbackLog, Period, rules_by_topic
from cds.audit.members import Section, child, children, text, texts
from cds.audit.record import CallOutcome
from cds.audit.visible import visible

EPISODE = timedelta(hours=24)
"""How long after a card that would have been shown the next order counts as what followed it."""

_SIGN = "order-sign"
_ORDER_HOOKS = frozenset({"order-select", _SIGN})
_LEVELS = ("critical", "warning", "info")


class Next(StrEnum):
    """What was ordered next for the same patient; the words are those of the report."""

    SIGNED = "signed as it was"
    SIGNED_CHANGED = "signed with another dose or route"
    SIGNED_WITHOUT = "signed without the drug"
    CHANGED = "changed, not signed"
    TAKEN_OUT = "taken out"
    LEFT = "asked again, not signed"
    NOTHING = "nothing followed"


@dataclass(frozen=True, slots=True)
class Ordered:
    """The orders of one call: of each its drug, and its route with its dosage; none if other drugs were ordered."""

    hook: str
    orders: tuple[tuple[str, str], ...] = ()

    def next_after(self, was: tuple[str, str]) -> Next:
        """Return what this call makes of an order."""
        same = [one for one in self.orders if one[0] == was[0]]
        is_signed = self.hook == _SIGN
        if not same:
            return Next.SIGNED_WITHOUT if is_signed else Next.TAKEN_OUT
        if was in same:
            return Next.SIGNED if is_signed else Next.LEFT
        return Next.SIGNED_CHANGED if is_signed else Next.CHANGED


@dataclass(frozen=True, slots=True)
class WouldShow:
    """A card that would have been shown; `order` is its drug, and its route with its dosage."""

    rule: str
    level: str
    drug: str
    fingerprint: str
    order: tuple[str, str]


@dataclass(slots=True)
class ShadowRule:
    """The cards of one rule at one level: how often each thing followed."""

    rule: str
    level: str
    followed: Counter[Next] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """The whole report: `calls` in shadow mode, and `refused` those that would have been answered 412."""

    calls: int
    refused: int
    rules: tuple[ShadowRule, ...]

    def members(self) -> JsonValue:
        """Return it as JSON."""
        return {
            "calls": self.calls,
            "wouldBeRefused": self.refused,
            "rules": [
                {
                    "rule": one.rule,
                    "level": one.level,
                    "wouldShow": one.followed.total(),
                    "next": {what.value: one.followed[what] for what in Next if one.followed[what]},
                }
                for one in self.rules
            ],
        }


def shadow_report(log: FeedbackLog, period: Period, rule: str = "") -> ShadowReport:
    """Return what would have been shown in a period; `rule` is an id, empty for all."""
    found: dict[tuple[str, str], ShadowRule] = {}
    calls = refused = 0
    for patient in _by_patient(log).values():
        in_shadow = [
            (number, seq, envelope)
            for number, (seq, envelope) in enumerate(patient)
            if text(envelope, "outcome") == CallOutcome.SHADOW.value and period.holds(envelope)
        ]
        calls += len(in_shadow)
        refused += sum(bool(text(envelope, "problem")) for _, _, envelope in in_shadow)
        cards = [(number, _moment(envelope), card) for number, seq, envelope in in_shadow for card in _cards(log, seq)]
        for number, at, card in _first_of_each(cards):
            if rule in {"", card.rule}:
                one = found.setdefault((card.rule, card.level), ShadowRule(card.rule, card.level))
                one.followed[_next(log, patient[number + 1 :], card, at)] += 1
    ordered = sorted(found.values(), key=lambda one: (_LEVELS.index(one.level), -one.followed.total(), one.rule))
    return ShadowReport(calls, refused, tuple(ordered))


def in_words(report: ShadowReport) -> str:
    """Return the report as a table for a terminal."""
    return "\n".join(map(visible, _lines(report)))


def _lines(report: ShadowReport) -> Iterator[str]:
    yield f"{report.calls} calls in shadow mode; {report.refused} would have been refused (412)."
    yield f"{'RULE':40}  {'LEVEL':8}  WOULD HAVE BEEN SHOWN, AND WHAT FOLLOWED WITHIN A DAY"
    for one in report.rules:
        yield f"{one.rule:40}  {one.level:8}  {one.followed.total():>6}"
        yield from (f"    {one.followed[what]:>4} x {what.value}" for what in Next if one.followed[what])
    if not report.rules:
        yield "No card would have been shown."


def _by_patient(log: FeedbackLog) -> dict[tuple[str, str], list[tuple[int, Section]]]:
    """Return all calls of every client's patients, the earliest first."""
    calls: dict[tuple[str, str], list[tuple[int, Section]]] = defaultdict(list)
    for seq, envelope in log.envelopes():
        patient = text(envelope, "subjectKey")
        if patient and text(envelope, "hook") in _ORDER_HOOKS:
            calls[text(child(envelope, "client"), "id"), patient].append((seq, envelope))
    return calls


def _cards(log: FeedbackLog, seq: int) -> list[WouldShow]:
    rules = log.section(seq, "rules")
    names = rules_by_topic(rules)
    orders = dict(_orders(log, seq))
    return [
        WouldShow(
            names.get(topic, topic),
            text(card, "level"),
            text(card, "drug"),
            text(card, "fingerprint"),
            (text(card, "drug"), orders.get(text(card, "drug"), "")),
        )
        for card in children(rules, "cards")
        for topic in texts(card, "rules")[:1]
    ]


def _first_of_each(
    cards: Iterable[tuple[int, datetime, WouldShow]],
) -> Iterator[tuple[int, datetime, WouldShow]]:
    """Yield each card when it would have come first, and again when an episode is over."""
    began: dict[tuple[str, str, str, str], datetime] = {}
    for number, at, card in cards:
        which = (card.rule, card.level, card.drug, card.fingerprint)
        if which not in began or at - began[which] > EPISODE:
            began[which] = at
            yield number, at, card


def _next(log: FeedbackLog, later: Sequence[tuple[int, Section]], card: WouldShow, at: datetime) -> Next:
    """Return what became of the order: the first signing within a day decides, else the last that was selected."""
    last = Next.NOTHING
    for seq, envelope in later:
        if _moment(envelope) - at > EPISODE:
            break
        if text(envelope, "problem"):
            continue
        ordered = Ordered(text(envelope, "hook"), tuple(_orders(log, seq)))
        last = ordered.next_after(card.order)
        if ordered.hook == _SIGN:
            break
    return last


def _orders(log: FeedbackLog, seq: int) -> Iterator[tuple[str, str]]:
    """Yield drug, and route with dosage, of each order that was assessed in a call."""
    for order in children(log.section(seq, "request"), "orders"):
        dosages = orjson.dumps(child(order, "medication").get("dosages"), option=orjson.OPT_SORT_KEYS).decode()
        yield text(order, "drug"), f"{text(order, 'route')} {dosages}"


def _moment(envelope: Section) -> datetime:
    return datetime.fromisoformat(text(envelope, "at"))
