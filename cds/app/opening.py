"""Open what an application works with, and close it again."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cds.app.composing import compose, feedback_ports, key_files, open_history, software
from cds.app.events import log_event
from cds.app.gates import Gate, OpenGate, TokenGate
from cds.app.limits import Limits
from cds.audit.writer import Recorder, open_recorder
from cds.network.http import open_http
from cds.network.rules import NetworkRules
from cds.service import Ports
from cds.service.completing import open_reader
from cds.service.feedback import FeedbackPorts
from cds.settings import Settings
from cds.trust.client import DEVELOPMENT, Caller, Client
from cds.trust.gatekeeper import open_gatekeeper


@dataclass(frozen=True, slots=True)
class Opened:
    """What a call is answered with, once `gate` has said who calls: `ports` a hook, `feedback` what became of cards.

    `recorder` is what both write to.
    """

    ports: Ports
    gate: Gate
    feedback: FeedbackPorts
    recorder: Recorder


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """Open record, FHIR connections and clients until the block ends.

    Raises:
        CdsError: one of them, or the knowledge, cannot be used.
    """
    rules = NetworkRules(settings.private_networks, allow_loopback=not settings.authenticated)
    recorder = open_recorder(settings.database, key_files(settings), software(settings), settings.checkpoint_copy)
    with closing(recorder), closing(open_history(settings)) as history:
        async with aclosing(open_http(rules)) as http, _gate(settings, rules) as gate:
            ports = replace(compose(settings, recorder, history), reader=open_reader(http, settings.most_pages))
            yield Opened(ports, gate, feedback_ports(ports, recorder, history), recorder)


@asynccontextmanager
async def _gate(settings: Settings, rules: NetworkRules) -> AsyncIterator[Gate]:
    if not settings.authenticated:
        yield OpenGate(Caller(Client(DEVELOPMENT, fhir_bases=settings.fhir_bases)))
        return
    gatekeeper = open_gatekeeper(
        clients=settings.clients,
        jti_database=settings.jti_database,
        public_base_url=settings.public_base_url,
        rules=rules,
        report=log_event,
    )
    limits = Limits(settings.calls_per_minute, settings.failed_tokens_per_minute)
    try:
        yield TokenGate(gatekeeper, limits, lambda: datetime.now(UTC))
    finally:
        await gatekeeper.close()
