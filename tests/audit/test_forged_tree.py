"""The service signs further only what it has signed: who can write its files and has no key gets nothing signed."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cds.audit.offline.hashes import Frontier
from cds.audit.writer import Recorder
from cds.errors import AuditError
from tests.audit.records import decision, recorder_in

COPY = Path("keys") / "checkpoint"


def running(folder: Path, count: int = 4) -> Recorder:
    recorder = recorder_in(folder)
    for _ in range(count):
        recorder.append(decision())
    return recorder


def forge(folder: Path) -> None:
    """Change an entry, build the tree anew over it, and take the older checkpoints away."""
    with closing(sqlite3.connect(folder / "data" / "record.sqlite", isolation_level=None)) as connection:
        change = "UPDATE entry SET envelope = CAST(replace(envelope, 'order-select', 'order-signed') AS BLOB)"
        connection.execute(f"{change} WHERE seq = 1")
        rows = connection.execute("SELECT envelope FROM entry ORDER BY seq").fetchall()
        connection.execute("DELETE FROM node")
        frontier = Frontier()
        for (envelope,) in rows:
            frontier, nodes = frontier.append(envelope)
            for node in nodes:
                connection.execute("INSERT INTO node VALUES (?, ?, ?)", (node.level, node.index, node.hash))
        connection.execute("DELETE FROM checkpoint WHERE minute < (SELECT max(minute) FROM checkpoint)")


def test_a_forged_tree_is_not_signed_by_a_running_service(tmp_path: Path) -> None:
    recorder = running(tmp_path)
    forge(tmp_path)

    with pytest.raises(AuditError, match="CDS-409"):
        recorder.append(decision())

    assert not recorder.healthy
    recorder.close()


def test_a_forged_tree_is_not_signed_by_another_process(tmp_path: Path) -> None:
    """Which remembers another checkpoint than the newest."""
    other, recorder = running(tmp_path, 2), running(tmp_path, 2)
    forge(tmp_path)

    for each in (other, recorder):
        with pytest.raises(AuditError, match="CDS-409"):
            each.append(decision())
        each.close()


def test_a_log_that_was_cut_back_while_the_service_runs_is_not_signed_further(tmp_path: Path) -> None:
    running(tmp_path, 2).close()
    shutil.copytree(tmp_path / "data", tmp_path / "older")
    recorder = running(tmp_path, 2)
    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite", isolation_level=None)) as connection:
        older = sqlite3.connect(tmp_path / "older" / "record.sqlite")
        older.backup(connection)  # an earlier state of the whole log, with its own good checkpoint
        older.close()

    with pytest.raises(AuditError, match="CDS-409"):
        recorder.append(decision())
    recorder.close()


def test_the_checkpoint_that_is_kept_is_not_replaced_by_one_of_another_history(tmp_path: Path) -> None:
    running(tmp_path).close()
    recorder = recorder_in(tmp_path)
    kept = (tmp_path / COPY).read_text()
    forge(tmp_path)
    recorder.close()

    assert kept == (tmp_path / COPY).read_text()
    assert "not what was signed of it" in recorder.copy_failure
    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(tmp_path)
