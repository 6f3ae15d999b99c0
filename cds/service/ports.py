"""What an answer depends on besides the call itself, what a call is, and what its answer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cds.audit.record import Record, Subject
from cds.engine.facts import Source
from cds.engine.quiet import NOTHING_EARLIER, Earlier
from cds.engine.rules import Knowledge
from cds.fhir.client import FhirReader
from cds.fhir.r4b import validate_resource
from cds.hooks.services import Service
from cds.trust.client import Caller

DEADLINE_MS = 2500
"""From the last byte of a call to the first byte of its answer, unless the settings or the client say otherwise."""


class Recorder(Protocol):
    """What makes a record durable; `cds.audit.writer.Recorder` is one."""

    @property
    def healthy(self) -> bool:
        """Say whether a record could be written now."""

    async def append_async(self, record: Record) -> None:
        """Return when the record is durable.

        Raises:
            AuditError: it is not, and will not be.
        """


def nothing_earlier(client: str, subject: Subject, at: datetime) -> Earlier:  # noqa: ARG001 - as a history is asked
    """Return that this user saw and overrode nothing before."""
    return NOTHING_EARLIER


def is_valid(resource: object) -> bool:
    """Say whether a resource is valid FHIR R4B. The first call imports the models: a quarter of a second."""
    return not validate_resource(resource)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One call as it came.

    Attributes:
        body: the request body.
        service: the service that was called.
        caller: who called, and for whose data that client is registered.
        base_url: the address under which the client reaches us, without a trailing slash, for links; empty if unknown.
        received: when the last byte of the body had come, in the event loop's time: the deadline counts from it.
    """

    body: bytes = field(repr=False)
    service: Service
    caller: Caller
    base_url: str = ""
    received: float = 0.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that an answer depends on besides the call itself.

    Attributes:
        clock: returns now, aware.
        new_uuid: returns a random UUID (version 4) in lower case.
        canonical: returns the canonical URI of a code system, or its argument.
        offered: the prefetch keys that discovery offers, with what each reads.
        zone: the time zone in which days are counted.
        country: where the service runs, two letters; empty if not set.
        templates: the query of each prefetch key, for what has to be read from the FHIR server.
        reader: reads what was not sent; None reads nothing.
        deadline_ms: from the last byte of a call to the first byte of its answer, for a client without its own.
        any_loopback: FHIR servers on this machine may be read for every client (development).
        history: returns what the user named in a subject was shown of its patient before, and has overridden; the
            first argument is the client. May raise an AuditError; then every card is shown.
        valid: says whether a resource that would be sent is valid FHIR R4.
    """

    knowledge: Knowledge
    recorder: Recorder
    clock: Callable[[], datetime]
    new_uuid: Callable[[], str]
    canonical: Callable[[str], str]
    offered: Mapping[str, Source]
    zone: ZoneInfo
    country: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    reader: FhirReader | None = None
    deadline_ms: int = DEADLINE_MS
    any_loopback: bool = False
    history: Callable[[str, Subject, datetime], Earlier] = nothing_earlier
    valid: Callable[[dict[str, Any]], bool] = is_valid


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent, and what may be logged of it.

    Attributes:
        status: the HTTP status.
        body: exactly the bytes that were recorded.
        figures: for the operational log; no patient data.
        exception: what went wrong in the service itself.
    """

    status: int
    body: bytes
    figures: Mapping[str, str | float]
    exception: Exception | None = None
