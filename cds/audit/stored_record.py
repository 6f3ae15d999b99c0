"""What is read back from the log: entries, and records with their sections."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from cds.audit.canonical import JsonValue
from cds.audit.identifiers import restored
from cds.audit.members import Section


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry without its sections: its number in the log and its envelope."""

    seq: int
    envelope: Section


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """An entry with its sections as they are stored.

    Attributes:
        sections: the bytes of each section that is still there, by name; `salts` their salts. Where the call's subject
            stands, all but `subject` hold signs (`cds.audit.identifiers`).
        envelope_bytes: the envelope as it is stored and hashed.
        redacted: names of sections that the envelope commits to and that are gone.
        altered: names of sections whose bytes are not those that the envelope commits to.
    """

    seq: int
    envelope: Section
    sections: Mapping[str, bytes] = field(repr=False)
    salts: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    envelope_bytes: bytes = field(default=b"", repr=False)
    redacted: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()

    def content(self, name: str) -> bytes:
        """Return a section as it was before it was sealed; an empty object if it is redacted or was never there."""
        stored = self.sections.get(name, b"{}")
        return stored if name == "subject" else restored(stored, self.section("subject"))

    def section(self, name: str) -> Section:
        """Return a section's JSON; empty if it is redacted or was never there."""
        read = parsed(self.content(name))
        return read if isinstance(read, dict) else {}


def parsed(content: bytes) -> JsonValue:
    """Return a section's JSON; bytes that are no JSON (they were altered) as text."""
    try:
        value: JsonValue = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode("utf-8", "backslashreplace")
    return value
