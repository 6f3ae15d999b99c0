"""Whether the patient has a drug now, and what it is (rules.md D-MED)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cds.engine.dates import Interval, Window
from cds.engine.definitions import MedicationDefinition
from cds.engine.facts import Concept, Medication, MedicationKind
from cds.engine.index import CodeIndex


class Taking(StrEnum):
    """Whether a drug is taken."""

    ACTIVE = "active"
    ENDED = "ended"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class MedicationState:
    """A drug, decided: `steps` is 1 for a stale order, whose age is in `remarks`; `ended` the day it ended."""

    taking: Taking
    steps: int = 0
    remarks: tuple[str, ...] = ()
    ended: Interval | None = None


def medication_sets(medication: Medication, index: CodeIndex, definition: MedicationDefinition) -> frozenset[str]:
    """Return the value sets that a drug belongs to: by its codes, else by whole words of its text.

    A product for the eye, nose, skin or rectum belongs only to the sets that are made of such products.
    """
    concepts = (medication.drug, *medication.ingredients)
    coded = frozenset(name for concept in concepts for name in index.sets_of_concept(concept))
    named = index.sets_named_in(word for concept in concepts for word in concept.words)
    found = coded | named
    return found.intersection(definition.local_value_sets) if is_local(medication, definition) else found


def is_local(medication: Medication, definition: MedicationDefinition) -> bool:
    """Say whether a product is for the eye, nose, skin or rectum, by its route or dose form."""
    routes = (dosage.route for dosage in medication.dosages)
    concepts: tuple[Concept, ...] = (medication.form, *routes)
    text = " ".join(word for concept in concepts for word in concept.words).lower()
    return any(word in text for word in definition.local_forms)


def medication_state(medication: Medication, definition: MedicationDefinition, today: date) -> MedicationState:
    """Decide whether the patient takes a drug today."""
    if medication.kind in (MedicationKind.DISPENSE, MedicationKind.SERVICE) or medication.do_not_perform:
        return MedicationState(Taking.IGNORED)
    if medication.draft:
        return MedicationState(Taking.ACTIVE, remarks=("unsigned order of this session",))
    ended = _end(medication)
    if medication.status not in definition.active_statuses:
        over = medication.status in definition.trial_statuses
        return MedicationState(Taking.ENDED if over else Taking.IGNORED, ended=ended)
    if ended and ended.end < today:
        return MedicationState(Taking.ENDED, ended=ended)
    return _stale(medication, definition.stale_after, today) if ended is None else MedicationState(Taking.ACTIVE)


def _end(medication: Medication) -> Interval | None:
    ends = [dosage.ends for dosage in medication.dosages if dosage.ends]
    if medication.kind is MedicationKind.STATEMENT and medication.validity_end:
        ends.append(medication.validity_end)
    return max(ends, key=lambda interval: interval.end) if ends else None


def _stale(medication: Medication, after: Window, today: date) -> MedicationState:
    authored = medication.authored
    if authored is None or authored.end >= after.first_day(today):
        return MedicationState(Taking.ACTIVE)
    return MedicationState(Taking.ACTIVE, 1, (f"stale: ordered {(today - authored.end).days} days ago, no end",))
