"""Proofs for an auditor: that a record stands in the log, and that the log begins with what it was before."""

from collections.abc import Collection
from dataclasses import dataclass

from cds.audit.offline.hashes import leaf_hash, root_by_inclusion
from cds.audit.offline.notes import Checkpoint, NotProvenError, VerificationKey, hash_of
from cds.audit.offline.records import consistency_text, proof_text, record_text
from cds.audit.queries import LogReader, StoredRecord
from cds.audit.tree import consistency_proof, inclusion_path
from cds.errors import AuditError


@dataclass(frozen=True, slots=True)
class Proof:
    """Two files: the proof that an envelope stands in the log, and the record itself."""

    proof: str
    record: str


@dataclass(frozen=True, slots=True)
class Seal:
    """How a record is sealed, and what of it was found to be so.

    Attributes:
        size: how many entries the newest checkpoint covers.
        origin: the log's name, as the checkpoint gives it.
        problem: why the seal does not verify; empty if it does.
        checked: whether the signature was checked with a key; without, only that the record fits the checkpoint.
    """

    size: int
    origin: str
    problem: str
    checked: bool


def prove(log: LogReader, record: StoredRecord, names: Collection[str] | None = None) -> Proof:
    """Return the proof of a record under the log's newest checkpoint.

    Args:
        log: where the record was read.
        record: the record.
        names: the sections to show; None shows every one that is still there. The others stay secret.

    Raises:
        AuditError: CDS-406 if there is no such section, CDS-409 if the record cannot be proven as it is.
    """
    shown = record.sections.keys() if names is None else set(names)
    if unknown := sorted(set(shown) - record.sections.keys()):
        here = f"It has: {', '.join(sorted(record.sections))}."
        raise AuditError("CDS-406", f"record {record.seq}", f"There is no section {', '.join(unknown)}.", here)
    with log.at_one_moment():
        checkpoint = stated(log.note())
        try:
            path = inclusion_path(log.nodes(), record.seq, checkpoint.size)
        except (LookupError, ValueError) as error:
            raise _unprovable(record, str(error)) from error
    if problem := _problem(record, checkpoint, path):
        raise _unprovable(record, problem)
    sections = {name: (record.salts[name], record.sections[name]) for name in shown}
    return Proof(proof_text(record.seq, path, checkpoint.note), record_text(record.envelope_bytes.decode(), sections))


def seal_of(log: LogReader, record: StoredRecord, key: VerificationKey | None) -> Seal:
    """Return how a record is sealed, and whether that verifies.

    Raises:
        AuditError: CDS-406 if the log was never signed.
    """
    with log.at_one_moment():
        checkpoint = stated(log.note())
        try:
            if key:
                key.checkpoint(checkpoint.note)
            problem = _problem(record, checkpoint, inclusion_path(log.nodes(), record.seq, checkpoint.size))
        except (NotProvenError, LookupError, ValueError) as error:
            problem = str(error)
    return Seal(checkpoint.size, checkpoint.origin, problem, key is not None)


def prove_consistency(log: LogReader, old: int, new: int) -> str:
    """Return the text of the proof that the log of `new` entries begins with that of `old` entries.

    Raises:
        AuditError: CDS-406 if the log was never so long, or `old` is larger.
    """
    with log.at_one_moment():
        try:
            return consistency_text(consistency_proof(log.nodes(), old, new))
        except (LookupError, ValueError) as error:
            what = f"This log cannot have been of {old} and then of {new} entries: {error}"
            raise AuditError("CDS-406", "checkpoint", what) from error


def stated(note: str) -> Checkpoint:
    """Return what a checkpoint says, whoever has signed it.

    Raises:
        AuditError: CDS-409 if it is none.
    """
    try:
        origin, size, root, *_ = note.split("\n")
        return Checkpoint(origin, int(size), hash_of(root), note)
    except (ValueError, NotProvenError) as error:
        raise AuditError("CDS-409", "checkpoint", "The log's newest checkpoint cannot be read.") from error


def _problem(record: StoredRecord, checkpoint: Checkpoint, path: list[bytes]) -> str:
    root = root_by_inclusion(record.seq, checkpoint.size, leaf_hash(record.envelope_bytes), path)
    if root != checkpoint.root:
        return "The envelope is not the one that was sealed."
    return f"Not as recorded: section {', '.join(record.altered)}." if record.altered else ""


def _unprovable(record: StoredRecord, why: str) -> AuditError:
    return AuditError("CDS-409", f"record {record.seq}", f"It cannot be proven. {why}", action="Run: cds log verify")
