"""D-MERGE and D-TOPIC: one card per family, the gravest first, at most eight, and never a critical one folded."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.card import Card
from cds.engine.render import render
from cds.engine.rules import AllOf, Citation, ConditionCriterion, Knowledge, Level, Rule
from tests.engine.ask import FEW, assessed, published, rule, with_rules
from tests.engine.build import GLAUCOMA, PSYCHOSIS, condition, record

CRITICAL, WARNING, INFO = Level.CRITICAL, Level.WARNING, Level.INFO
YES = AllOf(())


def always(name: str, level: Level, family: str = "", *, kind: str = "contraindication", grade: str = "B",
           joins: Mapping[Level, str] | None = None) -> Rule:  # fmt: skip
    """Return a rule that is always present at this level; its topic is its name in capitals."""
    because = (Citation("s", f"Source of {name}", "Says so.", grade),)
    return rule(name, {level: YES}, topic=f"KET{name.upper()}", family=family, kind=kind, because=because, joins=joins)


def cards(knowledge: Knowledge, *rules: Rule, times: int = 1) -> tuple[Card, ...]:
    """Return the cards of these rules, for so many equal orders."""
    own = with_rules(knowledge, *rules)
    return render(own, [assessed(own, record())] * times)


def topics(*shown: Card) -> list[str]:
    """Return the topics of cards, as they come."""
    return [card.topic for card in shown]


# One card per family


def test_findings_of_one_family_share_a_card_at_the_highest_level(knowledge: Knowledge) -> None:
    (card,) = cards(knowledge, always("a", INFO, "eye"), always("b", WARNING, "eye"), always("c", INFO, "eye"))

    assert ("KETBW", WARNING, ("KETB", "KETA", "KETC")) == (card.topic, card.level, card.rules)


def test_a_merged_card_says_the_leading_summary_and_lists_the_others(knowledge: Knowledge) -> None:
    (card,) = cards(knowledge, always("a", INFO, "eye"), always("b", WARNING, "eye"))

    assert ("b", True) == (card.summary, "**a**" in card.detail)


def test_a_merged_card_lists_the_facts_of_all_its_rules(knowledge: Knowledge) -> None:
    one = rule("one", {WARNING: ConditionCriterion(("glaucoma",))}, family="f", topic="KETONE")
    two = rule("two", {CRITICAL: ConditionCriterion(("psychosis_active",))}, family="f", topic="KETTWO")
    own = with_rules(knowledge, one, two)

    (card,) = render(own, [assessed(own, record(condition(GLAUCOMA, name="eye"), condition(PSYCHOSIS, name="mind")))])

    assert [True, True] == [f"`Condition/{name}`" in card.detail for name in ("eye", "mind")]


def test_families_have_cards_of_their_own(knowledge: Knowledge) -> None:
    assert topics(*cards(knowledge, always("a", WARNING, "eye"), always("b", WARNING, "liver"))) == ["KETAW", "KETBW"]


def test_a_critical_finding_is_never_merged_into_another_card(knowledge: Knowledge) -> None:
    shown = cards(
        knowledge, always("a", CRITICAL, "heart"), always("b", CRITICAL, "heart"), always("c", WARNING, "heart")
    )

    assert ["KETAC", "KETBC"] == topics(*shown)
    assert [("KETA", "KETC"), ("KETB",)] == [card.rules for card in shown]


def test_interactions_have_one_card_for_each_level(knowledge: Knowledge) -> None:
    rules = [
        always(name, level, "drugs", kind="interaction")
        for name, level in zip("abcd", (WARNING, INFO, WARNING, INFO), strict=True)
    ]

    shown = cards(knowledge, *rules)

    assert [("KETA", "KETC"), ("KETB", "KETD")] == [card.rules for card in shown]


def test_of_two_indications_the_better_graded_leads(knowledge: Knowledge) -> None:
    rules = [
        always(name, INFO, "indication", grade=grade)
        for name, grade in (("d", "D"), ("none", ""), ("b", "B"), ("c", "C"))
    ]

    (card,) = cards(knowledge, *rules)

    assert ("KETBI", ("KETB", "KETC", "KETD", "KETNONE")) == (card.topic, card.rules)


# Joining another family


@pytest.mark.parametrize(
    ("host", "level", "expected"),
    [
        pytest.param(True, INFO, [("KETHOSTI", ("KETHOST", "KETGUEST"))], id="a line of the host's card"),
        pytest.param(False, INFO, [("KETGUESTI", ("KETGUEST",))], id="without a host it stands by itself"),
        pytest.param(
            True,
            WARNING,
            [("KETGUESTW", ("KETGUEST",)), ("KETHOSTI", ("KETHOST",))],
            id="at another level it stands by itself",
        ),
    ],
)
def test_a_finding_joins_the_card_of_another_family(
    knowledge: Knowledge, host: bool, level: Level, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    guest = always("guest", level, "prerequisite", joins={INFO: "indication"})
    hosts = [always("host", INFO, "indication", grade="D")] if host else []

    assert expected == [(card.topic, card.rules) for card in cards(knowledge, *hosts, guest)]


def test_a_finding_that_joins_never_leads(knowledge: Knowledge) -> None:
    guest = always("guest", WARNING, "prerequisite", grade="A", joins={WARNING: "indication"})

    (card,) = cards(knowledge, guest, always("host", INFO, "indication", grade="D"))

    assert ("KETHOSTI", "host") == (card.topic, card.summary)


# The order of cards and their number


def test_cards_are_sorted_critical_warning_info_and_keep_the_order_of_the_rules(knowledge: Knowledge) -> None:
    levels = {"a": INFO, "b": CRITICAL, "c": WARNING, "d": CRITICAL, "e": INFO, "f": WARNING}

    shown = cards(knowledge, *(always(name, level) for name, level in levels.items()))

    assert ["KETBC", "KETDC", "KETCW", "KETFW", "KETAI", "KETEI"] == topics(*shown)


@pytest.mark.parametrize(
    ("critical", "warning", "info", "expected"),
    [
        pytest.param(0, 0, 8, 8, id="eight cards"),
        pytest.param(0, 0, 9, 8, id="nine cards"),
        pytest.param(2, 3, 9, 8, id="some of each"),
        pytest.param(8, 0, 0, 8, id="eight critical cards"),
        pytest.param(9, 0, 0, 9, id="nine critical cards are all shown"),
        pytest.param(9, 2, 2, 9, id="nine critical cards, the others are folded"),
        pytest.param(8, 1, 1, 8, id="eight critical cards, the others are folded"),
        pytest.param(0, 0, 0, 0, id="none"),
    ],
)
def test_at_most_eight_cards_are_shown_unless_more_are_critical(
    knowledge: Knowledge, critical: int, warning: int, info: int, expected: int
) -> None:
    levels = [CRITICAL] * critical + [WARNING] * warning + [INFO] * info

    shown = cards(knowledge, *(always(f"r{number}", level) for number, level in enumerate(levels)))

    assert knowledge.definitions.max_cards == 8
    assert (expected, critical) == (len(shown), sum(card.level is CRITICAL for card in shown))


def test_what_is_folded_stands_as_lines_in_the_last_card_with_its_rules(knowledge: Knowledge) -> None:
    shown = cards(knowledge, *(always(f"r{number}", WARNING if number < 8 else INFO) for number in range(10)))

    assert "**Also**\n- info: r8\n- info: r9" in shown[-1].detail
    assert ("KETR7W", ("KETR7", "KETR8", "KETR9")) == (shown[-1].topic, shown[-1].rules)


@FEW
@given(st.lists(st.tuples(st.sampled_from(list(Level)), st.integers(0, 5)), max_size=14))
def test_no_finding_is_lost_and_no_critical_one_shares_a_card(found: list[tuple[Level, int]]) -> None:
    rules = [always(f"r{number}", level, f"family{family}") for number, (level, family) in enumerate(found)]

    shown = cards(published(), *rules)

    critical = [f"KETR{number}C" for number, (level, _) in enumerate(found) if level is CRITICAL]
    assert sorted(critical) == sorted(card.topic for card in shown if card.level is CRITICAL)
    assert sorted(one.topic for one in rules) == sorted(topic for card in shown for topic in card.rules)
    assert [card.level.rank for card in shown] == sorted(card.level.rank for card in shown)
    assert len(shown) <= max(8, len(critical))


def test_equal_cards_of_several_orders_are_shown_once(knowledge: Knowledge) -> None:
    assert topics(*cards(knowledge, always("a", WARNING), times=3)) == ["KETAW"]


# D-TOPIC


@pytest.mark.parametrize(("level", "expected"), [(CRITICAL, "KETAC"), (WARNING, "KETAW"), (INFO, "KETAI")])
def test_the_topic_of_a_card_ends_with_the_letter_of_its_level(
    knowledge: Knowledge, level: Level, expected: str
) -> None:
    """EHRs remember an override by topic: that of a milder card must not silence a graver one."""
    (card,) = cards(knowledge, always("a", level))

    assert (expected, ("KETA",)) == (card.topic, card.rules)


def test_a_lowered_finding_has_the_topic_of_its_lower_level(knowledge: Knowledge) -> None:
    own = with_rules(knowledge, rule("a", {CRITICAL: ConditionCriterion(("psychosis_active",))}, topic="KETA"))

    (card,) = render(own, [assessed(own, record(condition(PSYCHOSIS, verification="provisional")))])

    assert ("KETAW", WARNING) == (card.topic, card.level)


def test_no_two_published_rules_share_a_topic(knowledge: Knowledge) -> None:
    names = [one.topic for one in knowledge.rules]

    assert len(set(names)) == len(names)
    assert all(name.isalnum() for name in names)
