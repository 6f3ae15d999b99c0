"""A rule as its file has it, the folders that rules lie in, and everything that a rule may name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cds.engine.definitions import Definitions
from cds.engine.rules import Level, OverrideReason
from cds.engine.terminology import ValueSet
from cds.knowledge.criteria import CriterionText
from cds.knowledge.schema import RuleText
from cds.knowledge.sources import SourceText
from cds.knowledge.strict_yaml import Document, Keys
from cds.knowledge.walk import criteria_of

FOLDERS = {
    "gate": "gates",
    "indication": "indications",
    "prerequisite": "prerequisites",
    "contraindication": "contraindications",
    "caution": "cautions",
    "interaction": "interactions",
    "dose": "doses",
    "regulatory": "regulatory",
    "monitoring": "monitoring",
    "data_gap": "gaps",
}
"""In which folder of cards/ the rules of each kind lie."""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule as its file has it, not yet built.

    Attributes:
        site_policy: the lines that say which of its numbers this site has changed.
        criteria: all its criteria, wherever they stand, each with its path in the file.
    """

    folder: str
    stem: str
    text: RuleText
    document: Document
    site_policy: tuple[str, ...] = ()
    criteria: tuple[tuple[Keys, CriterionText], ...] = ()

    @classmethod
    def of(cls, path: Path, text: RuleText, document: Document, site_policy: tuple[str, ...]) -> Self:
        """Return the rule of a file; its criteria are found once."""
        return cls(path.parent.name, path.stem, text, document, site_policy, tuple(criteria_of(text)))


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that a rule may name; None where the file itself is broken, which is said once and not per rule.

    Attributes:
        systems: short name of a code system to its canonical URI.
        rules: id of a rule to the levels of its card, none where its file is broken.
    """

    value_sets: Mapping[str, ValueSet] | None
    systems: Mapping[str, str] | None
    definitions: Definitions | None
    sources: Mapping[str, SourceText] | None
    override_reasons: Mapping[str, OverrideReason] | None
    rules: Mapping[str, frozenset[Level]]
    families: frozenset[str]
