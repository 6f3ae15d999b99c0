"""Rules as data: what `cards/` says, once loaded. Nothing here is clinical; every number comes from a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cds.engine.dates import Window
from cds.engine.definitions import Definitions
from cds.engine.derive.dose import Amount
from cds.engine.facts import Coding, Source
from cds.engine.index import CodeIndex
from cds.engine.logic import Verdict
from cds.engine.order import Drug, OrderContext, Purpose, Route
from cds.engine.terminology import ValueSet
from cds.engine.units import Quantity


class Level(StrEnum):
    """How serious a card is: the indicator of CDS Hooks."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Return 0 for the most serious."""
        return list(Level).index(self)

    def lowered(self, steps: int) -> "Level":
        """Return the level that is `steps` less serious, never below info.

        >>> Level.CRITICAL.lowered(1).value
        'warning'
        """
        return list(Level)[min(self.rank + steps, Level.INFO.rank)]


class ConditionState(StrEnum):
    """What a diagnosis must be: defined once, in `cds.engine.derive.condition_state`.

    ACUTE needs a window: within it from onset even if it has ended.
    SEQUELA_ACTIVE is ACTIVE, but a sequela code counts as active as well.
    """

    ACTIVE = "active"
    ACUTE = "acute"
    PAST = "past"
    ANY = "any"
    SEQUELA_ACTIVE = "sequela_active"


class MedicationState(StrEnum):
    """What a drug order or statement must be."""

    ACTIVE = "active"
    ANY = "any"


class Use(StrEnum):
    """Which readings are looked at."""

    LATEST = "latest"
    LATEST_PER_CODE = "latest_per_code"
    LATEST_PER_DAY = "latest_per_day"
    ANY = "any"


class CountedKind(StrEnum):
    """What is counted."""

    CONDITIONS = "conditions"
    ORDERS = "orders"
    PROCEDURES = "procedures"


class Dating(StrEnum):
    """What a window says of a fact without a date."""

    UNKNOWN = "unknown"
    INSIDE = "inside"
    OUTSIDE = "outside"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Present if one of the criteria is."""

    criteria: tuple["Criterion", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Present if all criteria are."""

    criteria: tuple["Criterion", ...]


@dataclass(frozen=True, slots=True)
class NotCriterion:
    """Present if the criterion is not found; what is unknown stays unknown."""

    criterion: "Criterion"


@dataclass(frozen=True, slots=True)
class Unless:
    """The criterion, lifted only where the exception is present (an unknown exception lifts nothing).

    Use it only to choose between levels of one rule: a rule must not become present because data are missing.
    """

    criterion: "Criterion"
    exception: "Criterion"


@dataclass(frozen=True, slots=True)
class Named:
    """A criterion of the rule's `where`, by its name."""

    name: str
    criterion: "Criterion"


@dataclass(frozen=True, slots=True)
class ConditionCriterion:
    """A diagnosis of the problem list (or the order's reason, which counts as an active one if `reasons`).

    `within` counts from onset, else recordedDate (`by_recorded`: the other way round); `older_than` is its opposite.
    `excluding` takes codes out. `ended_by`: a later diagnosis or procedure of these sets ends it. `words`: its text
    must name one of these as well (regular expressions, whole words).
    """

    value_sets: tuple[str, ...]
    state: ConditionState = ConditionState.ACTIVE
    within: Window | None = None
    older_than: Window | None = None
    undated: Dating = Dating.UNKNOWN
    excluding: tuple[str, ...] = ()
    reasons: bool = False
    by_recorded: bool = False
    ended_by: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcedureCriterion:
    """A procedure by code, or by a word in its text."""

    value_sets: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    within: Window | None = None


@dataclass(frozen=True, slots=True)
class FlagCriterion:
    """An active flag on the record, by code, or by a word in its text."""

    value_sets: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AllergyCriterion:
    """An allergy by code or text: `state` active, past (resolved, inactive) or any; `types` as FHIR codes."""

    value_sets: tuple[str, ...]
    state: ConditionState = ConditionState.ACTIVE
    types: tuple[str, ...] = ()
    excluding_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MedicationCriterion:
    """A drug that the patient has, by code or text; the assessed order itself never counts.

    `within` counts from the end of an ended order, or from authoredOn where `state` is any. `no_rescue` leaves out what
    is given only as needed within the same group of orders. A drug of an `excluding` set does not count.
    `requests_only` asks for orders alone, so that nothing but these need be read.
    """

    value_sets: tuple[str, ...]
    state: MedicationState = MedicationState.ACTIVE
    within: Window | None = None
    no_rescue: bool = False
    excluding: tuple[str, ...] = ()
    requests_only: bool = False


@dataclass(frozen=True, slots=True)
class TrialCriterion:
    """A count of earlier treatments, as the definition `of` in cards/definitions.yaml says.

    `only` narrows the count to some of its value sets; `unknown_durations` counts trials of unknown length as well.
    """

    of: str
    at_least: int | None = None
    fewer_than: int | None = None
    only: tuple[str, ...] = ()
    unknown_durations: bool = False


