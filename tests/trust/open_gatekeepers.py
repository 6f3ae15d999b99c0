"""A gatekeeper for a test, closed at its end."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cds.errors import TrustError
from cds.network.rules import NetworkRules
from cds.trust.gatekeeper import Gatekeeper, open_gatekeeper
from tests.trust.tokens import BASE

HERE = NetworkRules(allow_loopback=True)
"""This machine may be asked."""


@dataclass
class Watched:
    """A gatekeeper, and the events that it reported.

    Attributes:
        keeper: asked by the test.
        events: event and code, in order.
    """

    keeper: Gatekeeper
    events: list[tuple[str, object]] = field(default_factory=list)

    async def answer(self, authorization: str, path: str = "/cds-services", now: datetime | None = None) -> str:
        """Return the name of the client, or the code of the refusal."""
        try:
            caller = await self.keeper.identify(authorization, path, now or datetime.now(UTC))
        except TrustError as error:
            return error.code
        return caller.client.name


@asynccontextmanager
async def gatekeeper(folder: Path, rules: NetworkRules = HERE) -> AsyncIterator[Watched]:
    """Run a gatekeeper for the clients in ``folder/clients.json``; `rules` say from where it may fetch keys."""
    events: list[tuple[str, object]] = []

    def report(event: str, values: Mapping[str, str | float | None]) -> None:
        events.append((event, values.get("problem")))

    keeper = open_gatekeeper(
        clients=folder / "clients.json",
        jti_database=folder / "jti" / "jti.sqlite",
        public_base_url=BASE,
        rules=rules,
        report=report,
    )
    try:
        yield Watched(keeper, events)
    finally:
        await keeper.close()
