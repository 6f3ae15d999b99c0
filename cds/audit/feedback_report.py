"""How often each rule's card was shown, accepted, overridden and ignored, why, and how that changed over time."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from cds.audit.canonical import JsonValue
from cds.audit.feedback_log import FeedbackLog, Lost, Period, ShownCard
from cds.audit.visible import visible

NO_REASON = "(no reason given)"
_LEVELS = ("critical", "warning", "info")
_HEAD = f"{'RULE':40}  {'LEVEL':8}  {'SHOWN':>6}  {'ACCEPTED':>8}  {'OVERRIDDEN':>10}  {'IGNORED':>7}  OVERRIDE RATE"


@dataclass(slots=True)
class Figures:
    """What became of some cards; `shown` is the sum of the other three."""

    accepted: int = 0
    overridden: int = 0
    ignored: int = 0

    @property
    def shown(self) -> int:
        """Return how many cards were shown."""
        return self.accepted + self.overridden + self.ignored

    @property
    def override_percent(self) -> int | None:
        """Return how many percent of the cards that were answered were overridden; None if none was answered."""
        answered = self.accepted + self.overridden
        return round(100 * self.overridden / answered) if answered else None

    def add(self, action: str) -> None:
        """Count one card."""
        setattr(self, action, getattr(self, action) + 1)


@dataclass(slots=True)
class RuleReport:
    """The cards of one rule at one level.

    Attributes:
        reasons: how often each reason was given for an override.
        trend: the figures of each month or week in which a card was shown.
    """

    rule: str
    level: str
    figures: Figures = field(default_factory=Figures)
    reasons: Counter[str] = field(default_factory=Counter)
    trend: dict[str, Figures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """The whole report; `lost` cards cannot be counted by rule because their records are redacted."""

    rules: tuple[RuleReport, ...]
    trend: Mapping[str, Figures]
    orphans: int
    lost: int

    def members(self) -> JsonValue:
        """Return it as JSON."""
        return {
            "rules": [
                {
                    "rule": one.rule,
                    "level": one.level,
                    **_figures(one.figures),
                    "reasons": dict(one.reasons),
                    "trend": {name: _figures(figures) for name, figures in sorted(one.trend.items())},
                }
                for one in self.rules
            ],
            "trend": {name: _figures(figures) for name, figures in self.trend.items()},
            "feedbackOnUnknownCards": self.orphans,
            "cardsInRedactedRecords": self.lost,
        }


def month_of(day: date) -> str:
    """Return a day's month, ``2026-02``."""
    return day.isoformat()[:7]


def week_of(day: date) -> str:
    """Return a day's week as ISO 8601 counts it.

    >>> week_of(date(2026, 1, 1))
    '2026-W01'
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def feedback_report(
    log: FeedbackLog, period: Period, rule: str = "", name_of: Callable[[date], str] = month_of
) -> FeedbackReport:
    """Return the report on the cards that were shown in a period; of a card's several answers the latest counts.

    Args:
        log: the record.
        period: which days and client.
        rule: only this rule's cards, by its id or topic; empty for all.
        name_of: `month_of` or `week_of`: by what the trend is told.
    """
    lost = Lost()
    shown = [card for card in log.shown(period, lost) if is_of(card, rule)]
    found: dict[tuple[str, str], RuleReport] = {}
    trend: dict[str, Figures] = {}
    for card in shown:
        name = name_of(date.fromisoformat(card.at[:10]))
        report = found.setdefault((card.rule, card.level), RuleReport(card.rule, card.level))
        for figures in (report.figures, report.trend.setdefault(name, Figures()), trend.setdefault(name, Figures())):
            figures.add(card.action)
        if card.given and card.action == "overridden":
            report.reasons.update(card.given.reasons or (NO_REASON,))
    ordered = sorted(found.values(), key=lambda one: (_LEVELS.index(one.level), -one.figures.shown, one.rule))
    return FeedbackReport(tuple(ordered), dict(sorted(trend.items())), len(log.orphans(period)), lost.cards)


def is_of(card: ShownCard, rule: str) -> bool:
    """Say whether a card is that of a rule, named by its id or topic; every card is of none in particular."""
    return rule in {"", card.rule, card.topic, card.topic[:-1]}


def in_words(report: FeedbackReport) -> str:
    """Return the report as a table for a terminal."""
    return "\n".join(map(visible, (*_rule_lines(report), *_trend_lines(report), *_rest(report))))


def _rule_lines(report: FeedbackReport) -> Iterable[str]:
    yield _HEAD
    for one in report.rules:
        yield _line(one.rule, one.level, one.figures)
        yield from (f"    {count:>4} x {reason}" for reason, count in one.reasons.most_common())
    if not report.rules:
        yield "No card was shown."


def _trend_lines(report: FeedbackReport) -> Iterable[str]:
    if report.trend:
        yield ""
        yield "OVER TIME"
    for name, figures in report.trend.items():
        yield _line(name, "all", figures)
        for one in report.rules:
            if name in one.trend:
                yield _line(f"  {one.rule}", one.level, one.trend[name])


def _rest(report: FeedbackReport) -> Iterable[str]:
    yield ""
    yield f"Feedback on cards that are not known, or were another client's: {report.orphans}"
    if report.lost:
        yield f"Cards shown whose records are redacted, not counted above: {report.lost}"


def _line(name: str, level: str, figures: Figures) -> str:
    percent = "-" if figures.override_percent is None else f"{figures.override_percent} %"
    return (
        f"{name:40}  {level:8}  {figures.shown:>6}  {figures.accepted:>8}  {figures.overridden:>10}  "
        f"{figures.ignored:>7}  {percent}"
    )


def _figures(figures: Figures) -> dict[str, JsonValue]:
    return {
        "shown": figures.shown,
        "accepted": figures.accepted,
        "overridden": figures.overridden,
        "ignored": figures.ignored,
        "overridePercent": figures.override_percent,
    }
