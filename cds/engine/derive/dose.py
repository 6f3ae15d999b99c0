"""How much is ordered: rate, bolus, total, session and frequency, each in one unit (rules.md DO-1 to DO-5, D-UNIT).

What the order does not say is not judged; what it says and cannot be converted is a gap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cds.engine.derive.strength import strengths
from cds.engine.facts import Dosage, Gap, GapScope, Medication, Source
from cds.engine.order import Route
from cds.engine.units import Quantity, UnitError, convert, plain, rounded

_RATE, _PER_KG = "mg/kg/h", "mg/kg"
_MINUTES = Decimal(60)
_WEEK = Decimal(7)


class NoWeightError(UnitError):
    """A dose per kg cannot be told because no recent weight is known: nothing is wrong with what was recorded."""


class Amount(StrEnum):
    """What can be asked of a dose; the value is the word in cards/."""

    RATE = "rate"
    BOLUS = "bolus"
    TOTAL = "total"
    DURATION = "duration"
    SESSION = "session"
    SESSIONS_A_WEEK = "sessions_a_week"
    DOSE_PER_KG = "dose_per_kg"
    TIMES_A_DAY = "times_a_day"


UNITS = {
    Amount.RATE: _RATE,
    Amount.BOLUS: _PER_KG,
    Amount.TOTAL: _PER_KG,
    Amount.DURATION: "min",
    Amount.SESSION: "mg",
    Amount.SESSIONS_A_WEEK: "/wk",
    Amount.DOSE_PER_KG: _PER_KG,
    Amount.TIMES_A_DAY: "/d",
}


@dataclass(frozen=True, slots=True)
class Ordered:
    """One amount of one dosage, in the unit of `UNITS`, rounded to two decimals; or why it could not be told."""

    amount: Quantity | None = None
    problem: Gap | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What amounts are worked out with: the order, its route, and the patient's weight in kg (None if not known)."""

    medication: Medication
    route: Route
    weight: Decimal | None


def ordered_amounts(kind: Amount, measure: Measure) -> tuple[Ordered, ...]:
    """Return the amount that each dosage of the order says; nothing for a dosage that does not say it."""
    found = []
    for dosage in measure.medication.dosages:
        try:
            amount = _AMOUNTS[kind](dosage, measure)
        except NoWeightError as error:
            found.append(Ordered(problem=Gap(Source.MEASUREMENTS, GapScope.VALUE, str(error))))
            continue
        except UnitError as error:
            found.append(Ordered(problem=_gap(measure.medication, str(error))))
            continue
        if amount is not None:
            found.append(Ordered(Quantity(rounded(amount), UNITS[kind])))
    return tuple(found)


def _gap(medication: Medication, why: str) -> Gap:
    return Gap(Source.ORDER, GapScope.VALUE, why, medication.provenance.reference)


def _rate(dosage: Dosage, measure: Measure) -> Decimal | None:
    """Return the rate of an infusion: as given, or the dose over its duration."""
    if dosage.rate is not None:
        return _rate_per_kg(dosage.rate, measure)
    if dosage.dose is None or not dosage.duration_minutes:
        return None
    return _per_kg(dosage.dose, measure) * _MINUTES / dosage.duration_minutes


def _rate_per_kg(rate: Quantity, measure: Measure) -> Decimal:
    try:
        return convert(rate, _RATE).value
    except UnitError:
        amount, _, time = rate.unit.rpartition("/")
        hours = {"h": Decimal(1), "min": _MINUTES, "hr": Decimal(1)}.get(time)
        if hours is None:
            raise
        return _per_kg(Quantity(rate.value * hours, amount, rate.comparator), measure)


def _per_kg(dose: Quantity, measure: Measure) -> Decimal:
    try:
        return convert(dose, _PER_KG).value
    except UnitError:
        milligrams = _milligrams(dose, measure)
    if measure.weight is None:
        raise NoWeightError(f"{dose}: no recent weight to work out the dose per kg")
    return milligrams / measure.weight


def _milligrams(dose: Quantity, measure: Measure) -> Decimal:
    if dose.unit.lower() == "ml":
        return dose.value * _strength(measure.medication, dose)
    if dose.unit in ("ug", "mcg"):
        return dose.value / 1000
    return convert(dose, "mg").value


def _strength(medication: Medication, dose: Quantity) -> Decimal:
    stated = strengths(medication)
    if not stated:
        raise UnitError(f"{dose}: the order states no strength in mg/mL")
    if len(set(stated.values())) > 1:
        listed = " and ".join(f"{plain(value)} mg/mL ({where})" for where, value in stated.items())
        raise UnitError(f"{dose}: the order states two strengths, {listed}")
    return next(iter(stated.values()))


def _bolus(dosage: Dosage, measure: Measure) -> Decimal | None:
    """Return a dose that is given at once: without a rate and without a duration."""
    if dosage.dose is None or dosage.rate is not None or dosage.duration_minutes:
        return None
    return _per_kg(dosage.dose, measure)


def _total(dosage: Dosage, measure: Measure) -> Decimal | None:
    """Return what one administration gives in all: its dose, or its rate over its duration."""
    if dosage.dose is not None:
        return _per_kg(dosage.dose, measure)
    if dosage.rate is None or not dosage.duration_minutes:
        return None
    return _rate_per_kg(dosage.rate, measure) * dosage.duration_minutes / _MINUTES


def _session(dosage: Dosage, measure: Measure) -> Decimal | None:
    return _milligrams(dosage.dose, measure) if dosage.dose is not None else None


def _dose_per_kg(dosage: Dosage, measure: Measure) -> Decimal | None:
    return _per_kg(dosage.dose, measure) if dosage.dose is not None else None


_AMOUNTS: dict[Amount, Callable[[Dosage, Measure], Decimal | None]] = {
    Amount.RATE: _rate,
    Amount.BOLUS: _bolus,
    Amount.TOTAL: _total,
    Amount.DURATION: lambda dosage, _: dosage.duration_minutes,
    Amount.SESSION: _session,
    Amount.SESSIONS_A_WEEK: lambda dosage, _: dosage.per_day * _WEEK if dosage.per_day else None,
    Amount.DOSE_PER_KG: _dose_per_kg,
    Amount.TIMES_A_DAY: lambda dosage, _: dosage.per_day,
}
