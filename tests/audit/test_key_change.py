"""The key that signs can be changed: the old one says so, and an auditor trusts no key but those he was given."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from cds.audit.keys import KeyFiles, read_signer
from cds.audit.offline.main import main as offline
from cds.audit.offline.notes import Checkpoint, VerificationKey
from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.offline.verdict import Verdict
from cds.audit.proving import prove, prove_consistency
from cds.audit.queries import LogReader
from cds.audit.signing import Signer
from cds.audit.store_sqlite import SqliteStore
from cds.audit.writer import open_recorder
from cds.cli import main
from cds.errors import AuditError
from tests.audit.records import KNOWLEDGE, SIGNER, SOFTWARE, decision, recorder_in

Printed = pytest.CaptureFixture[str]


@dataclass(frozen=True, slots=True)
class Changed:
    """A closed log whose key was changed once.

    Attributes:
        old, new: the signers; `before` is a checkpoint that was kept before the change.
        change: the number of the entry that says so.
    """

    folder: Path
    old: Signer
    new: Signer
    before: Checkpoint
    change: int

    @property
    def database(self) -> Path:
        return self.folder / "data" / "record.sqlite"

    @property
    def files(self) -> KeyFiles:
        return KeyFiles(self.folder / "keys" / "pseudonym.key")

    @property
    def keys(self) -> list[VerificationKey]:
        return [self.old.verification_key, self.new.verification_key]

    def verify(self, keys: Sequence[VerificationKey], anchors: Sequence[Checkpoint] = ()) -> Verdict:
        with closing(open_stored(self.database)) as connection:
            return verify_stored(connection, keys, anchors)

    def write(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            connection.execute(statement, values)

    def notes(self) -> list[str]:
        with closing(sqlite3.connect(self.database)) as connection:
            return [note for (note,) in connection.execute("SELECT note FROM checkpoint ORDER BY minute")]


def append(folder: Path, count: int) -> str:
    recorder = recorder_in(folder)
    recorder.started(KNOWLEDGE)
    for _ in range(count):
        recorder.append(decision())
    recorder.close()
    return recorder.verification_key


@pytest.fixture
def log(tmp_path: Path) -> Changed:
    """Three records, a change of the key, three records."""
    folder = tmp_path / "log"
    append(folder, 3)
    files = KeyFiles(folder / "keys" / "pseudonym.key")
    old = read_signer(files.signing_path)
    before = old.verification_key.checkpoint((folder / "keys" / "checkpoint").read_text("utf-8"))
    recorder = recorder_in(folder)
    recorder.change_key(files)
    recorder.close()
    append(folder, 3)
    return Changed(folder, old, read_signer(files.signing_path), before, before.size)


def test_a_log_whose_key_was_changed_verifies_with_both_keys(log: Changed) -> None:
    verdict = log.verify(log.keys, [log.before])

    assert ([], [(log.change, *map(str, log.keys))]) == (verdict.problems, verdict.changes)
    assert f"signed with another of the given keys after entry {log.change}" in verdict.words()
    assert [] == log.verify(log.keys[::-1]).problems
    assert not log.files.next_path.exists()


@pytest.mark.parametrize("number", [0, 1], ids=["the old key", "the new key"])
def test_no_key_is_trusted_because_the_log_names_it(log: Changed, number: int) -> None:
    missing = log.keys[1 - number]

    (problem,) = log.verify([log.keys[number]]).problems

    assert f"with the key {missing.name}+{missing.key_id.hex()}, which was not given" in problem


def test_the_change_is_signed_with_both_keys_and_that_checkpoint_is_kept(log: Changed) -> None:
    """Also where later ones are of the same minute."""
    both = [note for note in log.notes() if all(key.signs(note) for key in log.keys)]

    assert [log.change + 1] == [log.old.verification_key.checkpoint(note).size for note in both]
    assert [log.change + 1] == [log.new.verification_key.checkpoint(note).size for note in both]
    assert not log.old.verification_key.signs(log.notes()[-1])


def test_without_that_checkpoint_the_new_key_is_no_successor(log: Changed) -> None:
    log.write("DELETE FROM checkpoint WHERE size = ?", log.change + 1)

    assert any("has not signed that" in problem for problem in log.verify(log.keys).problems)


def test_a_key_that_was_replaced_signs_nothing_more(log: Changed) -> None:
    """Whoever comes by the old key later."""
    (size,) = (log.new.verification_key.checkpoint(log.notes()[-1]).size,)
    forged = log.old.checkpoint(size, log.new.verification_key.checkpoint(log.notes()[-1]).root)
    log.write("UPDATE checkpoint SET note = ? WHERE size = ?", forged.note, size)

    assert any("not signed by development with this key" in problem for problem in log.verify(log.keys).problems)
    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(log.folder)


def test_a_checkpoint_from_elsewhere_that_a_replaced_key_signed_later_anchors_nothing(log: Changed) -> None:
    newest = log.new.verification_key.checkpoint(log.notes()[-1])
    forged = log.old.checkpoint(newest.size, newest.root)

    (problem,) = log.verify(log.keys, [forged]).problems

    assert f"The checkpoint over {newest.size} entries that was kept does not verify" in problem


def test_a_log_that_is_signed_again_with_a_third_key_shows(log: Changed) -> None:
    log.write("DELETE FROM node")
    log.write("DELETE FROM checkpoint")
    store = SqliteStore(log.database)
    store.use(SIGNER)
    store.close()

    assert 1 == log.verify(log.keys).status


def test_a_log_that_was_cut_back_to_before_the_change_shows_to_who_has_the_new_key(log: Changed) -> None:
    log.write("PRAGMA foreign_keys = OFF")
    for table in ("entry", "section", "shown", "card", "suggestion"):
        log.write(f"DELETE FROM {table} WHERE seq >= ?", log.change)  # noqa: S608 - our tables
    log.write("DELETE FROM node")
    log.write("DELETE FROM checkpoint")
    store = SqliteStore(log.database)
    store.use(log.old)
    store.close()

    assert [] == log.verify(log.keys[:1]).problems
    assert any("was cut back to before that key" in problem for problem in log.verify(log.keys).problems)


def test_a_service_that_still_runs_with_the_old_key_writes_nothing_more(tmp_path: Path) -> None:
    append(tmp_path, 1)
    running, operator = recorder_in(tmp_path), recorder_in(tmp_path)
    key = operator.change_key(KeyFiles(tmp_path / "keys" / "pseudonym.key"))
    operator.close()

    with pytest.raises(AuditError, match=r"CDS-409 .*the key was changed"):
        running.append(decision())

    assert running.broken
    running.close()
    assert key == append(tmp_path, 1)


def test_the_old_key_from_a_backup_does_not_open_the_log(log: Changed) -> None:
    log.files.signing_path.write_text(log.old.written)

    with pytest.raises(AuditError, match="CDS-409"):
        recorder_in(log.folder)


def test_a_change_that_was_interrupted_before_it_was_signed_changes_nothing(tmp_path: Path) -> None:
    key = append(tmp_path, 1)
    KeyFiles(tmp_path / "keys" / "pseudonym.key").make_next("development")

    assert key == append(tmp_path, 1)


def test_a_change_that_was_interrupted_after_it_was_signed_is_finished_by_the_next_start(log: Changed) -> None:
    """The file was not renamed, and the copy of the checkpoint is the one before."""
    older = log.folder.with_name("older")
    append(older, 2)
    files = KeyFiles(older / "keys" / "pseudonym.key")
    old, kept = files.signing_path.read_text(), (older / "keys" / "checkpoint").read_text()
    recorder = recorder_in(older)
    key = recorder.change_key(files)
    recorder.close()
    files.signing_path.rename(files.next_path)
    files.signing_path.write_text(old)
    (older / "keys" / "checkpoint").write_text(kept)

    assert key == append(older, 1)
    assert not files.next_path.exists()


def test_a_key_is_changed_by_a_command_that_prints_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    old = append(tmp_path, 2)
    monkeypatch.setenv("CDS_DATABASE", str(tmp_path / "data" / "record.sqlite"))
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", str(tmp_path / "keys" / "pseudonym.key"))
    status = main(["log", "rotate"])
    new = capsys.readouterr().out.strip()
    alone = main(["log", "verify", "--key", new])
    both = main(["log", "verify", "--key", old, "--key", new])

    assert (0, 1, 0) == (status, alone, both)
    assert new != old
    assert new == append(tmp_path, 1)


def test_the_command_finishes_an_interrupted_change_instead_of_making_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    append(tmp_path, 2)
    files = KeyFiles(tmp_path / "keys" / "pseudonym.key")
    old = files.signing_path.read_text()
    recorder = recorder_in(tmp_path)
    key = recorder.change_key(files)
    recorder.close()
    files.signing_path.rename(files.next_path)
    files.signing_path.write_text(old)
    monkeypatch.setenv("CDS_DATABASE", str(tmp_path / "data" / "record.sqlite"))
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", str(tmp_path / "keys" / "pseudonym.key"))

    assert 0 == main(["log", "rotate"])
    assert key == capsys.readouterr().out.strip()


def test_proofs_and_checkpoints_of_both_keys_are_checked_without_the_log(
    log: Changed, tmp_path: Path, capsys: Printed
) -> None:
    with LogReader(log.database) as reader:
        proof = prove(reader, reader.find("1"))
        newest = reader.note()
        between = prove_consistency(reader, log.before.size, log.new.verification_key.checkpoint(newest).size)
    files = {"p": proof.proof, "r": proof.record, "old": log.before.note, "new": newest, "c": between}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    p, r, old, new, c = (str(tmp_path / name) for name in files)
    keys = [part for key in log.keys for part in ("--key", str(key))]

    assert 0 == offline(["check", p, r, *keys[2:]])
    assert 1 == offline(["check", p, r, *keys[:2]])
    assert 2 == offline(["check", p, r, *keys])  # the old one could prove anything
    assert 0 == offline(["consistency", old, new, c, *keys])
    assert 1 == offline(["consistency", old, new, c, *keys[2:]])
    assert 0 == offline(["verify", str(log.database), *keys, "--checkpoint", old])
    assert 1 == offline(["consistency", old, new, c, *keys[2:], *keys[:2]])
    assert 2 == offline(["verify", str(log.database), *keys, "--key", str(Signer("other", bytes(32)).verification_key)])
    capsys.readouterr()


def test_a_key_can_be_changed_again(log: Changed) -> None:
    (log.folder / "keys" / "checkpoint").write_text(log.before.note)  # the copy could not be written since
    recorder = recorder_in(log.folder)
    third = VerificationKey.parse(recorder.change_key(log.files))
    recorder.close()
    append(log.folder, 1)

    assert [] == log.verify([*log.keys, third]).problems
    assert [] != log.verify([log.keys[0], third]).problems


def test_a_log_in_production_keeps_its_name(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path / "keys" / "pseudonym.key", tmp_path / "signing" / "signing.key", may_make=False)
    key = str(files.make("cds.example/audit/1").verification_key)
    for _ in range(2):
        recorder = open_recorder(tmp_path / "data" / "record.sqlite", files, SOFTWARE)
        key = recorder.change_key(files)
        recorder.close()

    assert key.startswith("cds.example/audit/1+")
    shutil.rmtree(tmp_path / "signing")
    with pytest.raises(AuditError, match="CDS-404"):
        open_recorder(tmp_path / "data" / "record.sqlite", files, SOFTWARE)
