"""The reviewed input, as it is read: value sets, their codes, and what could not be verified."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.icd10cm_families import WrittenRule, undotted

PROCEDURE_CODE_LENGTH = 7  # ICD-10-PCS; what is shorter names a whole table of codes

# How the reviewers looked something up is no part of the knowledge: (pattern, what stands instead).
_WORKING_NOTES = (
    (r"\s*\([a-z]+_[a-z]+(?: ids? [\d, ]+\)?|\))", ""),
    (r" in the \w+ corpus| in the look-ups", ""),
    (r"\bstored (?=openFDA)", ""),
    (r"; Synthea patients \([^)]*\)", "; Synthea patients"),
    (r"(?<![\w:./-])\w+/patients \((\d+) Synthea patients\)", r"\1 Synthea patients"),
    (r"(?<![\w:./-])\w+/patients/\*\.json\.gz: ", "Synthea patients: "),
    (r" own \w+/protocol/requests/\S+", " own example requests"),
    (r"\s+", " "),
)


@dataclass(frozen=True, slots=True)
class SourceCode:
    """One code: `system` is the short name of cards/code_systems.yaml; `strength` is None where not asked for."""

    system: str
    code: str
    display: str
    ingredient: str
    verified_by: str
    strength: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SourceSet:
    """A value set of the input, or one that is derived from it.

    Attributes:
        rules: short name of a code system to the clinician's rules, one for each condition on descriptions.
        listed: its ICD-10-CM codes, without dots.
        codes: its codes of every other system.
        not_covered: sentences on what it is known not to cover.
    """

    id: str
    title: str
    purpose: str
    rules: Mapping[str, tuple[WrittenRule, ...]]
    listed: frozenset[str]
    codes: tuple[SourceCode, ...]
    text_terms: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()
    derived_from: str = ""
    needed_by: str = ""
    systems: tuple[str, ...] = ()


def snake(identifier: str) -> str:
    """Return a value set's id as it is written in cards/.

    >>> snake("crps-type-1")
    'crps_type_1'
    """
    return identifier.replace("-", "_")


def without_working_notes(text: str) -> str:
    """Return the text without notes on how it was looked up, on one line."""
    for pattern, instead in _WORKING_NOTES:
        text = re.sub(pattern, instead, text)
    return text.strip()


def code_systems(path: Path) -> dict[str, str]:
    """Return canonical URI to short name."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {entry["uri"]: name for name, entry in table.items()}


def read_sets(path: Path, systems: Mapping[str, str], left_out: Mapping[str, str]) -> list[SourceSet]:
    """Read every value set of valuesets.json and unverified.json (beside it), but those left out."""
    entries = json.loads(path.read_text(encoding="utf-8"))["valuesets"]
    doubts = json.loads(path.with_name("unverified.json").read_text(encoding="utf-8"))
    named = re.compile(
        r"(?<![\w-])(" + "|".join(entry["id"] for entry in entries if "-" in entry["id"]) + r")(?![\w-])"
    )
    for entry in entries:
        for field in ("title", "purpose"):
            entry[field] = named.sub(lambda found: snake(found[1]), entry[field])
    return [_read_set(entry, doubts, systems) for entry in entries if snake(entry["id"]) not in left_out]


def _read_set(entry: dict[str, Any], doubts: list[dict[str, str]], systems: Mapping[str, str]) -> SourceSet:
    codes = [_read_code(code, systems) for code in entry["codes"]]
    tables = [code for code in codes if code.system == "icd10pcs" and len(code.code) < PROCEDURE_CODE_LENGTH]
    rules = {"icd10cm": merged(map(read_rule, entry["icd10cm_rules"]))}
    if tables:
        rules["icd10pcs"] = (WrittenRule(prefixes=tuple(code.code for code in tables)),)
    named = (_doubt(doubt, systems) for doubt in doubts if doubt["valueset"] == entry["id"])
    rest = [code for code in codes if code.system != "icd10cm" and code not in tables]
    return SourceSet(
        id=snake(entry["id"]),
        title=without_working_notes(entry["title"]),
        purpose=without_working_notes(entry["purpose"]),
        rules={system: found for system, found in rules.items() if found},
        listed=frozenset(undotted(code.code) for code in codes if code.system == "icd10cm"),
        codes=tuple(sorted(rest, key=lambda code: (code.system, code.code))),
        text_terms=tuple(entry.get("text_terms", ())),
        not_covered=(*named, *(f"{code.system} {code.code}: {code.display}" for code in tables)),
        systems=tuple(dict.fromkeys(code.system for code in codes)),
    )


def _read_code(entry: dict[str, Any], systems: Mapping[str, str]) -> SourceCode:
    ingredient = entry.get("ingredient") or ""
    strength = entry.get("strength_mg_per_ml")
    stated = ("" if strength is None else str(strength), without_working_notes(entry.get("strength_source", "")))
    return SourceCode(
        system=systems[entry["system"]],
        code=entry["code"].strip(),
        display=without_working_notes(entry["display"]),
        ingredient=";".join(ingredient) if isinstance(ingredient, list) else ingredient,
        verified_by=without_working_notes(entry["verified_by"]),
        strength=stated if "strength_source" in entry else None,
    )


def read_rule(entry: dict[str, Any]) -> WrittenRule:
    """Return a clinician's rule from the form that valuesets.json and derived.yaml write it in."""
    return WrittenRule(
        prefixes=tuple(map(undotted, entry.get("prefixes", ()))),
        exact=tuple(map(undotted, entry.get("exact", ()))),
        exclude=entry.get("exclude_display_regex", ""),
        only=entry.get("only_display_regex", ""),
    )


def merged(rules: Iterable[WrittenRule]) -> tuple[WrittenRule, ...]:
    """Return one rule for each condition on descriptions; an exact code that a plain prefix takes is left out."""
    by_condition: dict[tuple[str, str], list[WrittenRule]] = {}
    for rule in rules:
        by_condition.setdefault((rule.exclude, rule.only), []).append(rule)
    joined = []
    for (exclude, only), same in by_condition.items():
        prefixes = tuple(prefix for rule in same for prefix in rule.prefixes)
        taken = () if exclude or only else prefixes
        exact = tuple(code for rule in same for code in rule.exact if not code.startswith(taken))
        joined.append(WrittenRule(prefixes, exact, exclude, only))
    return tuple(joined)


def _doubt(entry: dict[str, str], systems: Mapping[str, str]) -> str:
    system = systems.get(entry["system"], entry["system"])
    return without_working_notes(f"{system} {entry['code_or_name']}: {entry['reason']}")
