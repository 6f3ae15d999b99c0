"""Who calls: the one question that every call is asked before a byte of its body is read.

Source: trust/design.md 0a.7, 0a.8, 0a.11 and 2.2; requirements 63 to 68 of CDS Hooks.
"""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from cds.errors import TrustError
from cds.network.http import Http, open_http
from cds.network.rules import NetworkRules
from cds.trust.client import Caller
from cds.trust.keys import PublicKey
from cds.trust.published import PublishedKeys, fetch_over
from cds.trust.registration import Registration
from cds.trust.registry import Report, WatchedRegistry
from cds.trust.spent import SpentTokens
from cds.trust.token import Claims, read_token, refusal
from cds.trust.verification import (
    LEEWAY_SECONDS,
    check_audience,
    check_signature,
    check_times,
    registration_of,
)

REFUSED_AFTER_SECONDS = 0.01
"""A refusal takes at least so long: how far a token came does not show in the time that it took."""


class Gatekeeper:
    """Says of every call which registered EHR it comes from.

    Args:
        registry: the registered EHRs.
        spent: the tokens that were used.
        public_base_url: the configured address of the service, without a trailing slash.
        http: fetches registered addresses of keys; closed with the gatekeeper.
        report: takes events.
    """

    def __init__(
        self, registry: WatchedRegistry, spent: SpentTokens, public_base_url: str, http: Http, report: Report
    ) -> None:
        self._registry, self._spent, self._base = registry, spent, public_base_url.rstrip("/")
        self._http, self._report = http, report
        self._published: dict[str, PublishedKeys] = {}

    async def identify(self, authorization: str, path: str, now: datetime) -> Caller:
        """Return who makes a call.

        Args:
            authorization: the Authorization header as it came; empty if there is none.
            path: the path that is called, such as ``/cds-services``.
            now: the time, with its zone.

        Raises:
            TrustError: CDS-611 to CDS-620; whichever it is, the caller learns nothing but a bare HTTP 401.
            TrustUnavailableError: CDS-621 if the token is right, but it cannot be noted that it is used (HTTP 503).
        """
        began = time.monotonic()
        try:
            return await self._identify(authorization, path, now.timestamp())
        except TrustError:
            await asyncio.sleep(REFUSED_AFTER_SECONDS - (time.monotonic() - began))
            raise

    async def _identify(self, authorization: str, path: str, now: float) -> Caller:
        token = read_token(authorization)
        registration = registration_of(token, self._registry.current())
        check_signature(token, await self._key(registration, token.header.kid, token.header.alg))
        try:
            check_times(token.claims, now)
            check_audience(token.claims, self._base + path, registration)
            await self._spend(token.claims, now)
        except TrustError as error:
            error.client = registration.client.name
            raise
        return Caller(registration.client, token.claims.jti)

    async def _spend(self, claims: Claims, now: float) -> None:
        await self._spent.spend(claims.iss, claims.jti, claims.iat, claims.exp + LEEWAY_SECONDS, now)

    async def _key(self, registration: Registration, kid: str, algorithm: str) -> PublicKey:
        """Return the EHR's key that a token names: of its registration, else of its registered address."""
        key = registration.keys.get((kid, algorithm))
        if key is None and registration.jwks_url:
            key = await self._published_at(registration.jwks_url).find(kid, algorithm)
        if key is None:
            raise refusal("CDS-615", "The EHR has no key of this name for this algorithm.")
        return key

    def _published_at(self, url: str) -> PublishedKeys:
        """Return the keys at an address; they outlive a change of the clients' file."""
        if url not in self._published:
            self._published[url] = PublishedKeys(url, fetch_over(self._http), time.monotonic, self._report)
        return self._published[url]

    async def close(self) -> None:
        """End what is under way and let go of the file of spent tokens."""
        for published in self._published.values():
            await published.close()
        await self._http.aclose()
        self._spent.close()


def open_gatekeeper(
    *, clients: Path, jti_database: Path, public_base_url: str, rules: NetworkRules, report: Report
) -> Gatekeeper:
    """Return the gatekeeper of one worker process; to be closed by `Gatekeeper.close`.

    Args:
        clients: the clients' file.
        jti_database: the file of spent tokens, the same for all workers.
        public_base_url: the configured address of the service.
        rules: which machines may be asked for keys.
        report: takes events for the operational log.

    Raises:
        TrustError: CDS-601 to CDS-603 if the clients' file cannot be used, CDS-604 if the file of spent tokens cannot.
    """
    registry = WatchedRegistry(clients, report, time.monotonic)
    spent = SpentTokens(jti_database, datetime.now(UTC).timestamp())
    http = open_http(rules)
    return Gatekeeper(registry, spent, public_base_url, http, report)
