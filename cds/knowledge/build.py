"""From the words of a rule file to the engine's types. Nothing is decided here; names are resolved in `checks`."""

from collections.abc import Mapping

from cds.engine.rules import Applicability, CardText, Citation, Level, Line, Rule, SuggestionText
from cds.knowledge.criteria_build import CriterionBuilder
from cds.knowledge.rule_file import Names, RuleFile
from cds.knowledge.schema import BecauseText, CardWords, LineText, SuggestionWords
from cds.knowledge.sources import SourceText
from cds.knowledge.suggestions import REMOVE_DRAFT, find_coding

_ALWAYS = frozenset({"data_gap", "dose"})
"""Kinds that a renewal never silences (rules.md D-SNOOZE)."""


def build_rule(file: RuleFile, names: Names) -> Rule:
    """Return the rule that a file describes, once `checks` found nothing wrong with it.

    Raises:
        UnresolvedError: if its named criteria cannot be resolved.
    """
    text, sources = file.text, names.sources or {}
    criteria = CriterionBuilder(text.where)
    applies = text.applies_to
    return Rule(
        id=text.id,
        topic=text.topic,
        implements=text.implements,
        kind=text.kind,
        family=text.family,
        strength=text.strength,
        version=text.version,
        file=file.document.file,
        reviewed_by=text.reviewed.by,
        reviewed_on=text.reviewed.on,
        review_next=text.reviewed.next,
        applies=Applicability(
            drugs=frozenset(applies.drugs),
            contexts=dict(applies.contexts),
            purposes=frozenset(applies.purposes),
            hooks=frozenset(applies.hooks),
        ),
        levels={level: criteria.build(text.levels[level]) for level in sorted(text.levels, key=lambda one: one.rank)},
        because=tuple(_citation(one, sources, criteria) for one in text.because),
        card=_card(text.card, criteria, names) if text.card else None,
        joins=dict(text.joins),
        withheld_when=tuple(Line(one.reason, criteria.build(one.when)) for one in text.withheld_when),
        local_policy=tuple(one.text for one in text.local_policy),
        policy_when={one.text: criteria.build(one.when) for one in text.local_policy if one.when},
        site_policy=file.site_policy,
        in_renewal_always=text.in_renewal == "always" or text.kind in _ALWAYS,
        uses=frozenset(text.uses),
        title=text.title,
    )


def _citation(text: BecauseText, sources: Mapping[str, SourceText], criteria: CriterionBuilder) -> Citation:
    source = sources[text.source]
    statement = source.statements[text.statement]
    return Citation(
        source=text.source,
        label=source.label,
        statement=statement.says,
        grade=statement.grade,
        sure=statement.sure,
        url=source.address,
        when=criteria.optional(text.when),
        reference=source.reference,
        year=str(source.year),
    )


def _card(text: CardWords, criteria: CriterionBuilder, names: Names) -> CardText:
    def lines(texts: tuple[LineText, ...]) -> tuple[Line, ...]:
        return tuple(Line(one.text, criteria.optional(one.when)) for one in texts)

    return CardText(
        summaries={level: lines(text.summary[level]) for level in Level if level in text.summary},
        detail=lines(text.detail),
        not_checked=text.not_checked,
        override_reasons=text.override_reasons,
        suggestions=tuple(_suggestion(one, criteria, names) for one in text.suggestions),
    )


def _suggestion(text: SuggestionWords, criteria: CriterionBuilder, names: Names) -> SuggestionText:
    when = criteria.optional(text.when)
    if text.order:
        order = find_coding(text.order, names.systems or {}, names.value_sets or {})
        return SuggestionText("order", text.label or "", order=order, when=when)
    if text.add_reason:
        return SuggestionText("add_reason", text.label or "", value_sets=text.add_reason.value_sets, when=when)
    return SuggestionText("delete", REMOVE_DRAFT, when=when)
