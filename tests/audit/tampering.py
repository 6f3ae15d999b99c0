"""Change single bytes of a log: in its rows, and in its file."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NOT_SEALED = {("shown", "user_key"), ("checkpoint", "minute")}
"""Columns that hold nothing that was recorded: whom a card was shown to (a pseudonym), and when one was signed."""
TABLES = {
    "entry": "seq",
    "section": "rowid",
    "node": "",
    "checkpoint": "minute",
    "knowledge": "rowid",
    "shown": "rowid",
    "card": "rowid",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One byte of one column of one row (by its position in the table)."""

    table: str
    column: str
    row: int
    byte: int

    def flip(self, database: Path) -> None:
        """Change it."""
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            where, key = self._where(connection)
            query = f"SELECT {self.column} FROM {self.table} WHERE {where}"  # noqa: S608
            (value,) = connection.execute(query, key).fetchone()
            update = f"UPDATE {self.table} SET {self.column} = ? WHERE {where}"  # noqa: S608
            connection.execute(update, (self._changed(value), *key))

    def _where(self, connection: sqlite3.Connection) -> tuple[str, tuple[int, ...]]:
        if self.table == "node":
            query = "SELECT level, idx FROM node ORDER BY level, idx LIMIT 1 OFFSET ?"
            return "level = ? AND idx = ?", tuple(connection.execute(query, (self.row,)).fetchone())
        name = TABLES[self.table]
        query = f"SELECT {name} FROM {self.table} ORDER BY {name} LIMIT 1 OFFSET ?"  # noqa: S608
        return f"{name} = ?", tuple(connection.execute(query, (self.row,)).fetchone())

    def _changed(self, value: object) -> object:
        if isinstance(value, int):
            return value + 100
        data = bytearray(value.encode() if isinstance(value, str) else bytes(value))  # type: ignore[call-overload]
        data[self.byte] ^= 1
        return data.decode("latin-1") if isinstance(value, str) else bytes(data)


@cache
def places(database: Path) -> tuple[Place, ...]:
    """Return every byte of every column that holds something, in the order of the tables."""
    found = []
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        for table, name in TABLES.items():
            order = name or "level, idx"
            rows = connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()  # noqa: S608
            for number, row in enumerate(rows):
                for column in row.keys():  # noqa: SIM118 - a Row iterates over its values
                    if row[column] is None or (table, column) in NOT_SEALED:
                        continue
                    length = 1 if isinstance(row[column], int) else len(row[column])
                    found += [Place(table, column, number, byte) for byte in range(length)]
    return tuple(found)


def flipped(database: Path, part: float) -> None:
    """Change the byte that lies at this part (0 to 1) of the file."""
    content = bytearray(database.read_bytes())
    content[int(len(content) * part)] ^= 0xFF
    database.write_bytes(bytes(content))


def logical(database: Path) -> list[list[tuple[object, ...]]]:
    """Return everything that can be read from the log."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as connection:
        try:
            return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]  # noqa: S608
        except sqlite3.DatabaseError:
            return []