@dataclass(frozen=True, slots=True)
class ObservationCriterion:
    """A measured or coded result. Exactly one comparison is given, or `measured`: that there is a result at all.

    Attributes:
        above, at_least, below, at_most: a threshold with its unit.
        above_upper_limit: a multiple of the reference range's upper limit.
        result: value sets of coded results, of which the result (or its interpretation) must be one.
        use: which readings count; `every` asks it of every code of the value sets.
        if_missing: the verdict where the source was read and holds no such reading.
        ended_by: a later diagnosis or procedure of these value sets makes the reading outdated.
        explained_by: a drug of these value sets, had within the window before the reading, explains it away.
    """

    value_sets: tuple[str, ...]
    above: Quantity | None = None
    at_least: Quantity | None = None
    below: Quantity | None = None
    at_most: Quantity | None = None
    above_upper_limit: str = ""
    result: tuple[str, ...] = ()
    measured: bool = False
    within: Window | None = None
    use: Use = Use.LATEST
    every: bool = False
    if_missing: Verdict = Verdict.UNKNOWN
    ended_by: tuple[str, ...] = ()
    explained_by: tuple[tuple[str, ...], Window] | None = None


@dataclass(frozen=True, slots=True)
class BloodPressureCriterion:
    """A pair: `above` asks systolic > a or diastolic > b, `at_most` asks both halves (rules.md D-BP).

    `measured` asks only whether there is a reading.

    `of_last` (needed, considered) looks at the latest reading of each of the last days with a reading.
    """

    above: tuple[Quantity, Quantity] | None = None
    at_most: tuple[Quantity, Quantity] | None = None
    measured: bool = False
    within: Window | None = None
    of_last: tuple[int, int] | None = None
    if_missing: Verdict = Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class ChildPughCriterion:
    """The Child-Pugh class, from laboratory values and coded findings (parameters in definitions.yaml)."""

    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderCriterion:
    """What is ordered. An empty tuple asks nothing; several parts must all hold.

    `words` (regular expressions, whole words) are looked for in its dosage, notes and reasons and the product's name.
    """

    drugs: tuple[Drug, ...] = ()
    routes: tuple[Route, ...] = ()
    contexts: tuple[OrderContext, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    hooks: tuple[str, ...] = ()
    take_home: bool | None = None
    words: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientCriterion:
    """The patient's sex or age in years at the time of the call."""

    sex: str = ""
    age_below: int | None = None
    age_at_least: int | None = None


@dataclass(frozen=True, slots=True)
class DoseCriterion:
    """An amount that the order says (`cds.engine.derive.dose.Amount`); an order that does not say it is not found.

    `no_multiple_of` asks whether the amount is not a whole multiple of a device's content; `per_kg` whether the order
    writes it per kg of body weight.
    """

    of: Amount
    above: Quantity | None = None
    at_least: Quantity | None = None
    below: Quantity | None = None
    no_multiple_of: Quantity | None = None
    per_kg: bool = False


@dataclass(frozen=True, slots=True)
class CountCriterion:
    """How often something is on record: diagnoses, orders of a drug, or procedures, each day once."""

    kind: CountedKind
    value_sets: tuple[str, ...]
    within: Window
    at_least: int


@dataclass(frozen=True, slots=True)
class ExposureCriterion:
    """A drug was had for at least so long, within the look-back (rules.md D-EXPOSURE)."""

    value_sets: tuple[str, ...]
    at_least: Window
    within: Window


@dataclass(frozen=True, slots=True)
class OtherOrderCriterion:
    """Another order of ketamine or esketamine beside this one.

    Attributes:
        overlapping: its time overlaps with this order's, and it is no part of the same regimen (RG-4).
        same_route, older_than: an active order by the same route that is older than this (a renewal, D-SNOOZE).
    """

    overlapping: bool = False
    same_route: bool = False
    older_than: Window | None = None


@dataclass(frozen=True, slots=True)
class UncodedCriterion:
    """Entries of the problem list that have words and no code that any value set's system knows."""


@dataclass(frozen=True, slots=True)
class RuleCriterion:
    """The verdict of another rule (loaded rules are ordered so that it is known), at one of these levels if given."""

    rules: tuple[str, ...]
    verdict: Verdict
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class GapCriterion:
    """Something of these sources could not be read: whole sources, or single entries and values."""

    sources: tuple[Source, ...]
    whole: bool


Criterion = (
    AnyOf
    | AllOf
    | NotCriterion
    | Unless
    | Named
    | ConditionCriterion
    | ProcedureCriterion
    | FlagCriterion
    | AllergyCriterion
    | MedicationCriterion
    | TrialCriterion
    | ObservationCriterion
    | BloodPressureCriterion
    | ChildPughCriterion
    | OrderCriterion
    | PatientCriterion
    | DoseCriterion
    | CountCriterion
    | ExposureCriterion
    | OtherOrderCriterion
    | UncodedCriterion
    | RuleCriterion
    | GapCriterion
)


@dataclass(frozen=True, slots=True)
class Citation:
    """Why a rule says what it says: a statement of a source, or an explicit local policy.

    `sure` is evidence.md's mark: V seen, M from memory (never shown as a quotation), I inferred. `reference` is the
    whole bibliographic reference; `year` is empty where the source bears none.
    """

    source: str
    label: str
    statement: str
    grade: str = ""
    sure: str = "V"
    url: str = ""
    when: Criterion | None = None
    reference: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence that is added to a card's detail where its criterion holds; always, if it has none."""

    text: str
    when: Criterion | None = None


@dataclass(frozen=True, slots=True)
class SuggestionText:
    """One action that a card offers, where its criterion holds.

    Attributes:
        kind: ``delete`` the draft order, ``order`` something, ``add_reason``: name the diagnosis as the order's reason.
        label: what the button says.
        order: what is ordered (kind ``order``).
        value_sets: in which the active diagnosis is that becomes the reason (kind ``add_reason``).
    """

    kind: str
    label: str
    order: Coding | None = None
    value_sets: tuple[str, ...] = ()
    when: Criterion | None = None


@dataclass(frozen=True, slots=True)
class CardText:
    """The words of a card. Placeholders: ``{{labels}} {{value}} {{date}} {{count}} {{needed}} {{evidence}}``.

    `summaries` lists, per level, the texts in order; the first whose criterion holds is used.
    `not_checked` names, in the card on gaps, what this rule could not judge.
    """

    summaries: Mapping[Level, tuple[Line, ...]]
    detail: tuple[Line, ...] = ()
    not_checked: str = ""
    override_reasons: tuple[str, ...] = ()
    suggestions: tuple[SuggestionText, ...] = ()


@dataclass(frozen=True, slots=True)
class Applicability:
    """For which orders a rule runs at all; where it does not, its verdict is not-applicable.

    `contexts` maps each context to the least serious level that is shown in it.
    """

    drugs: frozenset[Drug] = frozenset(Drug)
    contexts: Mapping[OrderContext, Level] = field(default_factory=dict)
    purposes: frozenset[Purpose] = frozenset()
    hooks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: one file in cards/, at most one card.

    Attributes:
        title: what clinicians call it.
        topic: alphanumeric and never changed; a card's topic adds C, W or I for its level.
        implements: the rows of clinical/rules.md.
        kind: indication, prerequisite, contraindication, gate or data_gap.
        family: rules of one family share one card, at its highest level.
        joins: at these levels the finding is a line of another family's card: level to family.
        levels: per level the criterion, most serious first.
        withheld_when: criteria under which no card is shown although the finding stands, each with its reason.
        local_policy: the numbers in this rule that no source supports, in words; those of the site are among them.
        policy_when: for a line of `local_policy` that says something in one circumstance only, its criterion.
        site_policy: the lines of `local_policy` that say which numbers this site has changed.
        in_renewal_always: the finding is shown in a renewal as well where none of its facts is new (rules.md D-SNOOZE).
        uses: which of the nine kinds of patient data of 45 CFR 170.315(b)(11)(iv)(A) the rule uses.
        attributes: the 13 source attributes in plain language, by name; none is empty.
    """

    id: str
    title: str
    topic: str
    implements: tuple[str, ...]
    kind: str
    family: str
    strength: str
    version: int
    file: str
    reviewed_by: str
    reviewed_on: str
    review_next: str
    applies: Applicability
    levels: Mapping[Level, Criterion]
    because: tuple[Citation, ...]
    card: CardText | None
    joins: Mapping[Level, str] = field(default_factory=dict)
    withheld_when: tuple[Line, ...] = ()
    local_policy: tuple[str, ...] = ()
    policy_when: Mapping[str, Criterion] = field(default_factory=dict)
    site_policy: tuple[str, ...] = ()
    in_renewal_always: bool = False
    uses: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """A coded reason for overriding a card."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that was loaded from cards/, ready to assess.

    Attributes:
        digest: SHA-256 over the canonical content of all files, ``sha256:`` and hex.
        rules: in an order in which a rule comes after those it asks about.
        definitions: the parameters of the shared definitions, see `cds.engine.definitions`.
        index: from codes and words to value sets.
        attribute_titles: what the 13 source attributes are called, by the names in `Rule.attributes`.
    """

    version: str
    digest: str
    rules: tuple[Rule, ...]
    value_sets: Mapping[str, ValueSet]
    definitions: Definitions
    override_reasons: Mapping[str, OverrideReason]
    index: CodeIndex
    attribute_titles: Mapping[str, str] = field(default_factory=dict)
