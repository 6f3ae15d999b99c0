"""Read the log: list entries, find one. Nothing is written, and the service may go on writing meanwhile."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from cds.audit.filters import Filters
from cds.audit.members import Section, child, text
from cds.audit.offline.stored import open_stored
from cds.audit.record import RecordType
from cds.audit.schema import check_ours
from cds.audit.sealed import SealedSection
from cds.audit.sections import is_uuid
from cds.audit.stored_record import Entry, StoredRecord, parsed
from cds.audit.stored_tree import current_note, nodes_in
from cds.audit.tree import Nodes
from cds.errors import AuditError

__all__ = ["OVERRIDDEN", "Entry", "Filters", "LogReader", "StoredRecord", "parsed"]

OVERRIDDEN = "overridden"
"""The outcome in the envelope of a feedback, where a card was overridden."""
_SHORTEST_PREFIX = 4
_Rows = list[tuple[Any, ...]]


class LogReader:
    """A log opened for reading; use it in a ``with`` block.

    Raises:
        AuditError: CDS-401 if the file cannot be read, CDS-405 if it is no such log.
    """

    def __init__(self, path: Path) -> None:
        self._where = str(path)
        with self._reading():
            self._connection = open_stored(path)
        try:
            with self._reading():
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
        return islice(self._passing(filters or Filters()), limit)

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
            AuditError: CDS-406 if the log does not hold it, or what it holds has another digest.
        """
        sha256 = digest.removeprefix("sha256:")
        rows = self._rows("SELECT package FROM knowledge WHERE sha256 = ?", sha256)
        if not rows:
            raise AuditError("CDS-406", digest, "The log holds no such knowledge.")
        package: bytes = rows[0][0]
        if hashlib.sha256(package).hexdigest() != sha256:
            raise AuditError("CDS-406", digest, "What the log keeps under this digest is not what decided.")
        return package

    def about(self, reference: str) -> tuple[StoredRecord, ...]:
        """Return the entries that are about a record, by its id: redactions and feedback, the oldest first."""
        rows = self._rows("SELECT seq FROM entry WHERE about = ? ORDER BY seq", reference)
        return tuple(self._record(*row) for row in rows)

    def note(self) -> str:
        """Return the newest checkpoint as signed.

        Raises:
            AuditError: CDS-406 if the log was never signed.
        """
        with self._reading():
            note = current_note(self._connection)
        if not note:
            raise AuditError("CDS-406", self._where, "The log has no checkpoint.", action="Start the service with it.")
        return note

    def nodes(self) -> Nodes:
        """Return how to read the tree's stored hashes."""
        return nodes_in(self._connection)

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Read the log within the block as it was at its beginning, while others go on writing."""
        with self._reading():
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.rollback()

    def _entries(self) -> Iterator[Entry]:
        with self._reading():
            for seq, envelope in self._connection.execute("SELECT seq, envelope FROM entry ORDER BY seq DESC"):
                yield Entry(seq, orjson.loads(envelope))

    def _passing(self, filters: Filters) -> Iterator[Entry]:
        overridden = self._overridden() if filters.overridden else frozenset()
        for entry in self._entries():
            if (
                filters.passes(entry)
                and (not filters.overridden or text(entry.envelope, "id") in overridden)
                and (not filters.rule or filters.passes_rule(self._record(entry.seq)))
            ):
                yield entry

    def _overridden(self) -> frozenset[str]:
        """Return the ids of the calls of which a card was overridden."""
        rows = self._rows("SELECT about, envelope FROM entry WHERE about IS NOT NULL")
        read = ((about, orjson.loads(envelope)) for about, envelope in rows)
        return frozenset(about for about, envelope in read if _says_overridden(envelope))

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
            {section.name: section.salt for section in stored},
            envelope,
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


def _says_overridden(envelope: Section) -> bool:
    return (text(envelope, "type"), text(envelope, "outcome")) == (RecordType.FEEDBACK.value, OVERRIDDEN)
