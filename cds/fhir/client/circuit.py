"""Leave a FHIR server alone that failed call after call: then the answer comes at once instead of at the deadline.

A call has failed if connections, timeouts and HTTP 5xx were all that it met. Any other answer, also 401, 403, 404 and
429, shows that the server is well.

Source: trust/design.md 0a.11.
"""

from collections.abc import Callable
from dataclasses import dataclass

_Key = tuple[str, str]


@dataclass(slots=True)
class _Line:
    failures: int = 0
    closed_until: float = 0.0


class Circuits:
    """What is known of the servers, by client and base URL.

    Args:
        clock: returns seconds that only grow.
        most_failures: so many failed calls in a row, and the server is left alone.
        pause_seconds: for how long; then one call tries again.
    """

    def __init__(self, clock: Callable[[], float], most_failures: int = 3, pause_seconds: float = 10.0) -> None:
        self._clock = clock
        self._most_failures = most_failures
        self._pause_seconds = pause_seconds
        self._lines: dict[_Key, _Line] = {}

    def may_ask(self, client: str, base: str) -> bool:
        """Say whether the server is asked now. After the pause it is for one call, whose result decides."""
        line = self._lines.get((client, base))
        if line is None or line.failures < self._most_failures:
            return True
        now = self._clock()
        if now < line.closed_until:
            return False
        line.closed_until = now + self._pause_seconds
        return True

    def report(self, client: str, base: str, *, well: bool) -> None:
        """Note how a call went."""
        key = (client, base)
        if well:
            self._lines.pop(key, None)
            return
        line = self._lines.setdefault(key, _Line())
        line.failures += 1
        line.closed_until = self._clock() + self._pause_seconds
