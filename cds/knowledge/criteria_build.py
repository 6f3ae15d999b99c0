"""From the words of criteria to the engine's types. Nothing is decided here; names are resolved in `checks`."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from cds.engine.logic import Verdict
from cds.engine.rules import (
    AllergyCriterion,
    AllOf,
    AnyOf,
    BloodPressureCriterion,
    ChildPughCriterion,
    ConditionCriterion,
    CountCriterion,
    Criterion,
    DoseCriterion,
    ExposureCriterion,
    FlagCriterion,
    GapCriterion,
    MedicationCriterion,
    Named,
    NotCriterion,
    ObservationCriterion,
    OrderCriterion,
    OtherOrderCriterion,
    PatientCriterion,
    ProcedureCriterion,
    RuleCriterion,
    TrialCriterion,
    UncodedCriterion,
    Unless,
)
from cds.knowledge.closed import Closed
from cds.knowledge.criteria import ConditionWords, CriterionText, ExplainedText

_LEAVES: dict[str, Callable[..., Criterion]] = {
    "condition": ConditionCriterion,
    "procedure": ProcedureCriterion,
    "flag": FlagCriterion,
    "allergy": AllergyCriterion,
    "medication": MedicationCriterion,
    "trials": TrialCriterion,
    "observation": ObservationCriterion,
    "blood_pressure": BloodPressureCriterion,
    "child_pugh": ChildPughCriterion,
    "order": OrderCriterion,
    "dose": DoseCriterion,
    "count": CountCriterion,
    "exposure": ExposureCriterion,
    "other_order": OtherOrderCriterion,
    "patient": PatientCriterion,
    "rule": RuleCriterion,
    "gap": GapCriterion,
}
_VERDICTS = {"present": Verdict.PRESENT, "not_found": Verdict.NOT_FOUND, "unknown": Verdict.UNKNOWN}


class UnresolvedError(ValueError):
    """Named criteria that ask about one another in a circle, or a name that does not exist."""


class CriterionBuilder:
    """Builds the criteria of one rule, whose named ones are its `where`."""

    def __init__(self, where: Mapping[str, CriterionText]) -> None:
        self._where = where
        self._open: list[str] = []

    def build(self, text: CriterionText) -> Criterion:
        """Return the criterion.

        Raises:
            UnresolvedError: if a named criterion does not exist, or asks about itself.
        """
        criterion = self._word(text)
        return _shared(Unless(criterion, self.build(text.unless)) if text.unless else criterion)

    def optional(self, text: CriterionText | None) -> Criterion | None:
        """Return the criterion if there is one."""
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
        if text.uncoded is not None:
            return UncodedCriterion()
        name = next(word for word in _LEAVES if getattr(text, word) is not None)
        return _LEAVES[name](**_values(getattr(text, name)))

    def _named(self, name: str) -> Named:
        if name in self._open or name not in self._where:
            raise UnresolvedError(name)
        self._open.append(name)
        built = Named(name, self.build(self._where[name]))
        self._open.pop()
        return built


@cache
def _shared(criterion: Criterion) -> Criterion:
    """Return the same object for equal criteria, so that what many rules ask is answered once for a patient."""
    return criterion


def _values(words: Closed) -> dict[str, Any]:
    """Return what was written of a criterion; what was not keeps the engine's own default."""
    values = {name: getattr(words, name) for name in words.model_fields_set}
    if isinstance(words, ConditionWords):
        values.setdefault("value_sets", ())
    for name in ("if_missing", "verdict"):
        if name in values:
            values[name] = _VERDICTS[values[name]]
    if isinstance(explained := values.get("explained_by"), ExplainedText):
        values["explained_by"] = (explained.value_sets, explained.within)
    return values
