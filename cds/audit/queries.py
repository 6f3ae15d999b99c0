"""Read the log: list entries, find one. Nothing is written, and the service may go on writing meanwhile."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from cds.audit.canonical import JsonValue
from cds.audit.members import Section, child, children, text
from cds.audit.schema import check_ours
from cds.audit.seal import SealedSection
from cds.audit.sections import is_uuid
from cds.errors import AuditError

_SHORTEST_PREFIX = 4
_Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to list; what is left empty asks nothing.

    Attributes:
        since, until: first and last day (UTC) of the entry, both included.
        rule: a rule's id: entries in which it is present.
        level: ``critical``, ``warning`` or ``info``: of that rule, else of any card.
        outcome: ``cards``, ``no-cards``, ``not-applicable`` or ``error``.
        client, hook: by name.
        gaps: only entries in which something could not be known.
    """

    since: date | None = None
    until: date | None = None
    rule: str = ""
    level: str = ""
    outcome: str = ""
    client: str = ""
    hook: str = ""
    gaps: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry without its sections: its number in the log and its envelope."""

    seq: int
    envelope: Section


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """An entry with its sections as they are stored.

    Attributes:
        sections: the bytes of each section that is still there, by name.
        redacted: names of sections that the envelope commits to and that are gone.
        altered: names of sections whose bytes are not those that the envelope commits to.
    """

    seq: int
    envelope: Section
    sections: Mapping[str, bytes] = field(repr=False)
    redacted: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()

    def section(self, name: str) -> Section:
        """Return a section's JSON; empty if it is redacted or was never there."""
        read = parsed(self.sections.get(name, b"{}"))
        return read if isinstance(read, dict) else {}


def parsed(content: bytes) -> JsonValue:
    """Return a section's JSON; bytes that are no JSON (they were altered) as text."""
    try:
        value: JsonValue = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode("utf-8", "backslashreplace")
    return value


class LogReader:
    """A log opened for reading; use it in a ``with`` block.

    Raises:
        AuditError: CDS-401 if the file cannot be read, CDS-405 if it is no such log.
    """

    def __init__(self, path: Path) -> None:
        self._where = str(path)
        in_use = path.with_name(path.name + "-wal").exists()
        how = "mode=ro" if in_use else "mode=ro&immutable=1"  # a log at rest is read without leaving a file beside it
        with self._reading():
            self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)
        try:
            with self._reading():
                self._connection.execute("PRAGMA trusted_schema = OFF")
                check_ours(self._connection, self._where, may_be_empty=False)
        except AuditError:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def list(self, filters: Filters | None = None, limit: int = 50) -> Iterator[Entry]:
        """Yield the newest entries that pass the filters, at most `limit`."""
        wanted = filters or Filters()
        return islice((entry for entry in self._entries() if self._passes(entry, wanted)), limit)

    def find(self, reference: str) -> StoredRecord:
        """Return the record with this number, id, beginning of an id (4 characters or more) or card UUID.

        Raises:
            AuditError: CDS-406 if there is no such record, or more than one.
        """
        for candidates in (self._by_number, self._by_id, self._by_card):
            found = candidates(reference)
            if len(found) > 1:
                raise AuditError("CDS-406", reference, f"{len(found)} records begin so.", action="Give more of the id.")
            if found:
                return self._record(*found[0])
        raise AuditError("CDS-406", reference, "There is no such record.", action="See: cds log list")

    def knowledge(self, digest: str) -> bytes:
        """Return a knowledge package by its digest.

        Raises:
            AuditError: CDS-406 if the log does not hold it.
        """
        rows = self._rows("SELECT package FROM knowledge WHERE sha256 = ?", digest.removeprefix("sha256:"))
        if not rows:
            raise AuditError("CDS-406", digest, "The log holds no such knowledge.")
        package: bytes = rows[0][0]
        return package

    def _entries(self) -> Iterator[Entry]:
        with self._reading():
            for seq, envelope in self._connection.execute("SELECT seq, envelope FROM entry ORDER BY seq DESC"):
                yield Entry(seq, orjson.loads(envelope))

    def _passes(self, entry: Entry, filters: Filters) -> bool:
        envelope = entry.envelope
        day = date.fromisoformat(text(envelope, "time")[:10])
        counts = child(envelope, "counts")
        named = (
            (filters.outcome, text(envelope, "outcome")),
            (filters.hook, text(envelope, "hook")),
            (filters.client, text(child(envelope, "client"), "id")),
        )
        return (
            all(wanted in {"", found} for wanted, found in named)
            and (filters.since or day) <= day <= (filters.until or day)
            and not (filters.gaps and text(counts, "gaps") in {"", "0"})
            and self._passes_rule(entry, filters)
        )

    def _passes_rule(self, entry: Entry, filters: Filters) -> bool:
        if filters.rule:
            return any(
                text(finding, "ruleId") == filters.rule
                and text(finding, "verdict") == "present"
                and filters.level in {"", text(finding, "level")}
                for assessment in children(self._record(entry.seq).section("rules"), "assessments")
                for finding in children(assessment, "rules")
            )
        cards = child(child(entry.envelope, "counts"), "cards")
        return not filters.level or text(cards, filters.level) not in {"", "0"}

    def _by_number(self, reference: str) -> _Rows:
        is_number = reference.isascii() and reference.isdigit() and len(reference) < len(str(2**53))
        return self._rows("SELECT seq FROM entry WHERE seq = ?", int(reference)) if is_number else []

    def _by_id(self, reference: str) -> _Rows:
        if len(reference) < _SHORTEST_PREFIX:
            return []
        return self._rows("SELECT seq FROM entry WHERE id BETWEEN ?1 AND ?1 || '~'", reference.lower())

    def _by_card(self, reference: str) -> _Rows:
        if not is_uuid(reference):
            return []
        return self._rows(
            "SELECT seq FROM section WHERE name = 'cards' AND instr(content, CAST(? AS BLOB))", reference.lower()
        )

    def _record(self, seq: int) -> StoredRecord:
        ((envelope,),) = self._rows("SELECT envelope FROM entry WHERE seq = ?", seq)
        entry: Section = orjson.loads(envelope)
        committed = child(entry, "sections")
        rows = self._rows("SELECT name, salt, content FROM section WHERE seq = ? ORDER BY rowid", seq)
        stored = [SealedSection(*row) for row in rows]
        return StoredRecord(
            seq,
            entry,
            {section.name: section.content for section in stored},
            redacted=tuple(sorted(committed.keys() - {section.name for section in stored})),
            altered=tuple(section.name for section in stored if section.commitment != committed.get(section.name)),
        )

    def _rows(self, query: str, *values: str | int) -> _Rows:
        with self._reading():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            what = f"The log cannot be read: {error}."
            raise AuditError("CDS-401", self._where, what, action="Name an existing log that you may read.") from error
