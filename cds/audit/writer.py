"""The recorder: a call is answered only after `append` has returned.

One thread writes. What arrives while it commits is committed together next, so the disk is asked once for many.
"""

import asyncio
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import orjson

from cds.audit.pseudonym import Pseudonym, load_or_create_key
from cds.audit.record import LogEntry, Record, Software
from cds.audit.seal import Sealed, Stamp, seal, seal_entry
from cds.audit.store_sqlite import SqliteStore
from cds.errors import AuditError

_BATCH_LIMIT = 64
_PROBE_SECONDS = 1.0
_WAIT_SECONDS = 2.0

_Waiting = tuple[Sealed, "Future[None]"]


class _End(Enum):
    """Marks the end of the queue."""

    END = "end"


_END = _End.END


def open_recorder(database: Path, key: Path, software: Software) -> "Recorder":
    """Open the log and its pseudonym key; both are made at the first start.

    Args:
        database: the log's file; its folder is made if it is missing.
        key: the pseudonym key's file, outside the folder of the log, so that no copy of the log holds it.
        software: what answers, for every envelope.

    Raises:
        AuditError: CDS-401 the log cannot be opened, CDS-404 the key is missing, wrong or lies in the log's folder,
            CDS-405 the file is no such log. The service must not start then.
    """
    if key.resolve().is_relative_to(database.resolve().parent):
        raise AuditError("CDS-404", str(key), "The pseudonym key lies in the folder of the log.", action="Move it out.")
    store = SqliteStore(database)
    try:
        with store.exclusively():
            last = store.last_envelope()
            pseudonym = load_or_create_key(key, may_create=last is None)
        if last is not None and orjson.loads(last)["subjectEpoch"] != pseudonym.epoch:
            raise AuditError(
                "CDS-404", str(key), "This is not the key of this log.", action="Restore the log's own key."
            )
    except BaseException:
        store.close()
        raise
    return Recorder(store, pseudonym, software)


