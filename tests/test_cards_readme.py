"""The example of cards/README.md is a rule that loads: what clinicians copy is right."""

import re
from pathlib import Path

import pytest

from cds.knowledge.load import inspect
from tests.cards.answers import CARDS

README = (CARDS / "README.md").read_text(encoding="utf-8")


def yaml_blocks() -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """This repository's knowledge with the example in place of its own rule on eye pressure."""
    copy = tmp_path / "cards"
    for path in sorted(CARDS.rglob("*")):
        if path.is_file() and path.suffix in {".yaml", ".csv", ""}:
            target = copy / path.relative_to(CARDS)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return copy


def test_the_rule_that_is_shown_line_by_line_loads(folder: Path) -> None:
    (folder / "contraindications/raised_intraocular_pressure.yaml").write_text(yaml_blocks()[0], encoding="utf-8")

    _, problems = inspect(folder)

    assert [] == [str(problem) for problem in problems]


def test_the_number_of_a_hospital_that_is_shown_loads(folder: Path) -> None:
    block = next(block for block in yaml_blocks() if "number:" in block)
    (folder / "site_policy.yaml").write_text(block, encoding="utf-8")

    knowledge, problems = inspect(folder)

    assert [] == [str(problem) for problem in problems]
    assert (
        ["raised_intraocular_pressure"] == [rule.id for rule in knowledge.rules if rule.site_policy]
        if knowledge
        else []
    )
