"""Value sets: which codes, prefixes and words mean the same clinical thing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from cds.engine.facts import Coding, Concept


@dataclass(frozen=True, slots=True)
class Member:
    """One code of a value set: its display, the ingredients of a drug, and a stated product strength."""

    display: str
    ingredients: tuple[str, ...] = ()
    strength_mg_per_ml: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PrefixRule:
    """A family of codes: `exact` codes, and all codes at or below `prefixes` that are not at or below `except_`.

    Codes are written without dots and in upper case. `seventh_characters` narrows the prefixes to codes that have
    one of these as their seventh character (in ICD-10-CM: S is a sequela); `except_seventh_characters` takes such out.
    """

    prefixes: tuple[str, ...] = ()
    exact: frozenset[str] = frozenset()
    except_: tuple[str, ...] = ()
    seventh_characters: frozenset[str] = frozenset()
    except_seventh_characters: frozenset[str] = frozenset()

    @property
    def starts(self) -> tuple[str, ...]:
        """Return what the codes of the family can start with."""
        return (*self.prefixes, *sorted(self.exact))

    def takes(self, code: str) -> bool:
        """Say whether a code (no dots, upper case) belongs to the family.

        >>> PrefixRule(prefixes=("H401",), except_=("H4019",)).takes("H40191")
        False
        """
        if code in self.exact:
            return True
        seventh = code[6:7]
        return (
            code.startswith(self.prefixes)
            and not code.startswith(self.except_)
            and (not self.seventh_characters or seventh in self.seventh_characters)
            and seventh not in self.except_seventh_characters
        )


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A named set of codes of several systems, with the words that name its members where no code is known.

    Attributes:
        codes: (canonical system URI, normalised code) to its member.
        families: canonical system URI to its prefix rules.
        text_terms: lower-case words or phrases, matched as whole words.
        not_covered: what the set is known not to cover, in plain sentences.
    """

    id: str
    title: str
    codes: Mapping[tuple[str, str], Member] = field(default_factory=dict)
    families: Mapping[str, tuple[PrefixRule, ...]] = field(default_factory=dict)
    text_terms: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()

    def contains(self, coding: Coding) -> bool:
        """Say whether this code is in the set, by list or by family."""
        code = normalise(coding.code)
        if (coding.system, code) in self.codes:
            return True
        return any(rule.takes(code) for rule in self.families.get(coding.system, ()))

    def codes_of(self, concept: Concept) -> tuple[Coding, ...]:
        """Return the codings of the concept that are in the set."""
        return tuple(coding for coding in concept.codings if self.contains(coding))

    def named_in(self, words: tuple[str, ...]) -> str:
        """Return the first of the set's terms that stands in the text as a whole word, else an empty string."""
        if not self.text_terms:
            return ""
        pattern = _pattern(self.text_terms)
        return next((match.group(0).lower() for text in words if (match := pattern.search(text))), "")

    def ingredients_of(self, concept: Concept) -> frozenset[str]:
        """Return the ingredients of the codings that are in the set, or the term that its text names."""
        members = (self.codes.get((coding.system, normalise(coding.code))) for coding in concept.codings)
        found = frozenset(name for member in members if member for name in member.ingredients)
        if found or self.codes_of(concept):
            return found or frozenset({self.id})
        named = self.named_in(concept.words)
        return frozenset({named}) if named else frozenset()


def normalise(code: str) -> str:
    """Return a code as value sets hold it: no dots, no spaces, upper case (``G90.511`` is ``G90511``)."""
    return code.replace(".", "").strip().upper()


@lru_cache(maxsize=512)
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(terms, key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)", re.IGNORECASE)
