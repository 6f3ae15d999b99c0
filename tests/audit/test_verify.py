"""Every alteration of what was sealed before the last checkpoint that was kept outside of the log shows."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cds.audit.keys import read_signer
from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.signing import Signer
from cds.audit.store_sqlite import SqliteStore
from tests.audit.logs import SomeLog, many, some_log
from tests.audit.records import SIGNER, decision, recorder_in, unlocked
from tests.audit.tampering import Place, flipped, logical, places

SAMPLES = 250


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> SomeLog:
    return some_log(tmp_path_factory.mktemp("log"))


@pytest.fixture
def copy(log: SomeLog, tmp_path: Path) -> SomeLog:
    return log.copy_to(tmp_path / "copy")


def test_a_log_as_it_was_written_verifies_and_says_how_far_it_is_anchored(log: SomeLog) -> None:
    verdict = log.verify()

    assert ([], 14, 10, 1, 1) == (
        verdict.problems, verdict.entries, verdict.anchored, verdict.redacted, verdict.packages,
    )  # fmt: skip
    assert "Tail not anchored: 4 after it may have been cut back." in verdict.words()


def test_without_a_checkpoint_from_outside_the_tail_is_not_anchored(log: SomeLog) -> None:
    with closing(open_stored(log.database)) as connection:
        verdict = verify_stored(connection, [log.key])

    assert (0, None) == (verdict.status, verdict.anchored)
    assert "Tail not anchored" in verdict.words()


@pytest.mark.parametrize("number", range(SAMPLES))
def test_a_changed_byte_anywhere_in_the_log_shows(log: SomeLog, copy: SomeLog, number: int) -> None:
    every = places(log.database)
    place = every[number * len(every) // SAMPLES]
    place.flip(copy.database)

    assert [] != copy.verify().problems, place


def test_every_table_and_column_is_among_the_places(log: SomeLog) -> None:
    assert {
        "entry.seq", "entry.id", "entry.envelope", "entry.about", "section.seq", "section.name", "section.salt",
        "section.content", "node.level", "node.idx", "node.hash", "checkpoint.size", "checkpoint.note",
        "knowledge.sha256", "knowledge.package", "shown.seq", "shown.subject_key", "shown.at", "shown.topic",
        "shown.drug", "shown.route", "shown.fingerprint", "card.seq", "card.uuid", "card.position",
    } == {f"{place.table}.{place.column}" for place in places(log.database)}  # fmt: skip


@pytest.mark.parametrize("number", range(200))
def test_a_changed_byte_of_the_file_shows_or_changes_nothing_that_is_stored(copy: SomeLog, number: int) -> None:
    """Most of a page can be unused; a byte there means nothing."""
    before = logical(copy.database)
    flipped(copy.database, number / 200)

    assert [] != copy.verify().problems or before == logical(copy.database)


ALTERATIONS = {
    "an entry deleted": "DELETE FROM entry WHERE seq = 3",
    "the last entry deleted": "DELETE FROM entry WHERE seq = 13",
    "an entry and its hash deleted": "DELETE FROM node WHERE level = 0 AND idx = 3",
    "sections of two entries swapped": "UPDATE section AS one SET (salt, content) = "
    "(SELECT salt, content FROM section AS other WHERE other.seq = 7 - one.seq AND other.name = one.name) "
    "WHERE seq IN (3, 4) AND name = 'request'",
    "a section deleted": "DELETE FROM section WHERE seq = 3 AND name = 'cards'",
    "a section added": "INSERT INTO section VALUES (3, 'comment', zeroblob(32), x'7b7d')",
    "a section without an entry": "INSERT INTO section VALUES (99, 'comment', zeroblob(32), x'7b7d')",
    "an entry added": "INSERT INTO entry SELECT 14, 'new', envelope, NULL FROM entry WHERE seq = 13",
    "a checkpoint added": "INSERT INTO checkpoint SELECT minute + 1, size + 1, note FROM checkpoint",
    "all checkpoints deleted": "DELETE FROM checkpoint",
    "all hashes deleted": "DELETE FROM node",
    "a hash added": "INSERT INTO node VALUES (9, 0, zeroblob(32))",
    "the knowledge deleted": "DELETE FROM knowledge",
    "the redaction filed elsewhere": "UPDATE entry SET about = NULL WHERE about IS NOT NULL",
    "a shown card added": "INSERT INTO shown SELECT 2, subject_key, user_key, at, topic, drug, route, 'x' FROM shown",
    "a trigger": "CREATE TRIGGER forget AFTER INSERT ON entry BEGIN DELETE FROM section; END",
    "a view": "CREATE VIEW newest AS SELECT * FROM entry",
    "an index lost": "DROP TABLE checkpoint",
}


@pytest.mark.parametrize("statement", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_what_is_deleted_swapped_or_inserted_shows(copy: SomeLog, statement: str) -> None:
    with closing(sqlite3.connect(copy.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)

    assert [] != copy.verify().problems


def swap(log: SomeLog, first: int, second: int) -> None:
    """Exchange two entries with all that belongs to them, hashes of the leaves too."""
    with closing(sqlite3.connect(log.database, isolation_level=None)) as connection:
        for table, column in (("entry", "seq"), ("section", "seq"), ("shown", "seq"), ("node", "idx")):
            only = "level = 0 AND " if table == "node" else ""
            for old, new in ((first, -1), (second, first), (-1, second)):
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {only}{column} = ?", (new, old))  # noqa: S608


def test_two_entries_that_changed_places_show(copy: SomeLog) -> None:
    swap(copy, 2, 3)

    assert [] != copy.verify().problems


def rebuilt(log: SomeLog, signer: Signer) -> None:
    """Build hashes and checkpoint anew over whatever entries there are, as somebody with another key would."""
    log.change("DELETE FROM node")
    log.change("DELETE FROM checkpoint")
    store = SqliteStore(log.database)
    store.use(signer)
    store.close()


def test_a_log_that_is_signed_again_with_another_key_shows(copy: SomeLog) -> None:
    copy.change("DELETE FROM section WHERE seq = 13")
    copy.change("DELETE FROM entry WHERE seq = 13")
    rebuilt(copy, SIGNER)

    assert any("not signed by development with this key" in problem for problem in copy.verify().problems)


def test_who_holds_the_key_cannot_change_what_was_anchored(copy: SomeLog) -> None:
    """An operator who rewrites everything: only what was kept elsewhere can tell."""
    swap(copy, 2, 3)
    rebuilt(copy, read_signer(copy.folder / "keys" / "signing.key"))

    assert ["The first 10 entries are not those of the signed checkpoint over so many."] == copy.verify().problems


def earlier_states(folder: Path, count: int) -> Iterator[tuple[int, SomeLog]]:
    """Yield the log as it was at each size, with the anchor of the middle and the key of all."""
    full = folder / "full"
    for size in range(1, count + 1):
        recorder = recorder_in(full)
        recorder.append(decision())
        key = recorder._keys.signer.verification_key
        recorder.close()
        anchor = key.checkpoint((full / "keys" / "checkpoint").read_text("utf-8"))
        yield size, SomeLog(full, key, anchor, size).copy_to(folder / str(size))


def test_a_log_that_was_cut_back_shows_if_the_kept_checkpoint_is_later(tmp_path: Path) -> None:
    """Each earlier state is a valid log: only the anchor tells, and only before it."""
    states = dict(earlier_states(tmp_path, 6))
    anchor = states[4].anchor

    verdicts = {size: state.verify(anchor) for size, state in states.items()}

    assert {1: 1, 2: 1, 3: 1, 4: 0, 5: 0, 6: 0} == {size: verdict.status for size, verdict in verdicts.items()}
    assert "The log was cut back" in verdicts[3].words()
    assert "Anchored: the checkpoint" in verdicts[4].words()
    assert "2 after it may have been cut back" in verdicts[6].words()


def test_a_damaged_file_does_not_verify(copy: SomeLog) -> None:
    content = copy.database.read_bytes()
    copy.database.write_bytes(content[: len(content) // 2 // 4096 * 4096])

    assert 1 == copy.verify().status


def test_no_more_than_fifty_problems_are_listed(copy: SomeLog) -> None:
    copy.change("UPDATE section SET salt = zeroblob(32)")
    copy.change("UPDATE node SET hash = zeroblob(32)")

    verdict = copy.verify()

    assert (50, True) == (len(verdict.problems), verdict.more > 0)
    assert f"and {verdict.more} more" in verdict.words()


def test_a_place_knows_how_to_change_a_number_and_a_text(copy: SomeLog) -> None:
    """Else the sweep would sweep nothing."""
    Place("section", "seq", 1, 0).flip(copy.database)
    with closing(sqlite3.connect(copy.database)) as connection:
        assert (None,) != connection.execute("SELECT max(seq) FROM section").fetchone()


def test_verifying_is_fast_enough_for_many_records(tmp_path: Path) -> None:
    """Two thousand here; `make crash` takes the hundred thousand that must take less than 15 seconds."""
    store = unlocked(SqliteStore(tmp_path / "record.sqlite"))
    store.append(list(many(2_000)))
    store.close()
    began = time.process_time()
    with closing(open_stored(tmp_path / "record.sqlite")) as connection:
        verdict = verify_stored(connection, [SIGNER.verification_key])
    cpu_seconds = time.process_time() - began

    assert ([], 2_000) == (verdict.problems, verdict.entries)
    assert cpu_seconds < 15 * 2_000 / 100_000 * 2  # twice, because a busy machine is no reason to fail