class Recorder:
    """Seals records and makes them durable; safe to use from many threads and tasks at once.

    After an error of the disk itself it stays broken until a restart: what the operating system still holds of a
    failed write cannot be trusted. After a full disk or a locked file it heals when a probe can be written.
    """

    def __init__(
        self,
        store: SqliteStore,
        pseudonym: Pseudonym,
        software: Software,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        self._store = store
        self._pseudonym = pseudonym
        self._software = software
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._instance = secrets.token_hex(8)
        self._started_ns = time.monotonic_ns()
        self._queue: queue.SimpleQueue[_Waiting | _End] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._failure: AuditError | None = None
        self._thread = threading.Thread(target=self._write_all, name="recorder", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        """Say whether the last write succeeded: if not, the service is not ready."""
        return self._failure is None and not self._closed

    def keep_knowledge(self, digest: str, package: bytes) -> None:
        """Keep a knowledge package under its digest (``sha256:`` and hex) for ever; call it at every start.

        Raises:
            AuditError: CDS-407 if the digest is not that of the package; CDS-402, CDS-403 if it cannot be written.
        """
        with self._store.exclusively():
            self._store.keep_knowledge(digest, package)

    def append(self, record: Record) -> None:
        """Store the record; it is durable when this returns.

        Raises:
            AuditError: CDS-402 not writable now, CDS-403 broken until a restart, CDS-407 the record cannot be
                sealed or its id is already used. Then the call must not be answered with cards.
        """
        self._finish(self._submit(record))

    def append_entry(self, entry: LogEntry) -> None:
        """Store an entry that is no call; as `append`."""
        self._finish(self._submit(entry))

    def _finish(self, future: "Future[None]") -> None:
        wait([future], self._wait_seconds)
        if not future.done() and not future.cancel():
            wait([future], self._wait_seconds)  # it is being written now
        if not future.done() or future.cancelled():
            raise self._too_late()
        future.result()

    async def append_async(self, record: Record) -> None:
        """Do what `append` does without holding up the event loop while the disk works."""
        await self._finish_async(self._submit(record))

    async def append_entry_async(self, entry: LogEntry) -> None:
        """Store an entry that is no call; as `append_async`."""
        await self._finish_async(self._submit(entry))

    async def _finish_async(self, future: "Future[None]") -> None:
        written = asyncio.wrap_future(future)
        await asyncio.wait({written}, timeout=self._wait_seconds)
        if not future.done() and not future.cancel():
            await asyncio.wait({written}, timeout=self._wait_seconds)
        if not future.done() or future.cancelled():
            raise self._too_late()
        await written

    def close(self) -> None:
        """Write what is waiting, then close the log."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(_END)
        self._thread.join(self._wait_seconds)
        if not self._thread.is_alive():
            self._store.close()

    def _submit(self, record: Record | LogEntry) -> "Future[None]":
        sealed = self._sealed(record)
        future: Future[None] = Future()
        with self._closing:
            if self._closed:
                raise AuditError("CDS-403", "log", "The log has been closed.", action="Restart the service.")
            if self._broken:
                raise replace(self._broken)
            self._queue.put((sealed, future))
        return future

    def _sealed(self, record: Record | LogEntry) -> Sealed:
        mono_us = (time.monotonic_ns() - self._started_ns) // 1000
        stamp = Stamp(self._clock(), mono_us, self._instance, self._software)
        try:
            if isinstance(record, LogEntry):
                return seal_entry(record, stamp, self._pseudonym, secrets.token_bytes)
            return seal(record, stamp, self._pseudonym, secrets.token_bytes)
        except (TypeError, ValueError, KeyError) as error:
            raise AuditError("CDS-407", "record", f"The record cannot be sealed ({type(error).__name__}).") from error

    def _too_late(self) -> AuditError:
        what = f"The record was not written within {self._wait_seconds} s."
        self._failure = self._failure or AuditError("CDS-402", "log", what, action="Check the disk and its load.")
        return replace(self._failure)

    @property
    def _broken(self) -> AuditError | None:
        return self._failure if self._failure and self._failure.code == "CDS-403" else None

    def _write_all(self) -> None:
        try:
            self._write_until_the_end()
        except Exception as error:  # noqa: BLE001 - a writer that dies in silence would leave every caller waiting
            self._failure = AuditError("CDS-403", "log", f"Writing failed ({type(error).__name__}).")

    def _write_until_the_end(self) -> None:
        while (first := self._next()) is not _END:
            if not first and not self._failure:
                continue
            with self._store.exclusively():  # until it is held, every call may still give up its record
                waiting = [first, *self._arrived_meanwhile()] if first else []
                batch = [(sealed, future) for sealed, future in waiting if future.set_running_or_notify_cancel()]
                if batch:
                    self._write(batch)
                else:
                    self._attempt(self._store.probe)

    def _next(self) -> "_Waiting | _End | None":
        try:
            return self._queue.get(timeout=_PROBE_SECONDS)
        except queue.Empty:
            return None

    def _arrived_meanwhile(self) -> Iterator[_Waiting]:
        for _ in range(_BATCH_LIMIT - 1):
            if self._queue.empty():
                return
            following = self._queue.get()
            if following is _END:
                self._queue.put(_END)
                return
            yield following

    def _write(self, batch: Sequence[_Waiting]) -> None:
        failure = self._attempt(lambda: self._store.append([sealed for sealed, _ in batch]))
        if failure and failure.code == "CDS-407" and len(batch) > 1:
            for waiting in batch:
                self._write([waiting])
            return
        for _, future in batch:
            if failure:
                future.set_exception(replace(failure))
            else:
                future.set_result(None)

    def _attempt(self, write: Callable[[], None]) -> AuditError | None:
        if self._broken:
            return self._broken
        try:
            write()
        except AuditError as error:
            if error.code != "CDS-407":
                self._failure = replace(error)
            return error
        except Exception as error:  # noqa: BLE001 - the callers of this batch are waiting for an answer
            self._failure = AuditError("CDS-403", "log", f"Writing failed ({type(error).__name__}).")
            return self._failure
        self._failure = None
        return None
