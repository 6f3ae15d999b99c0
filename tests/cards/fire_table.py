"""What one code should fire as the only fact about a healthy patient, as tests/cards/value_sets_fire.yaml says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cds.engine.rules import Level

FILE = Path(__file__).resolve().parent / "value_sets_fire.yaml"
KINDS = ("condition", "medication", "allergy", "procedure", "observation")
SILENT = "silent"

Fired = Mapping[str, str]
"""Row of the clinical rules to the level that it fires at."""


@dataclass(frozen=True, slots=True)
class FireTable:
    """The file, with its questions.

    Attributes:
        orders: name of an order to how a case writes it.
        always: name of an order to what it fires for the healthy patient.
        sets: value set to kind of fact (an observation with its value: ``observation 35 mm[Hg]``) to its rows.
        no_facts: the value sets that are no facts about a patient.
        silent_beside: row to the rows beside which it is silent.
        together: what codes of several sets fire instead.
    """

    orders: Mapping[str, Any]
    always: Mapping[str, Fired]
    sets: Mapping[str, Mapping[str, Mapping[str, Any]]]
    no_facts: frozenset[str]
    silent_beside: Mapping[str, list[str]]
    together: list[Mapping[str, Any]]

    def expected(self, kind: str, names: Iterable[str], order: str, rows: frozenset[str]) -> dict[str, str]:
        """Return what a fact of this kind fires whose code is in these value sets, among these rows."""
        named = set(names)
        fired = dict(self.always[order])
        for part in self._parts(kind, named):
            for row, level in part.items():
                _add(fired, row, level if isinstance(level, str) else level.get(order, ""))
        loud = {row for row, level in fired.items() if level != SILENT}
        beside = {row for row, others in self.silent_beside.items() if loud.intersection(others)}
        return {row: fired[row] for row in sorted(loud - beside) if row in rows}

    def _parts(self, kind: str, named: set[str]) -> list[Mapping[str, Any]]:
        exceptions = [one for one in self.together if named.issuperset(one["in"])]
        instead = {name for one in exceptions for name in one.get("instead_of", ())}
        own = [self.sets[name].get(kind, {}) for name in sorted(named - instead)]
        return own + [one.get(kind, {}) for one in exceptions]


@cache
def fire_table() -> FireTable:
    """Return the table, read once."""
    text = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return FireTable(
        orders={name: order["of"] for name, order in text["orders"].items()},
        always={name: order["always"] for name, order in text["orders"].items()},
        sets={name: _kinds(entry) for name, entry in text["sets"].items()},
        no_facts=frozenset(name for name, entry in text["sets"].items() if "no_fact" in entry),
        silent_beside=text["silent_beside"],
        together=text["together"],
    )


def _kinds(entry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = {kind: rows for kind, rows in entry.items() if kind in KINDS and kind != "observation"}
    return found | {f"observation {value}": rows for value, rows in entry.get("observation", {}).items()}


def _add(fired: dict[str, str], row: str, level: str) -> None:
    """Keep the more serious of two levels; `silent` stays."""
    known = fired.get(row)
    if level == SILENT or known is None:
        fired.update({row: level} if level else {})
    elif level and known != SILENT:
        fired[row] = min(Level(known), Level(level), key=lambda one: one.rank).value
