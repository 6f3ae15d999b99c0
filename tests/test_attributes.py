"""The 13 source attributes of every rule, and that they agree with what the rule really reads."""

import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from cds.engine.dates import Interval
from cds.engine.facts import PatientFacts
from cds.engine.rules import Rule, RuleCriterion
from cds.knowledge.attributes import NAMES
from cds.knowledge.code_systems import load_code_systems
from cds.knowledge.inputs import criteria_in
from cds.knowledge.load import inspect, load_knowledge
from tests.cards.answers import CARDS, CASES, answer, knowledge
from tests.cards.case_language import Situation, read_cases
from tests.small_package import RULE, SECOND_RULE, spoil, write_package

SYSTEMS = load_code_systems(CARDS / "code_systems.yaml").uris
ASSESSMENTS = ("phq9_total", "pain_score", "pregnancy_status")
NEVER_READ = ("race", "ethnicity", "language", "sexual_orientation", "gender_identity", "social_determinants")
RULES = [pytest.param(rule, id=rule.id) for rule in knowledge().rules]


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    return write_package(tmp_path)


# What is stated


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_states_all_13_attributes_and_none_is_empty(rule: Rule) -> None:
    assert NAMES == tuple(rule.attributes)
    assert [] == [name for name, text in rule.attributes.items() if not text.strip() or "{{" in text]


@pytest.mark.parametrize("rule", RULES)
def test_the_dates_of_a_rule_are_those_of_its_release_and_review(rule: Rule) -> None:
    """ISO dates: when the version was released, when the rule was last revised, when it is due."""
    dates = re.findall(r"\d{4}-\d{2}-\d{2}", rule.attributes["dates"])

    assert ["2026-11-22", rule.reviewed_on, rule.review_next] == dates
    assert dates == [date.fromisoformat(day).isoformat() for day in dates]


@pytest.mark.parametrize("rule", RULES)
def test_the_citation_of_a_rule_names_each_of_its_sources(rule: Rule) -> None:
    citation = rule.attributes["bibliographic_citation"]

    assert [] == [one.label for one in rule.because if one.reference not in citation]


def test_every_attribute_has_a_title() -> None:
    assert NAMES == tuple(knowledge().attribute_titles)


def test_a_citation_from_memory_says_so(cards: Path) -> None:
    spoil(cards, RULE, "statement: pressure", "statement: setting")

    citation = load_knowledge(cards).rules[0].attributes["bibliographic_citation"]

    title = "Consensus guidelines. https://doi.org/10.1097/AAP.0000000000000808"
    assert f"{title} [cited from memory: the wording was not checked in the source]" == citation


def test_what_a_rule_does_not_read_is_said_not_to_be_used(cards: Path) -> None:
    attributes = load_knowledge(cards).rules[0].attributes

    assert [f"{name} is not used" for name in NAMES[4:]] == [attributes[name] for name in NAMES[4:]]


def test_an_assessment_of_health_status_is_named(cards: Path) -> None:
    spoil(cards, SECOND_RULE, "{rule: {id: raised_eye_pressure, is: present}}", "{condition: {in: score}}")
    spoil(cards, SECOND_RULE, "version: 1", "version: 1\nuses: [health_status_assessments]")

    text = load_knowledge(cards).rules[-1].attributes["health_status_assessments"]

    assert "health_status_assessments is used: score" == text


# That it agrees with what the rule reads


@pytest.mark.parametrize(
    ("criterion", "used"),
    [
        ("{patient: {age_below: 18}}", "date_of_birth"),
        ("{patient: {age_at_least: 18}}", "date_of_birth"),
        ("{patient: {sex: female}}", "sex"),
        ("{observation: {in: score, measured: true}}", "health_status_assessments"),
        ("{not: {any: [{condition: {in: pain, excluding: score}}]}}", "health_status_assessments"),
    ],
)
def test_a_rule_that_does_not_state_what_it_reads_is_refused(cards: Path, criterion: str, used: str) -> None:
    spoil(cards, SECOND_RULE, "{rule: {id: raised_eye_pressure, is: present}}", criterion)
    spoil(cards, SECOND_RULE, "because:", 'local_policy: ["Age 18"]\nbecause:')
    spoil(cards, "definitions.yaml", "    measured: {unit", "    score: {read_with: measurements}\n    measured: {unit")

    _, problems = inspect(cards)

    what = f"The rule uses '{used}', and 'uses' does not say so."
    assert [(what, f"Write: uses: [{used}]")] == [(one.what, one.action) for one in problems if "uses" in one.what]


