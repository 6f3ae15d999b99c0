"""Keys that an EHR publishes at its registered address: fetched seldom, kept for a while, and never asked for in vain.

Nothing of a token decides what is fetched. A key that is unknown leads to a fetch, but to one in 30 seconds at most,
however many tokens name unknown keys; calls that come meanwhile wait for the same fetch.

Source: trust/design.md 2.2; the advisories CVE-2026-48522 and -48524 are about libraries that do otherwise.
"""

import asyncio
from collections.abc import Awaitable, Callable

from cds.errors import TrustError
from cds.network.failure import NetworkError
from cds.network.http import Http, get_bytes
from cds.trust.keys import Keys, PublicKey, read_keys
from cds.trust.registry import Report

FRESH_SECONDS = 600.0
"""So long keys are used without asking again."""

USABLE_SECONDS = 3600.0
"""So long keys are used while their address does not answer."""

PAUSE_SECONDS = 30.0
"""So long no second fetch from an address begins."""

Fetch = Callable[[str], Awaitable[bytes]]
"""Takes an address and returns what is there; raises TrustError (CDS-616) if it cannot be had within its limits."""

_ANSWERED_WITHIN_SECONDS = 2.0
_MOST_BYTES = 65_536


class PublishedKeys:
    """The keys at one address.

    Args:
        url: the registered address.
        fetch: reads it.
        clock: a monotonic clock, in seconds.
        report: takes the event that a fetch failed.
    """

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], float], report: Report) -> None:
        self._url, self._fetch, self._clock, self._report = url, fetch, clock, report
        self._keys: Keys = {}
        self._read_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """Return the key of that name for that algorithm, or None if it is not known now."""
        found = self._keys.get((kid, algorithm))
        if found is None or self._age() > FRESH_SECONDS:
            await self._refresh()
        return self._keys.get((kid, algorithm)) if self._age() <= USABLE_SECONDS else None

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._fetching:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _age(self) -> float:
        return self._clock() - self._read_at

    async def _refresh(self) -> None:
        """Fetch, unless that was tried just now; a call that is given up does not end what others wait for."""
        if self._fetching is None and self._clock() - self._tried_at >= PAUSE_SECONDS:
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._read())
        if self._fetching is not None:
            await asyncio.shield(self._fetching)

    async def _read(self) -> None:
        try:
            keys = read_keys(await self._fetch(self._url), "jwks_url", strict=False)
            if not keys:
                raise TrustError("CDS-616", "jwks_url", "There is no usable key at the address.")
        except TrustError as error:
            self._report("keys.refused", {"problem": error.code})
        else:
            self._keys, self._read_at = keys, self._clock()
        finally:
            self._fetching = None


def fetch_over(http: Http) -> Fetch:
    """Return what reads a registered address: within two seconds, 64 KB at most, following no redirect."""

    async def fetch(url: str) -> bytes:
        deadline = asyncio.get_running_loop().time() + _ANSWERED_WITHIN_SECONDS
        headers = {"Accept": "application/jwk-set+json, application/json"}
        try:
            answer = await get_bytes(http, url, headers=headers, most_bytes=_MOST_BYTES, deadline=deadline)
        except NetworkError as error:
            raise TrustError("CDS-616", "jwks_url", f"The keys could not be fetched: {error.reason}.") from None
        if answer.status != 200:
            raise TrustError("CDS-616", "jwks_url", f"The address of the keys answers HTTP {answer.status}.")
        return answer.body

    return fetch
