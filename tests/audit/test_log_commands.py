"""What an operator and an auditor type, what they read, and the exit status that scripts rely on."""

import json
from pathlib import Path

import pytest

from cds.cli import main
from tests.audit.logs import SomeLog, some_log
from tests.audit.records import KNOWLEDGE, PRESSURE, decision, recorder_in

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SomeLog:
    """A log that the settings name, its verification key in ``log.vkey``, its anchor in ``old.checkpoint``."""
    made = some_log(tmp_path)
    monkeypatch.setenv("CDS_DATABASE", str(made.database))
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", str(tmp_path / "keys" / "pseudonym.key"))
    monkeypatch.chdir(tmp_path)
    Path("log.vkey").write_text(f"{made.key}\n")
    Path("old.checkpoint").write_text(made.anchor.note)
    return made


def run(printed: Printed, *command: str) -> tuple[int, str]:
    printed.readouterr()
    status = main(["log", *command])
    return status, printed.readouterr().out


@pytest.mark.parametrize(
    "command", ["verify", "prove", "check", "consistency", "checkpoint", "verifier", "init", "key", "redact"]
)
def test_every_command_tells_its_exit_statuses_and_an_example(command: str, capsys: Printed) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["log", command, "--help"])
    printed = capsys.readouterr().out

    assert 0 == ended.value.code
    assert "Exit status: 0 " in printed
    assert f"Example:\n  cds log {command}" in printed


def test_verify_compares_with_the_copy_that_the_service_keeps(log: SomeLog, capsys: Printed) -> None:
    status, words = run(capsys, "verify", "--key", "log.vkey")

    assert 0 == status
    assert f"{log.entries} entries of development, unbroken since" in words
    assert "Anchored: the checkpoint that was kept outside of the log covers every entry." in words


def test_verify_says_when_the_tail_is_not_anchored(log: SomeLog, capsys: Printed) -> None:
    (log.folder / "keys" / "checkpoint").unlink()

    status, words = run(capsys, "verify", "--key", str(log.key))

    assert 0 == status
    assert "Tail not anchored" in words


def test_verify_since_fails_on_any_change_before_that_checkpoint(log: SomeLog, capsys: Printed) -> None:
    unchanged, _ = run(capsys, "verify", "--key", "log.vkey", "--since", "old.checkpoint")
    log.change("UPDATE section SET content = x'7b7d' WHERE seq = 3 AND name = 'cards'")
    changed, words = run(capsys, "verify", "--key", "log.vkey", "--since", "old.checkpoint")

    assert (0, 1) == (unchanged, changed)
    assert "Section cards of entry 3 is not what was recorded." in words


def test_verify_fails_on_a_checkpoint_of_somebody_else(log: SomeLog, capsys: Printed) -> None:
    other = some_log(log.folder / "other")
    Path("other.checkpoint").write_text(other.anchor.note)

    status, words = run(capsys, "verify", "--key", "log.vkey", "--since", "other.checkpoint")

    assert 1 == status
    assert "not signed by development with this key" in words


