"""Checks of one rule against everything else that was loaded: names, thresholds, and who it is."""

from collections.abc import Iterable, Iterator, Mapping

from cds.engine.terminology import ValueSet
from cds.errors import KnowledgeError
from cds.knowledge.card_words import check_words
from cds.knowledge.closed import did_you_mean
from cds.knowledge.order_criteria import RuleWords
from cds.knowledge.quotations import check_quotations
from cds.knowledge.rule_file import FOLDERS, Names, RuleFile
from cds.knowledge.sources import SourceText
from cds.knowledge.strict_yaml import Keys
from cds.knowledge.suggestions import find_coding
from cds.knowledge.thresholds import check_thresholds
from cds.knowledge.walk import word_of


def check_rule(file: RuleFile, names: Names) -> Iterator[KnowledgeError]:
    """Yield everything in a rule that does not fit the rest of the knowledge."""
    yield from _identity(file)
    yield from _criteria(file, names)
    yield from _where(file)
    yield from _references(file, names)
    yield from _suggestions(file, names)
    yield from check_thresholds(file, names)
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
    for keys, criterion in file.criteria:
        word, content = word_of(criterion)
        here = (*keys, word)
        if names.value_sets is not None:
            yield from _value_sets(content, names.value_sets, file, here)
        if word == "trials" and names.definitions is not None:
            yield from _unknown("trial count", (content.of,), names.definitions.trials, file, (*here, "of"))  # type: ignore[attr-defined]
        if isinstance(content, RuleWords):
            yield from _unknown("rule", content.rules, names.rules, file, (*here, "id"))
            yield from _levels_asked(content, names, file, here)


def _levels_asked(content: RuleWords, names: Names, file: RuleFile, keys: Keys) -> Iterator[KnowledgeError]:
    """Yield a level that none of the rules asked about has: the criterion could never hold."""
    reached = [names.rules[name] for name in content.rules if names.rules.get(name)]
    for level in content.levels if reached else ():
        if not any(level in levels for levels in reached):
            what = f"{' or '.join(content.rules)} never says '{level.value}'."
            yield KnowledgeError("CDS-104", file.document.where(*keys, "at"), what)


def _value_sets(content: object, known: Mapping[str, ValueSet], file: RuleFile, keys: Keys) -> Iterator[KnowledgeError]:
    for field in ("value_sets", "excluding", "result", "only", "ended_by"):
        key = "in" if field == "value_sets" else field
        yield from _unknown("value set", getattr(content, field, ()), known, file, (*keys, key))
    explained = getattr(content, "explained_by", None)
    if explained is not None:
        yield from _unknown("value set", explained.value_sets, known, file, (*keys, "explained_by", "in"))


def _suggestions(file: RuleFile, names: Names) -> Iterator[KnowledgeError]:
    suggestions = file.text.card.suggestions if file.text.card else ()
    if names.value_sets is None or names.systems is None:
        return
    for number, suggestion in enumerate(suggestions):
        keys: Keys = ("card", "suggestions", number)
        if suggestion.order and find_coding(suggestion.order, names.systems, names.value_sets) is None:
            what = f"No value set lists '{suggestion.order}'."
            expected = 'Expected a code system, a bar and a code, as "snomed|29303009".'
            yield KnowledgeError("CDS-104", file.document.where(*keys, "order"), what, expected)
        if suggestion.add_reason:
            yield from _value_sets(suggestion.add_reason, names.value_sets, file, (*keys, "add_reason"))


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
    for keys, criterion in file.criteria:
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
        yield from check_quotations(file, names.sources)
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
