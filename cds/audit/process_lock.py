"""One writer at a time, among threads and among processes: a lock file beside the log.

SQLite's own waiting is unfair among processes (seconds at worst, against a tenth of one with a lock held first).
The lock is on a file of its own, because closing any descriptor of the database would drop SQLite's locks on it.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ProcessLock:
    """An exclusive lock that ends with its process; waiting has no time limit of its own."""

    def __init__(self, path: Path) -> None:
        self._among_threads = threading.Lock()  # all threads share the descriptor, and the file's lock belongs to it
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock within the block."""
        with self._among_threads:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)
