"""Signed checkpoints, and the keys that verify them.

Source: C2SP signed-note and tlog-checkpoint, with Ed25519 signatures (RFC 8032).
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = b"\x01"
"""What stands before a public key of this kind."""
SIGNATURE_MARK = "— "
"""How a line with a signature begins."""


class NotProvenError(Exception):
    """What is claimed does not follow from what was given; the message says which step failed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states under its signature: so many entries, with this root hash. `note` is the text as signed."""

    origin: str
    size: int
    root: bytes
    note: str

    @property
    def body(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """The public half of a log's key: it verifies and cannot sign."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "VerificationKey":
        """Read ``name+hash+key``.

        Raises:
            ValueError: if the text is no Ed25519 verification key, or its hash does not fit.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        data = decoded(encoded)
        key = cls(name, data[1:])
        if not name or data[:1] != ED25519 or len(key.public) != 32 or key.key_id.hex() != key_id:
            raise ValueError("This is no verification key (name+hash+key).")
        return key

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that name the key in a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """Return ``name+hash+key``."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    def text_of(self, note: str) -> str:
        """Return the text of a note that this key has signed, with its last line end.

        Raises:
            NotProvenError: if no signature of this key is there, or one does not fit.
        """
        text, blank, signatures = note.rpartition("\n\n")
        lines = signatures.split("\n")
        if not blank or lines.pop() or not all(line.startswith(SIGNATURE_MARK) for line in lines):
            raise NotProvenError("This is no signed note.")
        own = [data[4:] for data in map(self._signature, lines) if data]
        if not own:
            raise NotProvenError(f"It is not signed by {self.name} with this key.")
        for signature in own:
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, f"{text}\n".encode())
            except InvalidSignature:
                raise NotProvenError("Its signature is wrong.") from None
        return f"{text}\n"

    def checkpoint(self, note: str) -> Checkpoint:
        """Return what a signed checkpoint states.

        Raises:
            NotProvenError: if it is not signed by this key, or is no checkpoint of the log of this key.
        """
        lines = self.text_of(note).split("\n")
        if len(lines) != 4 or lines[0] != self.name or not is_number(lines[1]):
            raise NotProvenError(f"This is no checkpoint of {self.name}.")
        return Checkpoint(lines[0], int(lines[1]), hash_of(lines[2]), note)

    def signs(self, note: str) -> bool:
        """Say whether a signature under the name and hash of this key is there; it is not verified."""
        with suppress(NotProvenError):
            return any(self._signature(line) for line in note.split("\n") if line.startswith(SIGNATURE_MARK))
        return False

    def signs_last(self, note: str) -> bool:
        """Say the same of the last signature: where a key was changed, the newer one signs after the older one."""
        return self.signs("\n".join(note.split("\n")[-2:]))

    def _signature(self, line: str) -> bytes:
        name, _, encoded = line.removeprefix(SIGNATURE_MARK).partition(" ")
        data = _bytes_of(encoded) if name == self.name else b""
        return data if data[:4] == self.key_id else b""


def read_key(text: str) -> VerificationKey:
    """Return a verification key that is given as text, or as the path of a file that holds it.

    Raises:
        ValueError, OSError: if it is neither.
    """
    try:
        return VerificationKey.parse(text)
    except ValueError:
        return VerificationKey.parse(Path(text).read_text("utf-8"))


def read_keys(texts: Sequence[str]) -> tuple[VerificationKey, ...]:
    """Return the keys of one log, each given as for `read_key`.

    Raises:
        ValueError, OSError: if one is none, or they are not of one log.
    """
    keys = tuple(dict.fromkeys(map(read_key, texts)))
    if len({key.name for key in keys}) != 1:
        raise ValueError("The keys are not those of one log.")
    return keys


def checkpoint_by(keys: Sequence[VerificationKey], note: str) -> Checkpoint:
    """Return what a checkpoint states that at least one of these keys has signed, and none of them wrongly.

    Raises:
        NotProvenError: if it is not so.
    """
    first, *others = [key for key in keys if key.signs(note)] or keys[:1]
    for key in others:
        key.checkpoint(note)
    return first.checkpoint(note)


def is_number(text: str) -> bool:
    """Say whether a text is a number as these texts write it: no sign, no leading zero, below 2^53.

    >>> is_number("0"), is_number("17"), is_number("017"), is_number("")
    (True, True, False, False)
    """
    return text.isascii() and text.isdigit() and len(text) < 17 and str(int(text)) == text


def decoded(text: str) -> bytes:
    """Return the bytes of base64 text that has one spelling only.

    Raises:
        ValueError: if it is no such text.
    """
    data = b64decode(text, validate=True)
    if b64encode(data).decode() != text:
        raise ValueError("This is no canonical base64.")
    return data


def hash_of(text: str) -> bytes:
    """Return a hash that is written in base64.

    Raises:
        NotProvenError: if it is no hash.
    """
    data = _bytes_of(text)
    if len(data) != 32:
        raise NotProvenError("A hash has not 32 bytes.")
    return data


def _bytes_of(text: str) -> bytes:
    try:
        return decoded(text)
    except ValueError:
        raise NotProvenError("A line is no base64.") from None
