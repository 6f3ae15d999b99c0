"""What a recorded diagnosis means: active, history or nothing (rules.md D-COND-*, D-ACUTE-AGE)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cds.engine.dates import Interval, Window, within
from cds.engine.definitions import ConditionDefinition
from cds.engine.facts import Condition
from cds.engine.logic import Verdict


class Standing(StrEnum):
    """How a diagnosis stands."""

    ACTIVE = "active"
    HISTORY = "history"
    REMISSION = "remission"
    REFUTED = "refuted"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class ConditionState:
    """A diagnosis, decided: its standing, how far it lowers a level, and what a reader must know of it.

    `sequela` marks an active sequela code: history for contraindications, active for some indications.
    """

    standing: Standing
    steps: int = 0
    remarks: tuple[str, ...] = ()
    sequela: bool = False


def condition_state(
    condition: Condition, sets: frozenset[str], definition: ConditionDefinition, today: date, encounter: str
) -> ConditionState:
    """Decide how a diagnosis stands.

    Args:
        condition: the diagnosis as recorded.
        sets: the value sets that hold one of its codes.
        definition: the status codes and sets of cards/definitions.yaml.
        today: the day of the call in the client's time zone.
        encounter: the encounter of the hook's context, a reference or empty.
    """
    if condition.verification_status == "entered-in-error" or sets.intersection(definition.family_history_value_sets):
        return ConditionState(Standing.IGNORED)
    if condition.verification_status in definition.refuted:
        return ConditionState(Standing.REFUTED)
    unconfirmed = condition.verification_status in definition.unconfirmed
    standing, remarks = _standing(condition, sets, definition, today, encounter)
    return ConditionState(
        standing,
        steps=1 if unconfirmed else 0,
        remarks=("unconfirmed", *remarks) if unconfirmed else remarks,
        sequela=bool(sets.intersection(definition.sequela_value_sets)),
    )


def clinical_date(condition: Condition, *, by_recorded: bool = False) -> Interval | None:
    """Return the day a diagnosis is dated by: its onset, else the day it was recorded (or the other way round)."""
    dates = (condition.recorded, condition.onset) if by_recorded else (condition.onset, condition.recorded)
    return dates[0] or dates[1]


def acute(condition: Condition, window: Window, today: date) -> tuple[Verdict, tuple[str, ...]]:
    """Say whether a diagnosis is still acute, however it was marked since (rules.md D-ACUTE-AGE).

    Returns:
        The verdict, and a remark where the date is not known or too coarse: then it counts as acute, one step lower.
    """
    dated = clinical_date(condition)
    verdict = within(dated, window, today)
    if verdict is not Verdict.UNKNOWN:
        return verdict, ()
    if dated is None and condition.abated:
        return Verdict.NOT_FOUND, ()
    return Verdict.PRESENT, ("date not known" if dated is None else "date not exact",)


def _standing(
    condition: Condition, sets: frozenset[str], definition: ConditionDefinition, today: date, encounter: str
) -> tuple[Standing, tuple[str, ...]]:
    status = condition.clinical_status
    if status in definition.remission or sets.intersection(definition.remission_value_sets):
        return Standing.REMISSION, ("in remission",)
    if status in definition.past or condition.abated:
        return Standing.HISTORY, (status or "ended",)
    if status in definition.active:
        return Standing.ACTIVE, ()
    return _assumed(condition, definition, today, encounter)


def _assumed(
    condition: Condition, definition: ConditionDefinition, today: date, encounter: str
) -> tuple[Standing, tuple[str, ...]]:
    categories = set(condition.categories)
    if categories & definition.problem_categories or not categories & definition.encounter_categories:
        return Standing.ACTIVE, ("status assumed",)
    here = bool(encounter) and condition.encounter.endswith(encounter)
    recent = within(condition.recorded, definition.encounter_diagnosis_within, today) is Verdict.PRESENT
    if here or recent:
        return Standing.ACTIVE, ("status assumed",)
    return Standing.HISTORY, ("diagnosis of an earlier encounter",)