@pytest.mark.parametrize(
    "place",
    [
        ("where:", "withheld_when: [{when: {patient: {sex: male}}, reason: he}]\nwhere:"),
        ('    warning: "Glaucoma"', '    warning: [{when: {patient: {sex: male}}, text: He}, "Glaucoma"]'),
        ("statement: pressure}", "statement: pressure, when: {patient: {sex: male}}}"),
        ('    observation: {in: eye_pressure, at_most: "21 mm[Hg]", within: "180 days"}', "    patient: {sex: male}"),
    ],
)
def test_what_only_chooses_a_text_or_a_source_is_used_as_well(cards: Path, place: tuple[str, str]) -> None:
    spoil(cards, RULE, *place)

    _, problems = inspect(cards)

    assert ["The rule uses 'sex', and 'uses' does not say so."] == [problem.what for problem in problems]


def test_a_rule_that_states_what_it_does_not_read_is_refused(cards: Path) -> None:
    spoil(cards, SECOND_RULE, "version: 1", "version: 1\nuses: [sex, race]")

    _, problems = inspect(cards)

    assert [f"CDS-105 cards/{SECOND_RULE}:9"] * 2 == [f"{one.code} {one.where}" for one in problems]
    assert ["'uses' names 'race', which no criterion reads.", "'uses' names 'sex', which no criterion reads."] == [
        problem.what for problem in problems
    ]


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_uses_race_or_other_data_that_are_never_read(rule: Rule) -> None:
    assert set() == rule.uses & set(NEVER_READ)


def without_birth_date(facts: PatientFacts) -> PatientFacts:
    return replace(facts, patient=replace(facts.patient, birth=None)) if facts.patient else facts


def as_a_child(facts: PatientFacts) -> PatientFacts:
    birth = Interval(date(2020, 1, 1), date(2020, 1, 1))
    return replace(facts, patient=replace(facts.patient, birth=birth)) if facts.patient else facts


def as_a_man(facts: PatientFacts) -> PatientFacts:
    return replace(facts, patient=replace(facts.patient, sex="male")) if facts.patient else facts


def as_a_woman(facts: PatientFacts) -> PatientFacts:
    return replace(facts, patient=replace(facts.patient, sex="female")) if facts.patient else facts


def without_assessments(facts: PatientFacts) -> PatientFacts:
    sets_of = knowledge().index.sets_of_concept
    kept = tuple(one for one in facts.observations if not sets_of(one.code) & set(ASSESSMENTS))
    return replace(facts, observations=kept)


OTHERWISE = {
    "date_of_birth": (without_birth_date, as_a_child),
    "sex": (as_a_man, as_a_woman),
    "health_status_assessments": (without_assessments,),
}


def rules_that_ask_no_other() -> list[Rule]:
    """The rules whose answer is their own; what another rule uses, that rule states."""
    rules = knowledge().rules
    return [rule for rule in rules if not any(isinstance(one, RuleCriterion) for one in criteria_in(rule))]


@pytest.mark.parametrize("use", OTHERWISE)
@pytest.mark.parametrize("rule", rules_that_ask_no_other(), ids=lambda rule: rule.id)
def test_a_rule_answers_differently_exactly_if_it_says_that_it_uses_these_data(rule: Rule, use: str) -> None:
    """Each case of the rule once more with another age, sex or assessment. What it says of another rule is no use."""
    alone = replace(knowledge(), rules=(rule,))
    differs = False
    for situation in situations(rule.file):
        before = answer(rule.id, situation, alone)
        for change in OTHERWISE[use]:
            after = answer(rule.id, replace(situation, facts=change(situation.facts)), alone)
            differs = differs or (before.said, before.withheld, before.words) != (
                after.said,
                after.withheld,
                after.words,
            )

    assert (use in rule.uses) is differs


@cache
def situations(file: str) -> tuple[Situation, ...]:
    path = CASES / Path(file).relative_to("cards")
    return tuple(case.situation for case in read_cases(path, CASES.parent, SYSTEMS)) if path.exists() else ()


# The file


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("developer: A developer\n", "", "CDS-105", "The key 'developer' is missing"),
        ("  sex: Title of sex\n", "", "CDS-105", "The key 'sex' is missing"),
        ("  race: {used", "  rase: {used", "CDS-105", "'rase' is not allowed"),
        ('"2026.1"', '"2025.9"', "CDS-105", "There is no release date of version 2026.1"),
        ('"2026-01-15"', '"15.1.2026"', "CDS-105", "is not a date"),
        ("[score]", "[scores]", "CDS-104", "Did you mean 'score'?"),
        ("funding_source: No funding", 'funding_source: ""', "CDS-105", "at least 1 character"),
    ],
)
def test_an_attribute_that_is_missing_is_refused(cards: Path, old: str, new: str, code: str, says: str) -> None:
    spoil(cards, "attributes.yaml", old, new)

    _, problems = inspect(cards)

    start = f"{code} cards/attributes.yaml:"
    assert [problem for problem in problems if str(problem).startswith(start) and says in str(problem)], problems
