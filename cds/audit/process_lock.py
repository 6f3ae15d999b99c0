"""One writer at a time, among threads and among processes: a lock file beside the log.

SQLite's own waiting is unfair among processes (seconds at worst, against a tenth of one with a lock held first).
The lock is on a file of its own, because closing any descriptor of the database would drop SQLite's locks on it.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_POLL_SECONDS = 0.005
_COURTESY_SECONDS = 0.001
"""Who had to wait lets others go first afterwards; else the same process could get it again and again."""


class ProcessLock:
    """An exclusive lock that ends with its process."""

    def __init__(self, path: Path) -> None:
        self._among_threads = threading.Lock()  # all threads share the descriptor, and the file's lock belongs to it
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self, wait_seconds: float | None = None) -> Iterator[None]:
        """Hold the lock within the block.

        Args:
            wait_seconds: how long to wait for others; None waits as long as it takes, in turn with them.

        Raises:
            TimeoutError: if others held it all that time.
        """
        deadline = None if wait_seconds is None else time.monotonic() + wait_seconds
        if not self._among_threads.acquire(timeout=-1 if wait_seconds is None else wait_seconds):
            raise TimeoutError
        try:
            had_to_wait = self._lock_file(deadline)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
                if had_to_wait:
                    time.sleep(_COURTESY_SECONDS)
        finally:
            self._among_threads.release()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _lock_file(self, deadline: float | None) -> bool:
        """Lock, and say whether others held it before."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if deadline is None:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            else:
                self._poll(deadline)
            return True
        return False

    def _poll(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            with suppress(BlockingIOError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
        raise TimeoutError
