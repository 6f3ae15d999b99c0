"""One line of a case, taken apart: words, texts in quotes, and options that are followed by a value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal, InvalidOperation

from cds.engine.dates import Interval, parse_interval
from cds.engine.facts import Coding, Concept
from cds.engine.units import Quantity
from cds.knowledge.closed import did_you_mean

_MINUTES = {"min": Decimal(1), "h": Decimal(60)}
_WORD = re.compile(r'"([^"]*)"|(\S+)')


class CaseError(ValueError):
    """A case says something that the case language does not know."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line, read: the words before any option, the flags, the options and the text in quotes."""

    head: tuple[str, ...]
    flags: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    def flag(self, among: frozenset[str], otherwise: str = "") -> str:
        """Return the one flag of these that is given.

        Raises:
            CaseError: if two contradict one another.
        """
        found = [flag for flag in self.flags if flag in among]
        if len(found) > 1:
            raise CaseError(f"{found[0]} and {found[1]} contradict one another")
        return found[0] if found else otherwise

    def date(self, option: str) -> Interval | None:
        """Return the date of an option, None if it is not given."""
        return interval(self.options[option]) if option in self.options else None

    def number(self, option: str) -> Decimal | None:
        """Return the number of an option, None if it is not given."""
        return number(self.options[option]) if option in self.options else None


def read_line(text: str, head: int, flags: frozenset[str], options: frozenset[str]) -> Line:
    """Return a line whose first `head` words stand for themselves.

    Raises:
        CaseError: for a word that is neither a flag nor an option, and for an option without its value.
    """
    words = [(match[1] if match[1] is not None else match[2], match[1] is not None) for match in _WORD.finditer(text)]
    rest = iter(words[head:])
    given: list[str] = []
    values: dict[str, str] = {}
    quoted = ""
    for word, in_quotes in rest:
        if in_quotes:
            quoted = word
        elif word in flags:
            given.append(word)
        elif word in options:
            values[word] = _value(word, next(rest, None))
        else:
            raise CaseError(f"'{word}' is not known in '{text}'. {did_you_mean(word, flags | options)}".rstrip())
    if len(words) < head:
        raise CaseError(f"'{text}' says too little")
    return Line(tuple(word for word, _ in words[:head]), tuple(given), values, quoted)


def _value(option: str, following: tuple[str, bool] | None) -> str:
    if following is None:
        raise CaseError(f"'{option}' has no value")
    return following[0]


def interval(text: str) -> Interval:
    """Return a date, which may be partial ("2025-03"), or an instant."""
    found = parse_interval(text, UTC)
    if found is None:
        raise CaseError(f"'{text}' is no date")
    return found


def number(text: str) -> Decimal:
    """Return a number."""
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise CaseError(f"'{text}' is no number") from error


def quantity(text: str) -> Quantity:
    """Return "21 mm[Hg]", "> 30 mm[Hg]" or, without a unit, "21"."""
    words = text.split()
    comparator = words.pop(0) if words[0] in {"<", "<=", ">", ">="} else ""
    if not 0 < len(words) < 3:
        raise CaseError(f"'{text}' is no number with a unit")
    return Quantity(number(words[0]), words[1] if len(words) > 1 else "", comparator)


def minutes(text: str) -> Decimal:
    """Return "40 min" or "2 h" in minutes."""
    given = quantity(text)
    if given.unit not in _MINUTES:
        raise CaseError(f"'{text}' is no time in min or h")
    return given.value * _MINUTES[given.unit]


def concept(code: str, text: str, systems: Mapping[str, str]) -> Concept:
    """Return a coded concept; `code` is ``system|code`` with the system's short name, or ``text`` for words only."""
    if code == "text":
        return Concept(text=text)
    return Concept((coding(code, systems),), text)


def coding(code: str, systems: Mapping[str, str]) -> Coding:
    """Return one code.

    Raises:
        CaseError: if the system is not in cards/code_systems.yaml.
    """
    system, bar, value = code.partition("|")
    if not bar or not value:
        raise CaseError(f"'{code}' is not written as system|code")
    if system not in systems:
        raise CaseError(f"There is no code system '{system}'. {did_you_mean(system, systems)}")
    return Coding(systems[system], value)
