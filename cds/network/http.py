"""GET over HTTP/1.1 with every bound that a server which is not trusted needs: whom, how much, how long.

Not `httpx`: its cookies, redirects, proxies and decoders would each have to be switched off. What is used is the
library beneath it. No exception of that library leaves this module: its text may hold a header, and with it a token.
"""

import asyncio
import ssl
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpcore

from cds.network.address import Address, escaped, parse_address
from cds.network.backend import PinnedBackend, Resolve, resolve_name
from cds.network.failure import Fault, NetworkError
from cds.network.rules import NetworkRules

CONNECT_SECONDS = 1.0
"""How long one attempt to connect may take, and as long again its TLS; always within the deadline."""

_IDLE_SECONDS = 15.0
_MOST_IDLE = 20
_OK = 200


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server answered.

    Attributes:
        status: the HTTP status.
        media_type: Content-Type in lower case without parameters; empty if not given.
        body: decoded bytes; empty unless the status is 200.
        retry_after: the Retry-After header; empty if not given.
    """

    status: int
    media_type: str = ""
    body: bytes = field(default=b"", repr=False)
    retry_after: str = ""


class Http:
    """The connections to other servers; made by `open_http`, closed by `aclose`. Belongs to one event loop."""

    def __init__(self, plain: httpcore.AsyncConnectionPool, secured: httpcore.AsyncConnectionPool) -> None:
        self._pools = {"http": plain, "https": secured}

    def pool(self, address: Address) -> httpcore.AsyncConnectionPool:
        """Return the connections that fit the scheme of an address."""
        return self._pools[address.scheme]

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()


def open_http(rules: NetworkRules, resolve: Resolve = resolve_name, tls: ssl.SSLContext | None = None) -> Http:
    """Return a way to other servers that keeps to `rules`.

    Args:
        rules: which machines may be reached.
        resolve: returns the addresses of a host.
        tls: which certificates are accepted; None for those that the machine trusts (``SSL_CERT_FILE`` adds own ones).
    """
    context = tls or httpcore.default_ssl_context()
    plain, secured = (
        httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=None,  # each call has its own bound; one slow server must not starve the others
            max_keepalive_connections=_MOST_IDLE,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=PinnedBackend(rules, resolve, plain=is_plain),
        )
        for is_plain in (True, False)
    )
    return Http(plain, secured)


async def get_bytes(http: Http, url: str, *, headers: Mapping[str, str], most_bytes: int, deadline: float) -> Fetched:
    """GET `url` and return what was answered; redirects are answers like others.

    Args:
        http: made by `open_http`.
        url: absolute; what an address cannot hold is percent-encoded first.
        headers: what is sent besides Host, Accept-Encoding and User-Agent.
        most_bytes: the largest body, decoded.
        deadline: when the last byte must have come, in the event loop's time.

    Raises:
        NetworkError: there is no answer that can be used.
    """
    address = parse_address(escaped(url))
    try:
        async with asyncio.timeout_at(deadline):
            return await _exchange(http, address, headers, most_bytes)
    except NetworkError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - whatever it was: its text is not passed on
        failure = _failure(error)
    raise failure


async def _exchange(http: Http, address: Address, headers: Mapping[str, str], most_bytes: int) -> Fetched:
    url = httpcore.URL(
        scheme=address.scheme.encode(), host=address.host.encode(), port=address.port, target=address.target.encode()
    )
    sent = {"Host": address.authority, "Accept-Encoding": "gzip", "User-Agent": "ketamine-cds", **headers}
    bounds = {"timeout": {"connect": CONNECT_SECONDS}}
    async with http.pool(address).stream("GET", url, headers=list(sent.items()), extensions=bounds) as response:
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        media_type = found.get("content-type", "").partition(";")[0].strip().lower()
        body = await _body(response, found.get("content-encoding", ""), most_bytes) if response.status == _OK else b""
        return Fetched(response.status, media_type, body, found.get("retry-after", ""))


async def _body(response: httpcore.Response, encoding: str, most_bytes: int) -> bytes:
    """Return the decoded body; no more than one byte above the bound is ever decoded."""
    if encoding.strip().lower() not in {"", "identity", "gzip"}:
        raise NetworkError("the answer is compressed in a way that was not asked for", Fault.CONTENT)
    unpack = zlib.decompressobj(wbits=31) if encoding.strip().lower() == "gzip" else None
    body = bytearray()
    async for part in response.aiter_stream():
        body += unpack.decompress(part, most_bytes + 1 - len(body)) if unpack else part
        if len(body) > most_bytes:
            raise NetworkError(f"the answer is larger than {most_bytes} bytes", Fault.CONTENT)
    if unpack and not unpack.eof:
        raise NetworkError("the compressed answer is cut off", Fault.CONNECTION)
    return bytes(body)


def _failure(error: Exception) -> NetworkError:
    """Return our own words for what a library raised."""
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return NetworkError("no answer in time", Fault.TIMEOUT)
    if any(isinstance(one, ssl.SSLError) for one in _chain(error)):
        return NetworkError("the server's certificate or its TLS is not accepted", Fault.CONNECTION)
    if isinstance(error, httpcore.ConnectError):
        return NetworkError("no connection", Fault.CONNECTION)
    if isinstance(error, zlib.error):
        return NetworkError("the compressed answer is damaged", Fault.CONTENT)
    if isinstance(error, httpcore.LocalProtocolError | UnicodeError | TypeError):
        return NetworkError("the request cannot be written", Fault.FORBIDDEN)
    return NetworkError("the connection broke", Fault.CONNECTION)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
