"""Logs to look at, and what is looked at: their entries, and what of them does not verify."""

import sqlite3
from contextlib import closing
from pathlib import Path

from cds.audit.offline.notes import VerificationKey
from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.queries import Filters, LogReader
from cds.audit.record import RecordType
from tests.audit.records import decision, recorder_in

ROOT = Path(__file__).resolve().parents[2]
COPY = Path("keys") / "checkpoint"


def filled(folder: Path, count: int = 3) -> str:
    """Make a log with so many records, and return its verification key."""
    recorder = recorder_in(folder)
    for _ in range(count):
        recorder.append(decision())
    recorder.close()
    return recorder.verification_key


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "data" / "record.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)


def envelopes(folder: Path, kind: RecordType) -> list[dict[str, object]]:
    with LogReader(folder / "data" / "record.sqlite") as log:
        return [entry.envelope for entry in log.list(Filters(types=(kind.value,)))]  # type: ignore[misc]


def problems(folder: Path, key: str) -> list[str]:
    with closing(open_stored(folder / "data" / "record.sqlite")) as connection:
        return verify_stored(connection, [VerificationKey.parse(key)]).problems
