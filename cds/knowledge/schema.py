"""The form of a rule file, word by word. What each word means is said in `cds.engine.rules`."""

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cds.engine.rules import Level
from cds.knowledge.closed import Closed
from cds.knowledge.criteria import CriterionText
from cds.knowledge.quantities import Names
from cds.knowledge.vocabulary import (
    ContextWord,
    DrugWord,
    HookWord,
    Id,
    LevelWord,
    PurposeWord,
    Text,
    check_exactly_one,
    spelled,
)


def _day(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(f"'{text}' is not a date such as \"2026-02-01\".")
    return date.fromisoformat(text).isoformat()


def _as_lines(value: object) -> object:
    alternatives = (value,) if isinstance(value, (str, dict)) else value
    if not isinstance(alternatives, tuple):
        return alternatives
    return tuple({"text": line} if isinstance(line, str) else line for line in alternatives)


Topic = Annotated[str, spelled(r"KET[A-Z0-9]+", "a topic: KET and then capital letters and digits only")]
Row = Annotated[str, spelled(r"[A-Z]+-[A-Z0-9]+", "a row such as CR-IOP")]
Day = Annotated[str, AfterValidator(_day)]


class LineText(Closed):
    """A sentence, and the criterion under which it is used."""

    text: Text
    when: CriterionText | None = None


Lines = Annotated[tuple[LineText, ...], BeforeValidator(_as_lines)]


def _with_named_criteria(lines: tuple[LineText, ...]) -> tuple[LineText, ...]:
    """Refuse a criterion that is written out: a site's number is put in place under `where`, not here."""
    if any(line.when and line.when.criterion is None for line in lines):
        raise ValueError("A line of 'local_policy' names its 'when' by a criterion of 'where': {criterion: name}.")
    return lines


class BecauseText(Closed):
    """One citation: a source of cards/sources.yaml and the id of its statement there."""

    source: Text
    statement: Text
    when: CriterionText | None = None


class WithheldText(Closed):
    """Under which criterion no card is shown although the finding stands, and why."""

    when: CriterionText
    reason: Text


class ReviewText(Closed):
    """Who reviewed the card, when, and when it is due again."""

    by: Text
    on: Day
    next: Day


class AppliesText(Closed):
    """For which orders the rule runs."""

    drugs: tuple[DrugWord, ...] = Field(min_length=1)
    contexts: dict[ContextWord, LevelWord] = Field(min_length=1)
    purposes: tuple[PurposeWord, ...] = ()
    hooks: tuple[HookWord, ...] = ()


class AddReasonWords(Closed):
    """Which diagnosis becomes the order's reason: the active one of these value sets that the finding rests on."""

    value_sets: Names = Field(alias="in", min_length=1)


def _as_suggestion(value: object) -> object:
    if value == "delete_draft":
        return {"delete_draft": True}
    if isinstance(value, dict):
        return value
    raise ValueError(f"'{value}' is no suggestion. Expected delete_draft, or {{order: ...}} or {{add_reason: ...}}.")


class SuggestionWords(Closed):
    """One action that the card offers: exactly one of these."""

    delete_draft: Literal[True] | None = None
    order: Text | None = None
    add_reason: AddReasonWords | None = None
    label: Text | None = None
    when: CriterionText | None = None

    @model_validator(mode="after")
    def _one_action_with_its_label(self) -> Self:
        check_exactly_one(self.model_fields_set, ("delete_draft", "order", "add_reason"))
        if (self.label is None) is not bool(self.delete_draft):
            raise ValueError("'order' and 'add_reason' need a 'label': what the button says; 'delete_draft' has one.")
        return self


class CardWords(Closed):
    """The words of the card."""

    summary: dict[LevelWord, Lines] = Field(min_length=1)
    detail: Lines = ()
    not_checked: Text
    override_reasons: Names = ()
    suggestions: tuple[Annotated[SuggestionWords, BeforeValidator(_as_suggestion)], ...] = ()


UseWord = Literal[
    "race", "ethnicity", "language", "sexual_orientation", "gender_identity", "sex", "date_of_birth",
    "social_determinants", "health_status_assessments",
]  # fmt: skip
"""Attributes 5 to 13 of 45 CFR 170.315(b)(11)(iv)(A): patient data whose use every rule has to state."""

Kind = Literal[
    "gate", "indication", "prerequisite", "contraindication", "caution", "interaction", "dose", "regulatory",
    "monitoring", "data_gap",
]  # fmt: skip


def _check_summaries(summaries: set[Level], levels: set[Level]) -> None:
    """Every level has its summary; lower levels may have one, for a finding that is lowered because it is uncertain."""
    if missing := levels - summaries:
        raise ValueError(f"'card: summary' has no text for: {', '.join(sorted(missing))}.")
    highest = min(level.rank for level in levels)
    if unreachable := [level for level in summaries if level.rank < highest]:
        raise ValueError(f"'card: summary' has a text that is never used: {', '.join(sorted(unreachable))}.")


class RuleText(Closed):
    """One rule file."""

    id: Id
    title: Text
    topic: Topic
    implements: tuple[Row, ...] = Field(min_length=1)
    kind: Kind
    family: Id
    strength: Literal["absolute", "relative", "caution", "information"]
    version: int = Field(ge=1)
    status: Literal["active", "draft", "retired"]
    reviewed: ReviewText
    uses: tuple[UseWord, ...] = ()
    applies_to: AppliesText
    levels: dict[LevelWord, CriterionText] = Field(default_factory=dict)
    where: dict[Id, CriterionText] = Field(default_factory=dict)
    joins: dict[LevelWord, Id] = Field(default_factory=dict)
    withheld_when: tuple[WithheldText, ...] = ()
    in_renewal: Literal["always", "new_facts"] = "new_facts"
    local_policy: Annotated[Lines, AfterValidator(_with_named_criteria)] = ()
    because: tuple[BecauseText, ...] = ()
    card: CardWords | None = None

    @property
    def reached(self) -> frozenset[Level]:
        """Return the levels that a finding can have: as written, and lowered because a fact is uncertain."""
        return frozenset(self.levels) | frozenset(self.card.summary if self.card else ())

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind != "gate" and not (self.levels and self.card):
            raise ValueError("A rule needs 'levels' and 'card'; only a gate may be without.")
        if self.kind not in {"gate", "data_gap"} and not self.because:
            raise ValueError("A rule needs 'because': the source that says so.")
        if self.card and self.levels:
            _check_summaries(set(self.card.summary), set(self.levels))
        return self
