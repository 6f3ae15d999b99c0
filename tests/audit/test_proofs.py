"""A record is proven to an auditor who has the verification key, two small files, and nothing of ours."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.audit.offline.hashes import check_consistency
from cds.audit.offline.main import main
from cds.audit.offline.notes import NotProvenError
from cds.audit.offline.records import check_record, read_consistency
from cds.audit.proving import Proof, prove, prove_consistency, seal_of
from cds.audit.queries import LogReader
from cds.audit.single_file import single_file
from cds.errors import AuditError
from tests.audit.logs import SomeLog, some_log, take_away
from tests.audit.records import SIGNER, recorder_in

ALL = ("cards", "facts", "request", "rules", "subject")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> SomeLog:
    return some_log(tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def proof(log: SomeLog) -> Proof:
    """The proof of a decision in the middle of the log."""
    return proof_of(log, 6)


def proof_of(log: SomeLog, number: int, names: Sequence[str] | None = None) -> Proof:
    with LogReader(log.database) as reader:
        return prove(reader, reader.find(str(number)), names)


@pytest.mark.parametrize("number", range(14))
def test_every_entry_can_be_proven(log: SomeLog, number: int) -> None:
    made = proof_of(log, number)

    found = check_record(made.proof, made.record, log.key)

    assert (number, 14, "development") == (found.index, found.size, found.origin)


def test_a_record_is_proven_without_showing_who_the_patient_is(log: SomeLog) -> None:
    made = proof_of(log, 6, ["rules", "cards"])

    found = check_record(made.proof, made.record, log.key)

    assert (("cards", "rules"), ("facts", "request", "subject")) == (found.shown, found.withheld)
    assert "Practitioner/7" not in made.record


def test_a_redacted_record_is_still_proven(log: SomeLog) -> None:
    made = proof_of(log, 4)

    assert ("subject",) == check_record(made.proof, made.record, log.key).withheld


def test_a_proof_that_was_given_before_a_redaction_stays_valid(log: SomeLog, tmp_path: Path) -> None:
    copy = log.copy_to(tmp_path)
    before = proof_of(copy, 6)
    recorder = recorder_in(copy.folder)
    take_away(recorder, copy.folder, "6", *ALL)
    recorder.close()

    assert ALL == check_record(before.proof, before.record, log.key).shown
    assert () == check_record(*_texts(proof_of(copy, 6)), log.key).shown


def _texts(proof: Proof) -> tuple[str, str]:
    return proof.proof, proof.record


@given(st.data())
@settings(max_examples=1_000, deadline=None)
def test_a_proof_of_which_anything_is_changed_proves_nothing(log: SomeLog, proof: Proof, data: st.DataObject) -> None:
    """A thousand changes of one byte in either file."""
    files = [proof.proof.encode(), proof.record.encode()]
    which = data.draw(st.integers(0, 1))
    changed = bytearray(files[which])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    files[which] = bytes(changed)

    with pytest.raises((NotProvenError, UnicodeDecodeError)):
        check_record(files[0].decode(), files[1].decode(), log.key)


def test_a_proof_is_not_that_of_another_record(log: SomeLog, proof: Proof) -> None:
    with pytest.raises(NotProvenError):
        check_record(proof.proof, proof_of(log, 2).record, log.key)


def test_a_proof_proves_nothing_under_another_key(proof: Proof) -> None:
    with pytest.raises(NotProvenError, match="not signed"):
        check_record(proof.proof, proof.record, SIGNER.verification_key)


def test_the_log_begins_with_what_was_anchored(log: SomeLog) -> None:
    with LogReader(log.database) as reader:
        text = prove_consistency(reader, 10, 14)

    check_consistency(log.anchor, log.key.checkpoint(log.note()), read_consistency(text))


@pytest.mark.parametrize("text", ["", "another head\n", "ketamine-cds/consistency-proof@v1\nAAAA\n"])
def test_what_is_no_consistency_proof_is_refused(text: str) -> None:
    with pytest.raises(NotProvenError):
        read_consistency(text)


@pytest.mark.parametrize(("old", "new"), [(14, 10), (3, 99)])
def test_a_log_that_was_never_so_long_proves_nothing(log: SomeLog, old: int, new: int) -> None:
    with LogReader(log.database) as reader, pytest.raises(AuditError, match="CDS-406"):
        prove_consistency(reader, old, new)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE section SET content = x'7b7d' WHERE seq = 6 AND name = 'rules'",
        "UPDATE entry SET envelope = CAST(replace(envelope, 'order-select', 'order-signed') AS BLOB) WHERE seq = 6",
        "DELETE FROM node WHERE level = 1",
    ],
    ids=["section", "envelope", "hash"],
)
def test_an_altered_record_is_not_proven_and_its_seal_says_so(log: SomeLog, tmp_path: Path, statement: str) -> None:
    copy = log.copy_to(tmp_path)
    copy.change(statement)

    with LogReader(copy.database) as reader:
        record = reader.find("6")
        with pytest.raises(AuditError, match="CDS-409"):
            prove(reader, record)
        assert seal_of(reader, record, log.key).problem


def test_a_seal_is_checked_with_the_key_that_is_given(log: SomeLog) -> None:
    with LogReader(log.database) as reader:
        record = reader.find("6")
        seals = [seal_of(reader, record, key) for key in (log.key, None, SIGNER.verification_key)]

    assert [("", True), ("", False)] == [(seal.problem, seal.checked) for seal in seals[:2]]
    assert "not signed" in seals[2].problem


def test_a_section_that_is_not_there_cannot_be_shown(log: SomeLog) -> None:
    with pytest.raises(AuditError, match="CDS-406"):
        proof_of(log, 4, ["subject"])


@pytest.fixture(scope="module")
def desk(log: SomeLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an auditor has on another machine: the verifier in one file, a key, a copy, checkpoints and proofs."""
    folder = tmp_path_factory.mktemp("desk")
    with LogReader(log.database) as reader:
        both = prove_consistency(reader, 10, 14)
    made = proof_of(log, 6)
    files = {
        "verify_log.py": single_file(),
        "log.vkey": f"{log.key}\n",
        "old.checkpoint": log.anchor.note,
        "new.checkpoint": log.note(),
        "both.proof": both,
        "6.tlog-proof": made.proof,
        "6.record.json": made.record,
        "bad.record.json": made.record.replace("order-select", "order-signed"),
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "record.sqlite").write_bytes(log.database.read_bytes())
    return folder


