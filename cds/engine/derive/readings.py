"""Which readings of a measurement count, in which order, and in which unit (rules.md D-OBS, D-TIME, D-UNIT)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds.engine.dates import Interval, Window, within
from cds.engine.definitions import ObservationDefinition
from cds.engine.facts import Concept, Gap, GapScope, Observation, Source
from cds.engine.logic import Verdict
from cds.engine.units import Quantity, UnitError, convert, is_legacy

COUNTED_STATUSES = frozenset({"final", "amended", "corrected", "preliminary", ""})
"""The statuses of an Observation that is looked at at all (rules.md D-OBS); a preliminary one is marked."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One usable reading of one Observation.

    Attributes:
        observation: the whole Observation.
        code: the code of the Observation, or of the component that holds the value.
        when: its date.
        inside: whether it lies in the window; unknown for a date that straddles the window's edge.
        value: the number in the definition's unit; None for a coded result or where `problem` says why not.
        result: a coded or written result.
        problem: why the value cannot be used although it was recorded (a gap of scope VALUE).
        remarks: ``preliminary``, ``conflicting record``, ``unit spelled mcg/kg/min``.
    """

    observation: Observation
    code: Concept
    when: Interval
    inside: Verdict
    value: Quantity | None = None
    recorded: Quantity | None = None
    result: Concept | None = None
    problem: Gap | None = None
    remarks: tuple[str, ...] = ()


def readings(
    observations: Iterable[Observation], definition: ObservationDefinition, window: Window | None, today: date
) -> tuple[Reading, ...]:
    """Return the readings that can count, newest first; those wholly outside the window are left out."""
    found = (_reading(observation, definition, window, today) for observation in observations)
    return tuple(sorted((reading for reading in found if reading), key=_newest_first, reverse=True))


def number(recorded: Quantity, definition: ObservationDefinition) -> Quantity:
    """Return a recorded quantity in the definition's unit.

    Raises:
        UnitError: if the unit cannot be converted or the value is not plausible.
    """
    value = convert(recorded, definition.unit, definition.factors)
    low, high = definition.plausible or (value.value, value.value)
    if not low <= value.value <= high:
        raise UnitError(f"{recorded} is not plausible (believed: {low} to {high} {definition.unit})")
    return value


def same_time(one: Reading, other: Reading) -> bool:
    """Say whether two readings carry the same time; where one has no time of day, the same day."""
    if one.when.instant and other.when.instant:
        return one.when.instant == other.when.instant
    return one.when.start <= other.when.end and other.when.start <= one.when.end


def _newest_first(reading: Reading) -> tuple[date, str, str]:
    return (reading.when.end, reading.when.instant, reading.observation.provenance.reference)


def _reading(
    observation: Observation, definition: ObservationDefinition, window: Window | None, today: date
) -> Reading | None:
    when = observation.effective
    if observation.status not in COUNTED_STATUSES or when is None:
        return None
    inside = within(when, window, today) if window else Verdict.PRESENT
    if inside is Verdict.NOT_FOUND:
        return None
    remarks = ("preliminary",) if observation.status == "preliminary" else ()
    if not definition.unit:
        result = observation.value_concept
        return Reading(observation, observation.code, when, inside, result=result, remarks=remarks)
    if observation.value is None:
        return None
    return _numbered(observation, observation.value, when, inside, definition, remarks)


def _numbered(
    observation: Observation,
    recorded: Quantity,
    when: Interval,
    inside: Verdict,
    definition: ObservationDefinition,
    remarks: tuple[str, ...],
) -> Reading:
    if is_legacy(recorded.unit):
        remarks = (*remarks, f"unit written {recorded.unit}")
    try:
        value = number(recorded, definition)
    except UnitError as error:
        gap = Gap(
            Source(definition.source), GapScope.VALUE, f"{observation.code.label} {recorded}: {error}",
            observation.provenance.reference, observation.code.codings,
        )  # fmt: skip
        return Reading(observation, observation.code, when, inside, recorded=recorded, problem=gap, remarks=remarks)
    return Reading(observation, observation.code, when, inside, value, recorded, remarks=remarks)
