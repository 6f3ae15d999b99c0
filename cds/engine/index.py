"""The inverted index: from a code or a word to the value sets that hold it, built once per knowledge.

The cost of a request grows with the patient's codes, not with the number of rules or value sets.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cds.engine.facts import Coding, Concept
from cds.engine.terminology import PrefixRule, ValueSet, normalise

_REMEMBERED = 50_000  # codes whose sets are remembered; more are looked up each time
_HEADS = (3, 1)  # families are looked up by the category (three characters) or, if wider, by the first letter


@dataclass(frozen=True, slots=True)
class CodeIndex:
    """Codes, code families and words of all value sets, each with the ids of the sets that hold it.

    `known` remembers what was looked up; it changes no answer.
    """

    codes: Mapping[tuple[str, str], frozenset[str]]
    families: Mapping[tuple[str, str], tuple[tuple[PrefixRule, str], ...]]
    words: Mapping[str, frozenset[str]]
    pattern: re.Pattern[str]
    displays: Mapping[tuple[str, str], str]
    titles: Mapping[str, str]
    known: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def name_of(self, coding: Coding) -> str:
        """Return what a code means: its display in a value set, else the title of the smallest set that holds it."""
        display = self.displays.get((coding.system, normalise(coding.code)))
        if display:
            return display
        return min(
            (self.titles[name] for name in self.sets_of(coding)), key=lambda title: (len(title), title), default=""
        )

    def sets_of(self, coding: Coding) -> frozenset[str]:
        """Return the ids of the value sets that hold this code."""
        key = (coding.system, coding.code)
        found = self.known.get(key)
        if found is None:
            found = self._look_up(*key)
            if len(self.known) < _REMEMBERED:
                self.known[key] = found
        return found

    def _look_up(self, system: str, sent: str) -> frozenset[str]:
        code = normalise(sent)
        listed = self.codes.get((system, code), frozenset())
        families = (rule for head in _HEADS for rule in self.families.get((system, code[:head]), ()))
        return listed.union(value_set for rule, value_set in families if rule.takes(code))

    def sets_of_concept(self, concept: Concept) -> frozenset[str]:
        """Return the ids of the value sets that hold one of the concept's codes."""
        return frozenset(name for coding in concept.codings for name in self.sets_of(coding))

    def sets_named_in(self, words: Iterable[str]) -> frozenset[str]:
        """Return the ids of the value sets of which a term stands in the text as a whole word."""
        found = (match.group(0).lower() for text in words for match in self.pattern.finditer(text))
        return frozenset(name for word in found for name in self.words[word])


def build_index(value_sets: Mapping[str, ValueSet]) -> CodeIndex:
    """Return the index of these value sets."""
    codes: dict[tuple[str, str], set[str]] = defaultdict(set)
    families: dict[tuple[str, str], list[tuple[PrefixRule, str]]] = defaultdict(list)
    words: dict[str, set[str]] = defaultdict(set)
    for value_set in value_sets.values():
        for key in value_set.codes:
            codes[key].add(value_set.id)
        for system, rules in value_set.families.items():
            for rule in rules:
                for head in {start[:3] if len(start) >= _HEADS[0] else start[:1] for start in rule.starts}:
                    families[system, head].append((rule, value_set.id))
        for term in value_set.text_terms:
            words[term.lower()].add(value_set.id)
    return CodeIndex(
        codes={key: frozenset(names) for key, names in codes.items()},
        families={key: tuple(rules) for key, rules in families.items()},
        words={word: frozenset(names) for word, names in words.items()},
        pattern=_any_word(words),
        displays={key: member.display for one in value_sets.values() for key, member in one.codes.items()},
        titles={one.id: one.title for one in value_sets.values()},
    )


def _any_word(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    choice = "|".join(map(re.escape, longest_first)) or r"(?!)"
    return re.compile(rf"(?<!\w)(?:{choice})(?!\w)", re.IGNORECASE)