COMMANDS = [
    ("check 6.tlog-proof 6.record.json", 0, "Proven: entry 6"),
    ("check 6.tlog-proof bad.record.json", 1, "NOT PROVEN: The record is not the one that stands in the log."),
    ("check 6.tlog-proof nothing.json", 2, "Cannot be read"),
    ("consistency old.checkpoint new.checkpoint both.proof", 0, "Proven: the first 10 of 14 entries"),
    ("consistency new.checkpoint old.checkpoint both.proof", 1, "NOT PROVEN"),
    ("verify record.sqlite --checkpoint old.checkpoint", 0, "14 entries of development, unbroken"),
    ("verify record.sqlite --checkpoint both.proof", 1, "NOT PROVEN"),
    ("verify nothing.sqlite", 2, "Cannot be read"),
    ("verify log.vkey", 1, "DOES NOT VERIFY"),
]


@pytest.mark.parametrize(("command", "status", "words"), COMMANDS, ids=[command for command, _, _ in COMMANDS])
def test_one_file_checks_it_on_a_machine_without_this_project(
    desk: Path, command: str, status: int, words: str
) -> None:
    """An interpreter that sees neither the checkout nor its dependencies, except `cryptography`."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _ALONE, *command.split(), "--key", "log.vkey"],
        cwd=desk, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert (status, "") == (done.returncode, done.stderr)
    assert words in done.stdout


_ALONE = """
import runpy, sys
class OnlyCryptography:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {"cryptography", "_cffi_backend"}:
            raise ImportError(f"{name} is not on this machine")
sys.meta_path.insert(0, OnlyCryptography())
sys.argv[0] = "verify_log.py"
runpy.run_path("verify_log.py", run_name="__main__")
"""


@pytest.mark.parametrize(("command", "status"), [(command, status) for command, status, _ in COMMANDS])
def test_programs_get_the_same_as_json(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, status: int
) -> None:
    monkeypatch.chdir(desk)

    assert status == main([*command.split(), "--key", "log.vkey", "--json"])
    assert status == json.loads(capsys.readouterr().out)["status"]


@pytest.mark.parametrize("key", ["nothing.vkey", "6.tlog-proof"])
def test_a_key_that_is_none_is_not_used(desk: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.chdir(desk)

    assert 2 == main(["check", "6.tlog-proof", "6.record.json", "--key", key])
