"""The requests of one call to one FHIR server: bounded together in time, in number at once and in bytes."""

import asyncio
from dataclasses import dataclass, field

from cds.fhir.client.server import Server
from cds.network.failure import Fault, NetworkError
from cds.network.http import Fetched, Http, get_bytes

MOST_PAGE_BYTES = 10_000_000
"""The largest page that is read."""
MOST_BYTES = 20_000_000
"""The most that is read for one call."""
MOST_AT_ONCE = 6
"""How many requests of one call are under way at the same time."""

_PASSING = frozenset({502, 503, 504})
_TOO_MANY = 429
_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_LEAST_SECONDS = 0.2
_HEALTH = frozenset({Fault.CONNECTION, Fault.TIMEOUT})


class NotRead(Exception):  # noqa: N818 - it says what happened
    """Something could not be read; the text is the reason, in our own words."""


@dataclass(slots=True)
class Exchange:
    """What the requests of one call have in common.

    Attributes:
        http: the connections.
        server: who is asked.
        until: when the last byte must have come, in the event loop's time.
        answered: the server has answered at least once with anything but 5xx.
        failed: at least one connection, wait or 5xx was in vain.
        requests: how many were sent.
    """

    http: Http
    server: Server
    until: float
    answered: bool = False
    failed: bool = False
    requests: int = 0
    _bytes_left: int = MOST_BYTES
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))

    async def get(self, url: str) -> bytes:
        """Return the body of what lies at `url`, which must be checked before.

        Raises:
            NotRead: it could not be had; nothing else is raised.
        """
        try:
            async with asyncio.timeout_at(self.until), self._places:
                fetched = await self._with_one_retry(url)
        except TimeoutError:
            self.failed = True
            raise NotRead("no answer in time") from None
        except NetworkError as error:
            raise NotRead(error.reason.replace("the server's", "the FHIR server's", 1)) from None
        if fetched.status != 200:
            redirect = ": a redirect, which is not followed" if 300 <= fetched.status < 400 else ""
            raise NotRead(f"HTTP {fetched.status}{redirect}")
        return fetched.body

    async def _with_one_retry(self, url: str) -> Fetched:
        try:
            fetched = await self._once(url)
        except NetworkError as error:
            if error.fault is not Fault.CONNECTION or not self._has_time(_PAUSE_SECONDS):
                raise
            pause_seconds: float | None = _PAUSE_SECONDS
        else:
            pause_seconds = _pause(fetched)
            if pause_seconds is None or not self._has_time(pause_seconds):
                return fetched
        await asyncio.sleep(pause_seconds or 0)
        return await self._once(url)

    async def _once(self, url: str) -> Fetched:
        self.requests += 1
        if (most_bytes := min(MOST_PAGE_BYTES, self._bytes_left)) <= 0:
            raise NetworkError(f"more than {MOST_BYTES} bytes for one call", Fault.CONTENT)
        try:
            fetched = await get_bytes(
                self.http, url, headers=self.server.headers, most_bytes=most_bytes, deadline=self.until
            )
        except NetworkError as error:
            self.failed |= error.fault in _HEALTH
            raise
        self._bytes_left -= len(fetched.body)
        self.answered |= fetched.status < 500
        self.failed |= fetched.status >= 500
        return fetched

    def _has_time(self, pause_seconds: float) -> bool:
        return asyncio.get_running_loop().time() + pause_seconds + _LEAST_SECONDS < self.until


def _pause(fetched: Fetched) -> float | None:
    """Return how many seconds to wait before asking again; None if that would not help."""
    asked = float(fetched.retry_after) if fetched.retry_after.isdecimal() and len(fetched.retry_after) < 5 else None
    if fetched.status == _TOO_MANY:
        return asked if asked is not None and asked <= _LONGEST_PAUSE_SECONDS else None
    if fetched.status not in _PASSING or (asked or 0) > _LONGEST_PAUSE_SECONDS:
        return None
    return _PAUSE_SECONDS if asked is None else asked
