"""The detail of a card: everything is said once, every list ends, and it reads well as it is."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from cds.engine.facts import Gap, GapScope, Source
from cds.engine.logic import Verdict
from cds.engine.render import render
from cds.engine.rules import (
    AllOf,
    AnyOf,
    Citation,
    ConditionCriterion,
    Knowledge,
    Level,
    Line,
    MedicationCriterion,
    PatientCriterion,
    Rule,
)
from cds.engine.wording import escaped
from tests.engine.ask import assessed, hook, rule, with_rules
from tests.engine.build import (
    CRPS,
    GLAUCOMA,
    PSYCHOSIS,
    Record,
    concept,
    condition,
    gap,
    medication,
    observation,
    order,
    record,
)

YES = AllOf(())
GLAUCOMA_ACTIVE = ConditionCriterion(("glaucoma",))
LONG = Citation("long", "Sanacora 2017", "A statement so long that nobody reads it twice in one answer. " * 3, "B")
SHORT = Citation("short", "Ketalar US label", "Respiratory depression.")
MANY = 2_000
LONGEST_ANSWER = 100_000
"""Characters of all details of one answer, whatever was sent."""


def details(knowledge: Knowledge, rules: Sequence[Rule], *facts: Record) -> list[str]:
    """Return the details of the cards that an order brings under these rules."""
    own = with_rules(knowledge, *rules)
    return [card.detail for card in render(own, [assessed(own, record(*facts))])]


# Said once


def test_findings_that_share_a_card_name_a_source_once(knowledge: Knowledge) -> None:
    """A citation that only applies in some cases is the same statement."""
    both = [rule("one", {Level.INFO: YES}, family="same", because=(SHORT,)),
            rule("two", {Level.INFO: YES}, family="same", because=(replace(SHORT, when=YES),))]  # fmt: skip

    (detail,) = details(knowledge, both)

    assert detail.splitlines() == ["- Source: Ketalar US label: Respiratory depression.", "", "**two**"]


def test_findings_that_share_a_card_say_a_sentence_and_a_local_policy_once(knowledge: Knowledge) -> None:
    one, two = (rule(name, {Level.INFO: YES}, family="same", because=(), detail=(Line("Consider a test."),))
                for name in ("one", "two"))  # fmt: skip
    policy = ("Values of 90 days",)

    (detail,) = details(knowledge, [replace(each, local_policy=policy) for each in (one, two)])

    assert [1, 1] == [detail.count("Consider a test."), detail.count("Values of 90 days")]


def test_a_long_statement_is_quoted_in_full_on_the_first_card_and_named_on_the_others(knowledge: Knowledge) -> None:
    rules = [rule("second", {Level.INFO: YES}, because=(LONG, SHORT)),
             rule("first", {Level.CRITICAL: YES}, summary="Active psychosis", because=(LONG, SHORT))]  # fmt: skip

    first, second = details(knowledge, rules)

    assert f"- Source: Sanacora 2017: {LONG.statement} (grade B)" in first
    assert "- Source: Sanacora 2017 (grade B), quoted on the card 'Active psychosis'" in second
    assert "- Source: Ketalar US label: Respiratory depression." in second


def test_a_statement_from_memory_stays_marked_where_it_is_only_named(knowledge: Knowledge) -> None:
    because = (replace(LONG, sure="M"),)
    rules = [rule("one", {Level.CRITICAL: YES}, because=because), rule("two", {Level.INFO: YES}, because=because)]

    _, second = details(knowledge, rules)

    assert "- Source, wording not checked against it: Sanacora 2017 (grade B), quoted on the card 'one'" in second


def test_a_card_that_stays_silent_is_not_where_a_statement_is_quoted(knowledge: Knowledge) -> None:
    """A card that found no place shows no statement: what is shown must hold it."""
    crowd = [rule(f"card {number}", {Level.WARNING: YES}, because=()) for number in range(8)]
    last = rule("last", {Level.INFO: YES}, because=(LONG,))

    shown = details(knowledge, [replace(crowd[0], because=(LONG,)), *crowd[1:], last])

    assert [0] == [number for number, detail in enumerate(shown) if LONG.statement in detail]
    assert "- info: last" in shown[-1]


@pytest.mark.parametrize("words", ["Blood pressure above 140/90", "Weight within 90 days"])
def test_a_local_policy_that_says_nothing_of_this_patient_is_not_shown(knowledge: Knowledge, words: str) -> None:
    policy = ("Blood pressure above 140/90", "Weight within 90 days")
    one = replace(rule("one", {Level.INFO: YES}, because=()), local_policy=policy, policy_when={words: AnyOf(())})

    (detail,) = details(knowledge, [one])

    assert [line for line in policy if line != words] == [line for line in policy if line in detail]


# The card on gaps


def gap_card(knowledge: Knowledge, *facts: Record) -> str:
    """Return the detail of the published card on gaps."""
    trace = assessed(knowledge, record(*facts), context=hook("order-sign"))
    return next(card.detail for card in render(knowledge, [trace]) if card.topic.startswith("KETGAP0"))


def test_checks_that_rest_on_the_same_unread_source_stand_in_one_line(knowledge: Knowledge) -> None:
    (line,) = [line for line in gap_card(knowledge, gap(Source.CONDITIONS)).splitlines() if "psychosis;" in line]

    assert line.startswith("- conditions not read (")
    assert "raised intracranial pressure; glaucoma and eye pressure" in line


def test_every_check_that_could_not_be_made_is_named_with_its_cause(knowledge: Knowledge) -> None:
    """DG-0: grouped or not, no rule whose verdict is unknown is left out."""
    facts = (gap(Source.MEDICATIONS), gap(Source.LABORATORY), condition(CRPS))
    trace = assessed(knowledge, record(*facts), context=hook("order-sign"))
    lines = gap_card(knowledge, *facts).partition("**Not checked**")[2].splitlines()
    unknown = {one.rule_id for one in trace.findings if one.verdict is Verdict.UNKNOWN}
    names = [one.card.not_checked for one in knowledge.rules if one.id in unknown and one.card]

    assert len(names) > 5
    assert [] == [name for name in names if not any(name in line for line in lines)]


def test_sources_that_were_not_read_for_the_same_reason_stand_in_one_line(knowledge: Knowledge) -> None:
    detail = gap_card(knowledge, gap(Source.CONDITIONS), gap(Source.ALLERGIES), gap(Source.FLAGS))

    assert "- conditions, allergies: HTTP 403" in detail
    assert "- Also not read: flags: HTTP 403" in detail


def test_the_age_of_a_patient_is_never_said_to_be_open(knowledge: Knowledge) -> None:
    """It is known, and says nothing of what was not read; a positive screen does (worked case 58)."""
    asks = AllOf((PatientCriterion(sex="female", age_at_least=12), MedicationCriterion(("benzodiazepine",))))
    screen = AllOf((GLAUCOMA_ACTIVE, MedicationCriterion(("benzodiazepine",))))
    rules = [rule("ages", {Level.INFO: asks}, not_checked="age check"),
             rule("screens", {Level.INFO: screen}, not_checked="screen check")]  # fmt: skip
    gaps = next(one for one in knowledge.rules if one.id == "could_not_check")
    own = with_rules(knowledge, *rules, gaps)

    detail = gap_card(own, gap(Source.MEDICATIONS), condition(GLAUCOMA, display="Glaucoma"))

    assert "years" not in detail
    assert "screen check (on record: Glaucoma)" in detail


# Ends


WORDS = "x" * 5_000
CROWDS: dict[str, Callable[[int], Record]] = {
    "diagnoses": lambda number: condition(GLAUCOMA, name=f"c{number}", display=f"{number} {WORDS}"),
    "diagnoses in words": lambda number: replace(
        condition(GLAUCOMA, name=f"c{number}"), code=concept(text=f"{number} {WORDS}")
    ),
    "drugs": lambda number: medication(f"Ketamine {number} {WORDS}", name=f"m{number}", authored="2026-01-20"),
    "measurements": lambda number: observation("loinc|79892-6", f"{number % 50 + 30} mm[Hg]", name=f"o{number}"),
    "unreadable entries": lambda number: Gap(
        Source.CONDITIONS, GapScope.ENTRY, f"{number} {WORDS}", f"Condition/{number}"
    ),
    "unreadable values": lambda number: Gap(
        Source.LABORATORY, GapScope.VALUE, f"{number} {WORDS}", f"Observation/{number}"
    ),
    "unread sources": lambda number: Gap(list(Source)[number % len(Source)], GapScope.SOURCE, f"{number} {WORDS}"),
}
"""Makers of things that a card would show, by what they are."""


@pytest.mark.parametrize("name", CROWDS)
@pytest.mark.parametrize("called", ["order-select", "order-sign"])
def test_the_cards_stay_short_however_much_was_sent(knowledge: Knowledge, name: str, called: str) -> None:
    facts = [CROWDS[name](number) for number in range(MANY)]
    trace = assessed(knowledge, record(*facts), order(route="IV", text=WORDS), hook(called))

    shown = render(knowledge, [trace])

    assert shown
    assert sum(len(card.detail) for card in shown) < LONGEST_ANSWER


def test_a_list_shows_twenty_items_and_says_how_many_more_there_are(knowledge: Knowledge) -> None:
    facts = [condition(GLAUCOMA, name=f"c{number}") for number in range(1_025)]

    (detail,) = details(knowledge, [rule("one", {Level.INFO: GLAUCOMA_ACTIVE})], *facts)

    assert detail.count("`Condition/") == 20
    assert "- and 1,005 more; the record of this answer names them" in detail


def test_a_text_of_a_record_is_cut_and_says_so(knowledge: Knowledge) -> None:
    one = rule("one", {Level.INFO: GLAUCOMA_ACTIVE}, because=())

    (detail,) = details(knowledge, [one], condition(GLAUCOMA, display="g" * 5_000))

    assert f"- **{'g' * 299}…**" in detail


def test_what_was_not_read_is_shown_before_single_entries(knowledge: Knowledge) -> None:
    """Thousands of unreadable entries must not push an unread source off the card."""
    entries = [Gap(Source.CONDITIONS, GapScope.ENTRY, f"odd {number}", f"Condition/{number}") for number in range(100)]

    detail = gap_card(knowledge, *entries, gap(Source.FLAGS), gap(Source.CONDITIONS), condition(PSYCHOSIS))

    assert "- conditions: HTTP 403" in detail
    assert "- Also not read: flags: HTTP 403" in detail


# Read as it is


@pytest.mark.parametrize(
    "text",
    ["34 mm[Hg]", "observe >=2 h", "130 k[IU]/L {score}", "A & B", "a_b", "Well!", "-2.5", "5 > 3", "K[Ca], then"],
)
def test_a_client_that_does_not_render_shows_a_text_as_it_was_written(text: str) -> None:
    assert text == escaped(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("> a", "&gt; a"),
        ("[a](b)", r"\[a\](b)"),
        ("mm[a](b)", r"mm\[a\](b)"),
        ("mm[a][b]", r"mm\[a\]\[b\]"),
        ("x[a]: b", r"x\[a\]: b"),
        ("x[^a]", r"x\[^a\]"),
        ("&lt;", "&amp;lt;"),
        ("_a_", r"\_a\_"),
    ],
)
def test_what_a_renderer_would_take_for_more_than_words_is_escaped(text: str, shown: str) -> None:
    assert shown == escaped(text)
