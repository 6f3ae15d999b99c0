"""Putting one number in place of another, in the data of a rule or of a definition, and in the words of a card."""

import re
from collections.abc import Callable, Mapping

from cds.knowledge.quantities import window

_TEXTS = frozenset({"summary", "detail", "text", "reason", "label", "not_checked", "title"})
"""Keys under which a text stands that a clinician reads."""


def replace_values(value: object, number: str, use: str) -> object:
    """Return the data with `use` wherever a value is exactly `number`."""
    if isinstance(value, Mapping):
        return {key: replace_values(part, number, use) for key, part in value.items()}
    if isinstance(value, tuple):
        return tuple(replace_values(part, number, use) for part in value)
    if isinstance(value, int) and not isinstance(value, bool) and str(value) == number:
        return int(use) if use.isdecimal() else use
    return use if value == number else value


def replace_words(value: object, number: str, use: str) -> object:
    """Return the data with `use` wherever a text names `number` with its unit, or a blood pressure without it.

    Another number without its unit stays: "18" may mean anything.
    """
    if " " not in number:
        return value
    named, said = number, use
    if "/" in number.partition(" ")[0]:
        named, said = number.partition(" ")[0], use.partition(" ")[0]
    token = re.compile(rf"(?<![\d./]){re.escape(named)}(?![\w\]])")
    return _in_texts(value, lambda text: token.sub(lambda _: said, text), inside=False)


def texts_in(value: object) -> tuple[str, ...]:
    """Return every text in the data that a clinician reads."""
    found: list[str] = []

    def noted(text: str) -> str:
        found.append(text)
        return text

    _in_texts(value, noted, inside=False)
    return tuple(found)


def still_names(text: str, number: str) -> bool:
    """Say whether a text names the number itself, with or without its unit.

    >>> still_names("BP above the 180/100 limit", "180/100 mm[Hg]"), still_names("for 180 days", "18 days")
    (True, False)
    >>> still_names("a 12-lead ECG", "12 months")
    False
    """
    return re.search(rf"(?<![\d./]){re.escape(number.partition(' ')[0])}(?![\d/]|\.\d|-[a-z])", text) is not None


def same_kind(number: str, use: str) -> bool:
    """Say whether two numbers have the same unit; a look-back in days and one in months are of one kind.

    >>> same_kind("6 months", "90 days"), same_kind("21 mm[Hg]", "3 kPa")
    (True, False)
    """
    return _kind(number) == _kind(use) and re.match(r"\d", use) is not None


def _kind(text: str) -> str:
    try:
        window(text)
    except ValueError:
        return text.partition(" ")[2]
    return "a time"


def _in_texts(value: object, change: Callable[[str], str], *, inside: bool) -> object:
    if isinstance(value, str):
        return change(value) if inside else value
    if isinstance(value, Mapping):
        return {
            key: part if key == "when" else _in_texts(part, change, inside=inside or key in _TEXTS)
            for key, part in value.items()
        }
    if isinstance(value, tuple):
        return tuple(_in_texts(part, change, inside=inside) for part in value)
    return value
