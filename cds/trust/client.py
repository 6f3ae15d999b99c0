"""An EHR that may call, as its operator registered it.

Source: trust/design.md 0a.7.
"""

from dataclasses import dataclass

DEVELOPMENT = "development"
"""The name of whoever calls while calls are not authenticated (CDS_PROFILE=development)."""


@dataclass(frozen=True, slots=True)
class Client:
    """One registered EHR.

    Attributes:
        name: what the operator calls it; stands in every record: lower-case letters, digits and ``-``.
        issuer, tenant, subject: the claims ``iss``, ``tenant``, ``sub`` of its tokens; empty if registered as absent.
        audiences: accepted as ``aud`` besides the address that is called.
        fhir_bases: the FHIR servers whose data it may ask about, without a trailing slash; nothing else is read.
        deadline_ms: from the last byte of a call to the first byte of its answer; None for the service's own default.
        never_sends: prefetch keys of which this EHR keeps no data at all: not read, and their silence is no gap.
        calls_per_minute: how many calls it may make; None for the service's own default.
        shadow: its calls are assessed and recorded, but answered without cards.
    """

    name: str
    issuer: str = ""
    tenant: str = ""
    subject: str = ""
    audiences: tuple[str, ...] = ()
    fhir_bases: tuple[str, ...] = ()
    deadline_ms: int | None = None
    never_sends: frozenset[str] = frozenset()
    calls_per_minute: int | None = None
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who made a call.

    Attributes:
        client: the registered EHR.
        token_id: the claim ``jti`` of the token; empty without one. It is the caller's own text.
    """

    client: Client
    token_id: str = ""
