"""The tree and its checkpoints as they stand in the log. Whoever calls this holds the log's lock or a transaction."""

import sqlite3
import time
from collections.abc import Iterable

import orjson

from cds.audit.members import text
from cds.audit.offline.hashes import leaf_hash
from cds.audit.offline.notes import SIGNATURE_MARK, Checkpoint, NotProvenError, VerificationKey
from cds.audit.signing import Signer
from cds.audit.tree import Nodes, frontier_at
from cds.errors import AuditError

_TAIL = 64
"""So many entries are hashed again at each start."""


def nodes_in(connection: sqlite3.Connection) -> Nodes:
    """Return how to read the tree's stored hashes; a missing one is a LookupError."""

    def node(level: int, index: int) -> bytes:
        row = connection.execute("SELECT hash FROM node WHERE level = ? AND idx = ?", (level, index)).fetchone()
        if row is None:
            raise LookupError(f"The tree's hash {index} at level {level} is missing.")
        found: bytes = row[0]
        return found

    return node


def size_of(connection: sqlite3.Connection) -> int:
    """Return how many entries the log has."""
    (size,) = connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM entry").fetchone()
    return int(size)


def current_note(connection: sqlite3.Connection) -> str:
    """Return the newest checkpoint as signed; empty if the log was never signed."""
    row = connection.execute("SELECT note FROM checkpoint ORDER BY minute DESC LIMIT 1").fetchone()
    return str(row[0]) if row else ""


def check_newest(connection: sqlite3.Connection, key: VerificationKey, known: Checkpoint | None = None) -> Checkpoint:
    """Return the newest checkpoint, after a check that the log is what it says: nothing else may be signed further.

    Args:
        connection: the log.
        key: the key that signs; the newest signature must be its own.
        known: what this process signed or saw last; the log must still begin with it.

    Raises:
        NotProvenError, LookupError: if it is not so.
    """
    note = current_note(connection)
    newest = known if known and note == known.note else key.checkpoint(note)
    if not key.signs_last(note):
        raise NotProvenError("It is signed with another key now: the key was changed. Restart the service.")
    size = size_of(connection)
    if newest.size != size:
        raise NotProvenError(f"It has {size} entries, and {newest.size} are signed.")
    for checkpoint in (newest,) if known in {None, newest} else (newest, known):
        check_holds(connection, checkpoint)
    return newest


def check_holds(connection: sqlite3.Connection, checkpoint: Checkpoint) -> None:
    """Check that the log begins with what a checkpoint says.

    Raises:
        NotProvenError, LookupError: if it does not.
    """
    if checkpoint.size > size_of(connection):
        raise NotProvenError(f"It was cut back: a checkpoint over {checkpoint.size} entries was kept.")
    if frontier_at(nodes_in(connection), checkpoint.size).root != checkpoint.root:
        raise NotProvenError(f"The checkpoint over {checkpoint.size} entries has another root hash.")


def extend(
    connection: sqlite3.Connection,
    size: int,
    envelopes: Iterable[bytes],
    signer: Signer,
    successor: Signer | None = None,
) -> Checkpoint:
    """Let the tree of `size` entries grow by what was appended, and sign it; one checkpoint a minute is kept.

    With a `successor` both sign. Such a checkpoint is kept beside the others of its minute.

    Returns:
        What was signed.
    """
    frontier = frontier_at(nodes_in(connection), size)
    for envelope in envelopes:
        frontier, nodes = frontier.append(envelope)
        connection.executemany(
            "INSERT INTO node VALUES (?, ?, ?)", [(node.level, node.index, node.hash) for node in nodes]
        )
    checkpoint = signer.checkpoint(frontier.size, frontier.root)
    if successor:
        checkpoint = successor.cosign(checkpoint)
    minute = max(int(time.time()) // 60, _next_minute(connection))
    connection.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)", (minute, checkpoint.size, checkpoint.note))
    return checkpoint


def keys_before(connection: sqlite3.Connection, key: VerificationKey) -> list[VerificationKey]:
    """Return a key that this log is signed with, and those that it has replaced, the newest first."""
    found = [key]
    while row := connection.execute(_CHANGE, (found[-1].key_id.hex(),)).fetchone():
        replaced = text(orjson.loads(row[0]), "replaces")
        if not replaced or replaced in map(str, found):
            break
        found.append(VerificationKey.parse(replaced))
    return found


_CHANGE = "SELECT envelope FROM entry WHERE about = ? ORDER BY seq LIMIT 1"


def _next_minute(connection: sqlite3.Connection) -> int:
    """Return the earliest minute under which a checkpoint may be written."""
    row = connection.execute("SELECT minute, note FROM checkpoint ORDER BY minute DESC LIMIT 1").fetchone()
    if not row:
        return 0
    minute, note = int(row[0]), str(row[1])
    return minute + 1 if note.count(f"\n{SIGNATURE_MARK}") > 1 else minute


def seal_first(connection: sqlite3.Connection, signer: Signer) -> None:
    """Build and sign the tree over the entries of a log that is older than its seal."""
    rows = connection.execute("SELECT envelope FROM entry ORDER BY seq")
    extend(connection, 0, (envelope for (envelope,) in rows), signer)


def check_tail(connection: sqlite3.Connection, key: VerificationKey, where: str) -> Checkpoint:
    """Check that the log ends as its newest checkpoint says, and return it; the rest is for ``cds log verify``.

    Raises:
        AuditError: CDS-409 if it does not.
    """
    size = size_of(connection)
    try:
        newest = check_newest(connection, key)
        nodes = nodes_in(connection)
        for seq, envelope in connection.execute("SELECT seq, envelope FROM entry WHERE seq >= ?", (size - _TAIL,)):
            if leaf_hash(envelope) != nodes(0, seq):
                raise NotProvenError(f"Entry {seq} is not the one that was sealed.")
        return newest
    except (NotProvenError, LookupError) as error:
        raise unfit(where, str(error)) from error


def unfit(where: str, what: str) -> AuditError:
    """Return the error of a log that is not what was signed of it."""
    return AuditError(
        "CDS-409",
        where,
        f"The log is not what was signed of it. {what}",
        action="Nothing is written to it. Run `cds log verify`, keep the file as it is, and restore the right one.",
    )
