"""The bibliography (cards/sources.yaml) and the coded override reasons against the evidence base."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cds.knowledge.strict_yaml import read_mapping

CARDS = Path(__file__).resolve().parents[1] / "cards"
KINDS = {"guideline", "label", "consensus", "review", "regulator", "practice_article", "memory"}
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def sources() -> Mapping[str, Any]:
    return read_mapping(CARDS / "sources.yaml")


@pytest.fixture(scope="module")
def sections(shared_folder: Path) -> Mapping[str, str]:
    """The evidence base: evidence id to everything that stands under it."""
    text = (shared_folder / "clinical" / "evidence.md").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for part in text.split("\n## ")[1:]:
        for identifier in re.findall(r"CIT-[A-Z0-9-]+", part.partition("\n")[0]):
            found[identifier] = part
    return found


def written(source: Mapping[str, Any]) -> str:
    statements = source["statements"].values()
    own = [str(source.get(key, "")) for key in ("title", "authors", "year", "publisher", "doi", "pmid", "note")]
    return " ".join([*own, *(str(value) for statement in statements for value in statement.values())])


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text.replace(",", "")))


def test_every_kind_of_source_is_one_of_the_seven(sources: Mapping[str, Any]) -> None:
    assert KINDS == {source["kind"] for source in sources.values()}


def test_every_statement_says_how_sure_it_is_and_a_seen_one_says_where(sources: Mapping[str, Any]) -> None:
    unplaced = [
        (key, name)
        for key, source in sources.items()
        for name, statement in source["statements"].items()
        if statement["sure"] not in {"V", "M", "I"} or (statement["sure"] == "V") != bool(statement.get("at"))
    ]

    assert [] == unplaced


def test_the_main_guideline_is_never_said_to_call_anything_absolute(sources: Mapping[str, Any]) -> None:
    """All its contraindications are called relative."""
    says = [statement["says"] for statement in sources["cohen-2018"]["statements"].values()]

    assert [] == [text for text in says if "absolute" in text.lower()]


def test_every_citation_of_the_evidence_base_is_a_source(
    sources: Mapping[str, Any], sections: Mapping[str, str]
) -> None:
    ids = {source["evidence_id"] for source in sources.values()}

    assert set(sections) == {identifier for identifier in ids if identifier.startswith("CIT-")}


def test_every_citation_that_a_rule_names_is_a_source(shared_folder: Path, sources: Mapping[str, Any]) -> None:
    rules = (shared_folder / "clinical" / "rules.md").read_text(encoding="utf-8")
    named = set(re.findall(r"CIT-[A-Z]+(?:-[A-Z]{2,})?\d*", rules))
    ids = {source["evidence_id"] for source in sources.values()}

    assert set() == named - ids
    assert named


def test_every_figure_of_a_source_stands_in_the_evidence_base(
    sources: Mapping[str, Any], sections: Mapping[str, str]
) -> None:
    """A dose or a grade that was mistyped here would be quoted on a card."""
    invented = {
        key: numbers(" ".join(statement["says"] for statement in source["statements"].values()))
        - numbers(sections[source["evidence_id"]])
        for key, source in sources.items()
        if source["evidence_id"] in sections
    }

    assert {key: set() for key in invented} == invented


def test_every_figure_of_the_evidence_base_stands_in_a_source(
    sources: Mapping[str, Any], sections: Mapping[str, str]
) -> None:
    """No row was left out: its doses, percentages, days and dates are all there."""
    text_of: dict[str, str] = {}
    for section in set(sections.values()):
        ids = {identifier for identifier, part in sections.items() if part == section}
        text_of[section] = " ".join(written(source) for source in sources.values() if source["evidence_id"] in ids)
    missing = {
        section.partition("\n")[0]: numbers(section.replace("CIT-", " CIT")) - numbers(text) - numbers_of_ids(section)
        for section, text in text_of.items()
    }

    assert {heading: set() for heading in missing} == missing


def numbers_of_ids(section: str) -> set[str]:
    return numbers(" ".join(re.findall(r"CIT-[A-Z0-9-]+", section)))


def test_what_the_evidence_base_marks_as_from_memory_is_marked_here(sources: Mapping[str, Any]) -> None:
    """Statements that nobody saw must never be shown as quotations."""
    from_memory = {
        (key, name)
        for key, source in sources.items()
        for name, statement in source["statements"].items()
        if statement["sure"] == "M" and source["kind"] != "memory"
    }

    assert {
        ("cohen-2018", "setting"),
        ("schwenk-2018", "dose_subanaesthetic"),
        ("sanacora-2017", "before_treatment"),
        ("sanacora-2017", "psychosis_substance_abuse"),
        ("mcintyre-2021", "implementation"),
        ("ketalar-us", "boxed_warning_none"),
        ("ketalar-us", "contraindication_blood_pressure"),
        ("ketalar-us", "contraindication_hypersensitivity"),
        ("ketalar-uk", "porphyria"),
        ("lam-2024", "ketamine"),
        ("nice-ng193", "chronic_primary_pain"),
    } == from_memory


def test_the_decision_logic_of_the_project_is_cited_from_memory_only(sources: Mapping[str, Any]) -> None:
    """No publication stands behind it, so nothing in it can have been seen."""
    statements = sources["decision-logic"]["statements"].values()

    assert {"M", "I"} == {statement["sure"] for statement in statements}


def test_the_override_reasons_are_the_eight_of_the_rules(shared_folder: Path) -> None:
    rules = (shared_folder / "clinical" / "rules.md").read_text(encoding="utf-8")
    line = next(line for line in rules.splitlines() if line.startswith("Override reasons"))
    system, *codes = re.findall(r"`([^`]+)`", line)

    reasons = read_mapping(CARDS / "override_reasons.yaml")

    assert (system, codes) == (reasons["system"], list(reasons["reasons"]))
    assert 8 == len(codes)
    assert all(display and len(display) <= 40 for display in reasons["reasons"].values())
