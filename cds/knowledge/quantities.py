"""Numbers as clinicians write them in cards/: a threshold with its unit, a look-back, a pair, "2 of 3"."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf

from cds.engine.dates import Span, Window
from cds.engine.units import Quantity

_QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?) (\S+)")
_PAIR = re.compile(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?) (\S+)")
_WINDOW = re.compile(r"(\d+) (day|month|year)s?")
_OF_LAST = re.compile(r"(\d+) of (\d+)")
_MINUTES = re.compile(r"(\d+) minutes?")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_FACTOR = re.compile(r"(\d+(?:\.\d+)?)(?:/(\d+(?:\.\d+)?))?")


def quantity(text: object) -> Quantity:
    """Return a number with its unit.

    Raises:
        ValueError: if the unit is missing, or the text is something else.

    >>> str(quantity("21 mm[Hg]"))
    '21 mm[Hg]'
    """
    match = _match(_QUANTITY, text, 'a number, a space and a UCUM unit, as "21 mm[Hg]"')
    return Quantity(Decimal(match[1]), match[2])


def pair(text: object) -> tuple[Quantity, Quantity]:
    """Return a blood pressure.

    >>> [str(half) for half in pair("180/100 mm[Hg]")]
    ['180 mm[Hg]', '100 mm[Hg]']
    """
    match = _match(_PAIR, text, 'systolic/diastolic with a unit, as "180/100 mm[Hg]"')
    return Quantity(Decimal(match[1]), match[3]), Quantity(Decimal(match[2]), match[3])


def window(text: object) -> Window:
    """Return a look-back in calendar units.

    >>> str(window("24 months"))
    '24 months'
    """
    match = _match(_WINDOW, text, 'a number and days, months or years, as "30 days"')
    return Window(int(match[1]), Span(f"{match[2]}s"))


def minutes(text: object) -> int:
    """Return a short time in minutes.

    >>> minutes("60 minutes")
    60
    """
    return int(_match(_MINUTES, text, 'a number of minutes, as "60 minutes"')[1])


def of_last(text: object) -> tuple[int, int]:
    """Return how many of how many.

    >>> of_last("2 of 3")
    (2, 3)
    """
    match = _match(_OF_LAST, text, '"2 of 3"')
    if not 0 < int(match[1]) <= int(match[2]):
        raise ValueError(f"'{text}' cannot be reached: the first number is between 1 and the second.")
    return int(match[1]), int(match[2])


def number(text: object) -> Decimal:
    """Return a plain number without a unit (a multiple, a factor), which stands in quotes.

    >>> number("7.50062")
    Decimal('7.50062')
    """
    return Decimal(_match(_NUMBER, text, 'a number in quotes, as "2.5"')[0])


def factor(text: object) -> Decimal:
    """Return a conversion factor, which may be written as a fraction.

    >>> factor("1/20")
    Decimal('0.05')
    """
    match = _match(_FACTOR, text, 'a factor in quotes, as "0.1" or "1/17.1"')
    return Decimal(match[1]) / Decimal(match[2] or 1)


def number_range(text: object) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest value.

    >>> number_range("40 to 300")
    (Decimal('40'), Decimal('300'))
    """
    low, _, high = text.partition(" to ") if isinstance(text, str) else ("", "", "")
    if not (_NUMBER.fullmatch(low) and _NUMBER.fullmatch(high) and Decimal(low) < Decimal(high)):
        raise ValueError(f'{text!r} is not a range. Expected the lower and the higher number, as "40 to 300".')
    return Decimal(low), Decimal(high)


def _match(pattern: re.Pattern[str], text: object, expected: str) -> re.Match[str]:
    match = pattern.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not readable here. Expected {expected}.")
    return match


def _multiple(text: object) -> str:
    return str(text) if number(text) > 0 else ""


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


QuantityText = Annotated[InstanceOf[Quantity], BeforeValidator(quantity)]
PairText = Annotated[tuple[InstanceOf[Quantity], InstanceOf[Quantity]], BeforeValidator(pair)]
WindowText = Annotated[InstanceOf[Window], BeforeValidator(window)]
MinutesText = Annotated[int, BeforeValidator(minutes)]
OfLastText = Annotated[tuple[int, int], BeforeValidator(of_last)]
FactorText = Annotated[Decimal, BeforeValidator(factor)]
RangeText = Annotated[tuple[Decimal, Decimal], BeforeValidator(number_range)]
MultipleText = Annotated[str, BeforeValidator(_multiple)]
Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
