"""The words of a criterion. What each means is said in `cds.engine.rules`."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from cds.engine.facts import Source
from cds.engine.order import Drug, OrderContext, Purpose, Route
from cds.engine.rules import ConditionState, Dating, MedicationState, Use
from cds.knowledge.closed import Closed
from cds.knowledge.quantities import MultipleText, Names, OfLastText, PairText, QuantityText, WindowText


def spelled(pattern: str, expected: str) -> AfterValidator:
    """Return a check that a text has a pattern; `expected` says what it is, in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"'{text}' is not {expected}.")
        return text

    return AfterValidator(check)


def _exactly_one(given: set[str], allowed: tuple[str, ...]) -> None:
    found = sorted(given & set(allowed))
    if len(found) != 1:
        raise ValueError(f"Exactly one of {', '.join(allowed)} was expected; found {', '.join(found) or 'none'}.")


_loose = Field(strict=False)
Id = Annotated[str, spelled(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", "a name of lower-case words joined by _")]
DrugWord = Annotated[Drug, _loose]
ContextWord = Annotated[OrderContext, _loose]
PurposeWord = Annotated[Purpose, _loose]
HookWord = Literal["order-select", "order-sign", "patient-view"]
MissingWord = Literal["not_found", "unknown"]


class ConditionWords(Closed):
    """`condition:` a diagnosis of the problem list."""

    value_sets: Names = Field(alias="in", min_length=1)
    state: Annotated[ConditionState, _loose] = ConditionState.ACTIVE
    within: WindowText | None = None
    older_than: WindowText | None = None
    undated: Annotated[Dating, _loose] = Dating.UNKNOWN
    excluding: Names = ()
    reasons: bool = False
    by_recorded: bool = False
    ended_by: Names = ()

    @model_validator(mode="after")
    def _acute_has_a_window(self) -> Self:
        if self.state is ConditionState.ACUTE and self.within is None:
            raise ValueError("'state: acute' needs 'within': for how long the diagnosis counts as acute.")
        return self


class ProcedureWords(Closed):
    """`procedure:` something that was done, by code or by a word in its text."""

    value_sets: Names = Field(default=(), alias="in")
    words: Names = ()
    within: WindowText | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.value_sets and not self.words:
            raise ValueError("'procedure' needs 'in' or 'words'.")
        return self


class AllergyWords(Closed):
    """`allergy:` a recorded allergy or intolerance."""

    value_sets: Names = Field(alias="in", min_length=1)
    state: Annotated[ConditionState, _loose] = ConditionState.ACTIVE
    types: Names = ()
    excluding_types: Names = ()


class MedicationWords(Closed):
    """`medication:` a drug that the patient has."""

    value_sets: Names = Field(alias="in", min_length=1)
    state: Annotated[MedicationState, _loose] = MedicationState.ACTIVE
    within: WindowText | None = None


class TrialWords(Closed):
    """`trials:` how many earlier treatments there were."""

    of: Id
    at_least: int | None = None
    fewer_than: int | None = None
    only: Names = ()
    unknown_durations: bool = False

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        _exactly_one(self.model_fields_set, ("at_least", "fewer_than"))
        return self


class ExplainedText(Closed):
    """Drugs that explain a result away, had within this time before it."""

    value_sets: Names = Field(alias="in", min_length=1)
    within: WindowText


class ObservationWords(Closed):
    """`observation:` a measured or coded result."""

    value_sets: Names = Field(alias="in", min_length=1)
    above: QuantityText | None = None
    at_least: QuantityText | None = None
    below: QuantityText | None = None
    at_most: QuantityText | None = None
    above_upper_limit: MultipleText = ""
    result: Names = ()
    within: WindowText | None = None
    use: Annotated[Use, _loose] = Use.LATEST
    every: bool = False
    if_missing: MissingWord = "unknown"
    ended_by: Names = ()
    explained_by: ExplainedText | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        _exactly_one(self.model_fields_set, ("above", "at_least", "below", "at_most", "above_upper_limit", "result"))
        return self


class BloodPressureWords(Closed):
    """`blood_pressure:` a pair of systolic and diastolic pressure."""

    within: WindowText
    above: PairText | None = None
    at_most: PairText | None = None
    of_last: OfLastText | None = None
    if_missing: MissingWord = "unknown"

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        _exactly_one(self.model_fields_set, ("above", "at_most"))
        return self


class ChildPughWords(Closed):
    """`child_pugh:` the class of a liver disease."""

    classes: tuple[Literal["A", "B", "C"], ...] = Field(alias="is", min_length=1)


class OrderWords(Closed):
    """`order:` what is ordered, for what, and from where."""

    drugs: tuple[DrugWord, ...] = ()
    routes: tuple[Annotated[Route, _loose], ...] = ()
    contexts: tuple[ContextWord, ...] = ()
    purposes: tuple[PurposeWord, ...] = ()
    hooks: tuple[HookWord, ...] = ()
    take_home: bool | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("'order' asks nothing: name drugs, routes, contexts, purposes, hooks or take_home.")
        return self


class PatientWords(Closed):
    """`patient:` sex, or age in whole years."""

    sex: Literal["female", "male", "other", "unknown"] | None = None
    age_below: int | None = None
    age_at_least: int | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("'patient' asks nothing: name sex, age_below or age_at_least.")
        return self


class RuleWords(Closed):
    """`rule:` what another rule said."""

    rules: Names = Field(alias="id", min_length=1)
    verdict: Literal["present", "not_found", "unknown"] = Field(alias="is")


class GapWords(Closed):
    """`gap:` something of these parts of the record could not be read."""

    sources: tuple[Annotated[Source, _loose], ...] = Field(alias="in", min_length=1)
    whole: bool


class CriterionText(Closed):
    """One criterion: exactly one of these words, and `unless` beside it where it has an exception."""

    any: tuple["CriterionText", ...] | None = Field(default=None, min_length=1)
    all: tuple["CriterionText", ...] | None = Field(default=None, min_length=1)
    negated: "CriterionText | None" = Field(default=None, alias="not")
    criterion: Id | None = None
    condition: ConditionWords | None = None
    procedure: ProcedureWords | None = None
    allergy: AllergyWords | None = None
    medication: MedicationWords | None = None
    trials: TrialWords | None = None
    observation: ObservationWords | None = None
    blood_pressure: BloodPressureWords | None = None
    child_pugh: ChildPughWords | None = None
    order: OrderWords | None = None
    patient: PatientWords | None = None
    rule: RuleWords | None = None
    gap: GapWords | None = None
    unless: "CriterionText | None" = None

    @model_validator(mode="after")
    def _one_word(self) -> Self:
        words = self.model_fields_set - {"unless"}
        if len(words) != 1:
            named = ", ".join(sorted(words)) or "none"
            raise ValueError(f"A criterion is exactly one word; found {named}. Join several with 'any' or 'all'.")
        return self
