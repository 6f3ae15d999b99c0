"""The patient's diagnoses of a value set, each decided, with contradictions settled (rules.md D-COND-CONFLICT)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
    known = scene.standings.get(id(condition))
    if known is None:
        sets, definition = scene.index.condition_sets[id(condition)], scene.knowledge.definitions.condition
        known = condition_state(condition, sets, definition, scene.today, scene.context.encounter)
        scene.standings[id(condition)] = known
    return known


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
        for one in settled(own):
            key = id(one.condition)
            if scene.index.condition_sets[key].intersection(excluding):
                continue
            if key not in found or one.state.steps < found[key].state.steps:
                found[key] = one
    return tuple(found.values())


def every_diagnosis(scene: Scene) -> tuple[Diagnosis, ...]:
    """Return all diagnoses that are neither refuted nor erroneous, whatever their code."""
    found = (Diagnosis(fact, standing_of(scene, fact)) for fact in scene.facts.conditions)
    return tuple(one for one in found if one.state.standing not in (Standing.REFUTED, Standing.IGNORED))


def settled(own: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """Return the diagnoses of one value set as they stand beside those that are refuted; these are left out."""
    refuted = [one.condition for one in own if one.state.standing is Standing.REFUTED]
    others = (one for one in own if one.state.standing not in (Standing.REFUTED, Standing.IGNORED))
    return tuple(found for one in others if (found := _settled(one, refuted)))


def _settled(one: Diagnosis, refuted: Iterable[Condition]) -> Diagnosis | None:
    """Return the diagnosis as it stands beside refuted ones of its value set; None if a later one refutes it."""
    if one.state.standing is not Standing.ACTIVE:
        return one
    order = min((_compare(one.condition, other) for other in refuted), default=1)
    if order < 0:
        return None
    if order > 0:
        return one
    remarks = (*one.state.remarks, "conflicting record: also recorded as refuted")
    return replace(one, state=replace(one.state, steps=one.state.steps + 1, remarks=remarks))


def _compare(active: Condition, refuted: Condition) -> int:
    """Return 1 if the active one was recorded later, -1 if the refuted one was, 0 if that is not known."""
    mine, other = active.recorded, refuted.recorded
    if mine is None or other is None:
        return 0
    if mine.start == other.end == mine.end == other.start and mine.instant and other.instant:
        return (mine.instant > other.instant) - (mine.instant < other.instant)
    return (mine.start > other.end) - (mine.end < other.start)
