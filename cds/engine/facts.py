"""What is known of one patient: frozen facts, each with its FHIR reference and where it was read.

`cds.fhir.read` makes these from FHIR R4 JSON. A fact holds what the record says, not what it means: whether
a Condition counts as active is decided in `cds.engine.derive`, in one place for every rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from cds.engine.dates import Interval
from cds.engine.units import Quantity


class Source(StrEnum):
    """A part of the record that is read by one query or one family of queries.

    The value is the prefetch key (a long list of codes is split: `laboratory`, `laboratory_2`); ORDER comes with the
    hook itself.
    """

    PATIENT = "patient"
    CONDITIONS = "conditions"
    ALLERGIES = "allergies"
    MEDICATIONS = "medications"
    STATEMENTS = "medication_statements"
    DISPENSES = "medication_dispenses"
    PROCEDURES = "procedures"
    FLAGS = "flags"
    ENCOUNTER = "encounter"
    BLOOD_PRESSURE = "blood_pressure"
    LABORATORY = "laboratory"
    DRUG_SCREENS = "drug_screens"
    MEASUREMENTS = "measurements"
    ORDER = "order"


def name_of(source: Source) -> str:
    """Return what people call a part of the record.

    >>> name_of(Source.BLOOD_PRESSURE)
    'blood pressure'
    """
    return source.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Coding:
    """One code: `system` is the canonical URI, `code` as it was sent, `display` may be empty."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Concept:
    """A CodeableConcept: its codings and its text (empty if none)."""

    codings: tuple[Coding, ...] = ()
    text: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the text and every display: where words may be searched."""
        return tuple(word for word in (self.text, *(coding.display for coding in self.codings)) if word)

    @property
    def words_and_codes(self) -> tuple[str, ...]:
        """Return the words, and every code as it was sent."""
        return (*self.words, *(coding.code for coding in self.codings))

    @property
    def label(self) -> str:
        """Return what a person would call it: the text, else the first display, else the first code."""
        return next(iter(self.words), next((coding.code for coding in self.codings), ""))


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a fact comes from: `reference` such as ``Condition/123``, `origin` such as ``prefetch conditions``.

    `source` is the query that brought it; `context` facts come with the hook itself (draft orders).
    """

    reference: str
    origin: str
    source: Source | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A diagnosis as recorded. Status codes are the FHIR codes, empty where the record has none."""

    provenance: Provenance
    code: Concept
    clinical_status: str = ""
    verification_status: str = ""
    categories: tuple[str, ...] = ()
    onset: Interval | None = None
    abatement: Interval | None = None
    abated: bool = False
    recorded: Interval | None = None
    encounter: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """One component of an Observation: its code and, if it was given and readable, its value."""

    code: Concept
    value: Quantity | None = None
    value_concept: Concept | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """A measurement or coded result.

    `value` is the Quantity as recorded (its unit not yet converted); `value_concept` the coded or text result
    (valueCodeableConcept, valueString, valueBoolean as text); `upper_limit` is referenceRange.high.
    """

    provenance: Provenance
    code: Concept
    status: str = ""
    effective: Interval | None = None
    value: Quantity | None = None
    value_concept: Concept | None = None
    interpretations: tuple[Coding, ...] = ()
    components: tuple[Component, ...] = ()
    upper_limit: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Dosage:
    """One dosage instruction; every part may be missing (an order-select order is often incomplete).

    Attributes:
        text: the words of the instruction.
        route: the route as coded or written.
        dose: doseQuantity; a doseRange keeps its high end here and its low end in `dose_low`.
        rate: rateQuantity, or rateRatio written as one Quantity (``mg/h`` from 35 mg per 1 h).
        per_day: how often a day the dose is given, if timing says so.
        duration_minutes: timing.repeat.duration in minutes: how long one administration takes.
        starts, ends: timing.repeat.boundsPeriod; `bounds_days` is boundsDuration.
    """

    text: str = ""
    route: Concept = Concept()
    dose: Quantity | None = None
    dose_low: Quantity | None = None
    rate: Quantity | None = None
    per_day: Decimal | None = None
    duration_minutes: Decimal | None = None
    starts: Interval | None = None
    ends: Interval | None = None
    bounds_days: Decimal | None = None
    as_needed: bool = False


class MedicationKind(StrEnum):
    """The FHIR resource type that a medication fact comes from."""

    REQUEST = "MedicationRequest"
    STATEMENT = "MedicationStatement"
    DISPENSE = "MedicationDispense"
    SERVICE = "ServiceRequest"


@dataclass(frozen=True, slots=True)
class Medication:
    """A drug that was ordered, taken or dispensed, or (kind SERVICE) a treatment that was ordered.

    Attributes:
        drug: the medication's codings, those of a resolved Medication included, and its text and displays.
        ingredients: ``Medication.ingredient[].itemCodeableConcept`` of a resolved Medication.
        strengths: ``Medication.ingredient[].strength`` as one Quantity each (``mg/mL``).
        form: the product's dose form.
        authored: authoredOn, dateAsserted or whenHandedOver.
        supply_days: daysSupply of a dispense; expectedSupplyDuration x (1 + repeats) of a request.
        validity: dispenseRequest.validityPeriod; effectivePeriod of a statement.
        reasons: reasonCode, and the codes of reasonReference that could be resolved.
        draft: an unsigned order of this session (context.draftOrders).
    """

    provenance: Provenance
    kind: MedicationKind
    drug: Concept
    ingredients: tuple[Concept, ...] = ()
    strengths: tuple[Quantity, ...] = ()
    form: Concept = Concept()
    status: str = ""
    intent: str = ""
    categories: tuple[Concept, ...] = ()
    dosages: tuple[Dosage, ...] = ()
    authored: Interval | None = None
    validity_start: Interval | None = None
    validity_end: Interval | None = None
    supply_days: Decimal | None = None
    reasons: tuple[Concept, ...] = ()
    reason_references: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    group: str = ""
    encounter: str = ""
    do_not_perform: bool = False
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Allergy:
    """An AllergyIntolerance: `substances` holds its code and every reaction.substance."""

    provenance: Provenance
    substances: tuple[Concept, ...]
    clinical_status: str = ""
    verification_status: str = ""
    type: str = ""
    categories: tuple[str, ...] = ()
    recorded: Interval | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    """A Procedure; `performed` covers performedDateTime or the whole performedPeriod."""

    provenance: Provenance
    code: Concept
    status: str = ""
    performed: Interval | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A Flag: a notice on the record, such as that care is palliative."""

    provenance: Provenance
    code: Concept
    status: str = ""


