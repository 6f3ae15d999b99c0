"""A service in production, an EHR that is registered with it, and two FHIR servers of which one is allowed."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import jwt
from starlette.responses import Response

from cds.app.gates import Gate
from cds.trust.client import Caller, Client
from tests.conformance.exchange import ORDER_SELECT, Change, Exchange, Reply
from tests.conformance.mutations import Break
from tests.fetch.fault_server import FaultServer
from tests.trust.tokens import Ehr

ORIGIN = "https://app.hospital.example"
"""The one origin whose pages may call."""

AUDIENCE = "typed-in-by-hand"
"""What the EHR calls the service, besides its address."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """Calls a service in production, each time with a fresh token.

    Attributes:
        exchange: the service.
        ehr: signs the tokens.
        fhir: the FHIR server that the EHR is registered with; it wants the token of the request.
        other: a FHIR server that nobody registered.
    """

    exchange: Exchange
    ehr: Ehr
    fhir: FaultServer
    other: FaultServer

    def get(self, path: str = "/cds-services", /, **changes: Any) -> Reply:  # noqa: ANN401 - claims of any type
        """Read an address; `changes` are those of `Ehr.token`."""
        return self.with_token(self.ehr.token(path, **changes), path)

    def with_token(self, token: str, path: str = "/cds-services") -> Reply:
        """Read an address with this token."""
        return self.exchange.get(path, authorization=f"Bearer {token}")

    def post(self, sent: Any, service: str = ORDER_SELECT, **headers: str) -> Reply:  # noqa: ANN401 - any JSON
        """Call a service."""
        signed = {"authorization": f"Bearer {self.ehr.token(f'/cds-services/{service}')}"}
        return self.exchange.post(sent, service, **signed | headers)

    def broken(self, change: Change) -> "Trusted":
        """Return the same service as if it answered in another way."""
        return replace(self, exchange=self.exchange.broken(change))


@dataclass(frozen=True)
class Gullible:
    """A gate that lets in whom `trusts` says, whatever the gate behind it would say."""

    behind: Gate
    trusts: Callable[[dict[str, Any], dict[str, Any]], bool]

    async def admit(self, authorization: str, path: str, peer: str) -> Caller | Response:
        """Return the one caller, or what the gate behind says."""
        token = authorization.removeprefix("Bearer ")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            header, claims = {}, {}
        if self.trusts(header, claims):
            return Caller(Client("anybody"))
        return await self.behind.admit(authorization, path, peer)


def letting_in(trusts: Callable[[dict[str, Any], dict[str, Any]], bool]) -> Break:
    """Break the service: whoever has a token with such a header and such claims is let in."""

    @contextmanager
    def apply(given: Trusted) -> Iterator[Trusted]:
        state = given.exchange.running.app.state
        with mock.patch.object(state, "gate", Gullible(state.gate, trusts)):
            yield given

    return apply


@contextmanager
def logged() -> Iterator[list[str]]:
    """Collect everything that is logged, down to the last detail, until the block ends."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.getMessage()} {vars(record)}")

    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
