"""Say who calls, before anything of the call but its headers is read: by a token in production, else not at all."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from starlette.responses import Response

from cds.app.events import Values, log_event
from cds.app.limits import Limits
from cds.app.refusals import unauthorized, wait
from cds.errors import RequestError, TrustError, TrustUnavailableError
from cds.trust.client import Caller

_RETRY_SECONDS = 5


class Identifier(Protocol):
    """Who knows the registered clients; `cds.trust.gatekeeper.Gatekeeper` is one."""

    async def identify(self, authorization: str, path: str, now: datetime) -> Caller:
        """Return who calls this path with this Authorization header.

        Raises:
            TrustError: the token is missing or not accepted.
        """


class Gate(Protocol):
    """Lets a call in, or says no."""

    async def admit(self, authorization: str, path: str, peer: str) -> Caller | Response:
        """Return who calls, or the answer that refuses the call.

        Args:
            authorization: the Authorization header; empty if there is none that can be used.
            path: exactly as it was called, without a query.
            peer: the address of the caller; empty if it is not known.
        """


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Lets every call in as one caller: the profile ``development``."""

    caller: Caller

    async def admit(self, authorization: str, path: str, peer: str) -> Caller | Response:  # noqa: ARG002 - see Gate
        """Return the one caller."""
        return self.caller


@dataclass(frozen=True, slots=True)
class TokenGate:
    """Lets in who has a token of a registered client: the profile ``production``.

    Attributes:
        gatekeeper: knows the clients and their keys.
        limits: counts calls and failed tokens.
        clock: returns now, aware.
    """

    gatekeeper: Identifier
    limits: Limits
    clock: Callable[[], datetime]

    async def admit(self, authorization: str, path: str, peer: str) -> Caller | Response:
        """Return who calls, or 429 (too many failed tokens, too many calls), 401, or 503."""
        async with self.limits.looking_at(peer) as barred_seconds:
            if barred_seconds:
                await self._log_limit("CDS-228", peer, peer=peer)
                return wait(_too_many_failures(), 429, barred_seconds)
            caller = await self._identify(authorization, path, peer)
        return caller if isinstance(caller, Response) else await self._within_limit(caller)

    async def _identify(self, authorization: str, path: str, peer: str) -> Caller | Response:
        try:
            return await self.gatekeeper.identify(authorization, path, self.clock())
        except TrustUnavailableError as error:
            log_event("token.unchecked", {"problem": error.code, "status": 503}, logging.ERROR)
            return wait(_cannot_check(), 503, _RETRY_SECONDS)
        except TrustError as error:
            await self._refused(error, peer)
            return unauthorized()

    async def _within_limit(self, caller: Caller) -> Caller | Response:
        client = caller.client
        if seconds := await self.limits.count_call(client.name, client.calls_per_minute):
            await self._log_limit("CDS-225", client.name, client=client.name)
            return wait(_too_many_calls(), 429, seconds)
        return caller

    async def _refused(self, error: TrustError, peer: str) -> None:
        await self.limits.count_failed_token(peer)
        client: str | None = getattr(error, "client", None) or None
        figures: Values = {"problem": error.code, "status": 401, "peer": peer, "client": client}
        log_event("token.refused", figures, logging.WARNING)

    async def _log_limit(self, code: str, whose: str, **figures: str) -> None:
        if await self.limits.is_first(code, whose):
            log_event("rate.limited", {"problem": code, "status": 429, **figures}, logging.WARNING)


def _too_many_failures() -> RequestError:
    return RequestError(
        "CDS-228", "Authorization", "Too many calls from this address had a token that is not accepted.",
        action="Wait, and send a token that is made for this service.",
    )  # fmt: skip


def _too_many_calls() -> RequestError:
    return RequestError("CDS-225", "client", "This client calls too often.", action="Wait as Retry-After says.")


def _cannot_check() -> RequestError:
    return RequestError("CDS-229", "Authorization", "Tokens cannot be checked now.", action="Try again later.")
