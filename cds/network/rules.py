"""Which machines may be reached: never one of the internal network that the operator has not listed.

Source: trust/design.md 2.3 (SSRF); OWASP API7:2023.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_OF_THE_CLOUD = frozenset({IPv4Address("168.63.129.16")})
"""Public in form, yet a service of the machine's own host: Azure's wire server and DNS."""


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """What the operator allows besides the public internet.

    Attributes:
        private_networks: may be reached although they are not public, and also without TLS.
        allow_loopback: this machine itself may be reached, also without TLS (development).
    """

    private_networks: tuple[IPNetwork, ...] = ()
    allow_loopback: bool = False

    def permits(self, address: IPAddress, *, plain: bool) -> bool:
        """Say whether a connection to `address` may be made; `plain` means without TLS.

        >>> from ipaddress import ip_address
        >>> NetworkRules().permits(ip_address("93.184.216.34"), plain=False)
        True
        >>> NetworkRules().permits(ip_address("::ffff:169.254.169.254"), plain=False)
        False
        """
        return all(self._permits(one, plain) for one in _meant(address))

    def _permits(self, address: IPAddress, plain: bool) -> bool:
        if any(address in network for network in self.private_networks):
            return True
        if address.is_loopback:
            return self.allow_loopback
        return not plain and _is_public(address)


def _meant(address: IPAddress) -> Iterator[IPAddress]:
    """Yield the addresses at which a connection may end: an IPv6 address can carry an IPv4 address."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    else:
        yield address
        if address.sixtofour:
            yield address.sixtofour
        if address in _NAT64:
            yield IPv4Address(int(address) & 0xFFFF_FFFF)


def _is_public(address: IPAddress) -> bool:
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    if isinstance(address, IPv6Address):
        odd = (odd and address not in _NAT64) or address.is_site_local
    return address.is_global and not odd and address not in _OF_THE_CLOUD
