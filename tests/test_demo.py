"""`make demo` shows what the service does, with real calls, and fails if an answer is not what it must be."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from cds import demo
from cds.demo import read_scenes, run_demo
from cds.errors import RequestError


@pytest.fixture(autouse=True)
def _in_a_folder_that_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_demonstration_plays_every_scene_and_ends_well(capfd: pytest.CaptureFixture[str]) -> None:
    status = run_demo()
    printed = capfd.readouterr().out

    assert (0, True) == (status, printed.endswith("All answers are as expected.\n")), printed
    for words in ("CRITICAL", "WARNING", "INFO", "Source:", "Record:", "No cards", "THE RECORD", "cds explain"):
        assert words in printed


def test_the_demonstration_fails_when_an_answer_is_not_as_expected(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A demonstration that cannot fail would show a broken service as a whole one."""
    scene = replace(read_scenes(demo.FIXTURES / "demo.yaml")[0], expected=frozenset({"KETIOP1C"}))
    monkeypatch.setattr(demo, "read_scenes", lambda _: (scene,))

    status = run_demo()

    assert 1 == status
    assert "EXPECTED KETIOP1C, GOT KETCRPS1I" in capfd.readouterr().out


def test_without_the_fixtures_it_says_where_they_come_from(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"CDS-241 .*Run it in a clone"):
        read_scenes(tmp_path / "demo.yaml")
