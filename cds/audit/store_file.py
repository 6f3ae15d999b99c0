"""The file of the embedded store: how it is made and opened, and how a failed write to it is undone."""

import sqlite3
from contextlib import suppress
from pathlib import Path

_BUSY_TIMEOUT_MS = 1000


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file."""
    return sqlite3.connect(path, timeout=_BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False)


def create_private(path: Path) -> None:
    """Make the file, readable by its owner alone, with its folder."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)


def prepare(connection: sqlite3.Connection) -> None:
    """Let every commit be durable, and every deletion overwrite."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise sqlite3.OperationalError(f"journal mode {mode} instead of WAL")
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo what is not committed."""
    with suppress(sqlite3.Error):  # the error that led here is the one to tell
        if connection.in_transaction:
            connection.execute("ROLLBACK")
