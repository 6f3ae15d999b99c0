"""Makes the tokens of bad_tokens.yaml and good_tokens.yaml, also those that no library would make."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cds.ehr.keypair import KeyPair
from cds.trust.registration import Entry
from cds.trust.registry import write_entries
from tests.trust.tokens import BASE, entry_of

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Case = dict[str, Any]

JWKS_URL = "http://127.0.0.1:9/jwks.json"
"""Nobody answers there: keys that are not registered stay unknown."""

_CLIENTS: dict[str, dict[str, Any]] = {
    "plain": {"iss": "https://plain.example"},
    "north": {"iss": "https://shared.example", "tenant": "north"},
    "south": {"iss": "https://shared.example", "tenant": "south"},
    "epic": {"iss": "https://epic.example", "sub": "client-id"},
}
_OWN_KEY = {"plain": "ec", "north": "north", "south": "south", "epic": "epic"}
_ALGORITHM = {"rsa": "RS384", "rsa1024": "RS384", "epic": "RS384"}


@dataclass(frozen=True, slots=True)
class Forged:
    """A token as the table asks for it.

    Attributes:
        authorization: the whole header.
        path: the address that is called.
        issuer: the client that it claims to be.
    """

    authorization: str
    path: str
    client: str


def cases(file: str) -> list[Any]:
    """Return the cases of a table as parameters, each with its name as its id."""
    table: list[Case] = yaml.safe_load((Path(__file__).parent / file).read_text("utf-8"))
    return [pytest.param(case, id=case["name"]) for case in table]


@cache
def key(name: str) -> Private:
    """Return a key; the same name is the same key for the whole run."""
    if name in ("rsa", "epic"):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if name == "rsa1024":
        return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - must be refused
    curves: dict[str, ec.EllipticCurve] = {"p256": ec.SECP256R1(), "p521": ec.SECP521R1()}
    return ec.generate_private_key(curves.get(name, ec.SECP384R1()))


def jwk(name: str) -> dict[str, Any]:
    """Return the public half of a key of that name, which is its kid."""
    algorithm = _ALGORITHM.get(name, "ES384")
    return KeyPair(cast("Any", algorithm), key(name)).public_jwk | {"kid": name}


def register_all(path: Path) -> None:
    """Write a clients' file with all clients of the tables."""
    write_entries(path, [_entry(name) for name in _CLIENTS])


def forge(case: Case, now: datetime) -> Forged:
    """Return the token that a case describes."""
    client = case.get("client", "plain")
    path = case.get("path", "/cds-services")
    signed_by = case.get("key", _OWN_KEY[client])
    algorithm = case.get("alg", _ALGORITHM.get(signed_by, "ES384"))
    header = _changed({"alg": algorithm, "kid": signed_by, "typ": "JWT"}, case.get("header", {}), now)
    seconds = int(now.timestamp())
    claims = {"aud": BASE + path, "iat": seconds, "exp": seconds + 300, "jti": str(uuid4()), **_CLIENTS[client]}
    claims = _changed(claims, case.get("claims", {}), now)
    head = _encode(case.get("raw_header") or _json(header, case.get("more_header")))
    body = _encode(case.get("raw_claims") or _json(claims, case.get("more_claims")))
    other_body = _encode(json.dumps(claims | {"jti": "another"}))
    signature = _sign(algorithm, signed_by, f"{head}.{body}")
    parts = {
        "token": f"{head}.{body}.{signature}",
        "head": head,
        "body": body,
        "signature": signature,
        "other_body": other_body,
        "other_signature": _sign(algorithm, signed_by, f"{head}.{other_body}"),
        "zeros": _encode(bytes(96)),
        "filler": "A" * (8193 - len(f"Bearer {head}.{body}.")),
        "deep": _encode('{"x": ' + "[" * 4000),
    }
    return Forged(case.get("authorization", "Bearer {token}").format(**parts), path, client)


def _entry(name: str) -> Entry:
    claims = _CLIENTS[name]
    keys = [jwk("ec"), jwk("rsa")] if name == "plain" else [jwk(_OWN_KEY[name])]
    return entry_of(
        KeyPair("ES384", key("stranger")),
        name=name,
        issuer=claims["iss"],
        tenant=claims.get("tenant"),
        subject=claims.get("sub"),
        jwks={"keys": keys},
        jwks_url=JWKS_URL if name == "plain" else None,
        audiences=["sand_man"] if name == "epic" else [],
    )


def _json(members: dict[str, Any], more: str | None) -> str:
    """Return the members as JSON, and after them what only text can say."""
    text = json.dumps(members)
    return f"{text[:-1]}, {more}}}" if more else text


def _changed(members: dict[str, Any], changes: dict[str, Any], now: datetime) -> dict[str, Any]:
    merged = members | {name: _value(value, now) for name, value in changes.items()}
    kept = {name: value for name, value in merged.items() if value is not None}
    return {name: None if value == "null_value" else value for name, value in kept.items()}


def _value(value: object, now: datetime) -> object:
    if isinstance(value, dict) and set(value) == {"now"}:
        moment = now.timestamp() + value["now"]
        return moment if isinstance(value["now"], float) else int(moment)
    return value


def _sign(algorithm: str, name: str, content: str) -> str:
    if algorithm.lower() == "none":
        return "AAAA"
    if algorithm.startswith("HS"):
        public = key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return _encode(hmac.new(public, content.encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest())
    signer = jwt.get_algorithm_by_name(algorithm)
    return _encode(signer.sign(content.encode(), key(name)))


def _encode(content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
