"""A record together with what the log knows of it besides: what was added about it later, and its seal."""

from collections.abc import Iterator
from dataclasses import dataclass

from cds.audit.canonical import JsonValue
from cds.audit.members import Section, child, text, texts
from cds.audit.offline.notes import VerificationKey
from cds.audit.proving import Seal, seal_of
from cds.audit.queries import LogReader
from cds.audit.record import RecordType
from cds.audit.stored_record import StoredRecord
from cds.audit.visible import visible
from cds.audit.words import explain, whole, written
from cds.audit.words_feedback import feedback_lines


@dataclass(frozen=True, slots=True)
class SealedStory:
    """One record, what is said about it later (the oldest first), and its seal."""

    record: StoredRecord
    added: tuple[StoredRecord, ...]
    seal: Seal

    def json(self) -> str:
        """Return all of it as indented JSON."""
        seal: Section = {
            "origin": self.seal.origin,
            "entries": self.seal.size,
            "verifies": not self.seal.problem if self.seal.checked or self.seal.problem else None,
            "problem": self.seal.problem,
        }
        added: list[JsonValue] = [whole(entry) for entry in self.added]
        return written(whole(self.record) | {"added": added, "seal": seal})

    def words(self) -> str:
        """Return all of it for a reader at a terminal."""
        return "\n".join([explain(self.record), *(visible(line) for line in (*self._added(), *self._seal()))])

    def _added(self) -> Iterator[str]:
        if self.added:
            yield ""
            yield "WHAT WAS ADDED LATER"
        for entry in self.added:
            envelope = entry.envelope
            yield f"  Entry {entry.seq}  {text(envelope, 'time')[:19]}  {text(envelope, 'type')}"
            if names := texts(child(envelope, "redacted"), "sections"):
                yield f"    taken away: {', '.join(names)}"
            if text(envelope, "type") == RecordType.FEEDBACK.value:
                yield from (f"  {line}" for line in feedback_lines(entry))
                continue
            for name in entry.sections:
                yield from (f"    {key:10} {value}" for key, value in entry.section(name).items())

    def _seal(self) -> Iterator[str]:
        seal, number = self.seal, self.record.seq
        yield ""
        yield "SEAL"
        if seal.problem:
            yield f"  DOES NOT VERIFY: {seal.problem}"
        elif seal.checked:
            yield f"  Verifies: entry {number} of {seal.size} that {seal.origin} has signed."
        else:
            yield f"  Entry {number} of {seal.size} in {seal.origin}. The signature was not checked: give --key KEY."


def with_seal(log: LogReader, record: StoredRecord, key: VerificationKey | None) -> SealedStory:
    """Return a record with what the log knows of it besides.

    Raises:
        AuditError: CDS-406 if the log was never signed, CDS-409 if its newest checkpoint cannot be read.
    """
    return SealedStory(record, log.about(text(record.envelope, "id")), seal_of(log, record, key))
