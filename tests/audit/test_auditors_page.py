"""Every command of docs/auditors.md does what the page says, in the order in which it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cds.audit.keys import KeyFiles
from cds.audit.single_file import single_file
from cds.cli import main
from tests.hooks.bodies import body, request
from tests.running import running, settings_in

PAGE = Path(__file__).parents[2] / "docs" / "auditors.md"
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What an auditor has: a copy of a log, its key, and two checkpoints that were kept."""
    settings = settings_in(tmp_path / "service")
    KeyFiles(settings.pseudonym_key).make("cds.hospital.example/audit/1")
    desk = tmp_path / "desk"
    desk.mkdir()
    for name in ("january", "kept", "last"):
        with running(settings) as service:
            assert [200, 200] == [service.post(body(request())).status_code for _ in range(2)]
        (desk / f"{name}.checkpoint").write_bytes((tmp_path / "service" / "keys" / "checkpoint").read_bytes())
    (desk / "record.sqlite").write_bytes(settings.database.read_bytes())
    monkeypatch.chdir(desk)
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", str(settings.pseudonym_key))
    monkeypatch.setenv("CDS_DATABASE", "record.sqlite")
    return desk


def typed(command: str, printed: pytest.CaptureFixture[str]) -> str:
    """Run one command of the page and return what it prints."""
    line, _, target = command.partition(" > ")
    program, *arguments = shlex.split(line)
    if program == "python":
        done = subprocess.run([sys.executable, "-I", *arguments], check=True, capture_output=True, text=True)
        return done.stdout
    printed.readouterr()
    assert 0 == main(arguments)
    said = printed.readouterr().out
    if target:
        Path(target).write_text(said)
    return said


def test_every_command_of_the_page_can_be_typed_in_its_order(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["log", "key"])
    (desk / "log.vkey").write_text(capsys.readouterr().out)

    said = {command: typed(command, capsys) for command in COMMANDS}

    assert len(COMMANDS) >= 12
    assert "Tail not anchored" in said[COMMANDS[0]]
    assert any("Proven: entry 3" in words for words in said.values())
    assert any("Record 3: identical." in words for words in said.values())
    (told,) = [words for command, words in said.items() if command.startswith("cds explain")]
    assert "WHAT WAS ADDED LATER" in told
    assert "Verifies: entry 3 of" in told
    assert "unbroken since" in said[COMMANDS[-1]]


def test_the_page_does_not_promise_a_longer_or_shorter_verifier_than_there_is() -> None:
    said = re.search(r"has about (\d+) lines", PAGE.read_text("utf-8"))

    assert said
    assert abs(len(single_file().splitlines()) - int(said.group(1))) < 75


def test_every_entry_type_and_filter_stands_on_the_page() -> None:
    text = PAGE.read_text("utf-8")

    assert [] == [name for name in ("start", "key", "redaction", "feedback", "counted") if f"`{name}`" not in text]
