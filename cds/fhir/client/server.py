"""Which FHIR server is read for a call, and with what token: never one that the client is not registered for.

Source: CDS Hooks 2.0.1, "FHIR Resource Access"; trust/design.md 0a.7, 0a.10, 2.3; RFC 6750 section 2.1.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from cds.network.address import Address, parse_address
from cds.network.failure import Fault, NetworkError

NOT_REGISTERED = "fhirServer is not registered for this client"
"""Why a server is not read that a call names."""

_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


@dataclass(frozen=True, slots=True)
class Server:
    """A FHIR server as it may be read for one call.

    Attributes:
        client: the name of the registered EHR; failures of a server are counted for each client apart.
        base: its address; nothing else is read.
        token: sent as bearer token to `base` alone; empty if the call brought none. In no representation.
    """

    client: str
    base: Address
    token: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """Return what is sent with every request."""
        accept = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
        return accept | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


def server_for(client: str, base: Address, token: str) -> Server:
    """Return the server with the token of the call.

    Raises:
        NetworkError: the token is none. It is not sent, and it is not in the error: as a header it could be one more.
    """
    if token and not _BEARER.fullmatch(token):
        raise NetworkError("the access token is none (RFC 6750)", Fault.FORBIDDEN)
    return Server(client, base, token)


def base_of(asked: str, bases: Iterable[str], *, any_loopback: bool = False) -> Address:
    """Return the FHIR server that a call names, if the client may name it.

    Args:
        asked: ``fhirServer`` as sent.
        bases: the base URLs for which the client is registered.
        any_loopback: servers on this machine are allowed besides (development).

    Raises:
        NetworkError: it is not the same as one of them, compared part by part.

    >>> str(base_of("https://EHR.example:443/fhir/", ["https://ehr.example/fhir"]))
    'https://ehr.example/fhir'
    """
    address = parse_address(asked)
    if not address.query and (any(address == one for one in _parsed(bases)) or (any_loopback and _is_local(address))):
        return address
    raise NetworkError(NOT_REGISTERED, Fault.FORBIDDEN)


def _parsed(bases: Iterable[str]) -> Iterable[Address]:
    for base in bases:
        try:
            yield parse_address(base)
        except NetworkError:
            continue  # what was registered by mistake allows nothing


def _is_local(address: Address) -> bool:
    try:
        return ip_address(address.host).is_loopback
    except ValueError:
        return address.host == "localhost"
