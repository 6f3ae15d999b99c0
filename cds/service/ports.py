"""What an answer depends on besides the call itself, and what it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cds.audit.record import Record, Subject
from cds.engine.facts import Source
from cds.engine.quiet import NOTHING_EARLIER, Earlier
from cds.engine.rules import Knowledge
from cds.fhir.context import Received, as_received
from cds.fhir.r4b import validate_resource
from cds.hooks.request import HookRequest


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


def prefetched(request: HookRequest) -> Mapping[str, Received]:
    """Return what came with the request itself. Data that were not sent are not read from the FHIR server yet."""
    return as_received(request.prefetch)


def nothing_earlier(client: str, subject: Subject, at: datetime) -> Earlier:  # noqa: ARG001 - as a history is asked
    """Return that this user saw and overrode nothing before."""
    return NOTHING_EARLIER


def is_valid(resource: object) -> bool:
    """Say whether a resource is valid FHIR R4B. The first call imports the models: a quarter of a second."""
    return not validate_resource(resource)


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
        complete: returns what came for each prefetch key; for a draft order only if rules apply to it.
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
    complete: Callable[[HookRequest], Mapping[str, Received]] = prefetched
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
