"""The patient's diagnoses of a value set, each decided, with contradictions settled (rules.md D-COND-CONFLICT)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cds.engine.derive.condition_state import ConditionState, Standing, condition_state
from cds.engine.facts import Condition
from cds.engine.scene import Scene


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One recorded diagnosis and how it stands."""

    condition: Condition
    state: ConditionState


def standing_of(scene: Scene, condition: Condition) -> ConditionState:
    """Decide how one diagnosis stands."""
    return condition_state(
        condition,
        scene.index.condition_sets[id(condition)],
        scene.knowledge.definitions.condition,
        scene.today,
        scene.context.encounter,
    )


def is_active(scene: Scene, condition: Condition) -> bool:
    """Say whether a diagnosis counts as active."""
    return standing_of(scene, condition).standing is Standing.ACTIVE


def diagnoses(scene: Scene, value_sets: Sequence[str], excluding: Sequence[str] = ()) -> tuple[Diagnosis, ...]:
    """Return the diagnoses of the value sets, each once; refuted and erroneous ones are left out.

    Where one diagnosis of a value set is refuted and another active, the later recorded one wins; without dates
    the active one stays, marked as conflicting and one step lower.
    """
    found: dict[int, Diagnosis] = {}
    for name in value_sets:
        own = [Diagnosis(fact, standing_of(scene, fact)) for fact in scene.index.conditions.get(name, ())]
        refuted = [one.condition for one in own if one.state.standing is Standing.REFUTED]
        for one in own:
            sets = scene.index.condition_sets[id(one.condition)]
            if one.state.standing in (Standing.REFUTED, Standing.IGNORED) or sets.intersection(excluding):
                continue
            settled = _settled(one, refuted)
            if settled and (
                id(one.condition) not in found or settled.state.steps < found[id(one.condition)].state.steps
            ):
                found[id(one.condition)] = settled
    return tuple(found.values())


def _settled(one: Diagnosis, refuted: Iterable[Condition]) -> Diagnosis | None:
    """Return the diagnosis as it stands beside refuted ones of its value set; None if a later one refutes it."""
    if one.state.standing is not Standing.ACTIVE:
        return one
    for other in refuted:
        order = _compare(one.condition, other)
        if order < 0:
            return None
        if order == 0:
            remarks = (*one.state.remarks, "conflicting record: also recorded as refuted")
            return replace(one, state=replace(one.state, steps=one.state.steps + 1, remarks=remarks))
    return one


def _compare(active: Condition, refuted: Condition) -> int:
    """Return 1 if the active one was recorded later, -1 if the refuted one was, 0 if that is not known."""
    mine, other = _recorded(active), _recorded(refuted)
    if mine is None or other is None or mine == other:
        return 0
    return 1 if mine > other else -1


def _recorded(condition: Condition) -> date | None:
    interval = condition.recorded
    return interval.start if interval and interval.start == interval.end else None
