"""A log goes on only as what was signed of it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cds.audit.keys import KeyFiles
from cds.audit.queries import LogReader
from cds.audit.schema import APPLICATION_ID, migrations
from cds.errors import AuditError
from tests.audit.filling import COPY, change, filled, problems
from tests.audit.records import decision, recorder_in


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entry WHERE seq = 2",
        "DELETE FROM checkpoint",
        "UPDATE node SET hash = zeroblob(32) WHERE level = 1",
        "UPDATE entry SET envelope = CAST(replace(envelope, 'order-select', 'order-signed') AS BLOB) WHERE seq = 2",
        "DELETE FROM node WHERE level = 0 AND idx = 2",
    ],
    ids=["entry deleted", "checkpoints deleted", "hash changed", "entry changed", "hash deleted"],
)
def test_a_log_that_is_not_what_was_signed_does_not_open(tmp_path: Path, statement: str) -> None:
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)

    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(tmp_path)


def test_a_log_that_was_cut_back_does_not_open(tmp_path: Path) -> None:
    """An older state of the file is a valid log; the checkpoint that was kept knows better."""
    filled(tmp_path, 2)
    shutil.copytree(tmp_path / "data", tmp_path / "older")
    filled(tmp_path, 1)
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "older").rename(tmp_path / "data")

    with pytest.raises(AuditError, match=r"CDS-409 .*cut back"):
        recorder_in(tmp_path)


def test_a_log_that_vanished_does_not_begin_anew_in_silence(tmp_path: Path) -> None:
    filled(tmp_path)
    shutil.rmtree(tmp_path / "data")

    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(tmp_path)


def test_a_kept_checkpoint_of_another_log_does_not_fit(tmp_path: Path) -> None:
    filled(tmp_path / "one")
    filled(tmp_path / "other")
    shutil.copy(tmp_path / "other" / COPY, tmp_path / "one" / COPY)

    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(tmp_path / "one")


def test_a_log_is_not_continued_by_another_log_under_the_same_key(tmp_path: Path) -> None:
    """The same keys, another history of the same length."""
    filled(tmp_path)
    shutil.rmtree(tmp_path / "data")
    kept = (tmp_path / COPY).read_text()
    (tmp_path / COPY).unlink()
    filled(tmp_path)
    (tmp_path / COPY).write_text(kept)

    with pytest.raises(AuditError, match=r"CDS-409 .*another root"):
        recorder_in(tmp_path)


def test_an_entry_that_is_taken_away_from_a_running_log_stops_it(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.append(decision())
    recorder.append(decision())
    change(tmp_path, "DELETE FROM entry WHERE seq = 1")

    with pytest.raises(AuditError, match="CDS-409"):
        recorder.append(decision())
    assert not recorder.healthy
    with pytest.raises(AuditError, match="CDS-409"):
        recorder.append(decision())
    recorder.close()


def older_log(folder: Path, count: int) -> None:
    """Make a log as version 2 of its tables had it: entries, no tree, no signing key."""
    filled(folder, count)
    with closing(sqlite3.connect(folder / "data" / "record.sqlite", isolation_level=None)) as connection:
        rows = connection.execute("SELECT seq, id, envelope FROM entry").fetchall()
        sections = connection.execute("SELECT seq, name, salt, content FROM section").fetchall()
        knowledge = connection.execute("SELECT sha256, package FROM knowledge").fetchall()
    shutil.rmtree(folder / "data")
    (folder / "data").mkdir()
    (folder / "keys" / "signing.key").unlink()
    (folder / COPY).unlink()
    with closing(sqlite3.connect(folder / "data" / "record.sqlite", isolation_level=None)) as connection:
        for number, script in migrations()[:2]:
            connection.executescript(
                f"{script}; PRAGMA user_version = {number}; PRAGMA application_id = {APPLICATION_ID}"
            )
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)
        connection.executemany("INSERT INTO section VALUES (?, ?, ?, ?)", sections)
        connection.executemany("INSERT INTO knowledge VALUES (?, ?)", knowledge)
        connection.execute("COMMIT")


@pytest.mark.parametrize("count", [0, 1, 70])
def test_a_log_from_before_the_seal_is_sealed_as_it_is_and_goes_on(tmp_path: Path, count: int) -> None:
    older_log(tmp_path, count)

    key = filled(tmp_path, 2)

    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        assert list(range(count + 2)) == sorted(entry.seq for entry in log.list(limit=100))
    assert [] == problems(tmp_path, key)


def test_a_first_seal_that_was_interrupted_is_made_by_the_next_start(tmp_path: Path) -> None:
    """The key counts as the log's only once it has signed: before, the log is still as old as it was."""
    older_log(tmp_path, 3)
    files = KeyFiles(tmp_path / "keys" / "pseudonym.key")
    made = files.read(is_empty=False, is_signed=False).signer.verification_key

    key = filled(tmp_path, 1)

    assert str(made) == key
    assert [] == problems(tmp_path, key)


def test_a_first_seal_that_was_made_and_whose_key_was_not_yet_put_in_place_is_used(tmp_path: Path) -> None:
    older_log(tmp_path, 3)
    key = filled(tmp_path, 1)
    files = KeyFiles(tmp_path / "keys" / "pseudonym.key")
    files.signing_path.rename(files.next_path)

    assert key == filled(tmp_path, 1)


def test_a_log_whose_seal_was_taken_away_gets_no_new_one(tmp_path: Path) -> None:
    """It looks like a log from before the seal, but there is a signing key already."""
    older_log(tmp_path, 2)
    KeyFiles(tmp_path / "keys" / "other", tmp_path / "keys" / "signing.key").make("cds.example/audit/1")

    with pytest.raises(AuditError, match=r"CDS-409 .*seal was taken away"):
        recorder_in(tmp_path)
