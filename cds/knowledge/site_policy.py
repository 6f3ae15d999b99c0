"""A site's own numbers in place of local policy (cards/site_policy.yaml), put in before a file is checked.

Only what a line of `local_policy` names can be changed. What was changed is said in the rule's local policy, so that
the card and the record show it; the file is part of the knowledge's digest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from pydantic import RootModel, model_validator

from cds.errors import KnowledgeError
from cds.knowledge.closed import Closed, did_you_mean, parse
from cds.knowledge.replacing import replace_values, replace_words, same_kind, still_names, texts_in
from cds.knowledge.schema import Day
from cds.knowledge.strict_yaml import Document, read_document
from cds.knowledge.thresholds import unnamed_numbers
from cds.knowledge.vocabulary import Id, Text, check_exactly_one

_CRITERIA = ("levels", "where", "withheld_when", "because", "card")
"""The parts of a rule in which a number decides or is shown."""

_RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "child_pugh": ("child_pugh",),
    "weight": ("dose",),
    "observations": ("above_upper_limit",),
    "blood_pressure": ("blood_pressure",),
    "condition": ("condition",),
    "medication": ("medication", "trials", "exposure"),
}
"""Part of definitions.yaml to the words of criteria that rest on it; of `trials` only those that name the count."""


class SiteNumberText(Closed):
    """One number that the site has changed."""

    rule: Id | None = None
    definition: Text | None = None
    number: Text
    use: Text
    note: Text
    by: Text
    on: Day

    @model_validator(mode="after")
    def _one_place_and_one_kind(self) -> Self:
        check_exactly_one(self.model_fields_set, ("rule", "definition"))
        if self.number == self.use:
            raise ValueError(f"'use' is '{self.number}', as it was.")
        if not same_kind(self.number, self.use):
            raise ValueError(f"'{self.use}' is not in the unit of '{self.number}'.")
        return self

    @property
    def line(self) -> str:
        """Return the words that stand on the card and in the record."""
        note = " ".join(self.note.split())
        return f"Local policy of this site: {self.use} instead of {self.number} ({note}, {self.by}, {self.on})"


class SitePolicyText(RootModel[tuple[SiteNumberText, ...]]):
    """The whole file."""


@dataclass(slots=True)
class SitePolicy:
    """The site's numbers, put into the data of rules and definitions as they are read; `problems` are collected."""

    document: Document
    numbers: tuple[SiteNumberText, ...] = ()
    problems: list[KnowledgeError] = field(default_factory=list)

    def in_definitions(self, document: Document) -> tuple[Document, tuple[str, ...]]:
        """Return definitions.yaml with the site's numbers, and the lines that say which they are."""
        lines = []
        data = document.data
        for place, number in self._of("definition"):
            path = tuple(str(number.definition).split("."))
            block = _part(data, path)
            if not isinstance(block, dict) or "local_policy" not in block:
                what = f"definitions.yaml has no '{number.definition}' with a 'local_policy'."
                known = [name for name, _ in _blocks(data)]
                expected = did_you_mean(str(number.definition), known) or f"Known: {', '.join(known)}."
                self._refuse("CDS-104", place, "definition", what, expected)
            elif self._can_be_changed(number, place, block, block):
                kept = {name: block[name] for name in ("source", "local_policy", "title") if name in block}
                changed = {**_changed(block, number), **kept}
                data = _with_part(data, path, changed)
                lines.append(number.line)
        return replace(document, data=data), tuple(lines)

    def in_rule(self, name: str, document: Document) -> tuple[Document, tuple[str, ...]]:
        """Return a rule's file with the site's numbers, and the lines that say which they are."""
        data, lines = document.data, []
        if not isinstance(data, dict):
            return document, ()
        for place, number in self._of("rule"):
            if number.rule != name:
                continue
            decided = {key: data[key] for key in _CRITERIA if key in data}
            if self._can_be_changed(number, place, data, decided):
                data = {**data, **_changed(decided, number)}
                lines.append(number.line)
                self._check_words(number, place, data)
        for place, number in self._of("definition"):
            if _rests_on(data, str(number.definition)):
                words = replace_words({key: data[key] for key in ("card",) if key in data}, number.number, number.use)
                data = {**data, **words}  # type: ignore[dict-item]
                lines.append(number.line)
                self._check_words(number, place, data)
        if lines:
            data = {**data, "local_policy": (*data.get("local_policy", ()), *lines)}
        return replace(document, data=data), tuple(lines)

    def check_rules(self, names: list[str]) -> None:
        """Note numbers for rules that do not exist."""
        for place, number in self._of("rule"):
            if number.rule not in names:
                what = f"There is no rule '{number.rule}'."
                self._refuse("CDS-104", place, "rule", what, did_you_mean(str(number.rule), names))

    def _of(self, kind: str) -> Iterator[tuple[int, SiteNumberText]]:
        return ((place, one) for place, one in enumerate(self.numbers) if getattr(one, kind) is not None)

    def _can_be_changed(self, number: SiteNumberText, place: int, said: dict[str, object], data: object) -> bool:
        lines = [line for line in _strings(said.get("local_policy", ())) if not line.startswith("Local policy of this")]
        target = number.rule or number.definition
        if not any(_names(line, number.number) for line in lines):
            what = f"No line of the local_policy of {target} names {number.number}."
            self._refuse("CDS-106", place, "number", what, f"It says: {'; '.join(lines) or 'nothing'}.")
        elif replace_values(data, number.number, number.use) == data:
            what = f"{target} does not compare with '{number.number}'."
            self._refuse("CDS-106", place, "number", what, "Write the number as it stands in the file, with its unit.")
        else:
            return True
        return False

    def _check_words(self, number: SiteNumberText, place: int, data: dict[str, object]) -> None:
        """Refuse a change after which the card would still say the number that no longer holds."""
        for text in texts_in({key: data[key] for key in ("title", "card", "withheld_when") if key in data}):
            if still_names(text, number.number) and not still_names(number.use, number.number):
                what = f"A text of {data.get('id')} names {number.number.partition(' ')[0]} as well: '{text}'."
                self._refuse("CDS-106", place, "number", what, "It would no longer be true: change the rule's file.")

    def _refuse(self, code: str, place: int, key: str, what: str, expected: str = "") -> None:
        self.problems.append(KnowledgeError(code, self.document.where(place, key), what, expected))


