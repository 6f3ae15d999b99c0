"""How many calls are answered at once: of all clients, and of one of them.

A call has its place before its body has come, so a client that sends slowly holds what it has. Therefore one client
has half of the places at most, and the others are answered whatever it does.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from cds.errors import RequestError
from cds.trust.client import DEVELOPMENT


class Places:
    """The places of one worker process.

    Args:
        most: how many calls are answered at once. A client has half of them, rounded down, but one at least; in
            development, where there is one client, it has them all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def refusal(self, client: str) -> RequestError | None:
        """Return why a call of the client cannot have a place now (CDS-227, HTTP 503); None if it can."""
        if self._taken.total() >= self._most:
            return _busy("Too many calls are being answered.")
        if client != DEVELOPMENT and self._taken[client] >= max(1, self._most // 2):
            return _busy("Too many calls of this client are being answered.")
        return None

    @contextmanager
    def taken(self, client: str) -> Iterator[None]:
        """Let a call of the client have a place until the block ends."""
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]


def _busy(what: str) -> RequestError:
    return RequestError("CDS-227", "service", what, action="Try again later.")
