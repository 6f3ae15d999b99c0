"""The log's tables, made and changed by numbered SQL files; the database says how far it is."""

import sqlite3
from pathlib import Path

from cds.errors import AuditError

APPLICATION_ID = 0x4B434453
_FOLDER = Path(__file__).parent / "migrations"


def migrations() -> list[tuple[int, str]]:
    """Return number and text of each migration, in order."""
    return [(int(file.name[:4]), file.read_text("utf-8")) for file in sorted(_FOLDER.glob("[0-9]*.sql"))]


def migrate(connection: sqlite3.Connection, where: str) -> None:
    """Apply every migration that the database has not had, each in one transaction.

    Raises:
        AuditError: CDS-405, if the file is another program's database or was written by a later version.
    """
    check_ours(connection, where)
    (done,) = connection.execute("PRAGMA user_version").fetchone()
    for number, script in migrations():
        if number > done:
            connection.executescript(
                f"BEGIN IMMEDIATE; {script}; PRAGMA application_id = {APPLICATION_ID}; "
                f"PRAGMA user_version = {number}; COMMIT;"
            )


def check_ours(connection: sqlite3.Connection, where: str, *, may_be_empty: bool = True) -> None:
    """Refuse a database that is not such a log, or one that this version does not know yet.

    Raises:
        AuditError: CDS-405.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (done,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (tables or not may_be_empty):
        raise AuditError("CDS-405", where, "This is not a log of this service.", action="Name the right file.")
    known = max(number for number, _ in migrations())
    if done > known:
        raise AuditError(
            "CDS-405",
            where,
            f"The log was written by a later version (schema {done}).",
            f"This version knows schema {known}.",
            "Run the version that wrote it, or a newer one.",
        )
