"""The indexes of cards, suggestions and feedback decide what is silent: they must say what the entries say."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cds.audit.feedback_entry import feedback_entry
from cds.audit.keys import read_signer
from cds.audit.offline.notes import VerificationKey
from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.offline.tables import FORMAT
from cds.audit.schema import APPLICATION_ID, migrations
from tests.audit.logs import take_away
from tests.audit.records import decision, recorder_in
from tests.audit.test_feedback_entries import SAID, given_feedback, history_of, shown

UNKNOWN = "c4aa8c4b-7d06-4d3c-8e43-6c1c1f0a7b11"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card with a suggestion, two items of feedback on it, one on no card, and another call."""
    folder = tmp_path_factory.mktemp("log")
    recorder = recorder_in(folder)
    recorder.append(shown())
    with closing(history_of(folder)) as history:
        for said in (SAID, replace(SAID, outcome="accepted")):
            recorder.append_entry(feedback_entry(*given_feedback(history, said)))
        record, key = given_feedback(history, replace(SAID, card=UNKNOWN))
        recorder.append_entry(feedback_entry(replace(record, card=None), key))
    recorder.append(replace(decision(answer=b'{"cards":[]}'), cards=()))
    recorder.close()
    return folder


@pytest.fixture
def copy(log: Path, tmp_path: Path) -> Path:
    shutil.copytree(log, tmp_path, dirs_exist_ok=True)
    return tmp_path


def problems(folder: Path) -> list[str]:
    recorder = recorder_in(folder)
    recorder.close()
    with closing(open_stored(folder / "data" / "record.sqlite")) as connection:
        return verify_stored(connection, [VerificationKey.parse(recorder.verification_key)]).problems


def verify(folder: Path, statement: str) -> list[str]:
    """Change the file and verify it, without opening it as the service does."""
    with closing(sqlite3.connect(folder / "data" / "record.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        changed = connection.execute(statement).rowcount
    assert changed != 0
    key = read_signer(folder / "keys" / "signing.key").verification_key
    with closing(open_stored(folder / "data" / "record.sqlite")) as connection:
        return verify_stored(connection, [key]).problems


def test_indexes_that_say_what_the_entries_say_verify(log: Path) -> None:
    assert [] == problems(log)


OF_THE_FEEDBACK = (
    "seq = 4",
    "card_seq = 4",
    "card_seq = NULL",
    "card = 'x'",
    "subject_key = 'x'",
    "outcome = 'accepted'",
    "at = '2099-01-01T00:00:00.000000Z'",
    "topic = 'KETCVDC'",
    "topic = NULL",
    "drug = 'esketamine'",
    "route = 'nasal'",
    "fingerprint = 'x'",
)
OF_THE_ORPHAN = ("card_seq = 0", "subject_key = 'x'")
FORGED = "card_seq, card, subject_key, user_key, outcome, at, topic, drug, route, fingerprint FROM feedback"
ALTERATIONS = [
    *(("UPDATE card SET", change) for change in ("seq = 4", "uuid = 'x'", "position = position + 1")),
    *(("UPDATE suggestion SET", change) for change in ("seq = 4", "uuid = 'x'", "card = 'x'")),
    *(("UPDATE feedback SET", change, "WHERE seq = 1") for change in OF_THE_FEEDBACK),
    *(("UPDATE feedback SET", change, "WHERE seq = 3") for change in OF_THE_ORPHAN),
    *(("DELETE FROM", table) for table in ("card", "suggestion", "feedback")),
    *(("INSERT INTO", table, "SELECT * FROM", table, "LIMIT 1") for table in ("card", "suggestion")),
    *(("INSERT INTO feedback SELECT", seq, ", said || 'x',", FORGED, "WHERE seq = 1") for seq in ("1", "4")),
    ("DROP TABLE feedback",),
    ("CREATE TABLE hidden (text)",),
    ("ALTER TABLE entry ADD COLUMN hidden TEXT",),
    ("PRAGMA user_version = 3",),
    ("PRAGMA application_id = 1",),
]


@pytest.mark.parametrize("statement", [" ".join(words) for words in ALTERATIONS])
def test_an_index_that_says_something_else_does_not_verify(copy: Path, statement: str) -> None:
    assert [] != verify(copy, statement)


@pytest.mark.parametrize("number", ["0", "1"], ids=["the card's", "the feedback's"])
def test_a_redaction_takes_index_rows_away_and_the_rest_verifies(copy: Path, number: str) -> None:
    recorder = recorder_in(copy)
    take_away(recorder, copy, number, "cards" if number == "0" else "feedback")
    recorder.close()

    assert [] == problems(copy)


def test_an_entry_that_nests_without_end_is_a_problem_and_no_crash(copy: Path) -> None:
    deep = "UPDATE entry SET envelope = CAST(replace(hex(zeroblob(100000)), '0', '[') AS BLOB) WHERE seq = 1"

    assert "Entry 1 cannot be read." in verify(copy, deep)


def test_the_verifier_expects_the_tables_that_the_service_makes() -> None:
    assert (APPLICATION_ID, max(number for number, _ in migrations())) == FORMAT


@pytest.mark.parametrize(
    ("section", "known"), [("facts", True), ("request", True), ("subject", True), ("cards", False)], ids=str
)
def test_a_card_is_known_to_later_feedback_as_long_as_it_is_there(copy: Path, section: str, known: bool) -> None:
    recorder = recorder_in(copy)
    take_away(recorder, copy, "0", section)
    recorder.close()

    with closing(history_of(copy)) as history:
        record, _ = given_feedback(history)

    assert known == (record.card is not None)
    assert [] == problems(copy)
