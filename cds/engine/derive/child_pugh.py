"""The Child-Pugh class from laboratory values and coded findings (rules.md CR-HEP)."""

from dataclasses import dataclass
from decimal import Decimal

from cds.engine.assessment import Evidence
from cds.engine.derive.condition_state import Standing
from cds.engine.derive.diagnoses import diagnoses
from cds.engine.derive.evidence import condition_evidence, reading_evidence
from cds.engine.derive.readings import Reading, readings, same_time
from cds.engine.facts import Gap, GapScope, Source
from cds.engine.logic import Verdict
from cds.engine.scene import Scene


@dataclass(frozen=True, slots=True)
class ChildPugh:
    """The class (empty if it cannot be told), its points, what it rests on and what is missing."""

    name: str
    points: int
    evidence: tuple[Evidence, ...]
    missing: tuple[Gap, ...]


def child_pugh(scene: Scene) -> ChildPugh:
    """Return the class; without one of the three values, or with an unread problem list, it is not known."""
    definition = scene.knowledge.definitions.child_pugh
    points, evidence, missing = 0, [], list(scene.silence([Source.CONDITIONS], definition.findings))
    for value_set, low, high in (definition.bilirubin, definition.albumin, definition.inr):
        reading = _latest(scene, value_set)
        if isinstance(reading, Gap):
            missing.append(reading)
            continue
        evidence.append(reading_evidence(reading))
        assert reading.value is not None  # noqa: S101  (asked by _latest)
        points += _points(reading.value.value, low.value, high.value, falling=value_set == definition.albumin[0])
    for value_set, found_points in definition.findings.items():
        active = [one for one in diagnoses(scene, [value_set]) if one.state.standing is Standing.ACTIVE]
        points += found_points if active else 1
        evidence += [condition_evidence(one) for one in active]
    name = "" if missing else next(key for key, (low, high) in definition.classes.items() if low <= points <= high)
    return ChildPugh(name, points, tuple(evidence), tuple(missing))


def _points(value: Decimal, low: Decimal, high: Decimal, *, falling: bool) -> int:
    if falling:
        return 1 if value > high else 3 if value < low else 2
    return 1 if value < low else 3 if value > high else 2


def _latest(scene: Scene, value_set: str) -> Reading | Gap:
    definition = scene.knowledge.definitions.observations[value_set]
    source = Source(definition.source)
    title = scene.knowledge.value_sets[value_set].title
    window = scene.knowledge.definitions.child_pugh.within
    found = readings(scene.index.observations.get(value_set, ()), definition, window, scene.today)
    unread = scene.silence([source], [value_set])
    if unread:
        return unread[0]
    if not found:
        return Gap(source, GapScope.VALUE, f"{title}: none within {window}")
    latest = [one for one in found if same_time(one, found[0])]
    for one in latest:
        if one.value is None or one.value.comparator or one.inside is Verdict.UNKNOWN:
            reference = one.observation.provenance.reference
            return one.problem or Gap(source, GapScope.VALUE, f"{title}: no exact value or date", reference)
    worst = max if definition.worse == "higher" else min
    return worst(latest, key=lambda one: one.value.value if one.value else Decimal(0))
