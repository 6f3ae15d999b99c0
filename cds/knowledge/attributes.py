"""The 13 source attributes of a rule in plain language (45 CFR 170.315(b)(11)(iv)(A), cards/attributes.yaml)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cds.engine.definitions import Definitions
from cds.engine.rules import Citation, Rule
from cds.engine.terminology import ValueSet
from cds.engine.wording import fill
from cds.errors import KnowledgeError
from cds.knowledge.closed import Closed, did_you_mean
from cds.knowledge.inputs import value_sets_of
from cds.knowledge.schema import Day, UseWord
from cds.knowledge.strict_yaml import Document
from cds.knowledge.vocabulary import Id, Text

NAMES = (
    "bibliographic_citation", "developer", "funding_source", "dates", "race", "ethnicity", "language",
    "sexual_orientation", "gender_identity", "sex", "date_of_birth", "social_determinants",
    "health_status_assessments",
)  # fmt: skip
"""The 13 attributes, in the order of the regulation; the last nine are those of `Rule.uses`."""

_PATIENT_DATA = NAMES[4:]
_FROM_MEMORY = " [cited from memory: the wording was not checked in the source]"


class UseText(Closed):
    """What is said of a kind of patient data where a rule uses it, and where it does not."""

    used: Text
    not_used: Text


class AttributesText(Closed):
    """The whole file."""

    developer: Text
    funding_source: Text
    without_citation: Text
    releases: dict[Text, Day]
    health_status_assessments: tuple[Id, ...]
    social_determinants: tuple[Id, ...]
    titles: dict[
        Literal["bibliographic_citation", "developer", "funding_source", "dates"] | UseWord,
        Text,
    ]
    uses: dict[UseWord, UseText]


@dataclass(frozen=True, slots=True)
class SourceAttributes:
    """What attributes.yaml says, for the version that is loaded.

    Attributes:
        version, released: the version of the knowledge and its release date, as an ISO date.
        value_sets: for kinds of patient data that are told by value set, the sets: id to title.
        uses: kind of patient data to what is said where it is used, and where it is not.
    """

    version: str
    released: str
    developer: str
    funding_source: str
    without_citation: str
    titles: Mapping[str, str]
    value_sets: Mapping[str, Mapping[str, str]]
    uses: Mapping[str, tuple[str, str]]


def build_attributes(text: AttributesText, version: str, value_sets: Mapping[str, ValueSet]) -> SourceAttributes:
    """Return the attributes as rules need them; `check_attributes` has found nothing wrong with the text."""
    told = {
        "health_status_assessments": text.health_status_assessments,
        "social_determinants": text.social_determinants,
    }
    return SourceAttributes(
        version=version,
        released=text.releases.get(version, ""),
        developer=text.developer,
        funding_source=text.funding_source,
        without_citation=text.without_citation,
        titles={name: text.titles[name] for name in NAMES},  # type: ignore[index]
        value_sets={kind: {name: value_sets[name].title for name in names} for kind, names in told.items()},
        uses={name: (one.used, one.not_used) for name, one in text.uses.items()},
    )


def check_attributes(
    text: AttributesText, document: Document, version: str, value_sets: Mapping[str, ValueSet]
) -> Iterator[KnowledgeError]:
    """Yield what is missing: a title, a kind of data, the release date of this version, a value set."""
    for block, wanted in (("titles", NAMES), ("uses", _PATIENT_DATA)):
        for name in wanted:
            if name not in getattr(text, block):
                yield KnowledgeError("CDS-105", document.where(block), f"The key '{name}' is missing.")
    if version and version not in text.releases:
        what = f"There is no release date of version {version}, which the file VERSION names."
        yield KnowledgeError("CDS-105", document.where("releases"), what, f'Add "{version}": "2026-02-01".')
    for block in ("health_status_assessments", "social_determinants"):
        for name in getattr(text, block):
            if name not in value_sets:
                what = f"There is no value set '{name}'."
                yield KnowledgeError("CDS-104", document.where(block), what, did_you_mean(name, value_sets))


def attributes_of(rule: Rule, attributes: SourceAttributes, definitions: Definitions) -> Mapping[str, str]:
    """Return the 13 attributes of a rule by the names in `NAMES`, in plain language; dates are ISO dates."""
    said = {
        "bibliographic_citation": _citations(rule) or attributes.without_citation,
        "developer": attributes.developer,
        "funding_source": attributes.funding_source,
        "dates": _dates(rule, attributes),
    }
    for name in _PATIENT_DATA:
        used, not_used = attributes.uses[name]
        titles = _titles(rule, attributes.value_sets.get(name, {}), definitions) if name in rule.uses else ()
        said[name] = fill(used, {"assessments": "; ".join(titles)}) if name in rule.uses else not_used
    return said


def _titles(rule: Rule, told: Mapping[str, str], definitions: Definitions) -> tuple[str, ...]:
    return tuple(told[name] for name in sorted(value_sets_of(rule, definitions) & told.keys()))


def _citations(rule: Rule) -> str:
    return " ".join(dict.fromkeys(f"{one.reference}{_memory(one)}" for one in rule.because))


def _memory(citation: Citation) -> str:
    return _FROM_MEMORY if citation.sure == "M" else ""


def _dates(rule: Rule, attributes: SourceAttributes) -> str:
    sources = dict.fromkeys(f"{one.label}: {one.year or 'bears no date'}" for one in rule.because)
    return (
        f"Released with knowledge version {attributes.version} on {attributes.released}. Version {rule.version} of this"
        f" rule; last revised {rule.reviewed_on} ({rule.reviewed_by}); to be reviewed again by {rule.review_next}. "
        f"Sources: {'; '.join(sources) or 'none'}."
    )
