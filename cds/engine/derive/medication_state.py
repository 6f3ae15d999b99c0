"""Whether the patient has a drug now, and what it is (rules.md D-MED)."""

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from cds.engine.dates import Interval, Window
from cds.engine.definitions import MedicationDefinition
from cds.engine.facts import Concept, Dosage, Medication, MedicationKind
from cds.engine.index import CodeIndex

_UNSIGNED = ("draft", "active", "")


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
    """Say whether a product is for the eye, nose, skin or rectum: by its route, its dose form, or its full name."""
    routes = (dosage.route for dosage in medication.dosages)
    concepts: tuple[Concept, ...] = (medication.form, *routes)
    said = " ".join(word for concept in concepts for word in concept.words_and_codes).lower()
    named = _start_of_a_word(definition.local_forms).search(" ".join(medication.drug.words))
    return named is not None or any(form in said for form in definition.local_forms)


def medication_state(medication: Medication, definition: MedicationDefinition, today: date) -> MedicationState:
    """Decide whether the patient takes a drug today."""
    if medication.kind in (MedicationKind.DISPENSE, MedicationKind.SERVICE) or medication.do_not_perform:
        return MedicationState(Taking.IGNORED)
    if medication.draft and medication.status in _UNSIGNED:
        return MedicationState(Taking.ACTIVE, remarks=("unsigned order of this session",))
    ended = _end(medication)
    if medication.status not in definition.active_statuses:
        over = medication.status in definition.trial_statuses
        return MedicationState(Taking.ENDED if over else Taking.IGNORED, ended=ended)
    if ended and ended.end < today:
        return MedicationState(Taking.ENDED, ended=ended)
    return _stale(medication, definition.stale_after, today) if ended is None else MedicationState(Taking.ACTIVE)


def _end(medication: Medication) -> Interval | None:
    """Return the day the last dosage ends; None if one of them has no end."""
    ends = [_dosage_end(dosage, medication.authored) for dosage in medication.dosages]
    if medication.kind is MedicationKind.STATEMENT and medication.validity_end:
        ends = [medication.validity_end]
    known = [end for end in ends if end]
    return max(known, key=lambda interval: interval.end) if known and len(known) == len(ends) else None


def _dosage_end(dosage: Dosage, authored: Interval | None) -> Interval | None:
    """Return the last day of boundsPeriod, or of boundsDuration counted from its start."""
    start = dosage.starts or authored
    if dosage.ends or not dosage.bounds_days or start is None:
        return dosage.ends
    more = timedelta(days=max(0, math.ceil(dosage.bounds_days) - 1))
    return Interval(start.start + more, start.end + more)


@lru_cache(maxsize=8)
def _start_of_a_word(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, forms)) + ")" if forms else r"(?!)", re.IGNORECASE)


def _stale(medication: Medication, after: Window, today: date) -> MedicationState:
    authored = medication.authored
    if authored is None or authored.end >= after.first_day(today):
        return MedicationState(Taking.ACTIVE)
    return MedicationState(Taking.ACTIVE, 1, (f"stale: ordered {(today - authored.end).days} days ago, no end",))