def test_verify_gives_programs_the_same(log: SomeLog, capsys: Printed) -> None:
    status, words = run(capsys, "verify", "--key", "log.vkey", "--json")
    found = json.loads(words)

    assert (0, 0, log.entries, log.entries, []) == (
        status, found["status"], found["entries"], found["anchored"], found["problems"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        ("verify", "--key", "nothing.vkey"),
        ("verify", "--key", "log.vkey", "--since", "nothing.checkpoint"),
        ("verify", "--key", "log.vkey", "--database", "nothing.sqlite"),
        ("prove", "99"),
        ("prove", "3", "--output", "nowhere"),
        ("consistency", "old.checkpoint", "nothing.checkpoint", "--key", "log.vkey"),
        ("init", "--origin", "cds.example/audit/1"),
        ("redact", "99", "--sections", "subject", "--reason", "r", "--by", "b"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_used_ends_with_status_2(capsys: Printed, command: tuple[str, ...]) -> None:
    assert 2 == run(capsys, *command)[0]


def test_a_proof_is_written_and_checked(capsys: Printed) -> None:
    written, files = run(capsys, "prove", "3", "--sections", "rules,cards")
    status, words = run(capsys, "check", "3.tlog-proof", "3.record.json", "--key", "log.vkey")
    text = Path("3.record.json").read_text()
    Path("3.record.json").write_text(text.replace("CRITICAL", "INFO").replace("critical", "info"))
    changed, _ = run(capsys, "check", "3.tlog-proof", "3.record.json", "--key", "log.vkey", "--json")

    assert (0, 0, 1) == (written, status, changed)
    assert ["3.tlog-proof", "3.record.json"] == files.split()
    assert "Proven: entry 3" in words
    assert "not shown: facts, request, subject" in words


def test_two_checkpoints_are_shown_to_be_of_one_log(log: SomeLog, capsys: Printed) -> None:
    _, note = run(capsys, "checkpoint")
    Path("new.checkpoint").write_text(note)
    common = ("--key", "log.vkey", "--proof", "both.proof")
    status, words = run(capsys, "consistency", "old.checkpoint", "new.checkpoint", *common)
    reverse, _ = run(capsys, "consistency", "new.checkpoint", "old.checkpoint", *common)
    log.change("UPDATE node SET hash = zeroblob(32) WHERE level = 1 AND idx = 4")
    changed, _ = run(capsys, "consistency", "old.checkpoint", "new.checkpoint", *common)

    assert (0, 2, 1) == (status, reverse, changed)
    assert f"Proven: the first 10 of {log.entries} entries of development are unchanged." in words
    assert Path("both.proof").read_text().startswith("ketamine-cds/consistency-proof@v1\n")


def test_the_verifier_is_written_as_one_file(capsys: Printed) -> None:
    assert 0 == run(capsys, "verifier", "verify_log.py")[0]
    compile(Path("verify_log.py").read_text(), "verify_log.py", "exec")


def test_the_operator_makes_keys_once_and_hands_out_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", str(tmp_path / "pseudonym.key"))
    monkeypatch.setenv("CDS_SIGNING_KEY", str(tmp_path / "signing.key"))

    made, key = run(capsys, "init", "--origin", "cds.example/audit/1")
    again, _ = run(capsys, "init", "--origin", "cds.example/audit/1")

    assert (0, 2) == (made, again)
    assert key.startswith("cds.example/audit/1+")
    assert (0, key) == run(capsys, "key")


def test_a_redaction_takes_away_and_is_shown_in_the_story(capsys: Printed) -> None:
    command = ("redact", "6", "--sections", "subject,facts", "--reason", "asked for", "--by", "A. Officer")
    status, words = run(capsys, *command)
    again, nothing = run(capsys, *command)
    verified, _ = run(capsys, "verify", "--key", "log.vkey", "--since", "old.checkpoint")
    capsys.readouterr()
    explained = main(["explain", "6"])
    story = capsys.readouterr().out

    assert (0, 0, 0, 0) == (status, again, verified, explained)
    assert "Taken away from record 6: facts, subject." in words
    assert "nothing that was still there" in nothing
    for said in (
        "REDACTED: section facts",
        "taken away: facts, subject",
        "reason     asked for",
        "by         A. Officer",
    ):
        assert said in story


def test_a_story_ends_with_its_seal(log: SomeLog, capsys: Printed) -> None:
    capsys.readouterr()
    main(["explain", "3"])
    own = capsys.readouterr().out
    (log.folder / "keys" / "signing.key").unlink()
    main(["explain", "3"])
    unchecked = capsys.readouterr().out
    main(["explain", "3", "--key", "log.vkey"])
    checked = capsys.readouterr().out

    assert own == checked
    assert "SEAL\n  Verifies: entry 3 of 14 that development has signed." in checked
    assert "The signature was not checked: give --key KEY." in unchecked


def test_a_seal_that_is_broken_is_said(log: SomeLog, capsys: Printed) -> None:
    log.change("UPDATE section SET content = x'7b7d' WHERE seq = 3 AND name = 'cards'")
    capsys.readouterr()
    main(["explain", "3"])

    assert "DOES NOT VERIFY: Not as recorded: section cards." in capsys.readouterr().out


def test_show_and_explain_give_programs_seal_and_additions(capsys: Printed) -> None:
    _, shown = run(capsys, "show", "4")
    main(["explain", "4", "--json"])
    explained = capsys.readouterr().out
    found = json.loads(shown)

    assert shown == explained
    assert {"origin": "development", "entries": 14, "verifies": True, "problem": ""} == found["seal"]
    assert ["redaction"] == [entry["envelope"]["type"] for entry in found["added"]]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ("", [13, 12, 11, 10, 7, 6, 5, 4, 3, 2]),
        ("--outcome error", [13, 5]),
        (f"--rule {PRESSURE} --level critical --limit 2", [12, 10]),
        ("--client nobody", []),
        (f"--knowledge {KNOWLEDGE.version} --limit 1", [13]),
        (f"--knowledge {KNOWLEDGE.digest[:20]} --limit 1", [13]),
        ("--knowledge 1999.1", []),
        ("--overridden", []),
        ("--type start --type key", [1, 0]),
        ("--type redaction", [8]),
        ("--type counted", [9]),
    ],
)
def test_the_list_is_narrowed_down(capsys: Printed, filters: str, numbers: list[int]) -> None:
    status, words = run(capsys, "list", *filters.split())

    assert 0 == status
    assert numbers == [int(line.split()[0]) for line in words.splitlines()[1:]]


def test_an_entry_that_is_no_call_is_explained_too(capsys: Printed) -> None:
    capsys.readouterr()
    status = main(["explain", "1"])
    words = capsys.readouterr().out

    assert 0 == status
    assert '"type": "start"' in words
    assert "SEAL\n  Verifies" in words


def test_a_redaction_while_the_service_runs_is_seen_by_it(log: SomeLog, capsys: Printed) -> None:
    """Two processes, one log: the service goes on where the redaction left off."""
    recorder = recorder_in(log.folder)
    recorder.append(decision())
    status, _ = run(capsys, "redact", "6", "--sections", "subject", "--reason", "r", "--by", "b")
    recorder.append(decision())
    recorder.close()

    assert 0 == status
    assert 0 == run(capsys, "verify", "--key", "log.vkey")[0]
