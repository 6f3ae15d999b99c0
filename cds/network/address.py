"""Addresses of other servers, parsed strictly: two that look alike are compared part by part, never as text.

Source: trust/design.md 2.3; RFC 3986; GHSA-vr79-8m62-wh98 shows what comparing by ``startswith`` costs.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, quote, unquote, urlsplit

from cds.network.failure import Fault, NetworkError

_PORTS = {"https": 443, "http": 80}
_LONGEST = 8_000
_VISIBLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN_ESCAPE = re.compile(r"%(?:2[eEfF5]|5[cC]|[01][0-9A-Fa-f]|7[fF])")
_KEPT = "%/:=&?~#+!$,;'@()*[]"


@dataclass(frozen=True, slots=True)
class Address:
    """An address whose parts are in their one normal form.

    Attributes:
        scheme: ``https`` or ``http``.
        host: in lower case; an IPv6 address without brackets.
        port: as written, else that of the scheme.
        path: begins with ``/`` and does not end with it; empty for the root.
        query: as written, without ``?``; empty if there is none.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    query: str = ""

    @property
    def authority(self) -> str:
        """Return what a Host header says: the port only where it is not that of the scheme."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Return path and query as a request line has them."""
        return (self.path or "/") + (f"?{self.query}" if self.query else "")

    def __str__(self) -> str:
        """Return the address as text."""
        return f"{self.scheme}://{self.authority}{self.path}" + (f"?{self.query}" if self.query else "")

    def lies_under(self, base: "Address") -> bool:
        """Say whether this is `base` or an address below it.

        >>> base = parse_address("https://ehr.example/fhir")
        >>> parse_address("https://EHR.example:443/fhir/Patient/1").lies_under(base)
        True
        >>> parse_address("https://ehr.example/fhir-evil/Patient/1").lies_under(base)
        False
        """
        same_server = (self.scheme, self.host, self.port) == (base.scheme, base.host, base.port)
        return same_server and (self.path == base.path or self.path.startswith(f"{base.path}/"))


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address:
    """Return an address in its normal form.

    Raises:
        NetworkError: it is none of http or https, or is written in a way that two programs may read differently: with a
            user name, a fragment, dot segments, encoded slashes, a number instead of an IPv4 address, and so on.
    """
    if len(text) > _LONGEST or not _VISIBLE.fullmatch(text) or "\\" in text or "#" in text:
        raise _refused("it holds characters that an address does not have")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refused("it cannot be parsed") from None
    if parts.scheme not in _PORTS or not text.lower().startswith(f"{parts.scheme}://"):
        raise _refused("it is no http or https address")
    if "@" in parts.netloc:
        raise _refused("it names a user")
    if port == 0 or parts.netloc.endswith(":"):
        raise _refused("its port is none")
    return Address(parts.scheme, _host(parts), port or _PORTS[parts.scheme], _path(parts.path), parts.query)


def escaped(text: str) -> str:
    """Return an address in which what may not stand in one is percent-encoded; what is encoded already stays.

    >>> escaped("https://ehr.example/fhir/Observation?code=http://loinc.org|2160-0")
    'https://ehr.example/fhir/Observation?code=http://loinc.org%7C2160-0'
    """
    return quote(text, safe=_KEPT)


def without_secrets(text: str) -> str:
    """Return an address in its normal form without its query, which may hold anything; empty if it is none.

    >>> without_secrets("https://EHR.example/fhir?token=x"), without_secrets("https://name:secret@ehr.example/fhir")
    ('https://ehr.example/fhir', '')
    """
    try:
        return str(replace(parse_address(text), query=""))
    except NetworkError:
        return ""


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            return IPv6Address(host.replace("%", "no zone")).compressed
        except AddressValueError:
            raise _refused("its host is no IPv6 address") from None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(IPv4Address(host))
        except AddressValueError:
            raise _refused("its host is a number that is no IPv4 address") from None
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise _refused("its host is no name")
    return host


def _path(path: str) -> str:
    if _BROKEN_ESCAPE.search(path) or _FORBIDDEN_ESCAPE.search(path):
        raise _refused("its path hides characters")
    segments = [unquote(segment) for segment in path.split("/")]
    if any(segment and _is_dotted(segment) for segment in segments) or "" in segments[1:-1]:
        raise _refused("its path has empty or dotted parts")
    return path.rstrip("/")


def _is_dotted(segment: str) -> bool:
    """Say whether a part may be read as ``.``, ``..`` or nothing: some servers take ``..;x`` for ``..``."""
    return not segment.partition(";")[0].strip(" .")


def _refused(why: str) -> NetworkError:
    return NetworkError(f"the address is refused: {why}", Fault.FORBIDDEN)
