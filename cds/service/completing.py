"""Complete what an EHR sent: what is absent, failed or only a first page is read from its FHIR server.

Source: CDS Hooks 2.0.1, "Prefetch" and "FHIR Resource Access"; clinical/rules.md D-EMPTY, D-DRUG.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cds.audit.record import SourceRead
from cds.errors import RequestError
from cds.fhir.answers import PRODUCTS, open_answers, why_cut_short, why_not_whole
from cds.fhir.bundle import paging
from cds.fhir.client import FhirReader, Query, Reply, Server, base_of, server_for
from cds.fhir.context import ReadContext, Received, as_received
from cds.fhir.products import missing_products, on_server, searches, single_reads, together
from cds.hooks.body import check_json
from cds.hooks.members import items, members
from cds.hooks.prefetch import resolve
from cds.hooks.request import HookRequest
from cds.network.failure import NetworkError
from cds.network.http import Http
from cds.service.ports import Ports
from cds.trust.client import Client

NEVER_SENT = "registered: this EHR keeps none"
"""The origin of a key for which the client is registered as never sending."""


def open_reader(http: Http, most_pages: int) -> FhirReader:
    """Return what reads FHIR servers; a page is held to the limits of a request body."""
    return FhirReader(http, _why_not_taken, most_pages)


@dataclass(slots=True)
class Completion:
    """What is known of one call's data, and how more is had.

    Attributes:
        request: the call.
        context: how its FHIR content is read, and which keys are asked for.
        ports: the query of each key, and what reads them.
        until: when the last byte must have come, in the event loop's time.
        server: where it is read; None if nowhere.
        refused: why fhirServer is not read, if the call names one; else empty.
        received: what came so far, by key.
        replies: what was read from the server, by key.
        seconds: how long reading took in all.
    """

    request: HookRequest
    context: ReadContext
    ports: Ports
    until: float
    server: Server | None = None
    refused: str = ""
    received: dict[str, Received] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    seconds: float = 0.0

    async def complete(self, keys: Iterable[str]) -> Mapping[str, Received]:
        """Return everything received, after those of `keys` that are not whole were read, with their Medications."""
        wanting = {key: self._wanting(key) for key in keys if key not in self.replies}
        queries = [query for query in wanting.values() if query]
        for key, reply in (await self._read(queries)).items():
            self.received[key] = _kept(self.received.get(key), reply.received)
        await self.read_products(missing_products(self.received, self.context))
        return self.received

    async def read_products(self, addresses: Iterable[str]) -> None:
        """Read Medications, together if the server can, else one by one; what came is kept for whoever refers to it."""
        wanted = on_server(addresses)
        if not wanted or not self.server:
            return
        before = replace(self.received.get(PRODUCTS, Received()), failure="")
        found = together([before, *await self._read_paths(searches(wanted))])
        left = tuple(one for one in wanted if len(wanted) > 1 and one not in self._addresses(found))
        if left:
            found = together([replace(found, failure=""), *await self._read_paths(single_reads(left))])
        self.received[PRODUCTS] = found

    def sources(self) -> tuple[SourceRead, ...]:
        """Return for the record where the data of each key came from."""
        return tuple(SourceRead(key, self._origin(key), _count(one)) for key, one in self.received.items())

    def remarks(self) -> tuple[str, ...]:
        """Return for the record what kept the FHIR server from being read."""
        return (f"fhirServer was not read: {self.refused}",) if self.refused else ()

    def _wanting(self, key: str) -> Query | None:
        """Return the query that completes a key, None if it is whole or cannot be read."""
        had = self.received.get(key)
        if self.refused and not had:
            self.received[key] = Received(failure=f"not sent; {self.refused}")
        path = resolve(self.ports.templates.get(key, "{{"), _tokens(self.request))
        if path is None or not self.server:
            return None
        only = replace(self.context, expected={key: self.context.expected[key]})
        (answer,) = open_answers({key: had} if had else {}, only)
        failed = any(why_not_whole(answer))
        if not failed and not why_cut_short(answer):
            return None
        first = had.pages[0] if had and not failed and paging(had.pages[0]).follows else None
        return Query(key, path, first)

    async def _read_paths(self, paths: Mapping[str, str]) -> list[Received]:
        replies = await self._read([Query(key, path) for key, path in paths.items()])
        return [reply.received for reply in replies.values()]

    async def _read(self, queries: list[Query]) -> dict[str, Reply]:
        if not (queries and self.ports.reader and self.server):
            return {}
        clock = asyncio.get_running_loop().time
        started = clock()
        replies = await self.ports.reader.read(queries, self.server, self.until)
        self.seconds += clock() - started
        self.replies |= replies
        return replies

    def _addresses(self, found: Received) -> frozenset[str]:
        (answer,) = open_answers({PRODUCTS: found}, replace(self.context, expected={}))
        return frozenset(item.address for item in answer.items)

    def _origin(self, key: str) -> str:
        if self.received[key].origin == NEVER_SENT:
            return NEVER_SENT
        parts = ["prefetch"] if key in self.request.prefetch else []
        if reply := self.replies.get(key):
            pages = "1 page" if reply.pages == 1 else f"{reply.pages} pages"
            why = f"; {reply.received.failure}" if reply.received.failure else ""
            parts.append(f"read from the FHIR server: {pages} in {reply.milliseconds} ms{why}")
        elif key == PRODUCTS:
            parts.append("read from the FHIR server")
        return ", ".join(parts) or "none"


def completion_of(request: HookRequest, context: ReadContext, client: Client, ports: Ports, until: float) -> Completion:
    """Return what was sent, ready to be completed by `until` from what the client is registered for."""
    completion = Completion(request, context, ports, until, received=as_received(request.prefetch))
    for key in client.never_sends & context.expected.keys() - request.prefetch.keys():
        completion.received[key] = Received((b"null",), NEVER_SENT)
    if request.fhir_server:
        token = request.authorization.access_token if request.authorization else ""
        try:
            base = base_of(request.fhir_server, client.fhir_bases, any_loopback=ports.any_loopback)
            completion.server = server_for(client.name, base, token)
        except NetworkError as error:
            completion.refused = error.reason
    return completion


def _kept(had: Received | None, read: Received) -> Received:
    """Return what was read; if that is nothing, what was sent stays, with the reason why no more came."""
    return read if read.pages or had is None else replace(had, failure=read.failure)


def _tokens(request: HookRequest) -> dict[str, object]:
    """Return the tokens that templates use: ids that were checked when the request was read."""
    return {"patientId": request.patient_id, "encounterId": request.encounter_id}


def _why_not_taken(page: bytes) -> str:
    try:
        check_json(page)
    except RequestError as error:
        return f"not readable ({error.code})"
    return ""


def _count(received: Received) -> int:
    """Return how many resources came: the entries of Bundles, and single resources."""
    return sum(_count_in(bytes(page)) for page in received.pages)


def _count_in(page: bytes) -> int:
    found = members(page)
    if found is None:
        return 0
    return len(items(found["entry"])) if "entry" in found else int(found.get("resourceType") != b'"Bundle"')
