"""Checks of one rule against everything else that was loaded: names, thresholds, and who it is."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds.engine.definitions import Definitions
from cds.engine.rules import OverrideReason
from cds.engine.terminology import ValueSet
from cds.errors import KnowledgeError
from cds.knowledge.card_words import check_words
from cds.knowledge.closed import did_you_mean
from cds.knowledge.criteria import ObservationWords
from cds.knowledge.schema import RuleText
from cds.knowledge.sources import SourceText
from cds.knowledge.strict_yaml import Document, Keys
from cds.knowledge.walk import criteria_of, thresholds_of, word_of

FOLDERS = {
    "gate": "gates",
    "indication": "indications",
    "prerequisite": "prerequisites",
    "contraindication": "contraindications",
    "caution": "cautions",
    "interaction": "interactions",
    "dose": "doses",
    "monitoring": "monitoring",
    "data_gap": "gaps",
}
"""In which folder of cards/ the rules of each kind lie."""

_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule as its file has it, not yet built."""

    folder: str
    stem: str
    text: RuleText
    document: Document


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that a rule may name; None where the file itself is broken, which is said once and not per rule."""

    value_sets: Mapping[str, ValueSet] | None
    definitions: Definitions | None
    sources: Mapping[str, SourceText] | None
    override_reasons: Mapping[str, OverrideReason] | None
    rules: frozenset[str]
    families: frozenset[str]


def check_rule(file: RuleFile, names: Names) -> Iterator[KnowledgeError]:
    """Yield everything in a rule that does not fit the rest of the knowledge."""
    yield from _identity(file)
    yield from _criteria(file, names)
    yield from _where(file)
    yield from _references(file, names)
    yield from _thresholds(file, names)
    yield from check_words(file.text, file.document)


def check_unique(files: Iterable[RuleFile]) -> Iterator[KnowledgeError]:
    """Yield ids and topics that two files share."""
    for key in ("id", "topic"):
        first: dict[str, RuleFile] = {}
        for file in files:
            value = getattr(file.text, key)
            other = first.setdefault(value, file)
            if other is not file:
                what = f"The {key} '{value}' is also that of {other.document.file}."
                yield KnowledgeError("CDS-107", file.document.where(key), what, f"Each {key} stands once.")


def _identity(file: RuleFile) -> Iterator[KnowledgeError]:
    rule, where = file.text, file.document.where
    if rule.id != file.stem:
        yield KnowledgeError("CDS-107", where("id"), f"The id '{rule.id}' is not the file's name, '{file.stem}'.")
    if FOLDERS[rule.kind] != file.folder:
        expected = f"Rules of this kind lie in {FOLDERS[rule.kind]}/."
        yield KnowledgeError("CDS-107", where("kind"), f"A {rule.kind} lies in {file.folder}/.", expected)


def _criteria(file: RuleFile, names: Names) -> Iterator[KnowledgeError]:
    for keys, criterion in criteria_of(file.text):
        word, content = word_of(criterion)
        here = (*keys, word)
        if names.value_sets is not None:
            yield from _value_sets(content, names.value_sets, file, here)
        if word == "trials" and names.definitions is not None:
            yield from _unknown("trial count", (content.of,), names.definitions.trials, file, (*here, "of"))  # type: ignore[attr-defined]
        if word == "rule":
            yield from _unknown("rule", content.rules, names.rules, file, (*here, "id"))  # type: ignore[attr-defined]


def _value_sets(content: object, known: Mapping[str, ValueSet], file: RuleFile, keys: Keys) -> Iterator[KnowledgeError]:
    for field in ("value_sets", "excluding", "result", "only", "ended_by"):
        key = "in" if field == "value_sets" else field
        yield from _unknown("value set", getattr(content, field, ()), known, file, (*keys, key))
    explained = getattr(content, "explained_by", None)
    if explained is not None:
        yield from _unknown("value set", explained.value_sets, known, file, (*keys, "explained_by", "in"))


def _unknown(
    what: str, used: Iterable[str], known: Iterable[str], file: RuleFile, keys: Keys
) -> Iterator[KnowledgeError]:
    known = list(known)
    for name in used:
        if name not in known:
            question = did_you_mean(name, known)
            yield KnowledgeError("CDS-104", file.document.where(*keys), f"There is no {what} '{name}'.", question)


def _where(file: RuleFile) -> Iterator[KnowledgeError]:
    used: set[str] = set()
    for keys, criterion in criteria_of(file.text):
        if criterion.criterion is not None:
            used.add(criterion.criterion)
            yield from _unknown("criterion under 'where' named", (criterion.criterion,), file.text.where, file, keys)
    for name in file.text.where:
        if name not in used:
            yield KnowledgeError("CDS-105", file.document.where("where", name), f"'{name}' is used nowhere.")


def _references(file: RuleFile, names: Names) -> Iterator[KnowledgeError]:
    rule = file.text
    if names.sources is not None:
        yield from _citations(file, names.sources)
    for level, family in rule.joins.items():
        keys: Keys = ("joins", level.value)
        yield from _unknown("family", (family,), names.families, file, keys)
        if level not in rule.levels:
            yield KnowledgeError("CDS-105", file.document.where(*keys), f"The rule has no level '{level.value}'.")
    if rule.card and names.override_reasons is not None:
        keys = ("card", "override_reasons")
        yield from _unknown("override reason", rule.card.override_reasons, names.override_reasons, file, keys)


def _citations(file: RuleFile, sources: Mapping[str, SourceText]) -> Iterator[KnowledgeError]:
    for number, because in enumerate(file.text.because):
        keys: Keys = ("because", number)
        yield from _unknown("source", (because.source,), sources, file, (*keys, "source"))
        if because.source in sources:
            statements = sources[because.source].statements
            what = f"statement of {because.source} named"
            yield from _unknown(what, (because.statement,), statements, file, (*keys, "statement"))


def _thresholds(file: RuleFile, names: Names) -> Iterator[KnowledgeError]:
    if names.sources is not None:
        yield from _without_source(file, names.sources)
    for keys, criterion in criteria_of(file.text):
        if criterion.observation is not None and names.definitions is not None:
            yield from _units(criterion.observation, names.definitions, file, (*keys, "observation"))


def _without_source(file: RuleFile, sources: Mapping[str, SourceText]) -> Iterator[KnowledgeError]:
    said = " ".join((*file.text.local_policy, *_cited(file.text, sources))).lower()
    for keys, text in thresholds_of(file.text):
        numbers = re.findall(r"\d+(?:\.\d+)?", text.partition(" ")[0])
        missing = [number for number in numbers if not _named(number, said)]
        if missing:
            what = f"No statement that this rule cites, and no line of its local_policy, names {missing[0]}."
            expected = "Every threshold has a source, or is local policy in words."
            yield KnowledgeError("CDS-106", file.document.where(*keys), what, expected)


def _cited(rule: RuleText, sources: Mapping[str, SourceText]) -> Iterator[str]:
    for because in rule.because:
        source = sources.get(because.source)
        if source and because.statement in source.statements:
            yield source.statements[because.statement].says


def _named(number: str, said: str) -> bool:
    if re.search(rf"(?<![\d.]){re.escape(number)}(?!\.?\d)", said):
        return True
    return number.isdecimal() and int(number) < len(_NUMBER_WORDS) and _NUMBER_WORDS[int(number)] in said.split()


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
