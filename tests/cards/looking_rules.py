"""Which rules can fire because of a code: those that look for one of its value sets, and those that they ask about."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from cds.engine.rules import (
    AllOf,
    AnyOf,
    CardText,
    Criterion,
    Knowledge,
    Line,
    Named,
    NotCriterion,
    Rule,
    RuleCriterion,
    TrialCriterion,
    Unless,
)
from cds.knowledge.inputs import criteria_in, sets_in
from tests.cards.answers import knowledge

HOOK = "order-select"
Sets = frozenset[str]


@cache
def rules_that_look_for(sets: Sets) -> Knowledge:
    """Return the knowledge with these rules alone."""
    looking = {name for name in all_rules() if sets & _looked_for(name)}
    needed = looking.union(*(_asked(name) for name in looking))
    return replace(knowledge(), rules=tuple(rule for name, rule in all_rules().items() if name in needed))


@cache
def every_rule() -> Knowledge:
    """Return the knowledge with all rules of the hook."""
    return replace(knowledge(), rules=tuple(all_rules().values()))


@cache
def all_rules() -> Mapping[str, Rule]:
    """Return the rules of the hook by id, without the words of their cards: that one is shown needs none of them."""
    return {rule.id: _wordless(rule) for rule in knowledge().rules if HOOK in (rule.applies.hooks or {HOOK})}


def rows_of(loaded: Knowledge) -> Sets:
    """Return the rows of the clinical rules that a knowledge implements."""
    return frozenset(rule.implements[0] for rule in loaded.rules if rule.card)


def _wordless(rule: Rule) -> Rule:
    card = CardText({level: (Line(rule.title),) for level in rule.levels}) if rule.card else None
    return replace(rule, card=card, because=())


@cache
def _looked_for(name: str) -> Sets:
    """Return the value sets because of which the levels of a rule, or of a rule that it asks about, can hold."""
    definitions = knowledge().definitions
    levels = (one for level in all_rules()[name].levels.values() for one in _affirmed(level))
    own = frozenset(one for criterion in levels for one in sets_in(criterion, definitions))
    return own.union(*(_looked_for(one) for one in _asked(name)))


def _affirmed(criterion: Criterion) -> Iterator[Criterion]:
    """Yield the parts that can make a criterion hold: no exception, nothing negated, no drug that is a past trial."""
    if isinstance(criterion, (AnyOf, AllOf)):
        for part in criterion.criteria:
            yield from _affirmed(part)
    elif isinstance(criterion, (Named, Unless)):
        yield from _affirmed(criterion.criterion)
    elif not isinstance(criterion, (NotCriterion, TrialCriterion)):
        yield criterion


@cache
def _asked(name: str) -> Sets:
    asked = (one for one in criteria_in(all_rules()[name]) if isinstance(one, RuleCriterion))
    direct = frozenset(one for criterion in asked for one in criterion.rules if one in all_rules())
    return direct.union(*(_asked(one) for one in direct))
