"""Take sections away from a record for good, and say so in the log."""

from collections.abc import Sequence
from dataclasses import dataclass

from cds.audit.record import LogEntry, RecordType
from cds.audit.stored_record import StoredRecord
from cds.audit.writer import Recorder
from cds.errors import AuditError


@dataclass(frozen=True, slots=True)
class Redacted:
    """What a redaction did.

    Attributes:
        sections: the sections that were taken away now; those that were gone before are not among them.
        is_complete: whether nothing of them is left in the log's files; not while somebody is reading the log.
    """

    sections: tuple[str, ...]
    is_complete: bool


def redact(recorder: Recorder, record: StoredRecord, names: Sequence[str], reason: str, by: str) -> Redacted:
    """Delete sections with their salts; their commitments stay, and so does every proof.

    Args:
        recorder: the log, open for writing; a service may be writing to it too.
        record: the record as it was read.
        names: the sections.
        reason: why, in words; kept in a section of the new entry, which can be redacted itself.
        by: who decided so; kept there too.

    Raises:
        AuditError: CDS-406 if the record never had such a section, else as `Recorder.append`.
    """
    had = record.sections.keys() | set(record.redacted)
    if unknown := sorted(set(names) - had):
        here = f"It has: {', '.join(sorted(record.sections))}."
        raise AuditError("CDS-406", f"record {record.seq}", f"There is no section {', '.join(unknown)}.", here)
    here_still = tuple(sorted(set(names) & record.sections.keys()))
    if not here_still:
        return Redacted((), recorder.clean())
    entry = LogEntry(
        RecordType.REDACTION,
        {"redacted": {"seq": record.seq, "sections": list(here_still)}},
        {"redaction": {"reason": reason, "by": by}},
        about=str(record.envelope["id"]),
    )
    return Redacted(here_still, recorder.redact(record.seq, here_still, entry))
