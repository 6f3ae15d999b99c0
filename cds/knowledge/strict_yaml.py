"""YAML read strictly: text stays text, no key is given twice, and every part keeps the line it stands on.

YAML by itself turns an unquoted 0123 into 83, ``on`` into true and 2026-02-01 into a date object. Here a plain value
that YAML would read as anything but text, a whole number, ``true`` or ``false`` is refused, and keys are always text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cds.errors import KnowledgeError

Keys = tuple[str | int, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)")
_READ_AS = {"bool": "a truth value", "float": "a number", "int": "a number", "null": "nothing", "timestamp": "a date"}


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its data (dict, tuple, str, int, bool) and the line of every part.

    `lines` maps a path such as ``("levels", "critical", "any", 0)`` to a line, counted from 1.
    """

    file: str
    data: Any
    lines: Mapping[Keys, int] = field(default_factory=dict)

    def where(self, *keys: str | int) -> str:
        """Return ``file:line`` of a part, or of the nearest part around it that has a line."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return f"{self.file}:{self.lines.get(keys, 1)}"


def read_document(path: Path, root: Path | None = None) -> tuple[Document | None, list[KnowledgeError]]:
    """Read a file; return its document and everything in it that is no strict YAML.

    Args:
        path: the file.
        root: the folder ``cards/``; messages then say ``cards/...`` and not the whole path.
    """
    file = f"{root.name}/{path.relative_to(root).as_posix()}" if root else str(path)
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        return None, [_unreadable(file, error)]
    reading = _Reading(file)
    data = reading.value(node, ()) if node is not None else {}
    return Document(file, data, reading.lines), reading.problems


def read_mapping(path: Path, root: Path | None = None) -> dict[str, Any]:
    """Read a file whose top level is a mapping.

    Raises:
        KnowledgeError: CDS-101 to CDS-103 for the first thing that is wrong.
    """
    document, problems = read_document(path, root)
    if problems:
        raise problems[0]
    if document is None or not isinstance(document.data, dict):
        raise KnowledgeError("CDS-101", f"{path}:1", "The file is no list of keys and values.")
    return document.data


def line_of(path: Path, *keys: str | int) -> int:
    """Return the line, counted from 1, of a part of a file that can be read; reads it again."""
    document, _ = read_document(path)
    return int(document.where(*keys).rpartition(":")[2]) if document else 1


@dataclass(slots=True)
class _Reading:
    """The walk over one file's nodes: collects lines and problems."""

    file: str
    lines: dict[Keys, int] = field(default_factory=dict)
    problems: list[KnowledgeError] = field(default_factory=list)

    def value(self, node: yaml.Node, keys: Keys) -> object:
        self.lines.setdefault(keys, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.value(item, (*keys, number)) for number, item in enumerate(node.value))
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, object]:
        data: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                self._refuse("CDS-101", key_node, "A key is a list or a mapping.", "A key is a word.")
            elif key in data:
                self._refuse("CDS-102", key_node, f"'{key}' is given twice.", "Each key stands once.")
            else:
                self.lines[(*keys, key)] = key_node.start_mark.line + 1
                data[key] = self.value(value_node, (*keys, key))
        return data

    def _scalar(self, node: yaml.Node) -> str | int | bool:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return text
        if kind == "int" and _WHOLE_NUMBER.fullmatch(text):
            return int(text)
        if kind == "bool" and text in {"true", "false"}:
            return text == "true"
        if kind == "null":
            self._refuse("CDS-103", node, "There is no value here.", "Give one, or leave the line out.")
        else:
            read_as = _READ_AS.get(kind, "something else")
            self._refuse("CDS-103", node, f"YAML reads {text} as {read_as}.", f'Write it in quotes: "{text}".')
        return text

    def _refuse(self, code: str, node: yaml.Node, what: str, expected: str) -> None:
        self.problems.append(KnowledgeError(code, f"{self.file}:{node.start_mark.line + 1}", what, expected))


def _unreadable(file: str, error: Exception) -> KnowledgeError:
    if isinstance(error, OSError):
        return KnowledgeError("CDS-101", f"{file}:1", f"The file cannot be read: {error.strerror}.")
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        line, what = error.problem_mark.line + 1, error.problem or error.context or "not YAML"
        return KnowledgeError("CDS-101", f"{file}:{line}", f"This is not YAML: {what}.")
    return KnowledgeError("CDS-101", f"{file}:1", "The file is not text in UTF-8, or holds characters YAML forbids.")
