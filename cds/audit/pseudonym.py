"""The patient's pseudonym in envelopes, and the key behind it, which lies outside the data folder.

A plain digest of a patient id can be undone by trying ids; a keyed one cannot, and destroying the key unlinks all.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cds.errors import AuditError

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """Turns a patient into a key that is the same for the same patient and says nothing else."""

    key: bytes = field(repr=False)

    @property
    def epoch(self) -> str:
        """Return which key it is, without saying anything of the key."""
        return hashlib.sha256(b"ketamine-cds pseudonym epoch\x00" + self.key).hexdigest()[:16]

    def of(self, fhir_server: str, patient: str) -> str:
        """Return HMAC-SHA256 over the FHIR base, ``|`` and the patient's id, in hex.

        >>> Pseudonym(bytes(32)).of("https://ehr.example/fhir/", "1")[:16]
        '3c396e5fe062f7c1'
        """
        return self._keyed(f"{fhir_server.rstrip('/')}|{patient.removeprefix('Patient/')}")

    def of_user(self, client: str, fhir_server: str, user: str) -> str:
        """Return the same for a user (``Practitioner/7``) of a client's FHIR server.

        >>> Pseudonym(bytes(32)).of_user("development", "https://ehr.example/fhir/", "Practitioner/7")[:16]
        'f88f4abdfc089a6c'
        """
        return self._keyed("\x00".join(("user", client, fhir_server.rstrip("/"), user)))

    def of_feedback(self, client: str, said: bytes) -> str:
        """Return the same for what a client said of a card, so that a repeat is known and nothing can be guessed."""
        return self._keyed("\x00".join(("feedback", client, hashlib.sha256(said).hexdigest())))

    def _keyed(self, identity: str) -> str:
        return hmac.new(self.key, identity.encode(), hashlib.sha256).hexdigest()


def load_or_create_key(path: Path, *, may_create: bool) -> Pseudonym:
    """Return the pseudonym whose key lies at `path`; make the key, once among all processes, if that is allowed.

    Raises:
        AuditError: CDS-404, if the key is missing and may not be made, or is not a key of 64 hex digits.
    """
    try:
        if may_create and not path.exists():
            _create(path)
        key = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError as error:
        raise _no_key(path, "The log has records, but their pseudonym key is missing.") from error
    except (OSError, ValueError) as error:
        raise _no_key(path, f"The pseudonym key cannot be read or made: {type(error).__name__}.") from error
    if len(key) != _KEY_BYTES:
        raise _no_key(path, f"The pseudonym key has {len(key)} bytes, not {_KEY_BYTES}.")
    return Pseudonym(key)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    finally:
        draft.unlink()


def _publish(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _no_key(path: Path, what: str) -> AuditError:
    return AuditError(
        "CDS-404", str(path), what, action="Restore the key from its backup; a new one is never made for it."
    )
