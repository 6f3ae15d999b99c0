"""The embedded store: one SQLite file, durable at every commit (WAL, synchronous=FULL).

A kill of the process or of the machine loses no record that was acknowledged. Nothing here is ever updated.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple
from pathlib import Path

from cds.audit.indexes import insert
from cds.audit.process_lock import ProcessLock
from cds.audit.schema import migrate
from cds.audit.seal import Sealed
from cds.errors import AuditError

_BUSY_TIMEOUT_MS = 1000
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
}


class SqliteStore:
    """Appends sealed records. Other processes may use the same file: write only within `exclusively`.

    Raises:
        AuditError: CDS-401 if the file cannot be opened or made, CDS-405 if it is not such a log.
    """

    def __init__(self, path: Path) -> None:
        self._where = str(path)
        with ExitStack() as opened, self._opening():
            _create_private(path)
            self._lock = ProcessLock(path.with_name(path.name + ".lock"))
            opened.callback(self._lock.close)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
            )
            opened.callback(self._connection.close)
            with self._lock.held():
                _prepare(self._connection)
                migrate(self._connection, self._where)
            opened.pop_all()

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep every other thread and process from writing within the block; waits as long as it takes."""
        with self._lock.held():
            yield

    def last_envelope(self) -> bytes | None:
        """Return the newest entry's envelope, or None if the log is empty."""
        with self._opening():
            row = self._connection.execute("SELECT envelope FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        return row[0] if row else None

    def append(self, batch: Sequence[Sealed]) -> None:
        """Store the records in one transaction; they are durable when this returns.

        Raises:
            AuditError: CDS-402 if it failed for now, CDS-403 if the store must not be used again, CDS-407 if one
                of the records is already stored. Then none of them is stored.
        """
        with self._writing():
            (seq,) = self._connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM entry").fetchone()
            for number, sealed in enumerate(batch, start=seq):
                self._connection.execute(
                    "INSERT INTO entry VALUES (?, ?, ?)", (number, sealed.record_id, sealed.envelope)
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
                _roll_back(self._connection)
                raise
        except sqlite3.Error as error:
            raise _cannot_write(self._where, error) from error


def _create_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)


def _prepare(connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise sqlite3.OperationalError(f"journal mode {mode} instead of WAL")
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _roll_back(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # the error that led here is the one to tell
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _cannot_write(where: str, error: sqlite3.Error) -> AuditError:
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if isinstance(error, sqlite3.IntegrityError):
        return AuditError("CDS-407", where, f"A record was refused by the log ({name}).", "A record id that is new.")
    if primary in _PASSING:
        action = "Free the disk, its permissions or the lock on the file; writing goes on by itself then."
        return AuditError("CDS-402", where, f"The record could not be written now ({name}).", action=action)
    action = "Nothing is written to the log until a restart: check the disk, then restart the service."
    return AuditError("CDS-403", where, f"Reading or writing the disk failed ({name}).", action=action)
