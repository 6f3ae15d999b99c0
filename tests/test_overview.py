"""The list of rules for who answers for them: what each needs, its sources and cases, and whether its review is due."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cds.knowledge import check
from cds.knowledge.load import load_knowledge
from cds.knowledge.overview import RuleOverview, overdue, overview
from tests.cards.answers import CASES, knowledge
from tests.small_package import RULE, spoil, write_package

DUE = date(2027, 1, 15)
CASE_FILE = """\
today: "2026-02-01"
cases:
  - {name: One, expect: critical}
  - {name: Two, expect: not_found}
"""


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    return write_package(tmp_path)


def first(cards: Path, cases: Path | None = None) -> RuleOverview:
    return overview(load_knowledge(cards), cases)[0]


def test_an_entry_says_what_the_rule_needs_its_source_and_its_review(cards: Path) -> None:
    entry = first(cards)

    assert (("conditions", "measurements"), ("Cohen 2018 (grade C)",), "2027-01-15") == (
        entry.needs, entry.citations, entry.review_next,
    )  # fmt: skip


def test_an_entry_counts_the_cases_of_the_rule(cards: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    (folder / "contraindications").mkdir(parents=True)
    (folder / RULE).write_text(CASE_FILE, encoding="utf-8")

    counts = [entry.cases for entry in overview(load_knowledge(cards), folder)]

    assert [2, 0] == counts


@pytest.mark.parametrize("folder", [None, Path("nowhere")])
def test_cases_that_are_not_at_hand_are_not_counted_as_none(cards: Path, folder: Path | None) -> None:
    assert "cases   not at hand" in first(cards, folder).words(DUE)


def test_a_statement_from_memory_is_marked(cards: Path) -> None:
    spoil(cards, RULE, "statement: pressure", "statement: setting")

    assert ("Cohen 2018, from memory",) == first(cards).citations


@pytest.mark.parametrize(("today", "is_overdue"), [(date(2027, 1, 15), False), (date(2027, 1, 16), True)])
def test_a_review_is_overdue_on_the_day_after_its_date(cards: Path, today: date, is_overdue: bool) -> None:
    entry = first(cards)

    assert (is_overdue, is_overdue) == (entry.is_overdue(today), "OVERDUE" in entry.words(today))


def test_the_check_fails_for_a_rule_that_is_past_its_review(cards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = check.main([str(cards), "--today", "2027-01-16"])

    assert (1, "The review of 2 rules is overdue.") == (status, capsys.readouterr().out.splitlines()[-1])


def test_the_check_lists_every_rule(cards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check.main([str(cards), "--today", "2026-06-01", "--cases", str(cards)])

    printed = capsys.readouterr().out
    assert "raised_eye_pressure (CR-IOP; contraindication): Raised eye pressure\n    needs   conditions, " in printed
    assert "    source  Cohen 2018 (grade C)\n" in printed
    assert "    review  2026-01-15 (nobody yet); next 2027-01-15\n" in printed


def test_the_review_of_no_rule_of_this_repository_is_overdue_today() -> None:
    late = overdue(overview(knowledge(), None), datetime.now(UTC).date())

    assert () == late


def test_every_rule_of_this_repository_has_cases() -> None:
    assert [] == [entry.id for entry in overview(knowledge(), CASES) if not entry.cases]
