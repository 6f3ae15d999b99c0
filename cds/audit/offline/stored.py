"""Check a whole log: everything that is stored is hashed again, nothing is believed because it is in the file.

Source: RFC 6962; the lesson of immudb's issue 2063, where a value was edited in the file and its auditor said nothing.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cds.audit.offline.hashes import Frontier
from cds.audit.offline.notes import Checkpoint, VerificationKey
from cds.audit.offline.rows import Contents
from cds.audit.offline.signatures import check_anchors, check_signatures, stored_checkpoints
from cds.audit.offline.tables import check_tables
from cds.audit.offline.verdict import Verdict

_Rows = Iterator[tuple[Any, ...]]


def open_stored(path: Path) -> sqlite3.Connection:
    """Open a log, or a copy of one, for reading; it may be in use.

    Raises:
        sqlite3.Error: if it cannot be read.
    """
    in_use = path.with_name(path.name + "-wal").exists()
    how = "mode=ro" if in_use else "mode=ro&immutable=1"  # a log at rest is read without leaving a file beside it
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def verify_stored(
    connection: sqlite3.Connection, keys: Sequence[VerificationKey], anchors: Sequence[Checkpoint] = ()
) -> Verdict:
    """Hash everything in a log again and compare it with what was signed.

    Args:
        connection: the log.
        keys: every verification key that the log has had; they came by another way than the log.
        anchors: checkpoints that were kept outside of the log, already verified with one of them.
    """
    verdict = Verdict(keys[0].name)
    verdict.anchored = max((anchor.size for anchor in anchors), default=None)
    try:
        connection.execute("BEGIN")  # one state of a log that is being written
        _check_all(connection, keys, anchors, verdict)
        connection.execute("ROLLBACK")
    except (sqlite3.DatabaseError, TypeError, ValueError, RecursionError) as error:
        verdict.problem(f"The file is damaged, and what follows could not be read: {error}.")
    return verdict


def _check_all(
    connection: sqlite3.Connection, keys: Sequence[VerificationKey], anchors: Sequence[Checkpoint], verdict: Verdict
) -> None:
    if not check_tables(connection, verdict):
        return
    stored = stored_checkpoints(connection, verdict)
    _check_entries(connection, verdict, [*stored.values(), *anchors])
    signed = check_signatures(stored, keys, verdict)
    check_anchors(anchors, keys, verdict)
    _check_knowledge(connection, verdict)
    if not signed or signed[-1].size != verdict.entries:
        newest = f"{signed[-1].size} entries" if signed else "nothing"
        verdict.problem(f"The log has {verdict.entries} entries, and its newest checkpoint covers {newest}.")
    for anchor in anchors:
        if anchor.size > verdict.entries:
            verdict.problem(
                f"The log was cut back, or this copy is older than the checkpoint over {anchor.size} entries "
                "that was kept elsewhere."
            )


def _check_entries(connection: sqlite3.Connection, verdict: Verdict, expected: Sequence[Checkpoint]) -> None:
    roots: dict[int, set[bytes]] = {}
    for checkpoint in expected:
        roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
    contents = Contents(connection, verdict)
    nodes = _StoredNodes(connection, verdict)
    frontier = Frontier()
    _check_root(frontier, roots, verdict)
    for seq, record_id, about, envelope in connection.execute(
        "SELECT seq, id, about, envelope FROM entry ORDER BY seq"
    ):
        if seq != frontier.size:
            verdict.problem(f"Entry {frontier.size} is missing: entry {seq} follows.")
        frontier, grown = frontier.append(envelope)
        for node in grown:
            nodes.check(node.level, node.index, node.hash, seq)
        contents.check(seq, record_id, about, envelope)
        _check_root(frontier, roots, verdict)
    verdict.entries = frontier.size
    nodes.check_end()
    contents.check_end()


def _check_root(frontier: Frontier, roots: dict[int, set[bytes]], verdict: Verdict) -> None:
    if frontier.size in roots and roots[frontier.size] != {frontier.root}:
        verdict.problem(f"The first {frontier.size} entries are not those of the signed checkpoint over so many.")


class _StoredNodes:
    """The tree's stored hashes, read level by level beside the entries."""

    def __init__(self, connection: sqlite3.Connection, verdict: Verdict) -> None:
        self._connection = connection
        self._verdict = verdict
        self._levels: dict[int, _Rows] = {}
        self._seen = 0

    def check(self, level: int, index: int, found: bytes, seq: int) -> None:
        if level not in self._levels:
            self._levels[level] = iter(
                self._connection.execute("SELECT idx, hash FROM node WHERE level = ? ORDER BY idx", (level,))
            )
        self._seen += 1
        if next(self._levels[level], None) == (index, found):
            return
        if level:
            self._verdict.problem(f"The tree's hash {index} at level {level} is not that of its entries.")
        else:
            self._verdict.problem(f"Entry {seq} is not the one that was sealed.")

    def check_end(self) -> None:
        (count,) = self._connection.execute("SELECT count(*) FROM node").fetchone()
        if count != self._seen:
            self._verdict.problem(f"The tree has {count} hashes; for these entries it must have {self._seen}.")


def _check_knowledge(connection: sqlite3.Connection, verdict: Verdict) -> None:
    kept = set()
    for digest, package in connection.execute("SELECT sha256, package FROM knowledge"):
        verdict.packages += 1
        kept.add(digest)
        if hashlib.sha256(package).hexdigest() != digest:
            verdict.problem(f"The knowledge {digest[:12]} is not what decided: its bytes have another digest.")
    for digest, seq in verdict.knowledge.items():
        if digest not in kept:
            verdict.problem(f"The knowledge {digest[:12]}, which entry {seq} names, is missing.")
