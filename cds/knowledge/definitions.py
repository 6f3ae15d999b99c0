"""The form of cards/definitions.yaml. What each part means is said in `cds.engine.definitions`."""

from typing import Annotated, Literal

from pydantic import Field

from cds.engine.facts import Source
from cds.knowledge.closed import Closed
from cds.knowledge.quantities import FactorText, MinutesText, QuantityText, RangeText, WindowText
from cds.knowledge.vocabulary import LOOSE, Id, Pattern, Patterns, RouteWord, Text

Ids = tuple[Id, ...]
Codes = frozenset[str]


class Block(Closed):
    """A part of the file: `source` is its row of the clinical rules, `local_policy` names what no source supports."""

    source: Text
    local_policy: tuple[Text, ...] = ()


class DrugWordsText(Closed):
    """One drug: its value set, and the patterns that name it in a text."""

    value_set: Id = Field(alias="in")
    patterns: Patterns


class DrugText(Block):
    """D-DRUG."""

    esketamine: DrugWordsText
    ketamine: DrugWordsText
    taken_out: Pattern
    injectable_words: Patterns
    nasal_words: Patterns


class ServiceText(Block):
    """D-ORDER: which ordered services are a treatment."""

    words: Patterns
    never: Patterns


class RouteText(Closed):
    """One route: its value set and its words."""

    value_set: Id = Field(alias="in")
    words: Patterns


class RoutesText(Block):
    """D-ROUTE, in the order in which the words are looked for."""

    in_this_order: dict[RouteWord, RouteText]


class PurposeText(Block):
    """D-PURPOSE."""

    value_sets: Ids
    words: Patterns
    supporting: Ids = ()


class ContextText(Block):
    """D-CONTEXT."""

    procedural_words: Patterns
    acute_pain_words: Patterns
    emergency_classes: tuple[str, ...]
    bolus_at_least: QuantityText


class ConditionText(Block):
    """D-COND-*."""

    active: tuple[str, ...]
    past: tuple[str, ...]
    remission: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    refuted: tuple[str, ...]
    problem_categories: tuple[str, ...]
    encounter_categories: tuple[str, ...]
    encounter_diagnosis_within: WindowText
    remission_value_sets: Ids
    sequela_value_sets: Ids
    family_history_value_sets: Ids


class MedicationText(Block):
    """D-MED."""

    active_statuses: tuple[str, ...]
    trial_statuses: tuple[str, ...]
    stale_after: WindowText
    local_forms: tuple[str, ...]
    local_value_sets: Ids


class BloodPressureText(Block):
    """D-BP."""

    panel: Id
    systolic: Id
    diastolic: Id
    unit: Text
    plausible_systolic: RangeText
    plausible_diastolic: RangeText


class ObservationText(Closed):
    """D-OBS, D-UNIT, D-REFRANGE for one value set."""

    unit: str = ""
    read_with: Annotated[Source, LOOSE]
    worse: Literal["higher", "lower"] = "higher"
    results_known: Ids = ()
    plausible: RangeText | None = None
    factors: dict[str, FactorText] | None = None
    default_upper_limit: QuantityText | None = None


class ObservationsText(Block):
    """All observation value sets that rules may ask about."""

    sets: dict[Id, ObservationText]


class TrialGroupText(Closed):
    """Treatments that count together."""

    value_sets: Ids = Field(default=(), alias="in")
    distinct_by: Literal["ingredient", "value_set"]
    exposure_at_least: WindowText | None = None
    together: bool = False
    counts_at_most: int = 0
    procedures: Ids = ()
    only_with: Ids = ()


class TrialText(Block):
    """D-EXPOSURE, and one count of earlier treatments."""

    title: Text
    within: WindowText
    since_onset_of: Ids = ()
    at_most_back: WindowText | None = None
    minimum_daily_doses: dict[str, QuantityText] | None = None
    groups: tuple[TrialGroupText, ...]


class CutOffsText(Closed):
    """A laboratory value with its lower and its upper cut-off; a value on either gives two points."""

    value_set: Id = Field(alias="in")
    two_points_from: QuantityText
    to: QuantityText


class ChildPughText(Block):
    """The Child-Pugh table."""

    within: WindowText
    bilirubin: CutOffsText
    albumin: CutOffsText
    inr: CutOffsText
    points_of_findings: dict[Id, int]
    classes: dict[Literal["A", "B", "C"], RangeText]


class WeightText(Block):
    """Which weight is used for a dose per kilogram."""

    value_set: Id = Field(alias="in")
    within: WindowText


class CardsText(Block):
    """How many cards are shown at most."""

    at_most: int


class SnoozeText(Block):
    """For how long what was seen is not shown again."""

    override_for: WindowText
    renewal_after: WindowText
    repeat_info_after: MinutesText


class DefinitionsText(Closed):
    """The whole file."""

    drug: DrugText
    services: ServiceText
    routes: RoutesText
    pain: PurposeText
    mood: PurposeText
    context: ContextText
    condition: ConditionText
    medication: MedicationText
    blood_pressure: BloodPressureText
    observations: ObservationsText
    trials: dict[Id, TrialText]
    child_pugh: ChildPughText
    weight: WeightText
    cards: CardsText
    snooze: SnoozeText
