"""Quantities and the closed table of units that can be converted exactly; everything else is refused, not guessed.

Source: clinical/rules.md D-UNIT. Which value is plausible, and factors that depend on the analyte, belong to
cards/definitions.yaml.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from types import MappingProxyType

from cds.engine.logic import Verdict, not_


class UnitError(ValueError):
    """A unit is missing, unknown or of another kind; it is never guessed."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with its UCUM unit (`unit` is the code; empty if the record has none).

    `comparator` is FHIR's ``<``, ``<=``, ``>=`` or ``>``; empty for an exact value.
    """

    value: Decimal
    unit: str
    comparator: str = ""

    def __str__(self) -> str:
        """Return for example ``34 mm[Hg]`` or ``> 30 mm[Hg]``, with at most two decimals."""
        return " ".join(part for part in (self.comparator, plain(rounded(self.value)), self.unit) if part)


# Unit -> (its reference unit, the factor into it).
_FACTORS: Mapping[str, tuple[str, Decimal]] = MappingProxyType({
    "kPa": ("mm[Hg]", Decimal("7.50062")),
    "[lb_av]": ("kg", Decimal("0.45359")),
    "g": ("kg", Decimal("0.001")),
    "ukat/L": ("U/L", Decimal(60)),
    "g/L": ("g/dL", Decimal("0.1")),
    "ug/kg/min": ("mg/kg/h", Decimal("0.06")),
    "ug/kg/h": ("mg/kg/h", Decimal("0.001")),
    "mg/kg/min": ("mg/kg/h", Decimal(60)),
    "ug/kg": ("mg/kg", Decimal("0.001")),
})  # fmt: skip

# Spellings that are not UCUM and mean one thing only; a value that used one is flagged.
_LEGACY: Mapping[str, str] = MappingProxyType({
    "mcg/kg/min": "ug/kg/min",
    "mcg/kg/h": "ug/kg/h",
    "mcg/kg": "ug/kg",
    "mg/kg/hr": "mg/kg/h",
    "mcg/kg/hr": "ug/kg/h",
    "lbs": "[lb_av]",
    "mm[hg]": "mm[Hg]",
    "mmHg": "mm[Hg]",
})  # fmt: skip


_HUNDREDTH = Decimal("0.01")
_ALL_DIGITS = Context(prec=2000)  # more than products of recorded numbers have; else a large one would be an error


def rounded(value: Decimal) -> Decimal:
    """Return a value with two decimals, however large it is.

    >>> rounded(Decimal("183.7652")), rounded(Decimal("1E+30"))
    (Decimal('183.77'), Decimal('1000000000000000000000000000000.00'))
    """
    return value.quantize(_HUNDREDTH, context=_ALL_DIGITS)


def is_multiple(value: Decimal, of: Decimal) -> bool:
    """Say whether a value is a whole number of times another, however large it is.

    >>> [is_multiple(Decimal(value), Decimal(28)) for value in ("84", "2.8E+308", "30")]
    [True, True, False]
    """
    return not _ALL_DIGITS.remainder(value, of)


def plain(value: Decimal) -> str:
    """Return a decimal as people write it.

    >>> plain(Decimal("21.0")), plain(Decimal("1E+2"))
    ('21', '100')
    """
    return format(value.normalize(), "f")


def is_legacy(unit: str) -> bool:
    """Say whether a unit is a known spelling outside UCUM: accepted, and flagged."""
    return unit in _LEGACY


def convert(quantity: Quantity, unit: str, factors: Mapping[str, Decimal] | None = None) -> Quantity:
    """Return the quantity in another unit, exactly.

    Args:
        quantity: what was recorded.
        unit: the UCUM unit that is wanted.
        factors: further units of this analyte, each with its factor into `unit`.

    Raises:
        UnitError: if the unit is missing or cannot be converted.

    >>> str(convert(Quantity(Decimal("24.5"), "kPa"), "mm[Hg]"))
    '183.77 mm[Hg]'
    """
    recorded = _LEGACY.get(quantity.unit, quantity.unit)
    if factors and recorded in factors:
        return replace(quantity, value=quantity.value * factors[recorded], unit=unit)
    reference, factor = _FACTORS.get(recorded, (recorded, Decimal(1)))
    wanted, divisor = _FACTORS.get(unit, (unit, Decimal(1)))
    if not recorded or reference != wanted:
        raise UnitError(f"unit '{quantity.unit}' cannot be converted to {unit}" if recorded else "no unit is given")
    return (
        quantity
        if recorded == unit == quantity.unit
        else replace(quantity, value=quantity.value * factor / divisor, unit=unit)
    )


def is_above(quantity: Quantity, limit: Decimal, *, or_equal: bool = False) -> Verdict:
    """Say whether a value, already in the limit's unit, lies above it; a comparator can leave that unknown.

    >>> is_above(Quantity(Decimal(30), "mm[Hg]", ">"), Decimal(21)).value
    'present'
    >>> is_above(Quantity(Decimal(10), "mm[Hg]", ">"), Decimal(21)).value
    'unknown'
    """
    value = quantity.value
    above = Verdict.PRESENT if value > limit or (or_equal and value == limit) else Verdict.NOT_FOUND
    if quantity.comparator in (">", ">="):
        surely = value > limit or (value == limit and (or_equal or quantity.comparator == ">"))
        return Verdict.PRESENT if surely else Verdict.UNKNOWN
    if quantity.comparator in ("<", "<="):
        surely_not = value < limit or (value == limit and (not or_equal or quantity.comparator == "<"))
        return Verdict.NOT_FOUND if surely_not else Verdict.UNKNOWN
    return above


def is_below(quantity: Quantity, limit: Decimal, *, or_equal: bool = False) -> Verdict:
    """Say whether a value, already in the limit's unit, lies below it."""
    return not_(is_above(quantity, limit, or_equal=not or_equal))
