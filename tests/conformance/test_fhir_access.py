"""A5 and A6: What an EHR did not send is read from its FHIR server, and from no other."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest

from cds.fhir.bundle import Paging
from cds.fhir.client import Server, reader, server_for
from cds.fhir.client import exchange as fetching
from cds.hooks import decode
from cds.hooks.request import Authorization
from cds.network.address import Address, parse_address
from cds.network.failure import Fault, NetworkError
from cds.network.http import Fetched, Http, get_bytes
from cds.service import completing
from tests.conformance.calls import PSYCHOSIS
from tests.conformance.fhir_record import AUTHORIZATION, FOUND, TOKEN, call, holding, topics
from tests.conformance.mutations import having, put, turned_red_by, where, whole
from tests.conformance.trusted import Trusted, logged
from tests.fetch.fault_server import Asked, FaultServer, answer_held, page, write


async def _breaks(_: FaultServer, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer 500 with what was sent."""
    write(writer, 500, repr(asked.headers).encode())


# How the service is broken.

_NOT_REGISTERED = mock.Mock(side_effect=NetworkError("no server is registered", Fault.FORBIDDEN))
_SERVER_FOR, _READ_AUTHORIZATION, _GET_BYTES = server_for, decode._authorization, get_bytes


def _any_server(asked: str, *_: object, **__: object) -> Address:
    return parse_address(asked)


def _logging_server(client: str, base: Address, token: str) -> Server:
    logging.getLogger("cds").warning("reading with %s", token)
    return _SERVER_FOR(client, base, token)


def _repeating_the_token(found: Mapping[str, bytes], _: Mapping[str, bytes]) -> list[str]:
    return [found["fhirAuthorization"].decode()]


def _only_smart_1(found: Mapping[str, bytes]) -> Authorization | None:
    authorization = _READ_AUTHORIZATION(found)
    return authorization if authorization and authorization.scope.endswith(".read") else None


def _anywhere(turn: Paging, *_: object) -> str | None:
    return turn.url if turn.follows else None


@contextmanager
def _following_redirects(given: Trusted) -> Iterator[Trusted]:
    async def follow(http: Http, url: str, **limits: Any) -> Fetched:  # noqa: ANN401 - as `get_bytes` takes them
        fetched = await _GET_BYTES(http, url, **limits)
        return await _GET_BYTES(http, f"{given.other.base}/Condition", **limits) if fetched.status == 302 else fetched

    with mock.patch.object(fetching, "get_bytes", follow):
        yield given


@pytest.mark.requirement(31)
@turned_red_by("a next page that is not read", having(reader, "_next", lambda *_: None))
@turned_red_by("no cards", whole(put(cards=[])))
def test_a_first_page_is_completed_from_its_next_link(trusted: Trusted) -> None:
    record = holding(trusted)
    trusted.fhir.held["page-2"] = page({"resource": PSYCHOSIS})
    first = page(after=f"{trusted.fhir.base}/page-2")

    assert FOUND == topics(call(trusted, {**record, "conditions": first}))


@pytest.mark.requirement(34)
@turned_red_by("nothing is read", having(completing, "base_of", _NOT_REGISTERED))
@turned_red_by("412 without prefetch", where(200, status=412))
def test_without_any_prefetch_the_cards_are_those_of_a_whole_one(trusted: Trusted) -> None:
    record = holding(trusted)
    sent, read = call(trusted, record), call(trusted)

    assert FOUND == topics(sent)
    assert FOUND == topics(read)


@pytest.mark.requirement(33)
@turned_red_by("an empty list of cards", where(412, status=200, content=b'{"cards":[]}'))
@turned_red_by("503 for what the other server does", where(412, status=503))
def test_required_data_that_the_fhir_server_does_not_give_are_412(trusted: Trusted) -> None:
    holding(trusted)
    trusted.fhir.held = {query: held for query, held in trusted.fhir.held.items() if "Patient/" not in query}

    reply = call(trusted)

    assert (412, "CDS-301") == (reply.status, reply.problem())


ODD: list[Any] = [
    AUTHORIZATION,
    {"access_token": TOKEN},
    AUTHORIZATION | {"token_type": "bearer", "expires_in": "soon", "subject": None},
    AUTHORIZATION | {"patient": "amara"},
    AUTHORIZATION | {"patient": "Patient/amara", "need_patient_banner": True},
]


@pytest.mark.requirement(35)
@turned_red_by("a refusal of what is odd", where(200, status=400))
@turned_red_by("the token is not read", having(decode, "_authorization", lambda _: None))
def test_the_authorization_is_read_however_much_of_it_is_missing_or_odd(trusted: Trusted) -> None:
    for authorization in ODD:
        holding(trusted)

        assert FOUND == topics(call(trusted, fhirAuthorization=authorization)), authorization


