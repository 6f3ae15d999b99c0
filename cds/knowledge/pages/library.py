"""Everything that the pages are written from, and what things are called on them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cds.engine.rules import Knowledge, Rule
from cds.knowledge.cases import CaseLine, read_case_lines
from cds.knowledge.code_systems import CodeSystems, load_code_systems
from cds.knowledge.definitions import DefinitionsText
from cds.knowledge.definitions_build import named_sets
from cds.knowledge.inputs import value_sets_of
from cds.knowledge.load import load_knowledge
from cds.knowledge.pages.markdown import link, slug
from cds.knowledge.pages.phrases import Naming, spaced
from cds.knowledge.strict_yaml import read_mapping
from cds.knowledge.value_sets import CODE_SYSTEMS

RULES = "rules"
VALUE_SETS = "value_sets"
DEFINITIONS = "definitions.md"
_JOINED = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")


@dataclass(frozen=True, slots=True)
class Library:
    """The knowledge, and what stands beside it in the folder.

    Attributes:
        definitions: the shared definitions as their file has them.
        heads: for each value set what its head says: purpose, source.
        cases: for each rule its cases.
        read_by: for each value set the rules that look at it, in the order of the knowledge.
    """

    folder: Path
    knowledge: Knowledge
    systems: CodeSystems
    definitions: DefinitionsText
    heads: Mapping[str, Mapping[str, object]]
    cases: Mapping[str, tuple[CaseLine, ...]]
    read_by: Mapping[str, tuple[Rule, ...]]

    def naming(self, place: str) -> Naming:
        """Return links to value sets and rules from a page in `place` (`RULES`, `VALUE_SETS`, or empty: the index)."""
        up = "../" if place else ""
        definitions = self.knowledge.definitions
        return Naming(
            value_sets={
                name: link(self.title(name), f"{up}{VALUE_SETS}/{name}.md" if place != VALUE_SETS else f"{name}.md")
                for name in self.knowledge.value_sets
            },
            rules={
                one.id: link(one.title, f"{up}{RULES}/{one.id}.md" if place != RULES else f"{one.id}.md")
                for one in self.knowledge.rules
            },
            trials={
                name: link(one.title.lower(), f"{up}{DEFINITIONS}#{slug(one.title)}")
                for name, one in definitions.trials.items()
            },
        )

    def users(self, value_set: str) -> str:
        """Return how many rules look at a value set, or that only the shared definitions do, or nothing does."""
        if self.read_by[value_set]:
            return str(len(self.read_by[value_set]))
        named = {name for _, name in named_sets(self.definitions)}
        return "definitions" if value_set in named else "none yet"

    def title(self, value_set: str) -> str:
        """Return what a value set is called."""
        return _JOINED.sub(lambda match: spaced(match.group(0)), self.knowledge.value_sets[value_set].title)

    def in_words(self, text: str, place: str) -> str:
        """Return a text of a value set's head, in which names of files are links or words."""
        links = self.naming(place).value_sets
        said = {"text_terms": "its list of words"}
        words = " ".join(text.split())
        return _JOINED.sub(lambda match: links.get(match[0]) or said.get(match[0]) or spaced(match[0]), words)


def read_library(folder: Path, cases: Path) -> Library:
    """Return everything that the pages are written from.

    Args:
        folder: the knowledge, ``cards``.
        cases: the folder of cases, which mirrors it.

    Raises:
        KnowledgeError: CDS-1xx if the knowledge or a file of cases cannot be used.
    """
    knowledge = load_knowledge(folder)
    sets = {rule.id: value_sets_of(rule, knowledge.definitions) for rule in knowledge.rules}
    return Library(
        folder=folder,
        knowledge=knowledge,
        systems=load_code_systems(folder / CODE_SYSTEMS),
        definitions=DefinitionsText.model_validate(read_mapping(folder / "definitions.yaml")),
        heads={name: read_mapping(folder / VALUE_SETS / f"{name}.yaml") for name in sorted(knowledge.value_sets)},
        cases={rule.id: read_case_lines(rule, cases) for rule in knowledge.rules},
        read_by={
            name: tuple(rule for rule in knowledge.rules if name in sets[rule.id]) for name in knowledge.value_sets
        },
    )
