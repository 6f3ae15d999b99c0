"""A rule is not done before its cases reach everything it can say, and stand exactly on each of its thresholds."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from cds.knowledge.closed import parse
from cds.knowledge.code_systems import load_code_systems
from cds.knowledge.schema import RuleText
from cds.knowledge.strict_yaml import read_document
from cds.knowledge.walk import deciding, thresholds_of, word_of
from tests.cards.answers import CARDS, CASES
from tests.cards.case_language import CaseText, read_cases, read_never
from tests.small_package import RULE, SECOND_RULE, spoil, write_package

SYSTEMS = load_code_systems(CARDS / "code_systems.yaml").uris
FOLDERS = ("gates", "indications", "prerequisites", "contraindications", "cautions", "interactions", "doses",
           "regulatory", "monitoring", "gaps")  # fmt: skip
RULES = [path for folder in FOLDERS for path in sorted((CARDS / folder).glob("*.yaml"))]
ALWAYS_KNOWN = frozenset({"gate", "data_gap"})
"""Kinds whose rules ask only about the order or about what was read: they are never unknown."""

ASKS_THE_ORDER = frozenset({"any", "all", "not", "criterion", "order"})
"""A rule with these words alone may hold wherever it applies; then a case must show where it does not."""

NEVER_UNKNOWN = ASKS_THE_ORDER | {"gap", "uncoded"}

rules = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in RULES])


@rules
def test_the_cases_of_a_rule_reach_each_of_its_levels_and_not_found_and_unknown(path: Path) -> None:
    rule = _rule(path)

    assert [] == missing_answers(rule, _cases(path), _never(path))


@rules
def test_a_case_stands_exactly_on_each_threshold_of_a_rule(path: Path) -> None:
    rule = _rule(path)

    assert [] == missing_thresholds(rule, _cases(path))


def test_every_file_of_cases_belongs_to_a_rule() -> None:
    names = {path.relative_to(CARDS) for path in RULES}

    strays = [path for path in CASES.glob("*/*.yaml") if path.relative_to(CASES) not in names]
    assert [] == strays


@rules
def test_a_threshold_that_a_case_claims_to_stand_on_is_one_of_the_rule(path: Path) -> None:
    known = {text for _, text in thresholds_of(_rule(path))}

    claimed = {case.threshold for case in _cases(path) if case.threshold}
    assert set() == claimed - known


def test_a_rule_whose_cases_leave_an_answer_out_is_refused(small_rule: RuleText) -> None:
    cases = [CaseText(name="one", expect="critical"), CaseText(name="two", expect="not_found")]

    assert ["warning", "info", "unknown"] == missing_answers(small_rule, cases)


def test_an_answer_that_is_never_reached_needs_no_case_and_a_case_that_reaches_it_is_refused(
    small_rule: RuleText,
) -> None:
    cases = [CaseText(name="one", expect=level) for level in ("critical", "warning", "info", "not_found")]

    assert [] == missing_answers(small_rule, cases, frozenset({"unknown"}))
    assert ["not_found, which 'never' is reached"] == missing_answers(
        small_rule, cases, frozenset({"unknown", "not_found"})
    )


def test_a_rule_that_asks_only_the_order_shows_where_it_holds_and_where_it_does_not(tmp_path: Path) -> None:
    folder = write_package(tmp_path)
    spoil(folder, SECOND_RULE, "{rule: {id: raised_eye_pressure, is: present}}", "{order: {drugs: [ketamine]}}")
    rule = _rule(folder / SECOND_RULE, folder)
    holds, elsewhere = CaseText(name="one", expect="info"), CaseText(name="two", expect="not_applicable")

    assert (["not_found"], []) == (missing_answers(rule, [holds]), missing_answers(rule, [holds, elsewhere]))


def test_a_rule_whose_threshold_has_no_case_exactly_on_it_is_refused(small_rule: RuleText) -> None:
    cases = [CaseText(name="one", expect="critical", threshold="21 mm[Hg]")]

    assert ["30 mm[Hg]"] == missing_thresholds(small_rule, cases)


@pytest.fixture
def small_rule(tmp_path: Path) -> RuleText:
    """A rule with three levels, and the thresholds 21 and 30 mm[Hg]."""
    folder = write_package(tmp_path)
    return _rule(folder / RULE, folder)


def missing_answers(rule: RuleText, cases: Iterable[CaseText], never: frozenset[str] = frozenset()) -> list[str]:
    """Return the answers that the rule can give and no case expects, and those that are reached though never."""
    reached = {case.expect for case in cases}
    wanted = [level.value for level in rule.levels]
    words = {word_of(criterion)[0] for criterion in deciding(rule)}
    if rule.kind not in ALWAYS_KNOWN:
        always_holds = words <= ASKS_THE_ORDER and "not_applicable" in reached
        wanted += [] if always_holds else ["not_found"]
        wanted += [] if words <= NEVER_UNKNOWN else ["unknown"]
    contradicted = [f"{answer}, which 'never' is reached" for answer in sorted(never & reached)]
    return [answer for answer in wanted if answer not in reached | never] + contradicted


def missing_thresholds(rule: RuleText, cases: Iterable[CaseText]) -> list[str]:
    """Return the thresholds of the rule on which no case claims to stand."""
    claimed = {case.threshold for case in cases}
    return sorted({text for _, text in thresholds_of(rule)} - claimed)


def _rule(path: Path, folder: Path = CARDS) -> RuleText:
    document, problems = read_document(path, folder)
    assert document is not None, problems
    text, problems = parse(RuleText, document)
    assert text is not None, problems
    return text


def _never(path: Path) -> frozenset[str]:
    cases = CASES / path.relative_to(CARDS)
    return read_never(cases, CASES.parent) if cases.exists() else frozenset()


def _cases(path: Path) -> Iterator[CaseText]:
    cases = CASES / path.relative_to(CARDS)
    if cases.exists():
        yield from (case.text for case in read_cases(cases, CASES.parent, SYSTEMS))
