"""From the words of a rule file to the engine's types. Nothing is decided here; names are resolved in `checks`."""

from collections.abc import Callable, Mapping
from typing import Any

from cds.engine.logic import Verdict
from cds.engine.rules import (
    AllergyCriterion,
    AllOf,
    AnyOf,
    Applicability,
    BloodPressureCriterion,
    CardText,
    ChildPughCriterion,
    Citation,
    ConditionCriterion,
    Criterion,
    GapCriterion,
    Level,
    Line,
    MedicationCriterion,
    Named,
    NotCriterion,
    ObservationCriterion,
    OrderCriterion,
    PatientCriterion,
    ProcedureCriterion,
    Rule,
    RuleCriterion,
    TrialCriterion,
    Unless,
)
from cds.knowledge.closed import Closed
from cds.knowledge.criteria import CriterionText, ExplainedText
from cds.knowledge.schema import BecauseText, CardWords, LineText, RuleText
from cds.knowledge.sources import SourceText

_LEAVES: dict[str, Callable[..., Criterion]] = {
    "condition": ConditionCriterion,
    "procedure": ProcedureCriterion,
    "allergy": AllergyCriterion,
    "medication": MedicationCriterion,
    "trials": TrialCriterion,
    "observation": ObservationCriterion,
    "blood_pressure": BloodPressureCriterion,
    "child_pugh": ChildPughCriterion,
    "order": OrderCriterion,
    "patient": PatientCriterion,
    "rule": RuleCriterion,
    "gap": GapCriterion,
}
_VERDICTS = {"present": Verdict.PRESENT, "not_found": Verdict.NOT_FOUND, "unknown": Verdict.UNKNOWN}


class UnresolvedError(ValueError):
    """Named criteria that ask about one another in a circle, or a name that does not exist."""


def build_rule(text: RuleText, file: str, sources: Mapping[str, SourceText]) -> Rule:
    """Return the rule that a file describes.

    Raises:
        UnresolvedError: if its named criteria cannot be resolved.
        KeyError: if it cites a source or statement that does not exist.
    """
    criteria = _Criteria(text.where)
    applies = text.applies_to
    return Rule(
        id=text.id,
        topic=text.topic,
        implements=text.implements,
        kind=text.kind,
        family=text.family,
        strength=text.strength,
        version=text.version,
        file=file,
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
        card=_card(text.card, criteria) if text.card else None,
        joins=dict(text.joins),
        withheld_when=tuple(Line(one.reason, criteria.build(one.when)) for one in text.withheld_when),
        local_policy=text.local_policy,
        title=text.title,
    )


class _Criteria:
    """Builds criteria, and each named one once."""

    def __init__(self, where: Mapping[str, CriterionText]) -> None:
        self._where = where
        self._open: list[str] = []

    def build(self, text: CriterionText) -> Criterion:
        criterion = self._word(text)
        return Unless(criterion, self.build(text.unless)) if text.unless else criterion

    def optional(self, text: CriterionText | None) -> Criterion | None:
        return self.build(text) if text else None

    def _word(self, text: CriterionText) -> Criterion:
        if text.any is not None:
            return AnyOf(tuple(self.build(part) for part in text.any))
        if text.all is not None:
            return AllOf(tuple(self.build(part) for part in text.all))
        if text.negated is not None:
            return NotCriterion(self.build(text.negated))
        if text.criterion is not None:
            return self._named(text.criterion)
        name = next(word for word in _LEAVES if getattr(text, word) is not None)
        return _LEAVES[name](**_values(getattr(text, name)))

    def _named(self, name: str) -> Named:
        if name in self._open or name not in self._where:
            raise UnresolvedError(name)
        self._open.append(name)
        built = Named(name, self.build(self._where[name]))
        self._open.pop()
        return built


def _values(words: Closed) -> dict[str, Any]:
    """Return what was written of a criterion; what was not keeps the engine's own default."""
    values = {name: getattr(words, name) for name in words.model_fields_set}
    for name in ("if_missing", "verdict"):
        if name in values:
            values[name] = _VERDICTS[values[name]]
    if isinstance(explained := values.get("explained_by"), ExplainedText):
        values["explained_by"] = (explained.value_sets, explained.within)
    return values


def _citation(text: BecauseText, sources: Mapping[str, SourceText], criteria: _Criteria) -> Citation:
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
    )


def _card(text: CardWords, criteria: _Criteria) -> CardText:
    def lines(texts: tuple[LineText, ...]) -> tuple[Line, ...]:
        return tuple(Line(one.text, criteria.optional(one.when)) for one in texts)

    return CardText(
        summaries={level: lines(text.summary[level]) for level in Level if level in text.summary},
        detail=lines(text.detail),
        not_checked=text.not_checked,
        override_reasons=text.override_reasons,
        suggestions=text.suggestions,
    )
