"""One entry of the clients' file: who an EHR is, how its tokens are verified, what it may do.

Read strictly: a member that is misspelt, missing or of the wrong type is refused, so that no limit is lost unnoticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cds.errors import TrustError
from cds.network.address import parse_address
from cds.network.failure import NetworkError
from cds.trust.client import DEVELOPMENT, Client
from cds.trust.keys import Keys, read_keys

_Text = Annotated[str, Meta(min_length=1, max_length=1000)]
_Name = Annotated[str, Meta(pattern=r"\A[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?\Z")]
_DeadlineMs = Annotated[int, Meta(ge=500, le=60_000)]
_CallsPerMinute = Annotated[int, Meta(ge=1, le=1_000_000)]


class Entry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A client as it stands in the file; `Client` says what the members mean.

    Attributes:
        name, issuer: as in `Client`.
        tenant, subject: as in `Client`; ``null`` says that its tokens have no such claim. Neither may be left out.
        jwks: its public keys, a JWK set.
        jwks_url: the only address where its keys may be fetched; its tokens may name it as ``jku``.
        audiences, fhir_bases, deadline_ms, never_sends, calls_per_minute, shadow: as in `Client`.
    """

    name: _Name
    issuer: _Text
    tenant: _Text | None
    subject: _Text | None
    jwks: dict[str, Any] | None = None
    jwks_url: _Text | None = None
    audiences: tuple[_Text, ...] = ()
    fhir_bases: tuple[_Text, ...] = ()
    deadline_ms: _DeadlineMs | None = None
    never_sends: tuple[_Text, ...] = ()
    calls_per_minute: _CallsPerMinute | None = None
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Registration:
    """A client and what proves that a call comes from it.

    Attributes:
        client: who it is and what it may do.
        keys: its keys that stand in the file.
        jwks_url: where further keys of it are fetched; empty if nowhere.
    """

    client: Client
    keys: Keys = field(repr=False)
    jwks_url: str = ""

    @property
    def claims(self) -> tuple[str, str, str]:
        """Return what its tokens say of it: issuer, tenant and subject, empty where they say nothing."""
        return self.client.issuer, self.client.tenant, self.client.subject


def read_registration(entry: Entry, where: str) -> Registration:
    """Return the registration of an entry.

    Args:
        entry: as it stands in the file.
        where: names it in messages.

    Raises:
        TrustError: CDS-601 an address is none, CDS-602 the entry contradicts itself, CDS-603 a key cannot be used.
    """
    if entry.name == DEVELOPMENT:
        what = f"The name {DEVELOPMENT!r} is that of calls that nobody verified."
        raise TrustError("CDS-602", where, what, action="Choose another name.")
    if entry.jwks is None and entry.jwks_url is None:
        what = "It has neither keys (jwks) nor an address of keys (jwks_url), so no call of it could be verified."
        raise TrustError("CDS-602", where, what, action="Add one of them.")
    if entry.jwks_url is not None:
        _check_address(entry.jwks_url, f"{where}: jwks_url", query=True)
    keys = read_keys(msgspec.json.encode(entry.jwks), f"{where}: jwks", strict=True) if entry.jwks is not None else {}
    return Registration(_client(entry, where), keys, entry.jwks_url or "")


def members(entry: Entry) -> Mapping[str, Any]:
    """Return the entry as it is written to the file: what has its default is left out."""
    written: dict[str, Any] = msgspec.to_builtins(entry)
    return written


def _client(entry: Entry, where: str) -> Client:
    for number, base in enumerate(entry.fhir_bases):
        _check_address(base, f"{where}: fhir_bases[{number}]", query=False)
    return Client(
        name=entry.name,
        issuer=entry.issuer,
        tenant=entry.tenant or "",
        subject=entry.subject or "",
        audiences=entry.audiences,
        fhir_bases=tuple(base.rstrip("/") for base in entry.fhir_bases),
        deadline_ms=entry.deadline_ms,
        never_sends=frozenset(entry.never_sends),
        calls_per_minute=entry.calls_per_minute,
        shadow=entry.shadow,
    )


def _check_address(address: str, where: str, *, query: bool) -> None:
    try:
        parsed = parse_address(address)
    except NetworkError as error:
        what = f"It cannot be used: {error.reason}."
    else:
        if query or not parsed.query:
            return
        what = "It cannot be used: it has a query."
    raise TrustError("CDS-601", where, what, "An address such as https://ehr.example/fhir.")
