"""The embedded store: one SQLite file, durable at every commit (WAL, synchronous=FULL).

A kill of the process or of the machine loses no record that was acknowledged. No entry is ever updated: entries, their
sections, the tree over them and its signed checkpoint are written in one transaction.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from pathlib import Path

from cds.audit import stored_tree
from cds.audit.indexes import forget, insert
from cds.audit.offline.notes import Checkpoint, NotProvenError, VerificationKey
from cds.audit.process_lock import ProcessLock
from cds.audit.schema import migrate
from cds.audit.sealed import Sealed
from cds.audit.signing import Signer
from cds.audit.store_errors import cannot_write
from cds.audit.store_file import create_private, open_file, prepare, roll_back
from cds.errors import AuditError

_LOCK_SECONDS = 10.0


class SqliteStore:
    """Appends sealed records. Other processes may use the same file: write only within `exclusively`.

    Args:
        path: the log's file.
        connect: opens it in another way than `sqlite3.connect`, for tests of what a disk may do.

    Raises:
        AuditError: CDS-401 if the file cannot be opened or made, CDS-405 if it is not such a log.
    """

    def __init__(self, path: Path, connect: Callable[[Path], sqlite3.Connection] | None = None) -> None:
        self._where = str(path)
        self._signer: Signer | None = None
        self._known: Checkpoint | None = None  # what this process signed or saw last
        with ExitStack() as opened, self._opening():
            create_private(path)
            self._lock = ProcessLock(path.with_name(path.name + ".lock"))
            opened.callback(self._lock.close)
            self._connection = (connect or open_file)(path)
            opened.callback(self._connection.close)
            with self.exclusively():
                prepare(self._connection)
                migrate(self._connection, self._where)
            opened.pop_all()

    @contextmanager
    def exclusively(self, wait_seconds: float | None = _LOCK_SECONDS) -> Iterator[None]:
        """Keep every other thread and process from writing within the block.

        Args:
            wait_seconds: how long to wait for them; None waits as long as it takes.

        Raises:
            AuditError: CDS-402 if they did not finish in that time.
        """
        try:
            with self._lock.held(wait_seconds):
                yield
        except TimeoutError:
            what = f"Another process has been writing to the log for {wait_seconds} s."
            raise AuditError("CDS-402", self._where, what, action="End the process that holds its lock.") from None

    def last_envelope(self) -> bytes | None:
        """Return the newest entry's envelope, or None if the log is empty."""
        with self._opening():
            row = self._connection.execute("SELECT envelope FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        return row[0] if row else None

    def current_note(self) -> str:
        """Return the newest checkpoint as signed; empty if the log was never signed."""
        with self._opening():
            return stored_tree.current_note(self._connection)

    def has_about(self, about: str) -> bool:
        """Say whether an entry is about this record or key."""
        with self._opening():
            return bool(self._connection.execute("SELECT 1 FROM entry WHERE about = ? LIMIT 1", (about,)).fetchone())

    def use(self, signer: Signer) -> None:
        """Check that the log ends as this key has signed it, and sign with it from now on.

        A log that was never signed is signed as it is: an empty one, or one that is older than the seal.

        Args:
            signer: the log's own key.

        Raises:
            AuditError: CDS-409 if the log is not what was signed of it, else as `append`.
        """
        if not self.current_note():
            with self._writing():
                stored_tree.seal_first(self._connection, signer)
        with self._opening():
            self._known = stored_tree.check_tail(self._connection, signer.verification_key, self._where)
        self._signer = signer

    def keys_before(self, key: VerificationKey) -> Sequence[VerificationKey]:
        """Return the key that this log is signed with, and those that it has replaced."""
        with self._opening():
            return stored_tree.keys_before(self._connection, key)

    def note_after(self, kept: Checkpoint | None) -> str:
        """Return the newest checkpoint as signed, if the log is what it says and begins with what was kept elsewhere.

        Raises:
            AuditError: CDS-409 if it is not.
        """
        try:
            with self._opening():
                newest = stored_tree.check_newest(self._connection, self._own.verification_key, self._known)
                if kept:
                    stored_tree.check_holds(self._connection, kept)
        except (NotProvenError, LookupError) as error:
            raise stored_tree.unfit(self._where, str(error)) from error
        return newest.note

    def change_key(self, change: Sealed, successor: Signer) -> None:
        """Append the entry that says so, let both keys sign it, and sign with the successor from then on.

        Raises:
            AuditError: as `append`. Then nothing is changed.
        """
        with self._writing():
            signed = self._append([change], successor)
        self._signer, self._known = successor, signed

    def append(self, batch: Sequence[Sealed]) -> None:
        """Store the records and the signed tree over them in one transaction; they are durable when this returns.

        Raises:
            AuditError: CDS-402 if it failed for now, CDS-403 if the store must not be used again, CDS-407 if one
                of the records is already stored. Then none of them is stored.
        """
        with self._writing():
            signed = self._append(batch)
        self._known = signed

    def redact(self, seq: int, names: Sequence[str], redaction: Sealed) -> None:
        """Delete sections with their salts, and what is indexed of the entry, and append the entry that says so.

        Raises:
            AuditError: as `append`. Then nothing is deleted.
        """
        with self._writing():
            for name in names:
                self._connection.execute("DELETE FROM section WHERE seq = ? AND name = ?", (seq, name))
            forget(self._connection, seq, names)
            signed = self._append([redaction])
        self._known = signed

    def clean(self) -> bool:
        """Write everything into the file and empty the write-ahead log; False if a reader holds it.

        Raises:
            AuditError: as `append`.
        """
        try:
            (is_busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise cannot_write(self._where, error) from error
        return not is_busy

    def _append(self, batch: Sequence[Sealed], successor: Signer | None = None) -> Checkpoint:
        signer = self._own
        seq = stored_tree.check_newest(self._connection, signer.verification_key, self._known).size
        for number, sealed in enumerate(batch, start=seq):
            self._connection.execute(
                "INSERT INTO entry VALUES (?, ?, ?, ?)",
                (number, sealed.record_id, sealed.envelope, sealed.about or None),
            )
            self._connection.executemany(
                "INSERT INTO section VALUES (?, ?, ?, ?)",
                [(number, section.name, section.salt, section.content) for section in sealed.sections],
            )
            self._connection.executemany(
                "INSERT INTO shown VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(number, *astuple(card)) for card in sealed.shown],
            )
            insert(self._connection, number, sealed.rows)
        envelopes = [sealed.envelope for sealed in batch]
        return stored_tree.extend(self._connection, seq, envelopes, signer, successor)

    @property
    def _own(self) -> Signer:
        if self._signer is None:
            raise AuditError("CDS-404", self._where, "The log was opened without its signing key.")
        return self._signer

    def keep_knowledge(self, digest: str, package: bytes) -> None:
        """Keep a knowledge package under its digest for ever; does nothing if it is already kept.

        Raises:
            AuditError: CDS-407 if the digest is not that of the package, else as `append`.
        """
        sha256 = digest.removeprefix("sha256:")
        if hashlib.sha256(package).hexdigest() != sha256:
            raise AuditError("CDS-407", digest, "The digest is not the SHA-256 of the knowledge package.")
        with self._writing():
            self._connection.execute("INSERT INTO knowledge VALUES (?, ?) ON CONFLICT DO NOTHING", (sha256, package))

    def probe(self) -> None:
        """Write and sync one page without changing anything, to find out whether writing works again.

        Raises:
            AuditError: as `append`.
        """
        with self._writing():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            self._connection.execute(f"PRAGMA user_version = {version}")

    def close(self) -> None:
        """Close the file; what was appended is already durable."""
        self._connection.close()
        self._lock.close()

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise AuditError(
                "CDS-401",
                self._where,
                f"The log cannot be opened or made: {error}.",
                "A file in a folder where this user may write.",
                "Without a log the service does not start: give it a writable folder on a local disk.",
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                roll_back(self._connection)
                raise
        except sqlite3.Error as error:
            raise cannot_write(self._where, error) from error
        except (NotProvenError, LookupError) as error:
            raise stored_tree.unfit(self._where, str(error)) from error