@dataclass(frozen=True, slots=True)
class Encounter:
    """The encounter of the hook's context: `class_code` is Encounter.class.code.

    `location` and `organization` are references (``Location/ward-7``), for reports only: no rule reads them.
    """

    provenance: Provenance
    class_code: Coding
    location: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient: `birth` may be a partial date; `sex` is Patient.gender, empty if not given."""

    provenance: Provenance
    birth: Interval | None = None
    sex: str = ""
    deceased: bool = False


class GapScope(StrEnum):
    """How much is missing: a whole source, one entry of it, or one value of a readable entry."""

    SOURCE = "source"
    ENTRY = "entry"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be known, and why.

    Attributes:
        source: the part of the record that is affected.
        scope: a SOURCE gap makes silence of that source unknown; ENTRY and VALUE gaps are about one resource.
        reason: in plain words with its cause: ``not sent and no FHIR server given``, ``HTTP 403``.
        reference: the resource, if one entry or value is affected.
        codings: the codes of the unreadable entry where they could still be read.
    """

    source: Source
    scope: GapScope
    reason: str
    reference: str = ""
    codings: tuple[Coding, ...] = ()


Fact = Condition | Observation | Medication | Allergy | Procedure | Flag | Encounter | Patient


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """All facts of one request. `medications` holds requests, statements and dispenses.

    `complete_since` says for a source that was cut short but sorted newest first how far back it reaches:
    everything on or after that day was read.
    """

    patient_id: str
    patient: Patient | None = None
    conditions: tuple[Condition, ...] = ()
    observations: tuple[Observation, ...] = ()
    medications: tuple[Medication, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    encounter: Encounter | None = None
    gaps: tuple[Gap, ...] = ()
    complete_since: dict[Source, Interval] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()

    def __iter__(self) -> Iterator[Fact]:
        """Yield every fact, in the order in which the record section lists them."""
        if self.patient:
            yield self.patient
        groups: tuple[tuple[Fact, ...], ...] = (
            self.conditions, self.observations, self.medications, self.allergies, self.procedures, self.flags
        )  # fmt: skip
        for group in groups:
            yield from group
        if self.encounter:
            yield self.encounter

    def source_gaps(self, source: Source) -> tuple[Gap, ...]:
        """Return the reasons why silence of this source proves nothing; empty if it was read whole."""
        return tuple(gap for gap in self.gaps if gap.source is source and gap.scope is GapScope.SOURCE)


@dataclass(frozen=True, slots=True)
class HookContext:
    """What the hook says besides data: `hook` is its name; `encounter` a reference or empty.

    `country` is where the service runs (ISO 3166, two letters; empty if not set): what is said there besides.
    """

    hook: str
    patient_id: str
    encounter: str = ""
    time_zone: str = "UTC"
    country: str = ""
