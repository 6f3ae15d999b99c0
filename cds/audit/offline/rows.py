"""What an entry commits to: its sections, the redactions that took some away, and the indexes over them."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from cds.audit.offline.hashes import commitment
from cds.audit.offline.index_rows import CARD, FEEDBACK, SUGGESTION, fits_feedback, has_row, rows_of_cards
from cds.audit.offline.verdict import Verdict

_Row = tuple[Any, ...]
_SECTIONS = "SELECT seq, name, salt, content FROM section ORDER BY seq, name"
_SHOWN = "SELECT seq, subject_key, at, topic, drug, route, fingerprint FROM shown ORDER BY seq"


class Contents:
    """Reads sections and index rows beside the entries, which come in order."""

    def __init__(self, connection: sqlite3.Connection, verdict: Verdict) -> None:
        self._verdict = verdict
        self._connection = connection
        self._sections = _Beside(connection, _SECTIONS)
        self._shown = _Beside(connection, _SHOWN)
        self._cards, self._suggestions, self._feedback = (
            _Beside(connection, query) for query in (CARD, SUGGESTION, FEEDBACK)
        )
        self._redacted: set[str] = set()
        self._missing: set[tuple[int, str]] = set()
        self._redactions: dict[tuple[int, str], int] = {}

    def check(self, seq: int, record_id: str, about: str | None, envelope: bytes) -> None:
        """Check what is stored of one entry."""
        try:
            said = json.loads(envelope)
            if said.get("id") != record_id or said.get("about") != about:
                self._verdict.problem(f"Entry {seq} is filed under another id than its own.")
            self._verdict.since = self._verdict.since or str(said.get("time", ""))
            self._note(seq, said)
            found = self._check_sections(seq, dict(said["sections"]))
            self._check_shown(seq, said, found.get("rules"))
            self._check_indexes(seq, said, found)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._verdict.problem(f"Entry {seq} cannot be read.")

    def check_end(self) -> None:
        """Check what belongs to no entry, and that a redaction stands behind every section that is missing."""
        indexes = (self._shown, self._cards, self._suggestions, self._feedback)
        for kind, rest in (("section", self._sections), *(("row of an index", index) for index in indexes)):
            if row := rest.left():
                self._verdict.problem(f"A {kind} belongs to entry {row[0]}, which does not exist.")
        for seq, name in sorted(self._missing):
            if self._redactions.get((seq, name), -1) > seq:
                self._verdict.redacted += 1
            else:
                self._verdict.problem(f"Section {name} of entry {seq} is missing, and no redaction says so.")
        for seq, name in sorted(self._redactions.keys() - self._missing):
            self._verdict.problem(f"Section {name} of entry {seq} is still there, although a redaction took it away.")

    def _note(self, seq: int, said: dict[str, Any]) -> None:
        """Keep what an envelope says of other rows: the knowledge it names, the sections it took away."""
        named = said.get("knowledge", {}).get("sha256")
        if named:
            self._verdict.knowledge.setdefault(named, seq)
        if said.get("type") == "redaction":
            taken = said["redacted"]
            self._redactions |= {(taken["seq"], name): seq for name in taken["sections"]}
        if said.get("type") == "key" and "replaces" in said:
            self._verdict.changes.append((seq, str(said["replaces"]), str(said["verificationKey"])))

    def _check_sections(self, seq: int, committed: dict[str, str]) -> dict[str, bytes]:
        """Return the content of the sections that are still there."""
        found = {}
        for _, name, salt, content in self._sections.of(seq):
            self._verdict.sections += 1
            expected = committed.pop(name, None)
            found[name] = content
            if commitment(name, salt, content) != expected:
                self._verdict.problem(f"Section {name} of entry {seq} is not what was recorded.")
        self._missing |= {(seq, name) for name in committed}
        return found

    def _check_indexes(self, seq: int, said: dict[str, Any], found: dict[str, bytes]) -> None:
        is_redacted = len(found) < len(said["sections"])
        if is_redacted:
            self._redacted.add(said["id"])
        stored = (list(self._cards.of(seq)), list(self._suggestions.of(seq)))
        if stored != rows_of_cards(seq, found.get("cards")) and not (is_redacted and stored == ([], [])):
            self._verdict.problem(f"The index of cards and suggestions does not say what entry {seq} says.")
        rows = list(self._feedback.of(seq))
        is_lost = not rows and not is_redacted and has_row(said, found) and said.get("about") not in self._redacted
        if is_lost or not fits_feedback(self._connection, rows, said, found.get("feedback")):
            self._verdict.problem(f"The index of feedback says something of entry {seq} that it does not.")

    def _check_shown(self, seq: int, said: dict[str, Any], rules: bytes | None) -> None:
        for _, subject_key, at, topic, drug, route, fingerprint in self._shown.of(seq):
            card = json.dumps({"drug": drug, "fingerprint": fingerprint}, separators=(",", ":"))[1:-1].encode()
            ends = (f'"route":{json.dumps(route)}'.encode(), f'"topic":{json.dumps(topic)}'.encode())
            is_said = rules is not None and all(part in rules for part in (card, *ends))
            if not is_said or (subject_key, at) != (said.get("subjectKey"), said.get("at")):
                self._verdict.problem(f"The index of shown cards says something of entry {seq} that it does not.")


class _Beside:
    """Rows in the order of their entries, taken entry by entry."""

    def __init__(self, connection: sqlite3.Connection, query: str) -> None:
        self._rows: Iterator[_Row] = iter(connection.execute(query))
        self._next: _Row | None = next(self._rows, None)

    def of(self, seq: int) -> Iterator[_Row]:
        while self._next and self._next[0] == seq:
            row, self._next = self._next, next(self._rows, None)
            yield row

    def left(self) -> _Row | None:
        return self._next
