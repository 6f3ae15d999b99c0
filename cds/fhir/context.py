"""What reading needs to know besides the JSON: whose record it is, when, and how codes are named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

import msgspec

from cds.engine.facts import Source

RawJson = bytes | msgspec.Raw
"""A JSON value as it was sent, not decoded."""


@dataclass(frozen=True, slots=True)
class ReadContext:
    """How to read one request.

    Attributes:
        expected: every prefetch key that was asked for, with the source that it answers; a key that was not sent is a
            gap of that source. (Leave `encounter` out where the hook names no encounter.)
        patient_id: the bare id.
        base_url: the FHIR server's base URL; empty if the request names none.
        at: the time of the call, aware.
        zone: the client's time zone, in which days are counted.
        canonical: returns the canonical URI of a code system (``urn:oid:...`` and other aliases), or its argument.
    """

    expected: Mapping[str, Source]
    patient_id: str
    base_url: str
    at: datetime
    zone: tzinfo
    canonical: Callable[[str], str]

    @property
    def today(self) -> date:
        """Return the day of the call in the client's time zone."""
        return self.at.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Received:
    """What came for one key.

    Attributes:
        pages: the JSON as sent; several where next pages were read from the FHIR server, in order.
        origin: where it was read, in words; empty for ``prefetch`` and the key.
        failure: why nothing more came (``HTTP 403``); empty if all that was asked for was answered.
    """

    pages: tuple[RawJson, ...] = field(default=(), repr=False)
    origin: str = ""
    failure: str = ""


def as_received(prefetch: Mapping[str, RawJson]) -> dict[str, Received]:
    """Return a request's prefetch, raw JSON by key, as what was received."""
    return {key: Received((raw,)) for key, raw in prefetch.items()}
