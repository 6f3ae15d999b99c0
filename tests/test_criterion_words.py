"""What each word about doses, counts, other orders and measured values means to the engine, and what it refuses."""

from decimal import Decimal
from pathlib import Path

import pytest

from cds.engine.dates import Span, Window
from cds.engine.derive.dose import Amount
from cds.engine.facts import Coding
from cds.engine.logic import Verdict
from cds.engine.rules import (
    BloodPressureCriterion,
    ConditionCriterion,
    CountCriterion,
    CountedKind,
    Criterion,
    DoseCriterion,
    ExposureCriterion,
    Level,
    MedicationCriterion,
    Named,
    ObservationCriterion,
    OtherOrderCriterion,
    Rule,
    RuleCriterion,
    SuggestionText,
    UncodedCriterion,
)
from cds.engine.units import Quantity
from cds.knowledge.load import inspect, load_knowledge
from tests.small_package import SECOND_RULE, spoil, write_package

ASKED = "{rule: {id: raised_eye_pressure, is: present}}"
PAIN, DRUGS, MEASURED = ("pain",), ("drugs",), ("measured",)


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """A package whose second rule may use the numbers 1, 2, 3, 18 and 28 as local policy."""
    folder = write_package(tmp_path)
    spoil(folder, SECOND_RULE, "because:", 'local_policy: ["Numbers 1, 2, 3, 18 and 28"]\nbecause:')
    summary = 'summary: {warning: "Glaucoma", info: "Glaucoma"}'
    spoil(folder, SECOND_RULE, 'summary: {info: "Glaucoma"}', summary)
    spoil(folder, SECOND_RULE, "  info: {rule", "  warning: {rule")
    return folder


def second(folder: Path) -> Rule:
    return load_knowledge(folder).rules[1]


