"""Whether something later in the record ends or explains a finding (rules.md CR-PREG, CR-SUD)."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from cds.engine.dates import Interval, Window
from cds.engine.derive.condition_state import clinical_date
from cds.engine.derive.diagnoses import diagnoses
from cds.engine.derive.exposure import exposure_of
from cds.engine.facts import Gap, Source
from cds.engine.logic import Verdict
from cds.engine.scene import Scene

_ENDING_SOURCES = (Source.CONDITIONS, Source.PROCEDURES)
_DRUG_SOURCES = (Source.MEDICATIONS, Source.STATEMENTS)


def still(dated: Interval | None, ended_by: Sequence[str], scene: Scene) -> tuple[Verdict, tuple[Gap, ...]]:
    """Say whether a finding still holds: not found if a later diagnosis or procedure of these value sets ends it.

    Where diagnoses or procedures could not be read that is unknown: missing data must not make a finding present.
    """
    if any(dated is None or (end.end > dated.start) for end in _ends(ended_by, scene)):
        return Verdict.NOT_FOUND, ()
    unread = scene.silence(_ENDING_SOURCES, ended_by)
    return (Verdict.UNKNOWN, unread) if unread else (Verdict.PRESENT, ())


def unexplained(
    when: Interval, explained_by: tuple[tuple[str, ...], Window], scene: Scene
) -> tuple[Verdict, tuple[Gap, ...]]:
    """Say whether a reading is not explained by a drug of these value sets in the window before it."""
    value_sets, window = explained_by
    since = window.first_day(when.start)
    facts = [fact for name in value_sets for fact in scene.index.medications.get(name, ())]
    known = scene.knowledge.definitions.medication
    days, _, _ = exposure_of(facts, known, since, when.end + timedelta(days=1))
    ordered = any(fact.authored and since <= fact.authored.end <= when.end and not fact.draft for fact in facts)
    if days or ordered:
        return Verdict.NOT_FOUND, ()
    unread = scene.silence(_DRUG_SOURCES, value_sets)
    return (Verdict.UNKNOWN, unread) if unread else (Verdict.PRESENT, ())


def _ends(value_sets: Sequence[str], scene: Scene) -> Iterator[Interval]:
    for one in diagnoses(scene, value_sets):
        dated = clinical_date(one.condition)
        if dated:
            yield dated
    for name in value_sets:
        for fact in scene.index.procedures.get(name, ()):
            if fact.performed and fact.status not in ("not-done", "entered-in-error", "preparation"):
                yield fact.performed
