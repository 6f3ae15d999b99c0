"""What an error of SQLite means for the log: try again later, or write no more."""

import sqlite3

from cds.errors import AuditError

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
}


def cannot_write(where: str, error: sqlite3.Error) -> AuditError:
    """Return CDS-407 for a record that was refused, CDS-402 for what passes by itself, CDS-403 for all else."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if isinstance(error, sqlite3.IntegrityError):
        return AuditError("CDS-407", where, f"A record was refused by the log ({name}).", "A record id that is new.")
    if primary in _PASSING:
        action = "Free the disk, its permissions or the lock on the file; writing goes on by itself then."
        return AuditError("CDS-402", where, f"The record could not be written now ({name}).", action=action)
    action = "Nothing is written to the log until a restart: check the disk, then restart the service."
    return AuditError("CDS-403", where, f"Reading or writing the disk failed ({name}).", action=action)
