"""The words of criteria about the order, its dose, other orders, the patient, other rules and gaps."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cds.engine.derive.dose import UNITS, Amount
from cds.engine.facts import Source
from cds.engine.rules import CountedKind
from cds.knowledge.closed import Closed
from cds.knowledge.quantities import Names, QuantityText, WindowText
from cds.knowledge.vocabulary import (
    LOOSE,
    ContextWord,
    DrugWord,
    HookWord,
    LevelWord,
    Patterns,
    PurposeWord,
    RouteWord,
    check_exactly_one,
    spelled,
)

Country = Annotated[str, spelled(r"[A-Z]{2}", "a country as two capital letters, such as GB")]


class OrderWords(Closed):
    """`order:` what is ordered, for what, and from where."""

    drugs: tuple[DrugWord, ...] = ()
    routes: tuple[RouteWord, ...] = ()
    contexts: tuple[ContextWord, ...] = ()
    purposes: tuple[PurposeWord, ...] = ()
    hooks: tuple[HookWord, ...] = ()
    take_home: bool | None = None
    words: Patterns = ()
    countries: tuple[Country, ...] = ()

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(
                "'order' asks nothing: name drugs, routes, contexts, purposes, hooks, take_home, words or countries."
            )
        return self


class DoseWords(Closed):
    """`dose:` an amount that the order says, in the unit of `cds.engine.derive.dose.UNITS`, or writes per kg."""

    of: Annotated[Amount, LOOSE]
    above: QuantityText | None = None
    at_least: QuantityText | None = None
    below: QuantityText | None = None
    no_multiple_of: QuantityText | None = None
    per_kg: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_comparison_in_its_unit(self) -> Self:
        words = ("above", "at_least", "below", "no_multiple_of")
        check_exactly_one(self.model_fields_set, (*words, "per_kg"))
        threshold = next((getattr(self, word) for word in words if getattr(self, word) is not None), None)
        if threshold is not None and threshold.unit != UNITS[self.of]:
            raise ValueError(f"'{threshold}': {self.of.value} is compared in {UNITS[self.of]}.")
        if self.no_multiple_of is not None and self.no_multiple_of.value <= 0:
            raise ValueError("'no_multiple_of' is more than 0.")
        return self


class CountWords(Closed):
    """`count:` how often something is on record; what carries the same day counts once."""

    kind: Annotated[CountedKind, LOOSE] = Field(alias="of")
    value_sets: Names = Field(alias="in", min_length=1)
    within: WindowText
    at_least: int = Field(ge=1)


class ExposureWords(Closed):
    """`exposure:` a drug was had for so long, within the look-back."""

    value_sets: Names = Field(alias="in", min_length=1)
    at_least: WindowText
    within: WindowText


class OtherOrderWords(Closed):
    """`other_order:` another order of the drug: one that overlaps, or an older one by the same route (a renewal)."""

    overlapping: bool = False
    same_route: bool = False
    older_than: WindowText | None = None

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        check_exactly_one(
            {name for name in self.model_fields_set if getattr(self, name)}, ("overlapping", "same_route")
        )
        if self.overlapping and self.older_than:
            raise ValueError("'older_than' belongs to 'same_route'.")
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
    """`rule:` what another rule said, at any of these levels if some are named."""

    rules: Names = Field(alias="id", min_length=1)
    verdict: Literal["present", "not_found", "unknown"] = Field(alias="is")
    levels: tuple[LevelWord, ...] = Field(default=(), alias="at")


class GapWords(Closed):
    """`gap:` something of these parts of the record could not be read."""

    sources: tuple[Annotated[Source, LOOSE], ...] = Field(alias="in", min_length=1)
    whole: bool
