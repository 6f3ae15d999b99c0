"""The thresholds of a rule, each with the statement or the line of local policy that names its number."""

from collections.abc import Iterator

from cds.engine.rules import (
    BloodPressureCriterion,
    CountCriterion,
    Criterion,
    DoseCriterion,
    ExposureCriterion,
    ObservationCriterion,
    PatientCriterion,
    Rule,
    TrialCriterion,
)
from cds.engine.units import plain
from cds.knowledge.inputs import criteria_in
from cds.knowledge.overview import graded
from cds.knowledge.thresholds import unnamed_numbers

_LIMITS = ("above", "at_least", "below", "at_most", "no_multiple_of")
SURE = {"V": "seen in the source", "M": "from memory, not checked in the source", "I": "inferred"}
"""What the marks of evidence.md mean; M is never shown as a quotation."""


def supported_thresholds(rule: Rule) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each threshold once, in the order in which the rule names it, with everything that names its number."""
    shown = dict.fromkeys(text for criterion in criteria_in(rule) for text in _thresholds(criterion))
    return tuple((text, tuple(_supports(text, rule))) for text in shown)


def _supports(threshold: str, rule: Rule) -> Iterator[str]:
    for one in rule.because:
        if not unnamed_numbers(threshold, one.statement):
            grade = f", {graded(one.grade)}" if one.grade else ""
            yield f"{one.label}{grade} ({SURE[one.sure]})"
    yield from (f"local policy: {line}" for line in rule.local_policy if not unnamed_numbers(threshold, line))


def _thresholds(criterion: Criterion) -> Iterator[str]:
    if isinstance(criterion, (ObservationCriterion, DoseCriterion)):
        limits = (getattr(criterion, name, None) for name in _LIMITS)
        yield from (str(limit) for limit in limits if limit is not None)
    if isinstance(criterion, ObservationCriterion) and criterion.above_upper_limit:
        yield f"{criterion.above_upper_limit} times the upper limit"
    if isinstance(criterion, BloodPressureCriterion):
        pairs = (pair for pair in (criterion.above, criterion.at_most) if pair is not None)
        yield from (f"{plain(high.value)}/{plain(low.value)} {high.unit}" for high, low in pairs)
    if isinstance(criterion, TrialCriterion):
        yield f"{criterion.at_least if criterion.at_least is not None else criterion.fewer_than} earlier treatments"
    if isinstance(criterion, CountCriterion):
        yield f"{criterion.at_least} times"
    if isinstance(criterion, ExposureCriterion):
        yield str(criterion.at_least)
    if isinstance(criterion, PatientCriterion):
        ages = (age for age in (criterion.age_below, criterion.age_at_least) if age is not None)
        yield from (f"{age} years of age" for age in ages)
