"""The patient's pseudonym in envelopes, and the key behind it, which lies outside the data folder.

A plain digest of a patient id can be undone by trying ids; a keyed one cannot, and destroying the key unlinks all.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cds.audit.key_files import no_key, read_or_create

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
    text = read_or_create(path, "pseudonym key", lambda: secrets.token_hex(_KEY_BYTES), may_create=may_create)
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise no_key(path, "The pseudonym key is not written in hex digits.") from error
    if len(key) != _KEY_BYTES:
        raise no_key(path, f"The pseudonym key has {len(key)} bytes, not {_KEY_BYTES}.")
    return Pseudonym(key)
