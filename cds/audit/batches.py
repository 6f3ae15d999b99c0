"""One thread writes. What arrives while it commits is committed together next, so the disk is asked once for many."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from enum import Enum

from cds.audit.sealed import Sealed
from cds.audit.store_sqlite import SqliteStore
from cds.errors import AuditError

_BATCH_LIMIT = 64
_PAUSE_SECONDS = 1.0
_FOR_GOOD = {"CDS-403", "CDS-409"}

_Waiting = tuple[Sealed, "Future[None]"]


class _End(Enum):
    """Marks the end of the queue."""

    END = "end"


_END = _End.END


class BatchWriter:
    """Makes sealed records durable; safe to use from many threads and tasks at once.

    After an error of the disk itself it stays broken until a restart: what the operating system still holds of a
    failed write cannot be trusted. After a full disk or a locked file it heals when a probe can be written.

    Args:
        store: the log.
        wait_seconds: so long a record may wait for being written, and as long again while it is written.
        chores: is called in the writing thread after each batch, and about once a second when there is none; its
            argument says whether it is the last time. It may submit.
    """

    def __init__(self, store: SqliteStore, wait_seconds: float, chores: Callable[[bool], None]) -> None:
        self._store = store
        self._wait_seconds = wait_seconds
        self._chores = chores
        self._queue: queue.SimpleQueue[_Waiting | _End] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._failure: AuditError | None = None
        self._thread = threading.Thread(target=self._write_all, name="recorder", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        """Say whether the last write succeeded."""
        return self._failure is None and not self._closed

    @property
    def broken(self) -> AuditError | None:
        """Return why nothing is written any more until a restart; None if that is not so."""
        return self._failure if self._failure and self._failure.code in _FOR_GOOD else None

    def end_with(self, failure: AuditError) -> None:
        """Write nothing more, for this reason."""
        self._failure = failure

    @property
    def waiting(self) -> int:
        """Return how many records have not been taken up yet."""
        return self._queue.qsize()

    def submit(self, sealed: Sealed) -> "Future[None]":
        """Queue a record; the future ends when it is durable, or with the error that kept it from being so.

        Raises:
            AuditError: CDS-403, CDS-409 if nothing is written any more.
        """
        future: Future[None] = Future()
        with self._closing:
            if self._closed:
                raise AuditError("CDS-403", "log", "The log has been closed.", action="Restart the service.")
            if self.broken:
                raise replace(self.broken)
            self._queue.put((sealed, future))
        return future

    def finish(self, future: "Future[None]") -> None:
        """Wait until a record is durable; one that has to wait too long is taken back."""
        wait([future], self._wait_seconds)
        if not future.done() and not future.cancel():
            wait([future], self._wait_seconds)  # it is being written now
        self._require_written(future)
        future.result()

    async def finish_async(self, future: "Future[None]") -> None:
        """Do what `finish` does without holding up the event loop while the disk works.

        Who has less time cancels it: the record is taken back, unless it is being written already.
        """
        written = asyncio.wrap_future(future)
        try:
            await asyncio.wait({written}, timeout=self._wait_seconds)
            if not future.done() and not future.cancel():
                await asyncio.wait({written}, timeout=self._wait_seconds)
        except asyncio.CancelledError:
            if not future.done():
                future.cancel()
                self._failure = self._failure or _too_late("in the time that its call had left")
            raise
        self._require_written(future)
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

    def _require_written(self, future: "Future[None]") -> None:
        if future.done() and not future.cancelled():
            return
        self._failure = self._failure or _too_late(f"within {self._wait_seconds} s")
        raise replace(self._failure)

    def _write_all(self) -> None:
        try:
            self._write_until_the_end()
            self._chores(True)
        except Exception as error:  # noqa: BLE001 - a writer that dies in silence would leave every caller waiting
            self._failure = AuditError("CDS-403", "log", f"Writing failed ({type(error).__name__}).")

    def _write_until_the_end(self) -> None:
        while (first := self._next()) is not _END:
            if first or self._failure:
                with self._store.exclusively(None):  # until it is held, every call may still give up its record
                    waiting = [first, *self._arrived_meanwhile()] if first else []
                    batch = [(sealed, future) for sealed, future in waiting if future.set_running_or_notify_cancel()]
                    if batch:
                        self._write(batch)
                    else:
                        self._attempt(self._store.probe)
            self._chores(False)

    def _next(self) -> "_Waiting | _End | None":
        try:
            return self._queue.get(timeout=_PAUSE_SECONDS)
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
        if self.broken:
            return self.broken
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


def _too_late(when: str) -> AuditError:
    return AuditError("CDS-402", "log", f"The record was not written {when}.", action="Check the disk and its load.")