@pytest.mark.requirement(35)
@turned_red_by("another patient's token is used", having(decode, "_check_token", lambda _: None))
@turned_red_by("200 for it", where(400, status=200))
def test_a_token_that_was_issued_for_another_patient_is_refused(trusted: Trusted) -> None:
    holding(trusted)
    reply = call(trusted, fhirAuthorization=AUTHORIZATION | {"patient": "boris"})

    assert (400, "CDS-218") == (reply.status, reply.problem())
    assert [] == trusted.fhir.asked


@pytest.mark.requirement(36)
@turned_red_by("calls without the token", having(Server, "headers", {"Accept": "application/fhir+json"}))
@turned_red_by("calls with another token", having(Server, "headers", {"Authorization": "Bearer another"}))
@turned_red_by("no calls at all", having(completing, "base_of", _NOT_REGISTERED))
def test_every_call_to_the_fhir_server_carries_the_token_of_the_request(trusted: Trusted) -> None:
    holding(trusted)
    call(trusted)

    assert len(trusted.fhir.asked) > 5
    assert {f"Bearer {TOKEN}"} == {asked.headers.get("authorization") for asked in trusted.fhir.asked}


@pytest.mark.requirement(37)
@turned_red_by("the token stands in the record", having(decode, "_remarks", _repeating_the_token))
@turned_red_by("the token stands in the log", having(completing, "server_for", _logging_server))
def test_the_token_is_neither_stored_nor_logged_also_when_reading_fails(trusted: Trusted) -> None:
    token = f"t0k3n-{uuid4().hex}"  # another each time: what an earlier test left in the record is not it
    with logged() as lines:
        for fault in (answer_held, _breaks):
            holding(trusted)
            trusted.fhir.faults |= {"*": answer_held, "Condition": fault}
            call(trusted, fhirAuthorization=AUTHORIZATION | {"access_token": token})
    running = trusted.exchange.running
    stored = [raw for record in running.records()[:2] for raw in record.sections.values()]
    files = [path.read_bytes() for path in running.database.parent.rglob("*") if path.is_file()]

    assert [] == [line for line in lines if token in line and "httpx" not in line]
    assert len(stored) > 4
    assert [] == [raw[:99] for raw in (*stored, *files) if token.encode() in raw]


@pytest.mark.requirement(38)
@turned_red_by("a refusal of what is no list of scopes", where(200, status=400))
@turned_red_by("only scopes of SMART 1 are taken", having(decode, "_authorization", _only_smart_1))
def test_scopes_of_smart_1_smart_2_and_free_text_make_no_difference(trusted: Trusted) -> None:
    for scope in ("patient/*.read", "patient/*.rs user/Observation.rs?category=laboratory", "Read (All) of R4", "", 7):
        holding(trusted)

        assert FOUND == topics(call(trusted, fhirAuthorization=AUTHORIZATION | {"scope": scope})), scope


@pytest.mark.requirement(39)
@turned_red_by("whatever server is named is read", having(completing, "base_of", _any_server))
@turned_red_by("an empty list of cards", where(412, status=200, content=b'{"cards":[]}'))
def test_a_fhir_server_that_is_not_registered_is_not_read(trusted: Trusted) -> None:
    holding(trusted)
    port = trusted.fhir.base.rpartition(":")[2]
    for server in (trusted.other.base, f"{trusted.fhir.base}.evil.example", f"http://localhost:{port}", "file:///etc"):
        reply = call(trusted, fhirServer=server)

        assert (412, "CDS-301") == (reply.status, reply.problem())
    assert [] == trusted.other.asked + trusted.fhir.asked


@pytest.mark.requirement(39)
@turned_red_by("redirects are followed", _following_redirects)
@turned_red_by("a next link of another server is followed", having(reader, "_next", _anywhere))
def test_no_redirect_and_no_next_link_leads_to_another_server(trusted: Trusted) -> None:
    record = holding(trusted)
    elsewhere = f"{trusted.other.base}/Condition"

    async def redirects(_: FaultServer, __: Asked, writer: asyncio.StreamWriter) -> None:
        write(writer, 302, b"", Location=elsewhere)

    trusted.fhir.faults["Condition"] = redirects
    answers = [
        call(trusted, {key: held for key, held in record.items() if key != "conditions"}),
        call(trusted, {**record, "conditions": page(after=elsewhere)}),
    ]

    assert [] == trusted.other.asked
    assert [True, True] == ["KETGAP0W" in topics(answer) for answer in answers]
