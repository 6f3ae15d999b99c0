"""Value sets that are a part of another one (cards/value_sets/derived.yaml)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.icd10cm_families import Classification, Family, WrittenRule, compiled, members, shortest, undotted
from tools.value_set_source import SourceCode, SourceSet, merged, read_rule

Compiled = dict[str, tuple[tuple[WrittenRule, Family], ...]]


class PartError(Exception):
    """derived.yaml asks for something that the input does not hold."""


def compiled_rules(source: SourceSet, classification: Classification) -> Compiled:
    """Return each rule of a set with its family, and prove that together they take exactly the listed codes."""
    families: Compiled = {}
    for system, rules in source.rules.items():
        families[system] = tuple((rule, compiled(rule, classification)) for rule in rules)
    taken = classification.taken_by(family for _, family in families.get("icd10cm", ()))
    if taken - source.listed:
        raise PartError(f"{source.id}: the rules take codes that are not listed: {sorted(taken - source.listed)}")
    unruled = tuple(sorted(source.listed - taken))
    if unruled:
        print(f"{source.id}: no rule takes these listed ICD-10-CM codes; written as exact: {', '.join(unruled)}")
        rule = WrittenRule(exact=unruled)
        families["icd10cm"] = (*families.get("icd10cm", ()), (rule, Family(exact=unruled)))
    return families


def read_parts(
    path: Path, sources: Mapping[str, SourceSet], classification: Classification
) -> list[tuple[SourceSet, Compiled]]:
    """Return the sets that derived.yaml declares, with their ICD-10-CM families, in its order."""
    known = dict(sources)
    parts = []
    for identifier, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        if identifier in known:
            raise PartError(f"{path.name}: {identifier} exists already")
        part = _part(identifier, entry, known, classification)
        known[identifier] = part
        parts.append((part, _families(part, entry, classification)))
    return parts


def _part(
    identifier: str, entry: dict[str, Any], known: Mapping[str, SourceSet], classification: Classification
) -> SourceSet:
    parents = [_known(name, known) for name in _names(entry.get("from", ()))]
    without = [_known(name, known) for name in entry.get("without", ())]
    found = (code for parent in parents for code in parent.codes if _belongs(entry, code, without))
    codes = {(code.system, code.code): code for code in found}
    listed = _listed(entry, parents, without, classification)
    families = entry.get("families", {})
    if not listed and not codes:
        raise PartError(f"{identifier}: has no code")
    systems = ("icd10cm",) if listed else ()
    systems = tuple(dict.fromkeys((*systems, *families, *(system for system, _ in codes))))
    absent = dict.fromkeys(name for parent in parents for name in parent.systems if name not in systems)
    notes = [entry["note"]] if "note" in entry else []
    notes += [f"No {name} code of {' or '.join(_names(entry['from']))} belongs here." for name in absent]
    return SourceSet(
        id=identifier,
        title=entry["title"],
        purpose=entry["purpose"],
        rules={name: merged(map(read_rule, rules)) for name, rules in families.items()},
        listed=listed,
        codes=tuple(codes[key] for key in sorted(codes)),
        not_covered=tuple(notes),
        derived_from=" and ".join(_names(entry.get("from", "the classification itself"))),
        needed_by=entry["needed_by"],
        systems=systems,
    )


def _names(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _known(name: str, known: Mapping[str, SourceSet]) -> SourceSet:
    if name not in known:
        raise PartError(f"derived.yaml: there is no value set '{name}' (a part stands below what it is made of)")
    return known[name]


def _listed(
    entry: dict[str, Any], parents: list[SourceSet], without: list[SourceSet], classification: Classification
) -> frozenset[str]:
    if "families" in entry:
        rules = entry["families"].get("icd10cm", ())
        return frozenset[str]().union(*(members(read_rule(rule), classification) for rule in rules))
    prefixes = tuple(map(undotted, entry.get("icd10cm", ())))
    found = {code for parent in parents for code in parent.listed if code.startswith(prefixes)}
    return frozenset(found).difference(*(other.listed for other in without))


def _belongs(entry: dict[str, Any], code: SourceCode, without: list[SourceSet]) -> bool:
    if any(code in other.codes for other in without):
        return False
    if code.system == "icd10" and "icd10" in entry:
        return undotted(code.code).startswith(tuple(map(undotted, entry["icd10"])))
    return "display" in entry and re.search(entry["display"], code.display, re.IGNORECASE) is not None


def _families(part: SourceSet, entry: dict[str, Any], classification: Classification) -> Compiled:
    if part.rules:
        return {
            name: tuple((rule, compiled(rule, classification)) for rule in rules) for name, rules in part.rules.items()
        }
    if not part.listed:
        return {}
    prefixes = tuple(map(undotted, entry["icd10cm"]))
    return {"icd10cm": ((WrittenRule(prefixes=prefixes), shortest(prefixes, set(part.listed), classification)),)}
