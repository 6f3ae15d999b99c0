"""D-SNOOZE, its overrides: what a clinician overrode stays silent for 90 days while its facts are the same."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cds.engine.card import Card
from cds.engine.quiet import NOTHING_EARLIER, Earlier, EarlierCard, fingerprint
from cds.engine.render import compose
from cds.engine.rules import Knowledge, Level
from tests.engine.ask import assessed
from tests.engine.build import AT, CRPS, GLAUCOMA, PSYCHOSIS, TODAY, Record, condition, order, record

IV = order(route="IV")
PATIENT = (condition(CRPS), condition(GLAUCOMA, name="eyes"), condition(PSYCHOSIS, name="mind"))
EYES = "KETIOP1W"


def cards(knowledge: Knowledge, *facts: Record, earlier: Earlier = NOTHING_EARLIER) -> dict[str, Card]:
    """Return the cards that are shown, by topic."""
    rendered = compose(knowledge, [assessed(knowledge, record(*facts), IV)], earlier)
    return {card.topic: card for card in rendered.cards}


def earlier(*overridden: EarlierCard, hook: str = "order-select") -> Earlier:
    """Say what this user has overridden."""
    return Earlier(AT, TODAY, hook, overridden)


def override_of(card: Card, days_ago: int = 1) -> EarlierCard:
    """Return the override of a card as the record has it."""
    return EarlierCard(card.topic, card.drug, card.route, card.fingerprint, AT - timedelta(days=days_ago))


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_warning_that_was_overridden_is_not_shown_again(knowledge: Knowledge, hook: str) -> None:
    before = cards(knowledge, *PATIENT)

    after = cards(knowledge, *PATIENT, earlier=earlier(override_of(before[EYES]), hook=hook))

    assert before.keys() - {EYES} == after.keys()


@pytest.mark.parametrize(("days_ago", "shown"), [(0, False), (90, False), (91, True)])
def test_after_ninety_days_it_is_shown_again(knowledge: Knowledge, days_ago: int, shown: bool) -> None:
    overridden = override_of(cards(knowledge, *PATIENT)[EYES], days_ago)

    assert shown == (EYES in cards(knowledge, *PATIENT, earlier=earlier(overridden)))


@pytest.mark.parametrize(
    ("field", "value"),
    [("drug", "esketamine_nasal"), ("route", "nasal"), ("topic", "KETIOP1I"), ("fingerprint", "0" * 32)],
    ids=["another drug", "another route", "another level", "other facts"],
)
def test_only_the_same_card_for_the_same_order_and_facts_is_silent(
    knowledge: Knowledge, field: str, value: str
) -> None:
    mine = override_of(cards(knowledge, *PATIENT)[EYES])
    same = {name: getattr(mine, name) for name in ("topic", "drug", "route", "fingerprint", "at")}
    overridden = EarlierCard(**{**same, field: value})

    assert EYES in cards(knowledge, *PATIENT, earlier=earlier(overridden))


def test_a_new_fact_brings_the_card_back(knowledge: Knowledge) -> None:
    overridden = override_of(cards(knowledge, *PATIENT)[EYES])
    another = condition(GLAUCOMA, name="other-eye")

    assert EYES in cards(knowledge, *PATIENT, another, earlier=earlier(overridden))


def test_the_order_in_which_facts_are_recorded_makes_no_difference(knowledge: Knowledge) -> None:
    overridden = override_of(cards(knowledge, *PATIENT)[EYES])

    assert EYES not in cards(knowledge, *reversed(PATIENT), earlier=earlier(overridden))


def test_no_critical_card_is_ever_silent(knowledge: Knowledge) -> None:
    before = cards(knowledge, *PATIENT)
    critical = [card for card in before.values() if card.level is Level.CRITICAL]
    all_of_them = earlier(*(override_of(card) for card in before.values()))

    after = cards(knowledge, *PATIENT, earlier=all_of_them)

    assert critical
    assert {card.topic for card in critical} == after.keys()


def test_a_card_that_stays_silent_is_kept_with_its_reason(knowledge: Knowledge) -> None:
    overridden = override_of(cards(knowledge, *PATIENT)[EYES])
    assessment = assessed(knowledge, record(*PATIENT), IV)

    (silenced,) = compose(knowledge, [assessment], earlier(overridden)).silenced

    assert EYES == silenced.card.topic
    assert "overridden by the same user on 2026-01-31, and its facts have not changed" == silenced.why


def test_without_a_time_of_the_call_nothing_is_silent(knowledge: Knowledge) -> None:
    """A call of whose user nothing is known is answered in full."""
    before = cards(knowledge, *PATIENT)
    overridden = tuple(override_of(card) for card in before.values())

    assert before.keys() == cards(knowledge, *PATIENT, earlier=Earlier(overridden=overridden)).keys()


def test_the_digest_of_facts_tells_values_and_dates_apart(knowledge: Knowledge) -> None:
    (one,) = assessed(knowledge, record(*PATIENT), IV).finding("raised_intraocular_pressure").evidence

    digests = {fingerprint([each]) for each in (one, replace(one, value="22 mm[Hg]"), replace(one, date="2026-01-01"))}

    assert 3 == len(digests)
    assert fingerprint([one, one]) == fingerprint([one])
