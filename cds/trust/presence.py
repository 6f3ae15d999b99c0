"""Who uses the file of spent tokens: whether a process is the first to come, and the last to go."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Presence:
    """The presence of this process among all that use a file.

    Two lock files lie beside it. ``.door`` is held while somebody comes or goes, so that only one does at a time.
    ``.users`` is shared by all who are there; who can have it alone is the only one. The kernel lets go of both when
    a process ends, however it ends.
    """

    def __init__(self, path: Path) -> None:
        self._door = _open(path.with_name(path.name + ".door"))
        self._users = _open(path.with_name(path.name + ".users"))

    @contextmanager
    def coming(self) -> Iterator[bool]:
        """Come in; the block learns whether nobody else is there, and nobody comes or goes meanwhile."""
        with self._at_the_door():
            yield self._alone()
            fcntl.flock(self._users, fcntl.LOCK_SH)

    @contextmanager
    def going(self) -> Iterator[bool]:
        """Go; the block learns whether nobody else is left, and nobody comes or goes meanwhile."""
        try:
            with self._at_the_door():
                yield self._alone()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of both files without a word; the locks end with them."""
        os.close(self._users)
        os.close(self._door)

    @contextmanager
    def _at_the_door(self) -> Iterator[None]:
        fcntl.flock(self._door, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)

    def _alone(self) -> bool:
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
