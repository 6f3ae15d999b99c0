"""The pair of keys with which an EHR signs its tokens: made, kept in a private file, published as a JWK set."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from cds.errors import TrustError
from cds.trust.keys import Algorithm

_RSA_BITS = 3072
_THUMBPRINT_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and the algorithm that it signs with.

    Attributes:
        algorithm: ``ES384`` for a key on P-384, ``RS384`` for an RSA key.
        private: the key itself.
    """

    algorithm: Algorithm
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(repr=False)

    @property
    def public_jwk(self) -> dict[str, Any]:
        """Return the public half as a JWK; its kid is its thumbprint (RFC 7638), so it follows from the key."""
        public = self.private.public_key()
        members = (
            ECAlgorithm.to_jwk(public, as_dict=True)
            if isinstance(public, ec.EllipticCurvePublicKey)
            else RSAAlgorithm.to_jwk(public, as_dict=True)
        )
        plain = {name: members[name] for name in _THUMBPRINT_MEMBERS[members["kty"]]}
        canonical = json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()
        kid = base64url_encode(hashlib.sha256(canonical).digest()).decode()
        return {**plain, "kid": kid, "use": "sig", "alg": self.algorithm}

    @property
    def public_jwks(self) -> dict[str, Any]:
        """Return the JWK set that an EHR publishes or hands to the operator of the service."""
        return {"keys": [self.public_jwk]}


def make_key_pair(algorithm: Algorithm) -> KeyPair:
    """Return a new pair of keys."""
    if algorithm == "ES384":
        return KeyPair(algorithm, ec.generate_private_key(ec.SECP384R1()))
    return KeyPair(algorithm, rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS))


def write_key_pair(pair: KeyPair, path: Path) -> None:
    """Write the private key to a new file that only its owner may read (PEM, PKCS #8).

    Raises:
        TrustError: CDS-605 if there is such a file already, or it cannot be written.
    """
    content = pair.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError:
        what = "The file is there already; a key is never overwritten."
        raise TrustError("CDS-605", str(path), what, action="Name another file.") from None
    except OSError as error:
        raise TrustError("CDS-605", str(path), f"The key cannot be written: {error.strerror}.") from None


def read_key_pair(path: Path) -> KeyPair:
    """Return the pair of keys in a file.

    Raises:
        TrustError: CDS-605 if it cannot be read, or holds no key that can sign.
    """
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise TrustError("CDS-605", str(path), f"The key cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError):
        private = None
    if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP384R1):
        return KeyPair("ES384", private)
    if isinstance(private, rsa.RSAPrivateKey):
        return KeyPair("RS384", private)
    expected = "A private key without a password, in PEM: on P-384, or RSA."
    raise TrustError("CDS-605", str(path), "It holds no key that can sign.", expected, "cds client key FILE makes one.")
