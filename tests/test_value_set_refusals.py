"""What the loader of the value sets refuses, and that it names the file and the line."""

import shutil
from pathlib import Path

import pytest

from cds.errors import KnowledgeError
from cds.knowledge.value_sets import load_value_sets

CARDS = Path(__file__).resolve().parents[1] / "cards"


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """A small copy of cards/: the code systems, and one value set with both halves."""
    folder = tmp_path / "cards" / "value_sets"
    folder.mkdir(parents=True)
    shutil.copy(CARDS / "code_systems.yaml", folder.parent)
    for name in ("glaucoma.yaml", "glaucoma.csv"):
        shutil.copy(CARDS / "value_sets" / name, folder)
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert 1 == text.count(old), f"{old!r} must stand once in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def refusal(folder: Path) -> KnowledgeError:
    with pytest.raises(KnowledgeError) as caught:
        load_value_sets(folder)
    return caught.value


def test_an_unknown_column_is_refused_by_its_name(cards: Path) -> None:
    change(cards / "glaucoma.csv", "ingredient", "ingredients")

    error = refusal(cards)

    assert ("CDS-112", "cards/value_sets/glaucoma.csv:1") == (error.code, error.where)
    assert "Unknown column 'ingredients'." == error.what


def test_a_code_that_stands_twice_is_refused_with_both_lines(cards: Path) -> None:
    path = cards / "glaucoma.csv"
    first = path.read_text(encoding="utf-8").splitlines()[1]
    lines = path.read_text(encoding="utf-8").count("\n")
    path.write_text(path.read_text(encoding="utf-8") + first.lower() + "\n", encoding="utf-8")

    error = refusal(cards)

    assert ("CDS-113", f"cards/value_sets/glaucoma.csv:{lines + 1}") == (error.code, error.where)
    assert error.what.endswith("stands in line 2 already.")


def test_an_unknown_code_system_in_a_list_is_refused_with_a_suggestion(cards: Path) -> None:
    path = cards / "glaucoma.csv"
    path.write_text(path.read_text(encoding="utf-8") + "snomedct,22298006,x,,y\n", encoding="utf-8")

    error = refusal(cards)

    assert "CDS-114" == error.code
    assert "Did you mean 'snomed'?" == error.action


def test_an_unknown_code_system_in_a_head_is_refused_on_its_line(cards: Path) -> None:
    change(cards / "glaucoma.yaml", "  icd10cm:", "  icd10xx:")
    line = line_of(cards / "glaucoma.yaml", "  icd10xx:")

    error = refusal(cards)

    assert ("CDS-114", f"cards/value_sets/glaucoma.yaml:{line}") == (error.code, error.where)


@pytest.mark.parametrize("written", ["0123", "123", "1.5", "on", "2026-01-01"])
def test_an_unquoted_code_in_a_head_is_refused_on_its_line(cards: Path, written: str) -> None:
    """YAML alone would turn 0123 into 83 and on into true."""
    change(cards / "glaucoma.yaml", '["Q15.0"]', f"[{written}]")
    line = line_of(cards / "glaucoma.yaml", f"[{written}]")

    error = refusal(cards)

    assert ("CDS-103", f"cards/value_sets/glaucoma.yaml:{line}") == (error.code, error.where)
    assert written in error.what


def test_a_code_that_a_spreadsheet_rounded_is_refused(cards: Path) -> None:
    path = cards / "glaucoma.csv"
    path.write_text(path.read_text(encoding="utf-8") + "snomed,1.0826E+15,x,,y\n", encoding="utf-8")

    error = refusal(cards)

    assert "CDS-112" == error.code
    assert "'1.0826E+15' is a number as a spreadsheet shows it, not a code." == error.what


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("snomed,22298006,x,y", "The row has 4 cells."),
        ("snomed,22298006,,,y", "The code, its display or who verified it is missing."),
        ("snomed,,x,,y", "The code, its display or who verified it is missing."),
        ("snomed,22298006,x,a;;b,y", "The ingredients 'a;;b' hold an empty one."),
    ],
)
def test_a_row_that_is_not_whole_is_refused(cards: Path, row: str, what: str) -> None:
    path = cards / "glaucoma.csv"
    path.write_text(path.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")

    error = refusal(cards)

    assert ("CDS-112", what) == (error.code, error.what)


def test_a_head_without_its_list_is_refused(cards: Path) -> None:
    (cards / "glaucoma.csv").unlink()

    error = refusal(cards)

    assert ("CDS-112", "cards/value_sets/glaucoma.yaml:1") == (error.code, error.where)


def test_a_list_without_its_head_is_refused(cards: Path) -> None:
    (cards / "glaucoma.yaml").unlink()

    error = refusal(cards)

    assert ("CDS-112", "cards/value_sets/glaucoma.csv:1") == (error.code, error.where)


def test_a_head_under_another_name_is_refused(cards: Path) -> None:
    change(cards / "glaucoma.yaml", "id: glaucoma", "id: glaucom")

    error = refusal(cards)

    assert ("CDS-111", "Expected 'glaucoma'.") == (error.code, error.expected)


def test_a_coverage_that_is_not_that_of_the_codes_is_refused(cards: Path) -> None:
    change(cards / "glaucoma.yaml", "coverage: [icd10cm, icd10, snomed]", "coverage: [icd10cm, icd10]")

    error = refusal(cards)

    assert ("CDS-111", "There are codes of: icd10, icd10cm, snomed.") == (error.code, error.expected)


def test_a_rule_on_descriptions_that_was_not_compiled_is_refused(cards: Path) -> None:
    """Without the classification such a rule cannot be read; taken as it stands it would take too much."""
    change(
        cards / "glaucoma.yaml",
        'exact: ["Q15.0"]',
        'rule: {prefixes: ["H40"], exclude_display_regex: "suspect"}',
    )
    change(cards / "glaucoma.yaml", '- prefixes: ["H40.1"', '- except: ["H40.1"')

    error = refusal(cards)

    assert "CDS-111" == error.code
    assert "The family names no prefix and no exact code." == error.what


def test_an_unknown_key_in_a_head_is_refused_with_a_suggestion(cards: Path) -> None:
    change(cards / "glaucoma.yaml", "purpose:", "purpos:")

    error = refusal(cards)

    assert ("CDS-105", "Unknown key 'purpos'.") == (error.code, error.what)


def test_a_form_of_two_code_systems_is_refused(cards: Path) -> None:
    path = cards.parent / "code_systems.yaml"
    change(path, '"2.16.840.1.113883.6.88"', '"2.16.840.1.113883.6.96"')

    error = refusal(cards)

    assert ("CDS-115", f"cards/code_systems.yaml:{line_of(path, 'rxnorm:')}") == (error.code, error.where)


def line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)
