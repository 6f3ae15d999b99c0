"""The words of a criterion. What each means is said in `cds.engine.rules`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cds.engine.rules import ConditionState, Dating, MedicationState, Use
from cds.knowledge.closed import Closed
from cds.knowledge.order_criteria import (
    CountWords,
    DoseWords,
    ExposureWords,
    GapWords,
    OrderWords,
    OtherOrderWords,
    PatientWords,
    RuleWords,
)
from cds.knowledge.quantities import MultipleText, Names, OfLastText, PairText, QuantityText, WindowText
from cds.knowledge.vocabulary import LOOSE, Id, MissingWord, Patterns, check_exactly_one


class ConditionWords(Closed):
    """`condition:` a diagnosis of the problem list."""

    value_sets: Names = Field(default=(), alias="in")
    state: Annotated[ConditionState, LOOSE] = ConditionState.ACTIVE
    within: WindowText | None = None
    older_than: WindowText | None = None
    undated: Annotated[Dating, LOOSE] = Dating.UNKNOWN
    excluding: Names = ()
    reasons: bool = False
    by_recorded: bool = False
    ended_by: Names = ()
    words: Patterns = ()

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.value_sets and not self.words:
            raise ValueError("'condition' needs 'in' or 'words'.")
        return self

    @model_validator(mode="after")
    def _acute_has_a_window(self) -> Self:
        if self.state is ConditionState.ACUTE and self.within is None:
            raise ValueError("'state: acute' needs 'within': for how long the diagnosis counts as acute.")
        return self


class ProcedureWords(Closed):
    """`procedure:` something that was done, by code or by a word in its text."""

    value_sets: Names = Field(default=(), alias="in")
    words: Patterns = ()
    within: WindowText | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.value_sets and not self.words:
            raise ValueError("'procedure' needs 'in' or 'words'.")
        return self


class FlagWords(Closed):
    """`flag:` an active notice on the record, by code or by a word in its text."""

    value_sets: Names = Field(default=(), alias="in")
    words: Patterns = ()


class AllergyWords(Closed):
    """`allergy:` a recorded allergy or intolerance."""

    value_sets: Names = Field(alias="in", min_length=1)
    state: Annotated[ConditionState, LOOSE] = ConditionState.ACTIVE
    types: Names = ()
    excluding_types: Names = ()


class MedicationWords(Closed):
    """`medication:` a drug that the patient has."""

    value_sets: Names = Field(alias="in", min_length=1)
    state: Annotated[MedicationState, LOOSE] = MedicationState.ACTIVE
    within: WindowText | None = None
    no_rescue: bool = False
    excluding: Names = ()
    requests_only: bool = False


class TrialWords(Closed):
    """`trials:` how many earlier treatments there were."""

    of: Id
    at_least: int | None = None
    fewer_than: int | None = None
    only: Names = ()
    unknown_durations: bool = False

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        check_exactly_one(self.model_fields_set, ("at_least", "fewer_than"))
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
    measured: Literal[True] | None = None
    within: WindowText | None = None
    use: Annotated[Use, LOOSE] = Use.LATEST
    every: bool = False
    if_missing: MissingWord = "unknown"
    ended_by: Names = ()
    explained_by: ExplainedText | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        words = ("above", "at_least", "below", "at_most", "above_upper_limit", "result", "measured")
        check_exactly_one(self.model_fields_set, words)
        return self


class BloodPressureWords(Closed):
    """`blood_pressure:` a pair of systolic and diastolic pressure."""

    within: WindowText
    above: PairText | None = None
    at_most: PairText | None = None
    measured: Literal[True] | None = None
    of_last: OfLastText | None = None
    if_missing: MissingWord = "unknown"

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        check_exactly_one(self.model_fields_set, ("above", "at_most", "measured"))
        return self


class ChildPughWords(Closed):
    """`child_pugh:` the class of a liver disease."""

    classes: tuple[Literal["A", "B", "C"], ...] = Field(alias="is", min_length=1)


class CriterionText(Closed):
    """One criterion: exactly one of these words, and `unless` beside it where it has an exception."""

    any: tuple["CriterionText", ...] | None = Field(default=None, min_length=1)
    all: tuple["CriterionText", ...] | None = Field(default=None, min_length=1)
    negated: "CriterionText | None" = Field(default=None, alias="not")
    criterion: Id | None = None
    condition: ConditionWords | None = None
    procedure: ProcedureWords | None = None
    flag: FlagWords | None = None
    allergy: AllergyWords | None = None
    medication: MedicationWords | None = None
    trials: TrialWords | None = None
    observation: ObservationWords | None = None
    blood_pressure: BloodPressureWords | None = None
    child_pugh: ChildPughWords | None = None
    order: OrderWords | None = None
    dose: DoseWords | None = None
    count: CountWords | None = None
    exposure: ExposureWords | None = None
    other_order: OtherOrderWords | None = None
    uncoded: Literal["conditions"] | None = None
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
