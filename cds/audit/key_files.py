"""Files with secrets: made once among all processes that start together, readable by their owner alone."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cds.errors import AuditError


def read_or_create(path: Path, what: str, make: Callable[[], str], *, may_create: bool) -> str:
    """Return the secret that lies at `path`; make it, once among all processes, if that is allowed.

    Args:
        path: the file; its folder is made with it.
        what: the secret's name for messages, ``pseudonym key``.
        make: returns a new secret, one line of text.
        may_create: whether a missing one may be made.

    Raises:
        AuditError: CDS-404, if it is missing and may not be made, or cannot be read.
    """
    try:
        if may_create and not path.exists():
            create(path, make())
        return path.read_text("ascii").strip()
    except FileNotFoundError as error:
        raise no_key(path, f"The log's {what} is missing.") from error
    except (OSError, ValueError) as error:
        raise no_key(path, f"The {what} cannot be read or made: {type(error).__name__}.") from error


def create(path: Path, secret: str) -> None:
    """Write a secret that only its owner may read, unless there is one already; then that one stays.

    Raises:
        OSError: if it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    finally:
        draft.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def no_key(path: Path, what: str) -> AuditError:
    """Return the error of a key that is missing, wrong or misplaced."""
    action = "Restore the key from its backup; a log that has records never gets another. For a new log: cds log init"
    return AuditError("CDS-404", str(path), what, action=action)


def _publish(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    sync_folder(path.parent)
