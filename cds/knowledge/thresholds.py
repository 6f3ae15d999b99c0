"""Every threshold of a rule has a unit that fits, and a source or a line of local policy that names its number."""

import re
from collections.abc import Iterator, Mapping

from cds.engine.definitions import Definitions
from cds.errors import KnowledgeError
from cds.knowledge.closed import did_you_mean
from cds.knowledge.criteria import ObservationWords
from cds.knowledge.rule_file import Names, RuleFile
from cds.knowledge.schema import RuleText
from cds.knowledge.sources import SourceText
from cds.knowledge.strict_yaml import Keys
from cds.knowledge.walk import thresholds_in

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def check_thresholds(file: RuleFile, names: Names) -> Iterator[KnowledgeError]:
    """Yield thresholds that nothing supports, and those in another unit than the value they are compared with."""
    if names.sources is not None:
        yield from _without_source(file, names.sources)
    for keys, criterion in file.criteria:
        if criterion.observation is not None and names.definitions is not None:
            yield from _units(criterion.observation, names.definitions, file, (*keys, "observation"))


def unnamed_numbers(text: str, said: str) -> list[str]:
    """Return the numbers at the head of a threshold that a text does not name, in digits or (up to ten) in words.

    >>> unnamed_numbers("180/110 mm[Hg]", "above 180/100"), unnamed_numbers("2", "two drugs")
    (['110'], [])
    """
    return [number for number in _NUMBER.findall(text.partition(" ")[0]) if not _is_named(number, said.lower())]


def _without_source(file: RuleFile, sources: Mapping[str, SourceText]) -> Iterator[KnowledgeError]:
    said = " ".join((*(line.text for line in file.text.local_policy), *_cited(file.text, sources)))
    for keys, text in thresholds_in(file.criteria):
        if missing := unnamed_numbers(text, said):
            what = f"No statement that this rule cites, and no line of its local_policy, names {missing[0]}."
            expected = "Every threshold has a source, or is local policy in words."
            yield KnowledgeError("CDS-106", file.document.where(*keys), what, expected)


def _cited(rule: RuleText, sources: Mapping[str, SourceText]) -> Iterator[str]:
    for because in rule.because:
        source = sources.get(because.source)
        if source and because.statement in source.statements:
            yield source.statements[because.statement].says


def _is_named(number: str, said: str) -> bool:
    if re.search(rf"(?<![\d.]){re.escape(number)}(?!\.?\d)", said):
        return True
    is_word = number.isdecimal() and int(number) < len(_NUMBER_WORDS)
    return is_word and _NUMBER_WORDS[int(number)] in re.findall(r"[a-z]+", said)


def _units(
    observation: ObservationWords, definitions: Definitions, file: RuleFile, keys: Keys
) -> Iterator[KnowledgeError]:
    known = definitions.observations
    for value_set in observation.value_sets:
        if value_set not in known:
            what = f"definitions.yaml has no block under 'observations' for '{value_set}'."
            yield KnowledgeError("CDS-104", file.document.where(*keys, "in"), what, did_you_mean(value_set, known))
            continue
        for name in ("above", "at_least", "below", "at_most"):
            quantity, unit = getattr(observation, name), known[value_set].unit
            if quantity is not None and quantity.unit != unit:
                what = f"The unit {quantity.unit} is not that of '{value_set}'."
                yield KnowledgeError("CDS-106", file.document.where(*keys, name), what, f"Thresholds are in {unit}.")
