"""The types of single words in cards/: names, patterns, drugs, levels; and how many of several keys may be given."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cds.engine.order import Drug, OrderContext, Purpose, Route
from cds.engine.rules import Level


def spelled(pattern: str, expected: str) -> AfterValidator:
    """Return a check that a text has a pattern; `expected` says what it is, in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"'{text}' is not {expected}.")
        return text

    return AfterValidator(check)


def check_exactly_one(given: set[str], allowed: tuple[str, ...]) -> None:
    """Check that one of these keys is given, and no other of them.

    Raises:
        ValueError: if there is none, or more than one.
    """
    found = sorted(given & set(allowed))
    if len(found) != 1:
        raise ValueError(f"Exactly one of {', '.join(allowed)} was expected; found {', '.join(found) or 'none'}.")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is not a regular expression: {error}.") from error
    return text


Id = Annotated[str, spelled(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", "a name of lower-case words joined by _")]
Text = Annotated[str, Field(min_length=1)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = tuple[Pattern, ...]
LOOSE = Field(strict=False)
"""For words that become members of an enumeration."""

DrugWord = Annotated[Drug, LOOSE]
ContextWord = Annotated[OrderContext, LOOSE]
PurposeWord = Annotated[Purpose, LOOSE]
RouteWord = Annotated[Route, LOOSE]
LevelWord = Annotated[Level, LOOSE]
HookWord = Literal["order-select", "order-sign", "patient-view"]
MissingWord = Literal["not_found", "unknown"]
