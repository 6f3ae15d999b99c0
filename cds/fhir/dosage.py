"""Read dosage instructions and lengths of time. Source: FHIR R4 Dosage and Timing; UCUM units of time."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from cds.engine import facts
from cds.engine.units import Quantity
from cds.fhir import datatypes
from cds.fhir.reading import Reading, code_of

# Days in a unit. A month and a year are counted as 30 and 365 days: lengths of supply, not calendar dates.
_DAYS = {
    "s": Fraction(1, 86400),
    "min": Fraction(1, 1440),
    "h": Fraction(1, 24),
    "d": Fraction(1),
    "wk": Fraction(7),
    "mo": Fraction(30),
    "a": Fraction(365),
}
_MINUTES_A_DAY = 1440
LONGEST_DAYS = 40_000
"""No supply is longer than a life; a greater length is an error in the data."""
_WORDS = {
    "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "hour": "h", "hours": "h",
    "day": "d", "days": "d", "week": "wk", "weeks": "wk", "month": "mo", "months": "mo", "year": "a", "years": "a",
}  # fmt: skip
_ORDERED = "ordered"
_NO_REPEAT, _NO_PERIOD, _NO_RANGE = datatypes.Repeat(), datatypes.Period(), datatypes.Range()


def read_dosage(dosage: datatypes.Dosage, reading: Reading) -> facts.Dosage:
    """Return one dosage instruction; of several doses in it the one as ordered, else the first."""
    amount = next(
        (item for item in dosage.dose_and_rate if code_of(item.type) == _ORDERED),
        dosage.dose_and_rate[0] if dosage.dose_and_rate else dosage,
    )
    repeat = (dosage.timing and dosage.timing.repeat) or _NO_REPEAT
    bounds = repeat.bounds_period or _NO_PERIOD
    dose_range = amount.dose_range or _NO_RANGE
    return facts.Dosage(
        text=dosage.text or dosage.patient_instruction or "",
        route=reading.concept(dosage.route),
        dose=reading.quantity(amount.dose_quantity or dose_range.high, "dose"),
        dose_low=reading.quantity(dose_range.low, "doseRange.low"),
        rate=_rate(amount, reading),
        per_day=_per_day(repeat, reading),
        duration_minutes=_duration(repeat, reading),
        starts=reading.interval(bounds.start, "timing.repeat.boundsPeriod.start"),
        ends=reading.interval(bounds.end, "timing.repeat.boundsPeriod.end"),
        bounds_days=days(repeat.bounds_duration, reading, "timing.repeat.boundsDuration"),
        as_needed=bool(dosage.as_needed_boolean or dosage.as_needed_codeable_concept),
    )


def days(duration: datatypes.Quantity | None, reading: Reading, element: str, unit: str = "") -> Decimal | None:
    """Return a length of time in days; `unit` is what a bare number means, if that is defined.

    A length without a unit, or in a unit that is none of time, is a problem.
    """
    quantity = reading.quantity(duration, element)
    if quantity is None:
        return None
    factor = _DAYS.get(_time_unit(quantity.unit or unit))
    if factor is None:
        reading.problems.append(f"{element} is not in a unit of time")
        return None
    length = _decimal(Fraction(quantity.value) * factor)
    if not 0 <= length <= LONGEST_DAYS:
        reading.problems.append(f"{element} is not a usable length of time")
        return None
    return length


def _rate(amount: datatypes.DoseAndRate, reading: Reading) -> Quantity | None:
    if amount.rate_ratio is not None:
        return reading.ratio(amount.rate_ratio, "rateRatio")
    return reading.quantity(amount.rate_quantity or (amount.rate_range or _NO_RANGE).high, "rate")


def _per_day(repeat: datatypes.Repeat, reading: Reading) -> Decimal | None:
    """Return how often a day; once in every period unless a frequency is given."""
    period = reading.number(repeat.period, "timing.repeat.period")
    frequency = Decimal(1) if repeat.frequency is None else reading.number(repeat.frequency, "timing.repeat.frequency")
    unit = _DAYS.get(_time_unit(repeat.period_unit or repeat.period_units or ""))
    if not period or frequency is None or unit is None:
        return None
    return _frequency(frequency, period, unit)


def _duration(repeat: datatypes.Repeat, reading: Reading) -> Decimal | None:
    duration = reading.number(repeat.duration, "timing.repeat.duration")
    unit = _DAYS.get(_time_unit(repeat.duration_unit or ""))
    return _decimal(Fraction(duration) * unit * _MINUTES_A_DAY) if duration is not None and unit is not None else None


@lru_cache(maxsize=256)
def _frequency(times: Decimal, period: Decimal, unit: Fraction) -> Decimal:
    return _decimal(Fraction(times) / (Fraction(period) * unit))


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _time_unit(unit: str) -> str:
    return _WORDS.get(unit.lower(), unit)
