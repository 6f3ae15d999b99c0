"""Who an EHR says it is: each of its calls carries a token of its own, freshly signed.

Source: CDS Hooks 2.0.1, "Trusting CDS Clients" (requirements 63 to 65).
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import msgspec

from cds.ehr.keypair import KeyPair, read_key_pair
from cds.errors import TrustError

_LIFE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Identity:
    """What an EHR signs its tokens with, and what they say of it.

    Attributes:
        keys: its keys.
        issuer, tenant, subject: the claims ``iss``, ``tenant`` and ``sub``; an empty one is left out.
        kid: the name of its key; empty for the key's thumbprint.
        audience: the ``aud`` of its tokens; empty for the address of each call.
        base_url: the service's public address, where calls reach it under another; empty if they do not.
    """

    keys: KeyPair
    issuer: str
    tenant: str = ""
    subject: str = ""
    kid: str = ""
    audience: str = ""
    base_url: str = ""

    def claims(self, address: str, now: datetime) -> dict[str, Any]:
        """Return the claims of a new token for a call of `address`; it lives for five minutes."""
        issued_seconds = int(now.timestamp())
        optional = {"tenant": self.tenant, "sub": self.subject}
        return {
            "iss": self.issuer,
            "aud": self.audience or address,
            "iat": issued_seconds,
            "exp": issued_seconds + _LIFE_SECONDS,
            "jti": str(uuid4()),
            **{name: value for name, value in optional.items() if value},
        }

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the token that says `claims`."""
        kid = self.kid or self.keys.public_jwk["kid"]
        return jwt.encode(dict(claims), self.keys.private, self.keys.algorithm, {"kid": kid})

    def token(self, address: str, now: datetime) -> str:
        """Return a new token for a call of `address`."""
        return self.sign(self.claims(address, now))


class SignedCalls(httpx.Auth):
    """Signs every request of an HTTP client, each with a token of its own."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token for the address that is called."""
        public = self._identity.base_url.rstrip("/")
        address = f"{public}{request.url.path}" if public else str(request.url.copy_with(query=None))
        token = self._identity.token(address, datetime.now(UTC))
        request.headers["Authorization"] = f"Bearer {token}"
        yield request


class _IdentityFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    issuer: str
    tenant: str = ""
    subject: str = ""
    kid: str = ""
    audience: str = ""


def read_identity(path: Path) -> Identity:
    """Return the identity in a JSON file; its ``key`` is a path from that file's folder.

    Raises:
        TrustError: CDS-605 if the file or the key cannot be used.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_IdentityFile)
    except OSError as error:
        raise TrustError("CDS-605", str(path), f"The identity cannot be read: {error.strerror}.") from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        expected = (
            'JSON such as {"key": "ehr.pem", "issuer": "https://ehr.example"}; also tenant, subject, kid, audience.'
        )
        what = str(error) if isinstance(error, msgspec.ValidationError) else "It is not JSON"
        raise TrustError("CDS-605", str(path), f"{what}.", expected) from None
    keys = read_key_pair(path.parent / found.key)
    return Identity(keys, found.issuer, found.tenant, found.subject, found.kid, found.audience)
