"""Tokens that were used: each is accepted once, by all worker processes together and over restarts.

One SQLite file of its own holds the issuer and the SHA-256 of each ``jti`` until the token can no longer be valid.
It is written with ``synchronous=NORMAL``: a kill of the process loses nothing, a power cut may lose the newest rows.
Therefore the file says whether it was closed cleanly. The last process to go syncs it and marks it clean; the first to
come clears the mark, durably, before it does anything else. Found without the mark, or new, the file may have lost
rows: tokens issued before that start are refused. A worker that is killed while others run loses nothing, and its
successor's start is none in this sense.

A token of an EHR whose clock is ahead could be used before a power cut and yet be issued "after" the start that
follows. It cannot be refused then: tokens that an EHR with a right clock issues just after the start look the same. So
a token from the future is synced to the disk before it is accepted, and no power cut takes its row. Other tokens, and
EHRs whose clocks are right, pay nothing for it.

Source: trust/design.md 0a.8.
"""

import asyncio
import hashlib
import math
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cds.errors import TrustError, TrustUnavailableError
from cds.trust.presence import Presence
from cds.trust.token import refusal

_BUSY_SECONDS = 2.0
_MOST_PAGES = 32_768
"""Of 4,096 bytes: about half a million tokens that are still valid. A full file refuses; it never forgets."""
_SWEPT_AT_A_TIME = 10
_FORMAT = 1
_SCHEMA = """
    CREATE TABLE spent (issuer TEXT NOT NULL, token BLOB NOT NULL, until INTEGER NOT NULL, UNIQUE (issuer, token));
    CREATE INDEX spent_until ON spent (until);
    CREATE TABLE run (clean INTEGER NOT NULL, refuse_before INTEGER NOT NULL);
    INSERT INTO run VALUES (0, 0);
    PRAGMA user_version = 1;
"""


class SpentTokens:
    """The tokens that were used; every worker process opens the same file.

    Args:
        path: the file; made with its folder if it does not exist.
        now_seconds: the time of this start, since 1970.

    Raises:
        TrustError: CDS-604 if the file cannot be opened or made.
    """

    def __init__(self, path: Path, now_seconds: float) -> None:
        try:
            with ExitStack() as opened:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._presence = Presence(path)
                opened.callback(self._presence.close)
                self._connection = _connect(path)
                opened.callback(self._connection.close)
                with self._presence.coming() as alone:
                    _prepare(self._connection)
                    if alone:
                        _begin(self._connection, math.floor(now_seconds))
                (self._refuse_before,) = self._connection.execute("SELECT refuse_before FROM run").fetchone()
                self._thread = ThreadPoolExecutor(1, "spent-tokens")
                opened.pop_all()
        except (OSError, sqlite3.Error) as error:
            what = f"The file of spent tokens cannot be opened or made ({type(error).__name__})."
            action = "Name a folder on a local disk where the service may write; a damaged file may be deleted."
            raise TrustError("CDS-604", str(path), what, action=action) from None

    async def spend(self, issuer: str, token_id: str, issued_seconds: float, until_seconds: float, now: float) -> None:
        """Take note that a token is used now; the event loop is free meanwhile.

        Args:
            issuer: who issued it.
            token_id: its ``jti``.
            issued_seconds: when.
            until_seconds: from when on it is refused anyway.
            now: the time, in seconds since 1970.

        Raises:
            TrustError: CDS-620 if it was used before, or was issued before a start that may have lost tokens.
            TrustUnavailableError: CDS-621 if the file is full or cannot be written.
        """
        if math.floor(issued_seconds) < self._refuse_before:
            raise refusal("CDS-620", "The token was issued before a start after which it is not known what was used.")
        row = (issuer, hashlib.sha256(token_id.encode()).digest(), math.ceil(until_seconds))
        insert = self._insert_durably if issued_seconds > now else self._insert
        new = await asyncio.get_running_loop().run_in_executor(self._thread, insert, row, math.floor(now))
        if not new:
            raise refusal("CDS-620", "The token was used before.")

    def close(self) -> None:
        """Let go of the file; the last of all processes syncs it and marks it clean."""
        self._thread.shutdown()
        with self._presence.going() as alone:
            try:
                if alone:
                    _mark(self._connection, "UPDATE run SET clean = 1")
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error:
                pass  # not marked as clean: the next start refuses what was issued before it
            finally:
                self._connection.close()

    def _insert_durably(self, row: tuple[str, bytes, int], now: int) -> bool:
        with _durably(self._connection):
            return self._insert(row, now)

    def _insert(self, row: tuple[str, bytes, int], now: int) -> bool:
        """Return whether the token was not there yet; a few that are over are removed with each that comes."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            over = "SELECT rowid FROM spent WHERE until < ? LIMIT ?"
            self._connection.execute(f"DELETE FROM spent WHERE rowid IN ({over})", (now, _SWEPT_AT_A_TIME))  # noqa: S608
            added = self._connection.execute("INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row).rowcount
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            what = f"The file of spent tokens cannot be written now ({error.sqlite_errorname})."
            raise TrustUnavailableError("CDS-621", "spent tokens", what) from None
        return added == 1


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        path.touch(mode=0o600)
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _prepare(connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if mode != "wal" or version not in (0, _FORMAT):
        raise sqlite3.DatabaseError("another format")
    if version == 0:
        connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
    for pragma in ("synchronous = NORMAL", "trusted_schema = OFF", f"max_page_count = {_MOST_PAGES}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sqlite3.Connection, now: int) -> None:
    """Note this start: after an unclean end, what was issued before it is refused; a clock that was ahead is mended."""
    before = f"CASE clean WHEN 1 THEN min(refuse_before, {now:d}) ELSE {now:d} END"
    _mark(connection, f"UPDATE run SET refuse_before = {before}, clean = 0")  # noqa: S608 - a whole number


def _mark(connection: sqlite3.Connection, statement: str) -> None:
    """Change the mark durably."""
    with _durably(connection):
        connection.execute(statement)


@contextmanager
def _durably(connection: sqlite3.Connection) -> Iterator[None]:
    """Sync what the block commits, and with it everything that was written before."""
    connection.execute("PRAGMA synchronous = FULL")
    try:
        yield
    finally:
        connection.execute("PRAGMA synchronous = NORMAL")
