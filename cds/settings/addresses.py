"""What an address in a setting must look like."""

from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

Network = IPv4Network | IPv6Network
"""A range of addresses, such as 10.20.0.0/16."""

_MOST_ADDRESS_BITS = {4: 24, 6: 121}
_SHARED = IPv4Network("100.64.0.0/10")


def is_loopback(host: str) -> bool:
    """Say whether an address can only be reached from this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_base(address: str) -> bool:
    """Say whether an address is https, or http on loopback, with a host and without query, fragment and user.

    >>> is_base("https://cds.hospital.example/ketamine"), is_base("http://cds.hospital.example")
    (True, False)
    """
    parts = urlsplit(address)
    plain = not (parts.query or parts.fragment or parts.username)
    return bool(plain and parts.hostname and _is_safe(parts))


def is_origin(address: str) -> bool:
    """Say whether an address is an origin exactly as browsers send it.

    >>> [is_origin(each) for each in ("https://app.example", "https://app.example/", "*", "null", "https://*.example")]
    [True, False, False, False, False]
    """
    parts = urlsplit(address)
    exact = f"{parts.scheme}://{parts.netloc}" == address == address.lower()
    return exact and is_base(address) and "*" not in address and not parts.path


def is_private(network: Network) -> bool:
    """Say whether a network holds only addresses that the public internet does not route.

    >>> [is_private(IPv4Network(each)) for each in ("10.20.0.0/16", "100.64.0.0/10", "0.0.0.0/0", "8.8.8.0/24")]
    [True, True, False, False]
    """
    if network.max_prefixlen - network.prefixlen > _MOST_ADDRESS_BITS[network.version]:
        return False
    return network.is_private or (isinstance(network, IPv4Network) and network.subnet_of(_SHARED))


def _is_safe(address: SplitResult) -> bool:
    return address.scheme == "https" or (address.scheme == "http" and is_loopback(address.hostname or ""))
