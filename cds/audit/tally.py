"""Calls that are turned away in great numbers leave one counted entry a minute, not one entry each."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from cds.audit.record import LogEntry, RecordType

TALLY_SECONDS = 60.0
"""So much time one counted entry covers."""


class Tally:
    """Counts refused calls by HTTP status; safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[int] = Counter()
        self._since = 0.0

    def count(self, status: int) -> None:
        """Count one call that was refused with this HTTP status."""
        with self._lock:
            if not self._counts:
                self._since = self._clock()
            self._counts[status] += 1

    def take(self, *, now: bool = False) -> LogEntry | None:
        """Return the entry of the minute that is over, if anything was counted; with `now`, even if it is not over."""
        with self._lock:
            seconds = self._clock() - self._since
            if not self._counts or not (now or seconds >= TALLY_SECONDS):
                return None
            counts, self._counts = self._counts, Counter()
        refused = {str(status): count for status, count in sorted(counts.items())}
        return LogEntry(RecordType.COUNTED, {"refused": dict(refused), "seconds": round(seconds)})
