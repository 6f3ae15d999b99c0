"""A log is opened only as what it is: with its own key, in its own format, in a place that can be written."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cds.audit.pseudonym import load_or_create_key
from cds.audit.schema import migrations
from cds.audit.writer import open_recorder
from cds.errors import AuditError
from tests.audit.another_user import folder_for_all, run_as_another_user
from tests.audit.records import SOFTWARE, decision, recorder_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The folder of a log with one record, closed."""
    recorder = recorder_in(tmp_path)
    recorder.append(decision())
    recorder.close()
    return tmp_path


@pytest.mark.parametrize("name", ["pseudonym.key", "signing.key"])
def test_a_log_whose_key_is_gone_does_not_open_and_gets_no_new_key(log: Path, name: str) -> None:
    (log / "keys" / name).unlink()

    with pytest.raises(AuditError, match="CDS-404"):
        recorder_in(log)

    assert not (log / "keys" / name).exists()


def test_a_log_does_not_open_with_the_key_of_another(log: Path) -> None:
    (log / "keys" / "pseudonym.key").write_text("00" * 32)

    with pytest.raises(AuditError, match="CDS-404"):
        recorder_in(log)


@pytest.mark.parametrize("content", ["", "00" * 31, "no key"])
def test_a_damaged_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "pseudonym.key").write_text(content)

    with pytest.raises(AuditError, match="CDS-404"):
        recorder_in(tmp_path)


def test_a_key_inside_the_folder_of_the_log_is_refused(tmp_path: Path) -> None:
    """A copy of the log's folder must not hold the key that undoes its pseudonyms."""
    with pytest.raises(AuditError, match="CDS-404"):
        open_recorder(tmp_path / "record.sqlite", tmp_path / "keys" / "pseudonym.key", SOFTWARE)


def test_workers_that_start_together_make_one_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.audit.records import recorder_in\n"
        "recorder = recorder_in(Path(sys.argv[1])); print(recorder._keys.pseudonym.epoch, recorder.verification_key)\n"
        "recorder.close()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    workers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    epochs = [worker.communicate(timeout=60)[0].strip() for worker in workers]

    assert 4 == len(epochs)
    assert 1 == len(set(epochs) - {""})
    assert {"pseudonym.key", "signing.key"} == {path.name for path in (tmp_path / "keys").glob("*.key")}


def test_a_key_is_never_made_where_that_is_not_allowed(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="CDS-404"):
        load_or_create_key(tmp_path / "pseudonym.key", may_create=False)


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    connection = sqlite3.connect(tmp_path / "data" / "record.sqlite")
    connection.execute("CREATE TABLE notes (text)")
    connection.close()

    with pytest.raises(AuditError, match="CDS-405"):
        recorder_in(tmp_path)


def test_a_log_of_a_later_version_does_not_open(log: Path) -> None:
    later = max(number for number, _ in migrations()) + 1
    connection = sqlite3.connect(log / "data" / "record.sqlite")
    connection.execute(f"PRAGMA user_version = {later}")
    connection.close()

    with pytest.raises(AuditError, match="CDS-405"):
        recorder_in(log)


def test_a_file_that_is_no_database_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "record.sqlite").write_bytes(b"not a database, but long enough to look at" * 50)

    with pytest.raises(AuditError, match="CDS-401"):
        recorder_in(tmp_path)


def test_a_log_opens_again_and_goes_on(log: Path) -> None:
    recorder = recorder_in(log)
    recorder.append(decision())
    recorder.close()

    connection = sqlite3.connect(log / "data" / "record.sqlite")
    numbers = connection.execute("SELECT seq FROM entry ORDER BY seq").fetchall()
    connection.close()

    assert [(0,), (1,)] == numbers


def test_a_place_that_is_no_folder_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder belongs")

    with pytest.raises(AuditError, match="CDS-401"):
        recorder_in(tmp_path)


def test_a_folder_that_may_not_be_written_does_not_open() -> None:
    program = (
        "import sys; from pathlib import Path; from tests.audit.records import recorder_in\n"
        "CHANGE_USER\n"
        "try: recorder_in(Path(sys.argv[1]))\n"
        "except Exception as error: print(getattr(error, 'code', error))"
    )
    with folder_for_all() as folder:
        (folder / "data").mkdir()
        (folder / "data").chmod(0o555)

        said = run_as_another_user(program, folder)

    assert "CDS-401" == said
