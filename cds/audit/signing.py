"""The key that signs the log's checkpoints, and its file, which lies outside the data folder.

The file is one line, ``PRIVATE+KEY+name+hash+key``: it holds the name of the log beside the secret, and no more.
"""

from base64 import b64encode
from dataclasses import dataclass, field, replace
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cds.audit.offline.notes import ED25519, SIGNATURE_MARK, Checkpoint, VerificationKey, decoded

DEVELOPMENT_ORIGIN = "development"
"""The name of a log whose key was made without anyone asking for it."""
_HEAD = "PRIVATE+KEY+"


@dataclass(frozen=True)
class Signer:
    """Signs checkpoints under the log's name (`origin`); `secret` is the Ed25519 seed."""

    origin: str
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """Read what `written` wrote.

        Raises:
            ValueError: if it is no such line, or its hash does not fit.
        """
        origin, _, rest = text.strip().removeprefix(_HEAD).partition("+")
        data = decoded(rest.partition("+")[2])
        signer = cls(origin, data[1:])
        if len(data) != 33 or signer.written != text.strip():
            raise ValueError("This is no signing key.")
        return signer

    @property
    def written(self) -> str:
        """Return the line that the key's file holds. It is the secret itself."""
        secret = b64encode(ED25519 + self.secret).decode()
        return f"{_HEAD}{self.origin}+{self.verification_key.key_id.hex()}+{secret}"

    @cached_property
    def verification_key(self) -> VerificationKey:
        """Return the public half, for those who verify."""
        return VerificationKey(self.origin, self._private.public_key().public_bytes_raw())

    def checkpoint(self, size: int, root: bytes) -> Checkpoint:
        """Return the signed statement that the log has so many entries, with this root hash."""
        body = Checkpoint(self.origin, size, root, "").body
        return Checkpoint(self.origin, size, root, self.sign(body))

    def sign(self, text: str) -> str:
        """Return a text as a signed note."""
        return f"{text}\n{self._signature(text)}"

    def cosign(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return a checkpoint with the signature of this key after those that it has."""
        return replace(checkpoint, note=checkpoint.note + self._signature(checkpoint.body))

    def _signature(self, text: str) -> str:
        signature = self.verification_key.key_id + self._private.sign(text.encode())
        return f"{SIGNATURE_MARK}{self.origin} {b64encode(signature).decode()}\n"

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)
