"""Public keys of EHRs: read from a JWK set, each bound to the one algorithm that it may verify.

ES384 goes with a key on P-384, RS384 with an RSA key of 2048 to 8192 bits; nothing else verifies a token, so no header
can choose a weaker way.

Source: trust/design.md 0a.7 and 2.2; RFC 7517 (JWK), RFC 7518 (algorithms).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWTError
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds.errors import TrustError

Algorithm = Literal["ES384", "RS384"]
"""What a token may be signed with; CDS Hooks recommends both."""

_RSA_BITS = range(2048, 8193)
_KINDS: dict[str, Algorithm] = {"EC": "ES384", "RSA": "RS384"}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key of an EHR.

    Attributes:
        kid: its name in the set and in the header of a token.
        algorithm: the only one that it verifies.
        material: the key itself.
    """

    kid: str
    algorithm: Algorithm
    material: EllipticCurvePublicKey | RSAPublicKey = field(repr=False)


Keys: TypeAlias = Mapping[tuple[str, str], PublicKey]
"""Keys by kid and algorithm."""


class _Jwk(msgspec.Struct):
    kty: str
    kid: str = ""
    use: str = "sig"
    alg: str = ""
    key_ops: tuple[str, ...] = ("verify",)
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""
    d: str = ""


class _JwkSet(msgspec.Struct):
    keys: tuple[msgspec.Raw, ...]


def read_keys(document: bytes, where: str, *, strict: bool) -> Keys:
    """Return the keys of a JWK set.

    Args:
        document: the set as JSON.
        where: names it in messages.
        strict: every key must be usable, as in a registration; else those that are not are left out, because a set that
            is published at an address may serve other purposes too.

    Raises:
        TrustError: CDS-603 if it is no JWK set, a key stands twice, or (strict) a key cannot be used.
    """
    try:
        entries = msgspec.json.decode(document, type=_JwkSet).keys
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        expected = 'A JSON object such as {"keys": [{"kty": "EC", "kid": ...}]}.'
        raise TrustError("CDS-603", where, "It is not a JWK set.", expected) from None
    found: dict[tuple[str, str], PublicKey] = {}
    for number, entry in enumerate(entries):
        key = _read_key(entry, f"{where}: keys[{number}]", strict=strict)
        if key is None:
            continue
        if (key.kid, key.algorithm) in found:
            raise TrustError("CDS-603", where, "Two keys have the same kid.", "A kid that is unique in the set.")
        found[key.kid, key.algorithm] = key
    return found


def _read_key(entry: msgspec.Raw, where: str, *, strict: bool) -> PublicKey | None:
    try:
        jwk = msgspec.json.decode(entry, type=_Jwk)
        return PublicKey(jwk.kid, _algorithm(jwk), _material(jwk))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, PyJWTError, ValueError) as error:
        if not strict:
            return None
        reason = str(error) if isinstance(error, _UnusableError) else "Its members are not those of a public key."
    expected = "An EC key on P-384 (ES384), or an RSA key of 2048 to 8192 bits (RS384), with a kid."
    raise TrustError("CDS-603", where, reason, expected, "cds client key FILE makes a pair of keys.")


class _UnusableError(ValueError):
    """Says in one sentence why a key cannot be used."""


def _algorithm(jwk: _Jwk) -> Algorithm:
    """Return what the key may verify, judged by its head."""
    if jwk.d:
        raise _UnusableError("It is a private key: whoever has it can sign. Keep it away, and make a new one.")
    algorithm = _KINDS.get(jwk.kty)
    if algorithm is None:
        raise _UnusableError("Keys of this kind (kty) are not used.")
    if not jwk.kid:
        raise _UnusableError("It has no kid.")
    if jwk.use != "sig" or "verify" not in jwk.key_ops:
        raise _UnusableError("It is not meant for signatures (use, key_ops).")
    if jwk.alg not in ("", algorithm):
        raise _UnusableError(f"It is meant for another algorithm (alg) than {algorithm}.")
    return algorithm


def _material(jwk: _Jwk) -> EllipticCurvePublicKey | RSAPublicKey:
    if jwk.kty == "EC":
        if jwk.crv != "P-384":
            raise _UnusableError("It is on another curve (crv) than P-384.")
        members = {"kty": jwk.kty, "crv": jwk.crv, "x": jwk.x, "y": jwk.y}
        return cast("EllipticCurvePublicKey", ECAlgorithm.from_jwk(members))
    key = cast("RSAPublicKey", RSAAlgorithm.from_jwk({"kty": jwk.kty, "n": jwk.n, "e": jwk.e}))
    if key.key_size not in _RSA_BITS:
        raise _UnusableError(f"It is an RSA key of {key.key_size} bits.")
    return key
