"""A log to verify and to tamper with: every kind of entry, an anchored part and a tail."""

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import orjson

from cds.audit.canonical import canonical
from cds.audit.offline.notes import Checkpoint, VerificationKey
from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.offline.verdict import Verdict
from cds.audit.queries import LogReader
from cds.audit.record import DecisionRecord
from cds.audit.redaction import redact
from cds.audit.seal import seal
from cds.audit.sealed import Sealed, SealedSection
from cds.audit.writer import Recorder
from cds.engine.card import Card
from cds.engine.rules import Level
from tests.audit.records import KNOWLEDGE, PSEUDONYM, STAMP, chart, decision, failure, not_applicable, recorder_in

CARD = Card("KETIOP1I", ("KETIOP1",), Level.INFO, "Glaucoma", "", "A guideline", "", drug="ketamine", route="nasal")
"""A card that leaves a row in the index of what was shown."""


@dataclass(frozen=True, slots=True)
class SomeLog:
    """A closed log.

    Attributes:
        folder: where ``data`` and ``keys`` lie.
        key: its verification key.
        anchor: the checkpoint that was kept when it had fewer entries.
        entries: how many it has now.
    """

    folder: Path
    key: VerificationKey
    anchor: Checkpoint
    entries: int

    @property
    def database(self) -> Path:
        return self.folder / "data" / "record.sqlite"

    def copy_to(self, folder: Path) -> "SomeLog":
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return replace(self, folder=folder)

    def verify(self, *anchors: Checkpoint) -> Verdict:
        with closing(open_stored(self.database)) as connection:
            return verify_stored(connection, [self.key], anchors or (self.anchor,))

    def change(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            connection.execute(statement, values)

    def note(self) -> str:
        with LogReader(self.database) as log:
            return log.note()


def some_log(folder: Path) -> SomeLog:
    """Make the log: ten entries, an anchor over all of them, four entries after it."""
    recorder = recorder_in(folder)
    key = VerificationKey.parse(recorder.verification_key)
    recorder.started(KNOWLEDGE)
    for record in (decision(), with_card(), not_applicable(), failure(), decision(), with_card()):
        recorder.append(record)
    take_away(recorder, folder, "4")
    recorder.count(401)
    recorder.close()
    anchor = key.checkpoint((folder / "keys" / "checkpoint").read_text("utf-8"))
    recorder = recorder_in(folder)
    for record in (decision(), not_applicable(), decision(), failure()):
        recorder.append(record)
    recorder.close()
    return SomeLog(folder, key, anchor, 14)


def with_card() -> DecisionRecord:
    """Make a decision whose card is in the index of what was shown."""
    return replace(decision(), cards=(replace(CARD, fingerprint="ab" * 16),))


def take_away(recorder: Recorder, folder: Path, reference: str, *names: str) -> None:
    """Redact sections of a record."""
    with LogReader(folder / "data" / "record.sqlite") as log:
        record = log.find(reference)
    redact(recorder, record, names or ("subject",), "asked for", "A. Officer")


def many(count: int) -> Iterator[Sealed]:
    """Yield sealed records of 8 KB, each with its own id and salts."""
    base = seal(decision(chart(4, 1, 4)), STAMP, PSEUDONYM, secrets.token_bytes)
    envelope = orjson.loads(base.envelope)
    for _ in range(count):
        record_id = str(uuid4())
        sections = tuple(SealedSection(one.name, secrets.token_bytes(32), one.content) for one in base.sections)
        envelope |= {"id": record_id, "sections": {one.name: one.commitment for one in sections}}
        yield Sealed(record_id, canonical(envelope), sections, rows=base.rows)
