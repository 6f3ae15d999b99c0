"""On which days a drug was taken, as far as the record says (rules.md D-EXPOSURE)."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from cds.engine.dates import Interval
from cds.engine.definitions import MedicationDefinition
from cds.engine.facts import Medication, MedicationKind

Days = frozenset[int]


def exposure_of(
    facts: Sequence[Medication], definition: MedicationDefinition, since: date, today: date
) -> tuple[Days | None, bool, tuple[str, ...]]:
    """Return the days of one ingredient between `since` and `today`, as day ordinals.

    Dispenses, if there are any, replace the requests and statements.

    Returns:
        The days (None if no length is known), whether they rest on dispenses, and the references that were used.
    """
    dispenses = [fact for fact in facts if fact.kind is MedicationKind.DISPENSE and fact.status in ("completed", "")]
    used = dispenses or [fact for fact in facts if _is_trial(fact, definition)]
    known: set[int] = set()
    lengths = [_days(fact, today) for fact in used]
    first = since.toordinal()
    for span in lengths:
        if span is not None:
            known.update(range(max(first, span[0].toordinal()), span[1].toordinal()))
    in_time = (fact for fact, span in zip(used, lengths, strict=True) if _counts(span, since))
    references = tuple(fact.provenance.reference for fact in in_time)
    return (frozenset(known) if any(lengths) else None), bool(dispenses), references


def _is_trial(fact: Medication, definition: MedicationDefinition) -> bool:
    if fact.kind is MedicationKind.STATEMENT:
        return fact.status not in ("not-taken", "entered-in-error", "unknown", "intended")
    ordered = fact.kind is MedicationKind.REQUEST and fact.intent in ("order", "")
    return ordered and fact.status in definition.trial_statuses and not fact.do_not_perform and not fact.draft


def _counts(span: tuple[date, date] | None, since: date) -> bool:
    return span is None or span[1] > since


def _days(fact: Medication, today: date) -> tuple[date, date] | None:
    """Return the first day and the day after the last, never beyond today; None if the length is not known."""
    start = _start(fact)
    if start is None:
        return None
    length = _length(fact, start)
    if length is None:
        return (start, today) if fact.status == "active" and start <= today else None
    end = min(start + timedelta(days=int(length)), today + timedelta(days=1))
    return (start, end) if end > start else (start, start)


def _start(fact: Medication) -> date | None:
    bounds = [dosage.starts for dosage in fact.dosages if dosage.starts]
    dated: Interval | None = min(bounds, key=lambda interval: interval.end) if bounds else None
    dated = dated or fact.validity_start or fact.authored
    return dated.end if dated else None


def _length(fact: Medication, start: date) -> Decimal | None:
    if fact.kind is MedicationKind.DISPENSE:
        return fact.supply_days
    ends = [dosage.ends.start for dosage in fact.dosages if dosage.ends]
    if ends:
        return Decimal((max(ends) - start).days + 1)  # the last day of a period belongs to it
    bounds = [dosage.bounds_days for dosage in fact.dosages if dosage.bounds_days]
    if bounds:
        return max(bounds)
    if fact.validity_end:
        return Decimal((fact.validity_end.start - start).days + 1)
    return fact.supply_days
