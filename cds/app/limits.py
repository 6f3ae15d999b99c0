"""How often a client may call, and how often the tokens of one address may fail.

So that many calls at the same moment are no way around it, no more tokens of an address are looked at together than may
still fail; the others wait. Good tokens therefore never bar an address, however many come at once.

Counted in fixed minutes, in the memory of one worker process: with several workers a client may make so many calls to
each of them.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from weakref import WeakValueDictionary

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

_ONCE = RateLimitItemPerMinute(1, namespace="logged")


class Limits:
    """The counters of one worker process."""

    def __init__(self, calls_per_minute: int, failed_tokens_per_minute: int) -> None:
        self._calls_per_minute = calls_per_minute
        self._failed = RateLimitItemPerMinute(failed_tokens_per_minute, namespace="failed-token")
        self._windows = FixedWindowRateLimiter(MemoryStorage())
        self._checks: WeakValueDictionary[str, _Checks] = WeakValueDictionary()

    async def count_call(self, client: str, per_minute: int | None) -> int:
        """Count a call and return 0, or in how many seconds the next one is allowed.

        Args:
            client: the name of the registered client.
            per_minute: how many calls it may make; None for the service's own number.
        """
        limit = RateLimitItemPerMinute(per_minute or self._calls_per_minute, namespace="call")
        return 0 if await self._windows.hit(limit, client) else await self._seconds(limit, client)

    async def count_failed_token(self, peer: str) -> None:
        """Count that a token of this address was not accepted."""
        await self._windows.hit(self._failed, network_of(peer))

    @asynccontextmanager
    async def looking_at(self, peer: str) -> AsyncIterator[int]:
        """Let a token of this address be looked at in the block, after others if need be; it counts there if it fails.

        Yields:
            0, or in how many seconds a token of this address is looked at again: then this one must not be.
        """
        network = network_of(peer)
        checks = self._checks.setdefault(network, _Checks())
        if not await self._begin(checks, network):
            yield await self._seconds(self._failed, network)
            return
        try:
            yield 0
        finally:
            checks.under_way -= 1
            async with checks.changed:
                checks.changed.notify()

    async def _begin(self, checks: "_Checks", network: str) -> bool:
        """Wait until one more token may be looked at, and return True; False if too many have failed."""
        async with checks.changed:
            while 0 < (left := await self._failures_left(network)) <= checks.under_way:
                await checks.changed.wait()
            if left > 0:
                checks.under_way += 1
            if left == 0 or checks.under_way < left:
                checks.changed.notify()  # the next one need not wait either
        return left > 0

    async def _failures_left(self, network: str) -> int:
        return (await self._windows.get_window_stats(self._failed, network)).remaining

    async def is_first(self, event: str, whose: str) -> bool:
        """Say whether this did not happen in this minute yet, so that a flood of calls is no flood of log lines."""
        return await self._windows.hit(_ONCE, event, whose)

    async def _seconds(self, limit: RateLimitItemPerMinute, whose: str) -> int:
        ends = (await self._windows.get_window_stats(limit, whose)).reset_time
        return max(1, math.ceil(ends - time.time()))


class _Checks:
    """The tokens of one address that are being looked at."""

    def __init__(self) -> None:
        self.under_way = 0
        self.changed = asyncio.Condition()


def network_of(peer: str) -> str:
    """Return what is counted as one caller: an IPv4 address, or the 64 bits that one IPv6 subscriber has.

    >>> network_of("203.0.113.9"), network_of("::ffff:203.0.113.9"), network_of("2001:db8:1:2:3:4:5:6"), network_of("")
    ('203.0.113.9', '203.0.113.9', '2001:db8:1:2::/64', 'unknown')
    """
    try:
        address = ip_address(peer)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((address, 64), strict=False))
    return str(address)
