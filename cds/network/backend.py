"""Connections whose name is resolved once: the address that was judged is the address that is connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address

from httpcore import SOCKET_OPTION, AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream, ConnectError, ConnectTimeout

from cds.network.failure import Fault, NetworkError
from cds.network.rules import IPAddress, NetworkRules

Resolve = Callable[[str, int], Awaitable[tuple[IPAddress, ...]]]
"""Returns the addresses of a host; may raise OSError."""


async def resolve_name(host: str, port: int) -> tuple[IPAddress, ...]:
    """Return all addresses of a host, as the machine's own resolver gives them.

    Raises:
        OSError: the name is not known.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(str(where[0]).partition("%")[0]) for *_, where in found))


class PinnedBackend(AsyncNetworkBackend):
    """Opens connections only to addresses that the rules permit; TLS still asks for the name."""

    def __init__(self, rules: NetworkRules, resolve: Resolve, *, plain: bool) -> None:
        self._rules = rules
        self._resolve = resolve
        self._plain = plain
        self._inner = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first permitted address of `host` that answers.

        Raises:
            NetworkError: no address is permitted, or the name is not known.
            httpcore.ConnectError, httpcore.ConnectTimeout: nothing answers there.
        """
        failure: Exception | None = None
        for address in await self._permitted(host, port):
            try:
                return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (ConnectError, ConnectTimeout) as error:
                failure = error
        raise failure or ConnectError()

    async def _permitted(self, host: str, port: int) -> tuple[IPAddress, ...]:
        try:
            found: tuple[IPAddress, ...] = (ip_address(host),)
        except ValueError:
            found = await self._look_up(host, port)
        permitted = tuple(one for one in found if self._rules.permits(one, plain=self._plain))
        if not permitted:
            why = "without TLS only listed networks are read" if self._plain else "its network is internal, not listed"
            raise NetworkError(f"the address is refused: {why}", Fault.FORBIDDEN)
        return permitted

    async def _look_up(self, host: str, port: int) -> tuple[IPAddress, ...]:
        try:
            return await self._resolve(host, port)
        except (OSError, UnicodeError):
            pass  # its text may hold the name; outside of the block nothing keeps it
        raise NetworkError("the server's name is not known", Fault.CONNECTION)
