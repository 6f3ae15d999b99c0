"""Everything in cards/, read strictly and made into the engine's `Knowledge`."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from cds.engine.definitions import Definitions
from cds.engine.index import build_index
from cds.engine.rules import Knowledge, Level, OverrideReason, Rule
from cds.engine.terminology import ValueSet
from cds.errors import KnowledgeError
from cds.knowledge.attributes import AttributesText, SourceAttributes, attributes_of, build_attributes, check_attributes
from cds.knowledge.build import build_rule
from cds.knowledge.checks import check_rule, check_unique
from cds.knowledge.closed import parse
from cds.knowledge.code_systems import load_code_systems
from cds.knowledge.criteria_build import UnresolvedError
from cds.knowledge.definitions import DefinitionsText
from cds.knowledge.definitions_build import build_definitions, check_definitions
from cds.knowledge.order import in_order
from cds.knowledge.package import SITE_POLICY, digest_of, package_bytes
from cds.knowledge.quotations import check_statements
from cds.knowledge.rule_file import FOLDERS, Names, RuleFile
from cds.knowledge.schema import RuleText
from cds.knowledge.site_policy import SitePolicy, read_site_policy
from cds.knowledge.sources import OverrideReasonsText, SourcesText, SourceText
from cds.knowledge.strict_yaml import Document, read_document
from cds.knowledge.uses import check_uses
from cds.knowledge.value_sets import CODE_SYSTEMS, load_value_sets

Schema = TypeVar("Schema", bound=BaseModel)


def load_knowledge(folder: Path, site_policy: Path | None = None) -> Knowledge:
    """Return the knowledge of a folder such as ``cards/``.

    Args:
        folder: the knowledge.
        site_policy: the site's own numbers; by default site_policy.yaml in the folder, if there is one.

    Raises:
        KnowledgeError: CDS-101 to CDS-119, the first of all problems, with its file and line.
            `inspect` and ``python -m cds.knowledge.check`` show all of them.
    """
    knowledge, problems = inspect(folder, site_policy)
    if problems or knowledge is None:
        first = problems[0]
        if len(problems) > 1:
            others = f"({len(problems) - 1} more: python -m cds.knowledge.check)"
            first.action = f"{first.action} {others}".strip()
        raise first
    return knowledge


def inspect(folder: Path, site_policy: Path | None = None) -> tuple[Knowledge | None, list[KnowledgeError]]:
    """Return the knowledge, unless it has problems, and all problems that can be found at once."""
    with _uncollected():
        return _inspect(folder, site_policy)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no garbage be collected meanwhile: walking the growing knowledge again and again is half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _inspect(folder: Path, site_policy: Path | None) -> tuple[Knowledge | None, list[KnowledgeError]]:
    reading = _Folder(folder)
    site = reading.site_policy(site_policy)
    version = reading.version()
    sources = reading.sources()
    reasons = reading.override_reasons()
    value_sets = reading.value_sets()
    definitions = reading.definitions(value_sets, site)
    attributes = reading.attributes(version, value_sets)
    files = reading.rule_files(site)
    names = Names(
        value_sets=value_sets,
        systems=reading.systems,
        definitions=definitions,
        sources=sources,
        override_reasons=reasons,
        rules={file.text.id: file.text.reached for file in files} | reading.unreadable_rules,
        families=frozenset(file.text.family for file in files),
    )
    rules = reading.rules(files, names, attributes)
    if reading.problems or value_sets is None or definitions is None or reasons is None or attributes is None:
        return None, reading.problems
    knowledge = Knowledge(
        version=version,
        digest=digest_of(package_bytes(folder, site_policy)),
        rules=rules,
        value_sets=value_sets,
        definitions=definitions,
        override_reasons=reasons,
        index=build_index(value_sets),
        attribute_titles=attributes.titles,
    )
    return knowledge, []


@dataclass(slots=True)
class _Folder:
    """The files of one folder, read one after the other; what is wrong is collected."""

    folder: Path
    problems: list[KnowledgeError] = field(default_factory=list)
    unreadable_rules: dict[str, frozenset[Level]] = field(default_factory=dict)
    systems: Mapping[str, str] | None = None

    def site_policy(self, path: Path | None) -> SitePolicy:
        site = read_site_policy(path or self.folder / SITE_POLICY, self.folder if path is None else None)
        self.problems += site.problems
        site.problems.clear()
        return site

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
        if text and document:
            self.problems += check_statements(text.root, document)
        return text.root if text else None

    def override_reasons(self) -> Mapping[str, OverrideReason] | None:
        document = self._document(self.folder / "override_reasons.yaml")
        text = self._parse(OverrideReasonsText, document)
        return text.build() if text else None

    def value_sets(self) -> Mapping[str, ValueSet] | None:
        try:
            self.systems = load_code_systems(self.folder / CODE_SYSTEMS).uris
            return load_value_sets(self.folder / "value_sets")
        except KnowledgeError as error:
            self._add(error)
            return None

    def definitions(self, value_sets: Mapping[str, ValueSet] | None, site: SitePolicy) -> Definitions | None:
        document = self._document(self.folder / "definitions.yaml")
        lines: tuple[str, ...] = ()
        if document is not None:
            document, lines = site.in_definitions(document)
        text = self._parse(DefinitionsText, document)
        if text is None or document is None:
            return None
        self.problems += check_definitions(text, document, value_sets)
        return replace(build_definitions(text), site_policy=lines)

    def attributes(self, version: str, value_sets: Mapping[str, ValueSet] | None) -> SourceAttributes | None:
        document = self._document(self.folder / "attributes.yaml")
        text = self._parse(AttributesText, document)
        if text is None or document is None or value_sets is None:
            return None
        problems = list(check_attributes(text, document, version, value_sets))
        self.problems += problems
        return None if problems else build_attributes(text, version, value_sets)

    def rule_files(self, site: SitePolicy) -> list[RuleFile]:
        paths = [path for name in FOLDERS.values() for path in sorted((self.folder / name).glob("*.yaml"))]
        files = []
        for path in paths:
            document = self._document(path)
            lines: tuple[str, ...] = ()
            if document is not None:
                document, lines = site.in_rule(path.stem, document)
            text = self._parse(RuleText, document)
            if text and document:
                files.append(RuleFile.of(path, text, document, lines))
            else:
                self.unreadable_rules[path.stem] = frozenset()
        site.check_rules([path.stem for path in paths])
        self.problems += site.problems
        return files

    def rules(self, files: list[RuleFile], names: Names, attributes: SourceAttributes | None) -> tuple[Rule, ...]:
        before = len(self.problems)
        wrong = {file.stem: list(check_rule(file, names)) for file in files}
        self.problems += [problem for problems in wrong.values() for problem in problems]
        self.problems += check_unique(files)
        ordered, circles = in_order(files)
        self.problems += circles
        if names.sources is None or names.value_sets is None or names.definitions is None or attributes is None:
            return ()
        good = [file for file in ordered if not wrong[file.stem]]
        built = [rule for file in good for rule in self._rule(file, names, attributes, names.definitions)]
        return tuple(built) if len(self.problems) == before else ()

    def _rule(
        self, file: RuleFile, names: Names, attributes: SourceAttributes, definitions: Definitions
    ) -> Iterator[Rule]:
        """Yield the rule, unless it is not active or has a problem."""
        try:
            rule = build_rule(file, names)
        except UnresolvedError as error:
            what = f"The named criterion '{error}' asks about itself."
            self._add(KnowledgeError("CDS-109", file.document.where("where", str(error)), what))
            return
        self.problems += check_uses(rule, file.document, attributes, definitions)
        if file.text.status == "active":
            yield replace(rule, attributes=attributes_of(rule, attributes, definitions))

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
