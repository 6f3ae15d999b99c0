"""The parameters of the shared definitions (clinical/rules.md A), as loaded from cards/definitions.yaml.

Nothing here has a default: a number or a word that is not in the file does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cds.engine.dates import Window
from cds.engine.units import Quantity


@dataclass(frozen=True, slots=True)
class DrugWords:
    """How a drug is recognised (D-DRUG): regular expressions, tested after `taken_out` was removed from the text."""

    value_set: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DrugDefinition:
    """D-DRUG, D-ORDER and D-ROUTE: the two drugs, services, routes by code and by word.

    Words are regular expressions, matched as whole words whatever their case. `routes` is in the order in which
    routes are looked for in a text; its keys and those of `route_value_sets` are the values of `order.Route`.
    """

    esketamine: DrugWords
    ketamine: DrugWords
    taken_out: str
    injectable_words: tuple[str, ...]
    nasal_words: tuple[str, ...]
    service_words: tuple[str, ...]
    service_exclusions: tuple[str, ...]
    routes: Mapping[str, tuple[str, ...]]
    route_value_sets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PurposeDefinition:
    """D-PURPOSE: value sets and words of one purpose; `supporting` sets count only beside one of `value_sets`."""

    value_sets: tuple[str, ...]
    words: tuple[str, ...]
    supporting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextDefinition:
    """D-CONTEXT: the words of procedural and acute-pain orders, and the emergency bolus."""

    procedural_words: tuple[str, ...]
    acute_pain_words: tuple[str, ...]
    emergency_classes: tuple[str, ...]
    bolus_at_least: Quantity


@dataclass(frozen=True, slots=True)
class ConditionDefinition:
    """D-COND-*: FHIR status codes by meaning, acute windows by value set, remission and family-history sets.

    `acute_windows` maps value set id to its window; `encounter_diagnosis_within` is D-COND-ACTIVE's 30 days.
    """

    active: frozenset[str]
    past: frozenset[str]
    remission: frozenset[str]
    unconfirmed: frozenset[str]
    refuted: frozenset[str]
    problem_categories: frozenset[str]
    encounter_categories: frozenset[str]
    encounter_diagnosis_within: Window
    remission_value_sets: tuple[str, ...]
    sequela_value_sets: tuple[str, ...]
    family_history_value_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObservationDefinition:
    """One observation value set: its unit, direction, plausible range and analyte-specific conversions.

    Attributes:
        unit: the UCUM unit in which thresholds are written; empty for coded results.
        worse: ``higher`` or ``lower``: which of two values of the same time is taken.
        plausible: lowest and highest value that is believed; a value outside is a gap.
        factors: unit to the factor into `unit` (only where the analyte decides it, as umol/L of bilirubin).
        default_upper_limit: used where the report has no reference range (local policy).
        source: the prefetch key that reads it.
        results_known: value sets of every coded result that can be understood; words that are in none are unknown.
    """

    unit: str
    source: str
    worse: str = "higher"
    results_known: tuple[str, ...] = ()
    plausible: tuple[Decimal, Decimal] | None = None
    factors: Mapping[str, Decimal] | None = None
    default_upper_limit: Quantity | None = None


@dataclass(frozen=True, slots=True)
class TrialGroup:
    """Treatments that count together in a trial count.

    Attributes:
        value_sets: the drugs of the group.
        distinct_by: ``ingredient`` (two strengths of a drug are one trial) or ``value_set`` (a class of drugs is one).
        exposure_at_least: how many days make a trial adequate.
        together: counts only while a drug of another group runs as well (augmentation).
        counts_at_most: an upper bound for this group; 0 means none.
        procedures: value sets of procedures that count by being done.
        only_with: the group counts only for patients with an active diagnosis of these value sets; empty for all.
    """

    value_sets: tuple[str, ...]
    distinct_by: str
    exposure_at_least: Window | None = None
    together: bool = False
    counts_at_most: int = 0
    procedures: tuple[str, ...] = ()
    only_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialDefinition:
    """A count of earlier treatments (PR-TRD, PR-PAIN), with D-EXPOSURE's parameters.

    `within` is the look-back; if `since_onset_of` names value sets, it reaches back to that onset when that is
    longer, at most `at_most_back`. `minimum_daily_doses` maps an ingredient to the dose below which it is only listed.
    """

    id: str
    title: str
    groups: tuple[TrialGroup, ...]
    within: Window
    since_onset_of: tuple[str, ...] = ()
    at_most_back: Window | None = None
    minimum_daily_doses: Mapping[str, Quantity] | None = None


@dataclass(frozen=True, slots=True)
class ChildPughDefinition:
    """The Child-Pugh table: per analyte the two cut-offs, points for coded findings, classes by points."""

    within: Window
    bilirubin: tuple[str, Quantity, Quantity]
    albumin: tuple[str, Quantity, Quantity]
    inr: tuple[str, Quantity, Quantity]
    findings: Mapping[str, int]
    classes: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class BloodPressureDefinition:
    """D-BP: the value sets of the panel and its halves, and what is plausible of each half."""

    panel: str
    systolic: str
    diastolic: str
    unit: str
    plausible_systolic: tuple[Decimal, Decimal]
    plausible_diastolic: tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class MedicationDefinition:
    """D-MED: statuses, the age from which an order without end is stale, and where local products count."""

    active_statuses: frozenset[str]
    trial_statuses: frozenset[str]
    stale_after: Window
    local_forms: tuple[str, ...]
    local_value_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SnoozeDefinition:
    """D-SNOOZE: for how long what was seen is not shown again.

    Attributes:
        override_for: how long an overridden card stays silent for the same facts.
        renewal_after: from which age an active order makes the next one a renewal.
        repeat_info_after_minutes: how long a card that informs is not repeated for the same order.
    """

    override_for: Window
    renewal_after: Window
    repeat_info_after_minutes: int


@dataclass(frozen=True, slots=True)
class Definitions:
    """All parameters of the shared definitions; `site_policy` says which numbers this site has changed."""

    drug: DrugDefinition
    pain: PurposeDefinition
    mood: PurposeDefinition
    context: ContextDefinition
    condition: ConditionDefinition
    medication: MedicationDefinition
    blood_pressure: BloodPressureDefinition
    child_pugh: ChildPughDefinition
    observations: Mapping[str, ObservationDefinition]
    trials: Mapping[str, TrialDefinition]
    weight: tuple[str, Window]
    max_cards: int
    snooze: SnoozeDefinition
    site_policy: tuple[str, ...] = ()
