"""The copy of the newest checkpoint outside of the log: what makes a log that was cut back show.

A log that is cut back to an earlier checkpoint is a valid log. Only who has kept a later checkpoint can tell.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cds.audit.key_files import sync_folder
from cds.audit.offline.notes import Checkpoint, NotProvenError, VerificationKey, checkpoint_by
from cds.audit.stored_tree import unfit
from cds.errors import AuditError

_LOGGER = logging.getLogger("cds")
COPY_SECONDS = 60.0
"""The copy is never older than this while the service runs."""


class CheckpointCopy:
    """Keeps the newest checkpoint at a second path; several processes may share it, under the log's lock."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._written_at = float("-inf")
        self._written = ""
        self.failure = ""

    @property
    def is_due(self) -> bool:
        """Say whether it is time to write the copy again."""
        return self._clock() - self._written_at >= COPY_SECONDS

    def read(self, keys: Sequence[VerificationKey]) -> Checkpoint | None:
        """Return the checkpoint that is kept; None if there is none yet.

        Raises:
            AuditError: CDS-409 if it is none of these keys, CDS-401 if it cannot be read.
        """
        return read_copy(self._path, keys)

    def failed(self, what: str, error: str) -> None:
        """Keep in `failure` why the copy is not the newest; it is tried again in a second."""
        if not self.failure:  # said once, not every second
            _LOGGER.warning("checkpoint.not_kept", extra={"values": {"error": error}})
        self.failure = what
        self._written_at = self._clock() - COPY_SECONDS + 1

    def write(self, note: str) -> None:
        """Write the newest checkpoint durably; a failure is kept in `failure` and is tried again."""
        if not note or note == self._written:
            self._written_at = self._clock()
            return
        draft = self._path.with_name(f".{self._path.name}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            self.failed(f"The checkpoint's copy cannot be written ({type(error).__name__}).", type(error).__name__)
            return
        self._written, self._written_at, self.failure = note, self._clock(), ""


def read_copy(path: Path, keys: Sequence[VerificationKey]) -> Checkpoint | None:
    """Return a checkpoint that was kept in a file; None if there is no file.

    Raises:
        AuditError: CDS-409 if it is none of these keys, CDS-401 if it cannot be read.
    """
    try:
        return checkpoint_by(keys, path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise AuditError("CDS-401", str(path), f"The checkpoint cannot be read ({type(error).__name__}).") from error
    except NotProvenError as error:
        raise unfit(str(path), f"The checkpoint that was kept does not verify: {error}") from error
