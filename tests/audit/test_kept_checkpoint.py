"""The newest checkpoint is kept outside of the log, and one a minute within it."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from cds.audit.anchor import COPY_SECONDS, CheckpointCopy
from cds.audit.offline.notes import VerificationKey
from tests.audit.filling import COPY, change, filled, problems
from tests.audit.records import decision, recorder_in


def test_the_kept_checkpoint_covers_everything_when_the_log_is_closed(tmp_path: Path) -> None:
    key = VerificationKey.parse(filled(tmp_path, 5))

    assert 5 == key.checkpoint((tmp_path / COPY).read_text("utf-8")).size


def test_the_checkpoint_is_kept_while_the_service_runs(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.append(decision())
    deadline = time.monotonic() + 10
    while not (tmp_path / COPY).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    size = VerificationKey.parse(recorder.verification_key).checkpoint((tmp_path / COPY).read_text("utf-8")).size
    recorder.close()

    assert size in {0, 1}


def test_the_kept_checkpoint_is_written_again_after_a_minute(tmp_path: Path) -> None:
    now = 0.0
    copy = CheckpointCopy(tmp_path / "elsewhere" / "checkpoint", lambda: now)
    before = copy.is_due
    copy.write("one\n")
    directly = copy.is_due
    now += COPY_SECONDS

    assert (True, False, True) == (before, directly, copy.is_due)
    assert ["checkpoint"] == [path.name for path in (tmp_path / "elsewhere").iterdir()]


def test_a_checkpoint_that_cannot_be_kept_is_said_and_tried_again(tmp_path: Path) -> None:
    now = 0.0
    (tmp_path / "elsewhere").write_text("a file where a folder belongs")
    copy = CheckpointCopy(tmp_path / "elsewhere" / "checkpoint", lambda: now)
    copy.write("one\n")
    failure = copy.failure
    now += 2
    is_due = copy.is_due
    (tmp_path / "elsewhere").unlink()
    copy.write("one\n")

    assert "cannot be written" in failure
    assert is_due
    assert ("", "one\n") == (copy.failure, (tmp_path / "elsewhere" / "checkpoint").read_text())


def test_one_checkpoint_a_minute_is_kept_in_the_log(tmp_path: Path) -> None:
    began = time.time() // 60
    filled(tmp_path, 30)
    minutes = int(time.time() // 60 - began) + 1

    with closing(sqlite3.connect(tmp_path / "data" / "record.sqlite")) as connection:
        sizes = [size for (size,) in connection.execute("SELECT size FROM checkpoint ORDER BY minute")]

    assert len(sizes) <= minutes
    assert 30 == sizes[-1]


def test_a_clock_that_was_set_back_does_not_disorder_the_checkpoints(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    change(tmp_path, "UPDATE checkpoint SET minute = minute + 100000")

    key = filled(tmp_path, 2)

    assert [] == problems(tmp_path, key)
