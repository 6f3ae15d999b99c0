"""The documents say what the code does: every error code is explained, every setting is listed."""

import re
from pathlib import Path

from cds.settings import Settings, settings_page

ROOT = Path(__file__).parents[1]
CODE = re.compile(r"CDS-\d{3}")


def _codes_in_the_source() -> set[str]:
    return {code for path in (ROOT / "cds").rglob("*.py") for code in CODE.findall(path.read_text())}


def _explained() -> list[str]:
    return re.findall(r"^### (CDS-\d{3})$", (ROOT / "docs" / "problems.md").read_text(), re.MULTILINE)


def test_every_code_that_can_be_met_is_explained_once_and_no_other() -> None:
    assert sorted(_codes_in_the_source()) == sorted(_explained())


def test_every_explanation_says_something() -> None:
    sections = (ROOT / "docs" / "problems.md").read_text().split("\n### ")[1:]

    assert [] == [section[:7] for section in sections if len(section.split()) < 8]


def test_the_page_of_settings_is_that_of_the_code() -> None:
    """Else: python -m cds.settings > docs/settings.md."""
    assert settings_page() == (ROOT / "docs" / "settings.md").read_text()


def test_every_setting_is_described() -> None:
    assert [] == [name for name, field in Settings.model_fields.items() if not field.description]
