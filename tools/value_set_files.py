"""The two files of a value set: a head that a clinician reads, and a list of codes that a spreadsheet opens."""

import csv
import io
import json
import re
import textwrap
from collections.abc import Iterable, Mapping

import yaml

from tools.icd10cm_families import Family, WrittenRule, dotted
from tools.value_set_parts import Compiled
from tools.value_set_source import SourceSet

WIDTH = 116
COLUMNS = ("system", "code", "display", "ingredient", "verified_by")
STRENGTH_COLUMNS = ("strength_mg_per_ml", "strength_source")
COMMENT = """\
# Written by tools/refresh_value_sets.py: a change here is lost at the next refresh. Change {changed}.
# A family holds its exact codes, and every code at or below its prefixes less the exceptions. Where the clinician's
# rule asks what a description says, `rule` has that rule, and the lines below it name the same codes without it.
"""


def head(source: SourceSet, families: Compiled, titles: Mapping[str, str], origin: str) -> str:
    """Return the YAML head of a value set.

    Args:
        source: the set.
        families: its families by code system, each with the rule it comes from.
        titles: short name of a code system to its title.
        origin: the file and the release that the codes come from.
    """
    changed = "derived.yaml" if source.derived_from else "the reviewed input"
    lines = [
        COMMENT.format(changed=changed).rstrip("\n"),
        f"id: {source.id}",
        *_entry("title", source.title),
        *_entry("purpose", source.purpose),
        *_entry("source", origin),
    ]
    if source.derived_from:
        lines += [f"derived_from: {_scalar(source.derived_from)}", f"needed_by: {source.needed_by}"]
    lines += _list("coverage", source.systems, quoted=False)
    lines += _texts("not_covered", (_general_limits(source, titles), *source.not_covered))
    if families:
        lines += ["families:"]
    for system, pairs in families.items():
        rows = [line for rule, family in pairs for line in _family(rule, family, system)]
        lines += [f"  {system}:", *_indented(rows)]
    if source.text_terms:
        lines += _list("text_terms", source.text_terms)
    return "\n".join(lines) + "\n"


def table(source: SourceSet) -> str:
    """Return the CSV of a value set: every code that no family of the head holds."""
    strengths = any(code.strength for code in source.codes)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *(STRENGTH_COLUMNS if strengths else ())))
    for code in source.codes:
        row = (code.system, code.code, code.display, code.ingredient, code.verified_by)
        writer.writerow((*row, *((code.strength or ("", "")) if strengths else ())))
    return text.getvalue()


def _general_limits(source: SourceSet, titles: Mapping[str, str]) -> str:
    names = [titles[system] for system in source.systems]
    known = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    if source.text_terms:
        return (
            f"Only codes of {known} are known here, and not every product of them; any other product is found"
            " by its ingredient code or by the words under text_terms."
        )
    return f"Only codes of {known} are known here; another system's code, or words without a code, are not found."


def _family(rule: WrittenRule, family: Family, system: str) -> Iterable[str]:
    write = dotted if system in {"icd10cm", "icd10"} else str
    fields: dict[str, tuple[str, ...]] = {
        "prefixes": tuple(map(write, family.prefixes)),
        "exact": tuple(map(write, family.exact)),
        "except": tuple(map(write, family.except_)),
        "seventh_characters": family.seventh,
        "except_seventh_characters": family.except_seventh,
    }
    lines = [line for name, values in fields.items() if values for line in _list(name, values)]
    if rule.needs_descriptions:
        word, pattern = ("exclude", rule.exclude) if rule.exclude else ("only", rule.only)
        condition = f"  {word}_display_regex: {json.dumps(pattern, ensure_ascii=False)}"
        lines = ["rule:", *_indented(_list("prefixes", tuple(map(write, rule.prefixes)))), condition, *lines]
    return [f"  - {lines[0]}", *_indented(lines[1:], by=4)]


def _indented(lines: Iterable[str], by: int = 2) -> list[str]:
    return [" " * by + line for line in lines]


def _entry(name: str, text: str) -> list[str]:
    if len(name) + len(text) + 2 <= WIDTH:
        return [f"{name}: {_scalar(text)}"]
    return [f"{name}: >-", *_indented(_wrapped(text))]


def _texts(name: str, texts: Iterable[str]) -> list[str]:
    lines = [f"{name}:"]
    for text in texts:
        lines += [f"  - {_scalar(text)}"] if len(text) + 6 <= WIDTH else ["  - >-", *_indented(_wrapped(text), by=4)]
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 8, break_long_words=False, break_on_hyphens=False)


def _list(name: str, values: tuple[str, ...], *, quoted: bool = True) -> list[str]:
    items = [json.dumps(value, ensure_ascii=False) if quoted else value for value in values]
    line = f"{name}: [{', '.join(items)}]"
    if len(line) <= WIDTH - 8:
        return [line]
    rows = textwrap.wrap(", ".join(items).replace(" ", "\0").replace(",\0", ", "), WIDTH - 12, break_on_hyphens=False)
    return [f"{name}: [", *_indented(row.replace("\0", " ") for row in rows), "]"]


def _scalar(text: str) -> str:
    """Return text plain where YAML reads it back as the same text, else in quotes."""
    plain = re.fullmatch(r"[A-Za-z(][^#:\[\]{}\"'&*!|>%@`]*", text) and yaml.safe_load(f"a: {text}") == {"a": text}
    return text if plain else json.dumps(text, ensure_ascii=False)
