"""Everything in cards/, read strictly and made into the engine's `Knowledge`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from cds.engine.definitions import Definitions
from cds.engine.index import build_index
from cds.engine.rules import Knowledge, OverrideReason, Rule
from cds.engine.terminology import ValueSet
from cds.errors import KnowledgeError
from cds.knowledge.build import UnresolvedError, build_rule
from cds.knowledge.checks import FOLDERS, Names, RuleFile, check_rule, check_unique
from cds.knowledge.closed import parse
from cds.knowledge.definitions import DefinitionsText
from cds.knowledge.definitions_build import build_definitions, check_definitions
from cds.knowledge.order import in_order
from cds.knowledge.package import digest_of, package_bytes
from cds.knowledge.schema import RuleText
from cds.knowledge.sources import OverrideReasonsText, SourcesText, SourceText
from cds.knowledge.strict_yaml import Document, read_document
from cds.knowledge.value_sets import load_value_sets

Schema = TypeVar("Schema", bound=BaseModel)


def load_knowledge(folder: Path) -> Knowledge:
    """Return the knowledge of a folder such as ``cards/``.

    Raises:
        KnowledgeError: CDS-101 to CDS-119, the first of all problems, with its file and line.
            `inspect` and ``python -m cds.knowledge.check`` show all of them.
    """
    knowledge, problems = inspect(folder)
    if problems or knowledge is None:
        first = problems[0]
        if len(problems) > 1:
            others = f"({len(problems) - 1} more: python -m cds.knowledge.check)"
            first.action = f"{first.action} {others}".strip()
        raise first
    return knowledge


def inspect(folder: Path) -> tuple[Knowledge | None, list[KnowledgeError]]:
    """Return the knowledge, unless it has problems, and all problems that can be found at once."""
    reading = _Folder(folder)
    version = reading.version()
    sources = reading.sources()
    reasons = reading.override_reasons()
    value_sets = reading.value_sets()
    definitions = reading.definitions(value_sets)
    files = reading.rule_files()
    names = Names(
        value_sets=value_sets,
        definitions=definitions,
        sources=sources,
        override_reasons=reasons,
        rules=frozenset(file.text.id for file in files) | reading.unreadable_rules,
        families=frozenset(file.text.family for file in files),
    )
    rules = reading.rules(files, names)
    if reading.problems or value_sets is None or definitions is None or reasons is None:
        return None, reading.problems
    knowledge = Knowledge(
        version=version,
        digest=digest_of(package_bytes(folder)),
        rules=rules,
        value_sets=value_sets,
        definitions=definitions,
        override_reasons=reasons,
        index=build_index(value_sets),
    )
    return knowledge, []


@dataclass(slots=True)
class _Folder:
    """The files of one folder, read one after the other; what is wrong is collected."""

    folder: Path
    problems: list[KnowledgeError] = field(default_factory=list)
    unreadable_rules: frozenset[str] = frozenset()

    def version(self) -> str:
        try:
            version = (self.folder / "VERSION").read_text(encoding="utf-8").strip()
        except OSError:
            version = ""
        if not version or len(version.split()) != 1:
            what = "The version of the knowledge is missing."
            self._add(KnowledgeError("CDS-101", f"{self.folder.name}/VERSION:1", what, 'One line such as "2026.1".'))
        return version

    def sources(self) -> Mapping[str, SourceText] | None:
        document = self._document(self.folder / "sources.yaml")
        text = self._parse(SourcesText, document)
        return text.root if text else None

    def override_reasons(self) -> Mapping[str, OverrideReason] | None:
        document = self._document(self.folder / "override_reasons.yaml")
        text = self._parse(OverrideReasonsText, document)
        return text.build() if text else None

    def value_sets(self) -> Mapping[str, ValueSet] | None:
        try:
            return load_value_sets(self.folder / "value_sets")
        except KnowledgeError as error:
            self._add(error)
            return None

    def definitions(self, value_sets: Mapping[str, ValueSet] | None) -> Definitions | None:
        document = self._document(self.folder / "definitions.yaml")
        text = self._parse(DefinitionsText, document)
        if text is None or document is None:
            return None
        self.problems += check_definitions(text, document, value_sets)
        return build_definitions(text)

    def rule_files(self) -> list[RuleFile]:
        paths = [path for name in FOLDERS.values() for path in sorted((self.folder / name).glob("*.yaml"))]
        files = []
        for path in paths:
            document = self._document(path)
            text = self._parse(RuleText, document)
            if text and document:
                files.append(RuleFile(path.parent.name, path.stem, text, document))
            else:
                self.unreadable_rules |= {path.stem}
        return files

    def rules(self, files: list[RuleFile], names: Names) -> tuple[Rule, ...]:
        before = len(self.problems)
        for file in files:
            self.problems += check_rule(file, names)
        self.problems += check_unique(files)
        ordered, circles = in_order(files)
        self.problems += circles
        if len(self.problems) > before or names.sources is None:
            return ()
        built = (self._rule(file, names.sources) for file in ordered if file.text.status == "active")
        return tuple(rule for rule in built if rule)

    def _rule(self, file: RuleFile, sources: Mapping[str, SourceText]) -> Rule | None:
        try:
            return build_rule(file.text, file.document.file, sources)
        except UnresolvedError as error:
            what = f"The named criterion '{error}' asks about itself."
            self._add(KnowledgeError("CDS-109", file.document.where("where", str(error)), what))
            return None

    def _document(self, path: Path) -> Document | None:
        document, problems = read_document(path, self.folder)
        self.problems += problems
        return None if problems else document

    def _parse(self, schema: type[Schema], document: Document | None) -> Schema | None:
        if document is None:
            return None
        text, problems = parse(schema, document)
        self.problems += problems
        return text

    def _add(self, error: KnowledgeError) -> None:
        self.problems.append(error)
