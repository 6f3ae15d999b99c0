"""The two keys of a log: one makes pseudonyms, one signs checkpoints. Both are made at the first start, never again.

Whoever has the log's folder has neither of them.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cds.audit.key_files import no_key, read_or_create, sync_folder
from cds.audit.pseudonym import Pseudonym, load_or_create_key
from cds.audit.signing import DEVELOPMENT_ORIGIN, Signer
from cds.errors import AuditError

_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one log."""

    pseudonym: Pseudonym
    signer: Signer


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where the keys of a log lie.

    Attributes:
        pseudonym: the secret behind pseudonyms.
        signing: the key that signs; empty: ``signing.key`` beside the pseudonym key.
        may_make: whether keys that nobody asked for may be made (never with real patients).
    """

    pseudonym: Path
    signing: Path | None = None
    may_make: bool = True

    @property
    def signing_path(self) -> Path:
        """Return where the signing key lies."""
        return self.signing or self.pseudonym.with_name("signing.key")

    @property
    def next_path(self) -> Path:
        """Return where a signing key lies that signs nothing yet, until the log says that it does."""
        return self.signing_path.with_name(f"{self.signing_path.name}.next")

    def make_next(self, origin: str) -> Signer:
        """Make the key that is to replace the signing key; call it within the log's lock.

        Raises:
            AuditError: CDS-404 if it cannot be written.
        """
        try:
            self.next_path.unlink(missing_ok=True)  # nothing is signed with it: `put_in_force` comes first
        except OSError as error:
            raise no_key(self.next_path, f"It cannot be replaced: {type(error).__name__}.") from error
        return read_signer(self.next_path, may_create=True, origin=origin)

    def put_in_force(self, note: str) -> bool:
        """Let the next key be the signing key if the log's newest checkpoint is signed with it; say whether it was.

        It is called at each start too: a change of key may have been interrupted there.

        Raises:
            AuditError: CDS-404 if the file cannot be renamed, or is no key.
        """
        if not self.next_path.exists() or not read_signer(self.next_path).verification_key.signs_last(note):
            return False
        try:
            self.next_path.replace(self.signing_path)
            sync_folder(self.signing_path.parent)
        except OSError as error:
            raise no_key(self.next_path, f"It cannot be renamed: {type(error).__name__}.") from error
        return True

    def require_outside(self, folder: Path) -> None:
        """Refuse keys that lie in the folder of the log or below: no copy of the log may hold them.

        Raises:
            AuditError: CDS-404.
        """
        for path in (self.pseudonym, self.signing_path):
            if path.resolve().is_relative_to(folder.resolve()):
                what = "The key lies in the folder of the log."
                raise AuditError("CDS-404", str(path), what, action="Move it out.")

    def read(self, *, is_empty: bool, is_signed: bool) -> Keys:
        """Return the keys of a log; those of a new log are made, once among all processes.

        Args:
            is_empty: whether the log has no entries yet.
            is_signed: whether it has a checkpoint.

        Raises:
            AuditError: CDS-404 if one is missing, wrong, or was made without being asked for where that is refused;
                CDS-409 if the log has entries and its key, but nothing is signed.
        """
        if not is_empty and not is_signed and self.signing_path.exists():
            what = "The log has entries and a signing key, but no checkpoint: its seal was taken away."
            action = "Restore the log. Only if it was never signed, take the signing key away; a new one is made."
            raise AuditError("CDS-409", str(self.signing_path), what, action=action)
        pseudonym = load_or_create_key(self.pseudonym, may_create=is_empty and self.may_make)
        is_older = not is_empty and not is_signed and self.may_make  # than its seal: its key counts once it has signed
        path = self.next_path if is_older else self.signing_path
        signer = read_signer(path, may_create=not is_signed and self.may_make)
        if signer.origin == DEVELOPMENT_ORIGIN and not self.may_make:
            what = "This key was made for development."
            raise AuditError("CDS-404", str(self.signing_path), what, action="Make the log's keys: cds log init")
        return Keys(pseudonym, signer)

    def make(self, origin: str, *, if_missing: bool = False) -> Signer:
        """Make the keys of a new log that is called `origin`.

        Args:
            origin: the log's name.
            if_missing: whether it is well, too, if both keys of that log are there: nothing is made then.

        Raises:
            AuditError: CDS-404 if there is a key already, the name cannot be used, or a file cannot be written.
        """
        if not origin or "+" in origin or any(letter.isspace() or not letter.isprintable() for letter in origin):
            expected = "Such as cds.hospital.example/audit/1, without spaces and plus."
            raise AuditError("CDS-404", "--origin", "This is no name of a log.", expected)
        there = [path for path in (self.pseudonym, self.signing_path) if path.exists()]
        if if_missing and len(there) == 2:
            return self._signer_of(origin)
        if there:
            action = "It is never replaced. If the other key is lost, restore it from its backup."
            raise AuditError("CDS-404", str(there[0]), "There is a key already.", action=action)
        load_or_create_key(self.pseudonym, may_create=True)
        return read_signer(self.signing_path, may_create=True, origin=origin)

    def _signer_of(self, origin: str) -> Signer:
        """Return the signer that is there, if it is that of the log `origin`."""
        signer = read_signer(self.signing_path)
        if signer.origin != origin:
            what = f"The key is that of the log {signer.origin}."
            raise AuditError("CDS-404", str(self.signing_path), what, action="A log keeps its name and its keys.")
        return signer


def read_signer(path: Path, *, may_create: bool = False, origin: str = DEVELOPMENT_ORIGIN) -> Signer:
    """Return the signer whose key lies at `path`; make the key, once among all processes, if that is allowed.

    Raises:
        AuditError: CDS-404 if the key is missing and may not be made, or is no signing key.
    """
    text = read_or_create(path, "signing key", _new_key(origin), may_create=may_create)
    try:
        return Signer.parse(text)
    except ValueError as error:
        raise no_key(path, "This is no signing key.") from error


def _new_key(origin: str) -> Callable[[], str]:
    return lambda: Signer(origin, secrets.token_bytes(_SEED_BYTES)).written
