"""A record in the form in which it is stored: a permanent envelope, and sections that can be taken away from it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cds.audit.indexes import IndexRow
from cds.audit.offline.hashes import commitment
from cds.audit.record import Software


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the process adds to a record: its clock, its random id, microseconds since it started, its version."""

    time: datetime
    mono_us: int
    instance: str
    software: Software


@dataclass(frozen=True, slots=True)
class SealedSection:
    """One section as it is stored. Deleting salt and bytes redacts it; the envelope stays as it is."""

    name: str
    salt: bytes = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def commitment(self) -> str:
        """Return what the envelope says of this section: SHA-256(0x02, name, 0x00, salt, bytes) in base64.

        >>> SealedSection("subject", bytes(32), b"{}").commitment
        'k/6Mvm1tBgax5nTkQKs4N3fhmGVDD+PRfxQ6paiLY5M='
        """
        return commitment(self.name, self.salt, self.content)


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card that was sent, for the index of who saw what: both keys are pseudonyms, `at` is UTC as in envelopes."""

    subject_key: str
    user_key: str
    at: str
    topic: str
    drug: str
    route: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record ready to be stored: the envelope's canonical bytes, the sections it commits to, the index's rows.

    `about` is the id of the record that it is about, if there is one.
    """

    record_id: str
    envelope: bytes
    sections: tuple[SealedSection, ...]
    shown: tuple[ShownCard, ...] = ()
    about: str = ""
    rows: tuple[IndexRow, ...] = ()


def utc(moment: datetime) -> str:
    """Return a moment as envelopes write it: UTC to the microsecond, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
