"""How many adequate earlier treatments the record shows (rules.md D-EXPOSURE, PR-TRD, PR-PAIN).

Exposure is not failure: what is counted is that a drug was taken long enough, never how it worked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds.engine.dates import Interval
from cds.engine.definitions import TrialDefinition, TrialGroup
from cds.engine.derive.condition_state import clinical_date
from cds.engine.derive.diagnoses import is_active
from cds.engine.derive.exposure import Days, exposure_of
from cds.engine.facts import Medication, MedicationKind
from cds.engine.scene import Scene
from cds.engine.units import Quantity


@dataclass(frozen=True, slots=True)
class Trial:
    """One treatment: its days in the look-back (None if not known, or for a procedure) and why it does not count.

    `dispensed` says that its length rests on dispensing records and not on prescriptions alone.
    """

    name: str
    value_set: str
    days: int | None
    why_not: str
    dispensed: bool
    facts: tuple[Medication, ...]
    references: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Say whether it is an adequate treatment."""
        return not self.why_not

    def __str__(self) -> str:
        """Return for example ``sertraline 90 days`` or ``bupropion 10 days (shorter than 42 days)``."""
        words = self.name if self.days is None else f"{self.name} {self.days} days"
        return f"{words} ({self.why_not})" if self.why_not else words


def find_trials(scene: Scene, definition: TrialDefinition, only: Sequence[str] = ()) -> tuple[Trial, ...]:
    """Return every treatment of the definition's groups in its look-back, counted or not."""
    since = look_back(scene, definition)
    found: list[Trial] = []
    for group in definition.groups:
        if group.only_with and not _has_active(scene, group.only_with):
            continue
        found += _drug_trials(scene, definition, group, since, only, found)
        found += _procedure_trials(scene, group, since, only)
    return tuple(found)


def counted(trials: Iterable[Trial], definition: TrialDefinition, *, unknown_durations: bool = False) -> int:
    """Return how many count, with each group's upper bound."""
    total = 0
    remaining = list(trials)
    for group in definition.groups:
        own = [trial for trial in remaining if trial.value_set in (*group.value_sets, *group.procedures)]
        remaining = [trial for trial in remaining if trial not in own]
        number = sum(trial.counts or (unknown_durations and trial.days is None) for trial in own)
        total += min(number, group.counts_at_most) if group.counts_at_most else number
    return total


def look_back(scene: Scene, definition: TrialDefinition) -> date:
    """Return the first day of the look-back: the window, or the onset of the active diagnosis if that is longer."""
    first = definition.within.first_day(scene.today)
    onsets = [dated.start for dated in _onsets(scene, definition.since_onset_of)]
    if not onsets or definition.at_most_back is None:
        return first
    return min(first, max(min(onsets), definition.at_most_back.first_day(scene.today)))


def _onsets(scene: Scene, value_sets: Sequence[str]) -> Iterable[Interval]:
    for name in value_sets:
        for condition in scene.index.conditions.get(name, ()):
            dated = clinical_date(condition)
            if dated and is_active(scene, condition):
                yield dated


def _has_active(scene: Scene, value_sets: Sequence[str]) -> bool:
    conditions = (condition for name in value_sets for condition in scene.index.conditions.get(name, ()))
    reasons = scene.order.medication.reasons
    coded = any(scene.knowledge.index.sets_of_concept(reason).intersection(value_sets) for reason in reasons)
    return coded or any(is_active(scene, condition) for condition in conditions)


def _drug_trials(
    scene: Scene,
    definition: TrialDefinition,
    group: TrialGroup,
    since: date,
    only: Sequence[str],
    earlier: Sequence[Trial],
) -> list[Trial]:
    trials = []
    for (name, value_set), ingredients in _by_treatment(scene, group, only).items():
        facts = [fact for own in ingredients.values() for fact in own]
        days, dispensed, references = _exposure(ingredients, scene, since)
        if days is None and not references:
            continue
        if group.together and days is not None:
            days = days & _union(earlier, scene, since)
        length = len(days) if days is not None else None
        why_not = _too_short(length, group) or _dose_too_low(name, facts, definition, group, scene, since)
        trials.append(Trial(name, value_set, length, why_not, dispensed, tuple(facts), references))
    return trials