@pytest.mark.parametrize(
    ("written", "criterion"),
    [
        ('{dose: {of: rate, above: "2 mg/kg/h"}}', DoseCriterion(Amount.RATE, above=Quantity(Decimal(2), "mg/kg/h"))),
        ('{dose: {of: duration, below: "28 min"}}', DoseCriterion(Amount.DURATION, below=Quantity(Decimal(28), "min"))),
        ('{dose: {of: session, no_multiple_of: "28 mg"}}',
         DoseCriterion(Amount.SESSION, no_multiple_of=Quantity(Decimal(28), "mg"))),
        ('{dose: {of: sessions_a_week, at_least: "3 /wk"}}',
         DoseCriterion(Amount.SESSIONS_A_WEEK, at_least=Quantity(Decimal(3), "/wk"))),
        ('{count: {of: orders, in: drugs, within: "90 days", at_least: 3}}',
         CountCriterion(CountedKind.ORDERS, DRUGS, Window(90), 3)),
        ('{exposure: {in: drugs, at_least: "3 months", within: "12 months"}}',
         ExposureCriterion(DRUGS, Window(3, Span.MONTHS), Window(12, Span.MONTHS))),
        ("{other_order: {overlapping: true}}", OtherOrderCriterion(overlapping=True)),
        ('{other_order: {same_route: true, older_than: "30 days"}}',
         OtherOrderCriterion(same_route=True, older_than=Window(30))),
        ("{uncoded: conditions}", UncodedCriterion()),
        ("{rule: {id: raised_eye_pressure, is: present, at: [critical]}}",
         RuleCriterion(("raised_eye_pressure",), Verdict.PRESENT, (Level.CRITICAL,))),
        ('{observation: {in: measured, measured: true, within: "30 days"}}',
         ObservationCriterion(MEASURED, measured=True, within=Window(30))),
        ('{blood_pressure: {measured: true, within: "30 days"}}',
         BloodPressureCriterion(measured=True, within=Window(30))),
        (r"{condition: {in: pain, words: ['ph(?:a)?eo\w*']}}", ConditionCriterion(PAIN, words=(r"ph(?:a)?eo\w*",))),
        ("{medication: {in: drugs, no_rescue: true}}", MedicationCriterion(DRUGS, no_rescue=True)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_word_says_to_the_engine_what_it_says_in_the_file(cards: Path, written: str, criterion: Criterion) -> None:
    spoil(cards, SECOND_RULE, ASKED, written)

    assert {Level.WARNING: criterion} == second(cards).levels


@pytest.mark.parametrize(
    ("written", "code", "says"),
    [
        ('{dose: {of: rate, above: "2 mg/kg"}}', "CDS-105", "rate is compared in mg/kg/h"),
        ('{dose: {of: rat, above: "2 mg/kg/h"}}', "CDS-105", "'rat' is not allowed"),
        ("{dose: {of: rate}}", "CDS-105", "Exactly one of above, at_least, below, no_multiple_of"),
        ('{dose: {of: rate, above: "2 mg/kg/h", below: "3 mg/kg/h"}}', "CDS-105", "found above, below"),
        ('{dose: {of: session, no_multiple_of: "0 mg"}}', "CDS-105", "more than 0"),
        ('{dose: {of: rate, above: "7 mg/kg/h"}}', "CDS-106", "names 7"),
        ('{count: {of: orders, in: drugs, within: "90 days", at_least: 4}}', "CDS-106", "names 4"),
        ('{count: {of: orders, in: drugs, within: "90 days", at_least: 0}}', "CDS-105", "greater than or equal to 1"),
        ('{count: {of: orders, in: drug, within: "90 days", at_least: 3}}', "CDS-104", "Did you mean 'drugs'?"),
        ('{exposure: {in: drugs, at_least: "5 months", within: "12 months"}}', "CDS-106", "names 5"),
        ("{other_order: {}}", "CDS-105", "Exactly one of overlapping, same_route"),
        ('{other_order: {overlapping: true, older_than: "30 days"}}', "CDS-105", "belongs to 'same_route'"),
        ("{uncoded: allergies}", "CDS-105", "'allergies' is not allowed"),
        ("{rule: {id: raised_eye_pressure, is: present, at: [serious]}}", "CDS-105", "'serious' is not allowed"),
        ("{observation: {in: measured, measured: false}}", "CDS-105", "Input should be True"),
        ('{observation: {in: measured, measured: true, above: "2 mg/dL"}}', "CDS-105", "found above, measured"),
        ('{blood_pressure: {within: "30 days"}}', "CDS-105", "above, at_most, measured"),
        ("{condition: {in: pain, words: ['(']}}", "CDS-105", "regular expression"),
        ("{patient: {age_below: 17}}", "CDS-106", "names 17"),
    ],
)
def test_a_word_that_says_something_else_is_refused(cards: Path, written: str, code: str, says: str) -> None:
    spoil(cards, SECOND_RULE, ASKED, written)

    _, problems = inspect(cards)

    assert [problem for problem in problems if problem.code == code and says in str(problem)], problems


def test_a_level_that_the_other_rule_never_says_is_refused(tmp_path: Path) -> None:
    """The criterion could never hold, and nobody would notice."""
    folder = write_package(tmp_path)
    spoil(folder, SECOND_RULE, "is: present}", "is: present, at: [critical]}")
    spoil(folder, SECOND_RULE, "id: raised_eye_pressure", "id: a_mild_rule")
    mild = (folder / SECOND_RULE).read_text(encoding="utf-8").replace("glaucoma_seen", "a_mild_rule")
    mild = mild.replace(
        "{rule: {id: a_mild_rule, is: present, at: [critical]}}", "{observation: {in: measured, measured: true}}"
    )
    (folder / "cautions/a_mild_rule.yaml").write_text(mild.replace("KETEYE2", "KETEYE3"), encoding="utf-8")

    _, problems = inspect(folder)

    assert ["a_mild_rule never says 'critical'."] == [problem.what for problem in problems]


# What a card offers


def offered(cards: Path, written: str) -> tuple[SuggestionText, ...]:
    spoil(cards, SECOND_RULE, '  not_checked: "eyes"', f'  not_checked: "eyes"\n  suggestions: {written}')
    card = second(cards).card
    return card.suggestions if card else ()


def test_a_card_offers_to_delete_the_draft(cards: Path) -> None:
    assert (SuggestionText("delete", "Remove this draft order"),) == offered(cards, "[delete_draft]")


def test_a_card_offers_an_order_with_the_display_of_a_value_set(cards: Path) -> None:
    written = '[{order: "loinc|1975-2", label: "Order bilirubin"}]'

    coding = Coding("http://loinc.org", "1975-2", "A code")
    assert (SuggestionText("order", "Order bilirubin", coding),) == offered(cards, written)


def test_a_card_offers_to_name_the_diagnosis_as_reason_where_its_criterion_holds(cards: Path) -> None:
    written = '[{add_reason: {in: [pain]}, label: "Add the indication", when: {condition: {in: pain}}}]'

    expected = SuggestionText("add_reason", "Add the indication", None, PAIN, ConditionCriterion(PAIN))
    assert (expected,) == offered(cards, written)


@pytest.mark.parametrize(
    ("written", "code", "says"),
    [
        ("[delete]", "CDS-105", "'delete' is no suggestion. Expected delete_draft, or {order: ...}"),
        ('[{order: "loinc|9999-9", label: "Order"}]', "CDS-104", "No value set lists 'loinc|9999-9'"),
        ('[{order: "loinc|1975-2"}]', "CDS-105", "need a 'label'"),
        ('[{delete_draft: true, label: "Delete"}]', "CDS-105", "'delete_draft' has one"),
        ('[{order: "loinc|1975-2", add_reason: {in: pain}, label: "x"}]', "CDS-105", "Exactly one of"),
        ('[{add_reason: {in: [pian]}, label: "Add"}]', "CDS-104", "Did you mean 'pain'?"),
        ("[{order: loinc|1975-2, label: x, when: {criterion: none_such}}]", "CDS-104", "'none_such'"),
    ],
)
def test_a_suggestion_that_is_not_complete_is_refused(cards: Path, written: str, code: str, says: str) -> None:
    spoil(cards, SECOND_RULE, '  not_checked: "eyes"', f'  not_checked: "eyes"\n  suggestions: {written}')

    _, problems = inspect(cards)

    assert [problem for problem in problems if problem.code == code and says in str(problem)], problems


# Renewals


@pytest.mark.parametrize(
    ("old", "new", "always"),
    [
        ("version: 1", "version: 1", False),
        ("version: 1", "version: 1\nin_renewal: new_facts", False),
        ("version: 1", "version: 1\nin_renewal: always", True),
    ],
)
def test_a_renewal_silences_a_rule_unless_its_file_says_otherwise(
    cards: Path, old: str, new: str, always: bool
) -> None:
    spoil(cards, SECOND_RULE, old, new)

    assert always is second(cards).in_renewal_always


@pytest.mark.parametrize(("kind", "folder"), [("dose", "doses"), ("data_gap", "gaps")])
def test_doses_and_gaps_are_told_in_every_renewal(cards: Path, kind: str, folder: str) -> None:
    text = (cards / SECOND_RULE).read_text(encoding="utf-8").replace("kind: caution", f"kind: {kind}")
    (cards / SECOND_RULE).unlink()
    (cards / folder).mkdir()
    (cards / folder / "glaucoma_seen.yaml").write_text(text, encoding="utf-8")

    rule = next(rule for rule in load_knowledge(cards).rules if rule.id == "glaucoma_seen")

    assert rule.in_renewal_always


def test_a_criterion_has_its_name_wherever_it_is_used(cards: Path) -> None:
    """A suggestion may use a criterion of `where`."""
    spoil(cards, SECOND_RULE, "local_policy:", "where:\n  painful: {condition: {in: pain}}\nlocal_policy:")
    written = "[{delete_draft: true, when: {criterion: painful}}]"

    assert (Named("painful", ConditionCriterion(PAIN)),) == tuple(one.when for one in offered(cards, written))
