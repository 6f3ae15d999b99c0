"""Read queries from a FHIR server, all at once, each with its pages. What cannot be had comes back with its reason."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from cds.fhir.bundle import Paging, paging
from cds.fhir.client.circuit import Circuits
from cds.fhir.client.exchange import Exchange, NotRead
from cds.fhir.client.server import Server
from cds.fhir.context import RawJson, Received
from cds.network.address import escaped, parse_address
from cds.network.failure import NetworkError
from cds.network.http import Http

ORIGIN = "FHIR server"
"""How the origin of what was read here begins."""
MOST_PAGES = 8
"""How many pages of one search are read, unless the settings say otherwise."""

_MOST_OBJECTS = 300_000
_NOT_ASKED = "not asked: the FHIR server failed several calls in a row"
_NO_TIME = "no time was left to read it"


@dataclass(frozen=True, slots=True)
class Query:
    """What is read for one key.

    Attributes:
        key: the prefetch key.
        path: the query below the base: ``Condition?patient=123``, ``Patient/123``.
        first: the first page, if it was sent already; reading goes on from its next link.
    """

    key: str
    path: str = field(repr=False)
    first: RawJson | None = field(default=None, repr=False)

    @property
    def resource_type(self) -> str:
        """Return the FHIR type that is asked for."""
        return self.path.partition("?")[0].partition("/")[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a query: how many pages were read, and in how many milliseconds."""

    received: Received
    pages: int = 0
    milliseconds: int = 0


class FhirReader:
    """Reads from FHIR servers; belongs to one event loop.

    Args:
        http: how other servers are reached; closed by `aclose`.
        check: returns why a page cannot be taken in (too deep, no JSON object); empty if it can.
        most_pages: how many pages of one search are read.
        circuits: which servers are left alone; None for new ones on the event loop's clock.
    """

    def __init__(
        self,
        http: Http,
        check: Callable[[bytes], str],
        most_pages: int = MOST_PAGES,
        circuits: Circuits | None = None,
    ) -> None:
        self._http = http
        self._check = check
        self._most_pages = most_pages
        self._circuits = circuits or Circuits(lambda: asyncio.get_running_loop().time())

    async def read(self, queries: Iterable[Query], server: Server, until: float) -> dict[str, Reply]:
        """Return the reply to each query by its key; nothing is raised for what a server does.

        Args:
            queries: what to read.
            server: where; nothing outside of its base is asked, whatever a next link says.
            until: when the last byte must have come, in the event loop's time.
        """
        asked = list(queries)
        client, base = server.client, str(server.base)
        why_not = "" if asyncio.get_running_loop().time() < until else _NO_TIME
        if not asked or (why_not := why_not or ("" if self._circuits.may_ask(client, base) else _NOT_ASKED)):
            return {query.key: Reply(_received(query, [], why_not)) for query in asked}
        exchange = Exchange(self._http, server, until)
        replies = await asyncio.gather(*(self._reply(query, exchange) for query in asked))
        if exchange.answered or exchange.failed:
            self._circuits.report(client, base, well=exchange.answered)
        return {query.key: reply for query, reply in zip(asked, replies, strict=True)}

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def _reply(self, query: Query, exchange: Exchange) -> Reply:
        loop = asyncio.get_running_loop()
        started = loop.time()
        pages: list[RawJson] = []
        failure = ""
        try:
            await self._read_pages(query, exchange, pages)
        except NotRead as reason:
            failure = str(reason)
        return Reply(_received(query, pages, failure), len(pages), round((loop.time() - started) * 1000))

    async def _read_pages(self, query: Query, exchange: Exchange, pages: list[RawJson]) -> None:
        """Add the pages one by one, so that those that came are kept when a later one fails.

        Raises:
            NotRead: not all could be read.
        """
        base = exchange.server.base
        seen: set[str] = set()
        url: str | None = escaped(f"{base}/{query.path}")
        if query.first is not None:
            url = _next(paging(query.first), exchange.server, seen)
        while url:
            if len(pages) + (query.first is not None) >= self._most_pages:
                raise NotRead(f"more than {self._most_pages} pages")
            seen.add(url)
            page = await exchange.get(url)
            turn = self._judged(page, is_first=len(seen) == 1 and query.first is None)
            pages.append(page)
            url = _next(turn, exchange.server, seen)

    def _judged(self, page: bytes, *, is_first: bool) -> Paging:
        if why_not := self._check(page):
            raise NotRead(why_not)
        if page.count(b"{") > _MOST_OBJECTS:
            raise NotRead("not readable: too many objects")
        turn = paging(page)
        if not (is_first or turn.is_bundle):
            raise NotRead("a next page is no FHIR Bundle")
        return turn


def _received(query: Query, pages: list[RawJson], failure: str) -> Received:
    sent = () if query.first is None else (query.first,)
    origin = f"{ORIGIN}: {query.resource_type}" if pages or failure else ""
    return Received((*sent, *pages), origin, failure)


def _next(turn: Paging, server: Server, seen: set[str]) -> str | None:
    """Return the address of the next page, None if there is none.

    Raises:
        NotRead: it does not lie on the server that is read, or was read already.
    """
    if not turn.follows:
        return None
    try:
        address = parse_address(escaped(urljoin(f"{server.base}/", turn.url)))
    except (NetworkError, ValueError):
        raise NotRead("the next link is no address") from None
    if not turn.url or not address.lies_under(server.base):
        raise NotRead("the next link leaves the FHIR server")
    if str(address) in seen:
        raise NotRead("the next link leads in a circle")
    return str(address)