def _by_treatment(
    scene: Scene, group: TrialGroup, only: Sequence[str]
) -> Mapping[tuple[str, str], Mapping[str, list[Medication]]]:
    """Return the facts of each treatment by ingredient; a treatment is an ingredient, or a whole class of drugs."""
    found: dict[tuple[str, str], dict[str, list[Medication]]] = defaultdict(lambda: defaultdict(list))
    for value_set in group.value_sets:
        if only and value_set not in only:
            continue
        members = scene.knowledge.value_sets[value_set]
        for fact in scene.index.medications.get(value_set, ()):
            names = {name for concept in (fact.drug, *fact.ingredients) for name in members.ingredients_of(concept)}
            for name in sorted(names) or [value_set]:
                treatment = members.title if group.distinct_by == "value_set" else name
                found[treatment, value_set][name].append(fact)
    return found


def _exposure(
    ingredients: Mapping[str, Sequence[Medication]], scene: Scene, since: date
) -> tuple[Days | None, bool, tuple[str, ...]]:
    """Return the days of all ingredients together, whether all rest on dispenses, and the references."""
    known = scene.knowledge.definitions.medication
    parts = [exposure_of(facts, known, since, scene.today) for facts in ingredients.values()]
    lengths = [days for days, _, _ in parts if days is not None]
    references = dict.fromkeys(reference for _, _, used in parts for reference in used)
    days = frozenset[int]().union(*lengths) if lengths else None
    return days, all(dispensed for _, dispensed, _ in parts), tuple(references)


def _union(trials: Sequence[Trial], scene: Scene, since: date) -> Days:
    days: Days = frozenset()
    for trial in trials:
        more, _, _ = exposure_of(trial.facts, scene.knowledge.definitions.medication, since, scene.today)
        days = days | (more or frozenset())
    return days


def _too_short(length: int | None, group: TrialGroup) -> str:
    if length is None:
        return "duration not known"
    needed = group.exposure_at_least
    if needed is None or length >= needed.count:
        return ""
    return f"shorter than {needed}" + (" together with another drug of this count" if group.together else "")


def _dose_too_low(
    name: str, facts: Sequence[Medication], definition: TrialDefinition, group: TrialGroup, scene: Scene, since: date
) -> str:
    """Say why an ingredient that counts only from a daily dose does not: days at a lower or unknown dose are none."""
    least = (definition.minimum_daily_doses or {}).get(name)
    if least is None:
        return ""
    prescribed = [(fact, list(_daily_doses(fact, least))) for fact in facts if fact.kind is not MedicationKind.DISPENSE]
    enough = [fact for fact, doses in prescribed if max(doses, default=Decimal(0)) >= least.value]
    if not enough:
        known = any(doses for _, doses in prescribed)
        return f"dose below {least}" if known else f"dose not known, counts from {least}"
    dispensed = [fact for fact in facts if fact.kind is MedicationKind.DISPENSE]
    days, _, _ = exposure_of([*enough, *dispensed], scene.knowledge.definitions.medication, since, scene.today)
    too_short = _too_short(None if days is None else len(days), group)
    return too_short and f"{too_short} at {least}"


def _daily_doses(fact: Medication, least: Quantity) -> Iterable[Decimal]:
    for dosage in fact.dosages:
        if dosage.dose and dosage.per_day and f"{dosage.dose.unit}/d" == least.unit:
            yield dosage.dose.value * dosage.per_day


def _procedure_trials(scene: Scene, group: TrialGroup, since: date, only: Sequence[str]) -> list[Trial]:
    found = []
    for value_set in group.procedures:
        if only and value_set not in only:
            continue
        done = [
            fact
            for fact in scene.index.procedures.get(value_set, ())
            if fact.status in ("completed", "in-progress", "") and fact.performed and fact.performed.end >= since
        ]
        if done:
            title = scene.knowledge.value_sets[value_set].title
            references = tuple(fact.provenance.reference for fact in done)
            found.append(Trial(title, value_set, None, "", True, (), references))
    return found