def read_site_policy(path: Path, root: Path | None) -> SitePolicy:
    """Return the site's numbers, none if there is no such file; what is wrong with it is in `problems`.

    Args:
        path: the file.
        root: the folder cards/ if the file lies in it: messages then say ``cards/...``.
    """
    if not path.exists() and root is not None:
        return SitePolicy(Document(str(path), ()))
    document, problems = read_document(path, root)
    if document is None or problems:
        return SitePolicy(document or Document(str(path), ()), problems=problems)
    if document.data == {}:
        return SitePolicy(document)
    text, problems = parse(SitePolicyText, document)
    return SitePolicy(document, text.root if text else (), problems)


def _names(line: str, number: str) -> bool:
    """Say whether a line of local policy names a number: its digits, and its unit or the kind of time."""
    unit = number.partition(" ")[2].partition("/")[0].removesuffix("s")
    return not unnamed_numbers(number, line) and unit in line


def _changed(data: dict[str, object], number: SiteNumberText) -> dict[str, object]:
    changed = replace_words(replace_values(data, number.number, number.use), number.number, number.use)
    assert isinstance(changed, dict)  # noqa: S101 - a mapping stays one
    return changed


def _rests_on(data: object, definition: str) -> bool:
    """Say whether a criterion somewhere in a rule rests on a part of definitions.yaml."""
    part, _, name = definition.partition(".")
    if isinstance(data, dict):
        for key, value in data.items():
            is_count = part == "trials" and key == "trials" and isinstance(value, dict) and value.get("of") == name
            if is_count or key in _RESTS_ON.get(part, ()) or _rests_on(value, definition):
                return True
    return isinstance(data, tuple) and any(_rests_on(value, definition) for value in data)


def _blocks(data: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(data, dict):
        for key, value in data.items():
            here = f"{path}.{key}" if path else str(key)
            if isinstance(value, dict) and "local_policy" in value:
                yield here, value
            yield from _blocks(value, here)


def _part(data: object, path: tuple[str, ...]) -> object:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _with_part(data: dict[str, object], path: tuple[str, ...], part: object) -> dict[str, object]:
    inner = data[path[0]]
    if len(path) > 1 and isinstance(inner, dict):
        part = _with_part(inner, path[1:], part)
    return {**data, path[0]: part}


def _strings(value: object) -> list[str]:
    lines = value if isinstance(value, tuple) else ()
    texts = (one.get("text") if isinstance(one, Mapping) else one for one in lines)
    return [text for text in texts if isinstance(text, str)]
