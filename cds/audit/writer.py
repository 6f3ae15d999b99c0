"""The recorder: a call is answered only after `append` has returned."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from cds.audit.anchor import CheckpointCopy
from cds.audit.batches import BatchWriter
from cds.audit.key_files import no_key
from cds.audit.keys import KeyFiles, Keys
from cds.audit.members import Section
from cds.audit.offline.notes import Checkpoint
from cds.audit.record import KnowledgeVersion, LogEntry, Record, RecordType, Software
from cds.audit.seal import seal, seal_entry
from cds.audit.sealed import Sealed, Stamp
from cds.audit.store_sqlite import SqliteStore
from cds.audit.tally import Tally
from cds.errors import AuditError

_WAIT_SECONDS = 2.0


def open_recorder(
    database: Path, key: Path | KeyFiles, software: Software, checkpoint_copy: Path | None = None
) -> "Recorder":
    """Open the log with its keys; log and keys are made at the first start.

    Args:
        database: the log's file; its folder is made if it is missing.
        key: where the keys lie, outside the folder of the log, so that no copy of the log holds them. One path is
            that of the pseudonym key; the signing key then lies beside it.
        software: what answers, for every envelope.
        checkpoint_copy: where the newest checkpoint is copied to; None: ``checkpoint`` beside the signing key.

    Raises:
        AuditError: CDS-401 the log cannot be opened, CDS-404 a key is missing, wrong or lies in the log's folder,
            CDS-405 the file is no such log, CDS-409 it is not what was signed of it, or was cut back. The service
            must not start then.
    """
    files = key if isinstance(key, KeyFiles) else KeyFiles(key)
    files.require_outside(database.parent)
    copy = CheckpointCopy(checkpoint_copy or default_copy(files))
    store = SqliteStore(database)
    try:
        with store.exclusively():
            keys = _unlock(store, files, copy)
    except BaseException:
        store.close()
        raise
    return Recorder(store, keys, software, copy=copy)


def default_copy(files: KeyFiles) -> Path:
    """Return where the newest checkpoint is copied to if nothing else is said."""
    return files.signing_path.with_name("checkpoint")


def _unlock(store: SqliteStore, files: KeyFiles, copy: CheckpointCopy) -> Keys:
    files.put_in_force(store.current_note())
    last = store.last_envelope()
    keys = files.read(is_empty=last is None, is_signed=bool(store.current_note()))
    if last is not None and orjson.loads(last)["subjectEpoch"] != keys.pseudonym.epoch:
        raise no_key(files.pseudonym, "This is not the key of this log.")
    store.use(keys.signer)
    files.put_in_force(store.current_note())
    store.note_after(copy.read(store.keys_before(keys.signer.verification_key)))
    return keys


class Recorder:
    """Seals records and makes them durable; safe to use from many threads and tasks at once.

    See `BatchWriter` for what it does when the disk fails.
    """

    def __init__(
        self,
        store: SqliteStore,
        keys: Keys,
        software: Software,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait_seconds: float = _WAIT_SECONDS,
        copy: CheckpointCopy | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._software = software
        self._clock = clock
        self._copy = copy
        self._instance = secrets.token_hex(8)
        self._started_ns = time.monotonic_ns()
        self._tally = Tally()
        self._writer = BatchWriter(store, wait_seconds, self._do_chores)

    @property
    def healthy(self) -> bool:
        """Say whether the last write succeeded: if not, the service is not ready."""
        return self._writer.healthy

    @property
    def broken(self) -> AuditError | None:
        """Return why nothing is written any more until a restart; None if that is not so."""
        return self._writer.broken

    @property
    def verification_key(self) -> str:
        """Return the key with which auditors verify this log; it is no secret."""
        return str(self._keys.signer.verification_key)

    @property
    def copy_failure(self) -> str:
        """Return why the newest checkpoint could not be copied; empty if it could."""
        return self._copy.failure if self._copy else ""

    def keep_knowledge(self, digest: str, package: bytes) -> None:
        """Keep a knowledge package under its digest (``sha256:`` and hex) for ever; call it at every start.

        Raises:
            AuditError: CDS-407 if the digest is not that of the package; CDS-402, CDS-403 if it cannot be written.
        """
        with self._store.exclusively():
            self._store.keep_knowledge(digest, package)

    def started(self, knowledge: KnowledgeVersion) -> None:
        """Leave an entry of this start: program, configuration, knowledge and the key that signs.

        Raises:
            AuditError: as `append`.
        """
        key, key_id = self.verification_key, self._keys.signer.verification_key.key_id.hex()
        with self._store.exclusively():
            is_named = self._store.has_about(key_id)
        if not is_named:
            self.append_entry(LogEntry(RecordType.KEY, {"verificationKey": key}, about=key_id))
        digest = knowledge.digest.removeprefix("sha256:")
        named: Section = {"knowledge": {"version": knowledge.version, "sha256": digest}, "verificationKey": key}
        self.append_entry(LogEntry(RecordType.START, named))

    def append(self, record: Record) -> None:
        """Store the record; it is durable when this returns.

        Raises:
            AuditError: CDS-402 not writable now, CDS-403, CDS-409 broken until a restart, CDS-407 the record cannot
                be sealed or its id is already used. Then the call must not be answered with cards.
        """
        self._writer.finish(self._writer.submit(self._sealed(record)))

    async def append_async(self, record: Record) -> None:
        """Do what `append` does without holding up the event loop while the disk works."""
        await self._writer.finish_async(self._writer.submit(self._sealed(record)))

    def append_entry(self, entry: LogEntry) -> None:
        """Store an entry that is no call; as `append`."""
        self._writer.finish(self._writer.submit(self._sealed(entry)))

    async def append_entry_async(self, entry: LogEntry) -> None:
        """Store an entry that is no call; as `append_async`."""
        await self._writer.finish_async(self._writer.submit(self._sealed(entry)))

    def redact(self, seq: int, names: tuple[str, ...], redaction: LogEntry) -> bool:
        """Delete sections of an entry, and append the entry that says so.

        Returns:
            Whether nothing of them is left in the log's files; not while somebody is reading the log.

        Raises:
            AuditError: as `append`.
        """
        sealed = self._sealed(redaction)
        with self._store.exclusively():
            self._store.redact(seq, names, sealed)
            return self._store.clean()

    def change_key(self, files: KeyFiles) -> str:
        """Make another signing key, append the entry that says so, and sign with the new key from then on.

        Other processes that write to the log stop, with CDS-409, until they are started again.

        Returns:
            The new verification key.

        Raises:
            AuditError: as `append`; CDS-404 if the key's file cannot be written.
        """
        before = self._keys.signer.verification_key
        with self._store.exclusively():
            successor = files.make_next(before.name)
            after = successor.verification_key
            named: Section = {"verificationKey": str(after), "replaces": str(before)}
            change = self._sealed(LogEntry(RecordType.KEY, named, about=after.key_id.hex()))
            self._store.change_key(change, successor)
            self._keys = replace(self._keys, signer=successor)
            files.put_in_force(self._store.current_note())
        return str(after)

    def clean(self) -> bool:
        """Remove what earlier redactions could not; as `redact`."""
        with self._store.exclusively():
            return self._store.clean()

    def count(self, status: int) -> None:
        """Count a call that was refused (401, 413, 429): one entry a minute says how many. Never waits."""
        self._tally.count(status)

    def close(self) -> None:
        """Write what is waiting, then close the log."""
        self._submit_counted(now=True)
        self._writer.close()

    def _do_chores(self, is_last: bool) -> None:
        if not is_last:
            self._submit_counted()
        if self._copy and (is_last or self._copy.is_due):
            self._keep_checkpoint(self._copy)

    def _keep_checkpoint(self, copy: CheckpointCopy) -> None:
        """Copy the newest checkpoint; never over one that the log does not hold any more."""
        try:
            with self._store.exclusively(1):
                kept = copy.read(self._store.keys_before(self._keys.signer.verification_key))
                copy.write(self._note_after(kept))
        except AuditError as error:
            copy.failed(error.what, error.code)

    def _note_after(self, kept: Checkpoint | None) -> str:
        try:
            return self._store.note_after(kept)
        except AuditError as error:
            if error.code == "CDS-409":
                self._writer.end_with(error)
            raise

    def _submit_counted(self, *, now: bool = False) -> None:
        with suppress(AuditError):  # a count is not worth more than the log's own failure, which is known
            if entry := self._tally.take(now=now):
                self._writer.submit(self._sealed(entry))

    def _sealed(self, record: Record | LogEntry) -> Sealed:
        mono_us = (time.monotonic_ns() - self._started_ns) // 1000
        stamp = Stamp(self._clock(), mono_us, self._instance, self._software)
        arguments = (stamp, self._keys.pseudonym, secrets.token_bytes)
        try:
            return seal_entry(record, *arguments) if isinstance(record, LogEntry) else seal(record, *arguments)
        except (TypeError, ValueError, KeyError) as error:
            raise AuditError("CDS-407", "record", f"The record cannot be sealed ({type(error).__name__}).") from error
