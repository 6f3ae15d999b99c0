"""Cut the power: what was written and not synced is undone, or kept in part, as a disk would.

A file system in between (an SQLite VFS of apsw) keeps, for each file, what was written since its last sync. When the
power goes, every write from then on fails; then each file is put back to its last sync, and a random part of what was
written since is put on it again, torn in the middle or not.
"""

import random
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import apsw

from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.sealed import Sealed
from cds.audit.store_sqlite import SqliteStore
from cds.errors import AuditError
from tests.audit.records import SIGNER, not_applicable, unlocked
from tests.crash.sealing import sealed_of


class PowerCutError(apsw.IOError):
    """The power is gone."""


@dataclass(slots=True)
class Disk:
    """What stands between SQLite and the files.

    Attributes:
        chance: decides when the power goes, and what of the unsynced writes is kept.
        writes_left: so many writes are done before the power goes.
        unsynced: by path: the content at the last sync, and the writes since: offset and bytes, or the new size.
    """

    chance: random.Random
    writes_left: int
    unsynced: dict[str, tuple[bytes, list[tuple[int, bytes | None]]]] = field(default_factory=dict)

    def note(self, path: str, offset: int, data: bytes | None) -> None:
        """Keep a write (or a change of size, without data); raises when the power goes."""
        if self.writes_left <= 0:
            raise PowerCutError("the power is gone")
        self.writes_left -= 1
        if path not in self.unsynced:
            self.unsynced[path] = (Path(path).read_bytes(), [])
        self.unsynced[path][1].append((offset, data))

    def sync(self, path: str) -> None:
        """What was written to the file is on the disk."""
        if self.writes_left <= 0:
            raise PowerCutError("the power is gone")
        self.unsynced.pop(path, None)

    def lose(self) -> None:
        """Put every file into a state in which the power may have left it."""
        for path, (content, writes) in self.unsynced.items():
            kept = bytearray(content)
            for offset, data in writes:
                if self.chance.random() < 0.5:
                    _apply(kept, offset, data[: self.chance.choice((len(data), len(data) // 2))] if data else data)
            Path(path).write_bytes(bytes(kept))


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:  # noqa: ANN401 - as apsw hands it on
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's name
        self._disk.note(self._path, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.note(self._path, size, None)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.sync(self._path)
        super().xSync(flags)


class _FileSystem(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: ANN401, N802
        return _File(self._disk, name, flags)


class _Connection(apsw.Connection):
    """What the store uses of a connection, with the names of `sqlite3`; `synchronous` may be weakened."""

    synchronous = "FULL"

    def execute(self, statements: str, *values: Any) -> Any:  # type: ignore[override] # noqa: ANN401
        return super().execute(statements.replace("synchronous = FULL", f"synchronous = {self.synchronous}"), *values)

    def executescript(self, script: str) -> None:
        self.execute(script)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a power cut did.

    Attributes:
        acknowledged: how many records were acknowledged before the power went.
        lost: how many of them were not there afterwards.
        opens: whether the log could be opened again, and took another record.
        problems: what of it does not verify against the checkpoint of the last acknowledged record.
    """

    acknowledged: int
    lost: int
    opens: bool
    problems: tuple[str, ...] = ()


def cut_power(folder: Path, seed: int, synchronous: str, most_writes: int = 1_500) -> Trial:
    """Append until the power goes after so many writes at most, then open the log as the service would.

    After some 2,000 writes SQLite also writes the log's own file, from its write-ahead log.
    """
    database = folder / "record.sqlite"
    unlocked(SqliteStore(database)).close()
    chance = random.Random(seed)  # noqa: S311 - a trial that can be repeated
    disk = Disk(chance, chance.randint(20, most_writes))
    acknowledged, note = _append_until_dark(database, disk, synchronous)
    disk.lose()
    for leftover in database.parent.glob("*-shm"):  # which was only memory
        leftover.unlink()
    try:
        store = unlocked(SqliteStore(database))
        store.append([sealed_of(not_applicable())])
    except AuditError:
        return Trial(len(acknowledged), len(acknowledged), opens=False)
    store.close()
    with closing(sqlite3.connect(database)) as connection:
        stored = {record_id for (record_id,) in connection.execute("SELECT id FROM entry")}
    key = SIGNER.verification_key
    with closing(open_stored(database)) as connection:
        problems = verify_stored(connection, [key], [key.checkpoint(note)] if note else []).problems
    return Trial(len(acknowledged), len(acknowledged - stored), opens=True, problems=tuple(problems))


def _append_until_dark(database: Path, disk: Disk, synchronous: str) -> tuple[set[str], str]:
    """Return the records that were acknowledged, and the checkpoint of the last of them."""
    name = f"power-{uuid4()}"
    system = _FileSystem(name, disk)
    acknowledged: set[str] = set()
    note = ""
    connections: list[_Connection] = []

    def connect(path: Path) -> Any:  # noqa: ANN401 - it stands for a connection of sqlite3
        connection = _Connection(str(path), vfs=name)
        connection.synchronous = synchronous
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # this VFS shares no memory
        connections.append(connection)
        return connection

    with suppress(apsw.Error, AuditError):
        store = SqliteStore(database, connect)
        store.use(SIGNER)
        while True:
            batch: list[Sealed] = [sealed_of(not_applicable()) for _ in range(disk.chance.randint(1, 3))]
            store.append(batch)
            acknowledged |= {sealed.record_id for sealed in batch}
            note = store.current_note()
    for connection in connections:
        with suppress(apsw.Error):
            connection.close(True)
    system.unregister()
    return acknowledged, note
