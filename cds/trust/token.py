"""What a token says, read before anything of it is proven: bounded, strictly shaped, and never repeated in a message.

Source: trust/design.md 2.2; CDS Hooks 2.0.1, "Trusting CDS Clients" (requirements 64 and 65); RFC 6750, RFC 7515.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import msgspec
from jwt.utils import base64url_decode
from msgspec import UNSET, Meta, UnsetType

from cds.errors import TrustError
from cds.trust.keys import Algorithm

MOST_CHARACTERS = 8192
"""Longest Authorization header that is looked at; decoding 8 MB would take seconds."""

_BEARER = re.compile(r"(?i:Bearer) +([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)

_Text = Annotated[str, Meta(min_length=1)]


class Header(msgspec.Struct):
    """The JOSE header; what could bring in another key, or change how the token is read, is refused by its type.

    Attributes:
        alg, kid, typ: required.
        jku: the address of the keys, if named; it is compared, never followed.
        jwk, x5u, x5c, crit, b64: must be absent.
    """

    alg: Algorithm
    kid: _Text
    typ: Annotated[str, Meta(pattern="^JWT$", max_length=3)]
    jku: _Text | UnsetType = UNSET
    jwk: UnsetType = UNSET
    x5u: UnsetType = UNSET
    x5c: UnsetType = UNSET
    crit: UnsetType = UNSET
    b64: UnsetType = UNSET


class Claims(msgspec.Struct):
    """The claims; times are in seconds since 1970.

    Attributes:
        iss, aud, exp, iat, jti: required.
        nbf, tenant, sub: may be absent.
    """

    iss: _Text
    aud: _Text | tuple[_Text, ...]
    exp: int | float
    iat: int | float
    jti: _Text
    nbf: int | float | UnsetType = UNSET
    tenant: _Text | UnsetType = UNSET
    sub: _Text | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Token:
    """A token of which nothing is proven yet.

    Attributes:
        compact: the token as it was sent.
        header, claims: what it says.
    """

    compact: str = field(repr=False)
    header: Header = field(repr=False)
    claims: Claims = field(repr=False)


_Part = TypeVar("_Part", Header, Claims)


def read_token(authorization: str) -> Token:
    """Return what the Authorization header of a call says.

    Raises:
        TrustError: CDS-611 if it holds no token of a bounded size, CDS-612 if the token's header is not one that is
            accepted, CDS-613 if a claim is missing or of the wrong type.
    """
    if len(authorization) > MOST_CHARACTERS:
        raise refusal("CDS-611", "It is too long.")
    parts = _BEARER.fullmatch(authorization)
    if parts is None:
        raise refusal("CDS-611", "It holds no bearer token.")
    header = _decode(parts[1], Header)
    if header is None:
        raise refusal("CDS-612", "The token's header is not one that is accepted.")
    claims = _decode(parts[2], Claims)
    if claims is None:
        raise refusal("CDS-613", "A claim of the token is missing or of the wrong type.")
    return Token(".".join(parts.groups()), header, claims)


def refusal(code: str, what: str) -> TrustError:
    """Return the error for a token that is refused; it repeats nothing of the token."""
    return TrustError(code, "Authorization", what)


def _decode(part: str, shape: type[_Part]) -> _Part | None:
    try:
        return msgspec.json.decode(base64url_decode(part), type=shape)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
