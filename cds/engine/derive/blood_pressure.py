"""Blood pressure as pairs, whether recorded as a panel or as two Observations (rules.md D-BP)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from cds.engine.dates import Interval, Window, within
from cds.engine.definitions import BloodPressureDefinition
from cds.engine.derive.readings import COUNTED_STATUSES
from cds.engine.facts import Concept, Gap, GapScope, Observation, Source
from cds.engine.index import CodeIndex
from cds.engine.logic import Verdict, all_of, any_of, not_
from cds.engine.units import Quantity, UnitError, convert, is_above, plain, rounded


@dataclass(frozen=True, slots=True)
class Pair:
    """A blood pressure: either half may be missing; `problems` say which half could not be used and why."""

    when: Interval
    inside: Verdict
    references: tuple[str, ...]
    origin: str
    systolic: Quantity | None = None
    diastolic: Quantity | None = None
    problems: tuple[Gap, ...] = ()
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return for example ``186/96 mm[Hg]``, with ``?`` for a half that is not known."""
        halves = (plain(rounded(half.value)) if half else "?" for half in (self.systolic, self.diastolic))
        return "/".join(halves) + " mm[Hg]"

    def above(self, limit: tuple[Decimal, Decimal]) -> Verdict:
        """Say whether systolic or diastolic lies above its limit, strictly; a missing half may leave it unknown."""
        return any_of(
            is_above(half, value) if half else Verdict.UNKNOWN
            for half, value in zip((self.systolic, self.diastolic), limit, strict=True)
        )

    def at_most(self, limit: tuple[Decimal, Decimal]) -> Verdict:
        """Say whether both halves lie at or below their limits."""
        return all_of(
            not_(is_above(half, value)) if half else Verdict.UNKNOWN
            for half, value in zip((self.systolic, self.diastolic), limit, strict=True)
        )


def pairs(
    observations: Iterable[Observation],
    index: CodeIndex,
    definition: BloodPressureDefinition,
    window: Window,
    today: date,
) -> tuple[Pair, ...]:
    """Return the pairs of the window, newest first; two different values of one time give the worse one."""
    groups: dict[Interval, list[Pair]] = defaultdict(list)
    for observation in observations:
        pair = _pair(observation, index, definition, window, today)
        if pair:
            groups[pair.when].append(pair)
    _join_untimed(groups)
    merged = [_merged(group) for group in groups.values()]
    return tuple(sorted(merged, key=lambda pair: (pair.when.end, pair.when.instant), reverse=True))


def latest_per_day(found: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """Return the latest pair of each day, newest first."""
    days: dict[date, Pair] = {}
    for pair in found:
        days.setdefault(pair.when.end, pair)
    return tuple(days.values())


def _join_untimed(groups: dict[Interval, list[Pair]]) -> None:
    """Put pairs without a time of day to the latest timed pairs of the same day: the same time for all we know."""
    for when in [when for when in groups if not when.instant]:
        same_day = [other for other in groups if other.instant and other.start == when.start and other.end == when.end]
        if same_day:
            groups[max(same_day, key=lambda other: other.instant)].extend(groups.pop(when))


def _pair(
    observation: Observation, index: CodeIndex, definition: BloodPressureDefinition, window: Window, today: date
) -> Pair | None:
    if observation.status not in COUNTED_STATUSES or observation.effective is None:
        return None
    inside = within(observation.effective, window, today)
    if inside is Verdict.NOT_FOUND:
        return None
    halves: dict[str, Quantity | Gap] = {}
    for code, value in _values(observation):
        names = index.sets_of_concept(code)
        for half, plausible in (
            (definition.systolic, definition.plausible_systolic),
            (definition.diastolic, definition.plausible_diastolic),
        ):
            if half in names and value is not None:
                halves[half] = _half(value, plausible, definition.unit, observation)
    return _made(observation, inside, halves, definition) if halves else None


def _made(
    observation: Observation, inside: Verdict, halves: dict[str, Quantity | Gap], definition: BloodPressureDefinition
) -> Pair:
    systolic, diastolic = halves.get(definition.systolic), halves.get(definition.diastolic)
    assert observation.effective is not None  # noqa: S101  (asked by the caller)
    return Pair(
        observation.effective,
        inside,
        (observation.provenance.reference,),
        observation.provenance.origin,
        systolic if isinstance(systolic, Quantity) else None,
        diastolic if isinstance(diastolic, Quantity) else None,
        _one_gap([half for half in (systolic, diastolic) if isinstance(half, Gap)]),
        ("preliminary",) if observation.status == "preliminary" else (),
    )


def _one_gap(problems: list[Gap]) -> tuple[Gap, ...]:
    reasons = "; ".join(problem.reason for problem in problems)
    return (replace(problems[0], reason=reasons),) if problems else ()


def _values(observation: Observation) -> Iterable[tuple[Concept, Quantity | None]]:
    yield observation.code, observation.value
    for component in observation.components:
        yield component.code, component.value


def _half(
    recorded: Quantity, plausible: tuple[Decimal, Decimal], unit: str, observation: Observation
) -> Quantity | Gap:
    try:
        value = convert(recorded, unit)
    except UnitError as error:
        return _gap(observation, recorded, str(error))
    low, high = plausible
    if not low <= value.value <= high:
        return _gap(observation, recorded, f"not plausible (believed: {low} to {high} {unit})")
    return value


def _gap(observation: Observation, recorded: Quantity, why: str) -> Gap:
    return Gap(
        Source.BLOOD_PRESSURE, GapScope.VALUE, f"{recorded}: {why}",
        observation.provenance.reference, observation.code.codings,
    )  # fmt: skip


def _merged(group: list[Pair]) -> Pair:
    systolic = [pair.systolic for pair in group if pair.systolic]
    diastolic = [pair.diastolic for pair in group if pair.diastolic]
    conflicting = len({half.value for half in systolic}) > 1 or len({half.value for half in diastolic}) > 1
    remarks = tuple(dict.fromkeys(remark for pair in group for remark in pair.remarks))
    return Pair(
        group[0].when,
        group[0].inside,
        tuple(dict.fromkeys(reference for pair in group for reference in pair.references)),
        group[0].origin,
        max(systolic, key=lambda half: half.value, default=None),
        max(diastolic, key=lambda half: half.value, default=None),
        tuple(gap for pair in group for gap in pair.problems),
        (*remarks, "conflicting record") if conflicting else remarks,
    )
