"""Facts, orders and rules for tests of the engine, written as short as a case can be read.

Codes are written ``icd10cm|F20.0``, quantities ``21 mm[Hg]`` or ``> 30 mm[Hg]``, dates as FHIR writes them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from cds.engine.dates import Interval, parse_interval
from cds.engine.facts import (
    Allergy,
    Coding,
    Component,
    Concept,
    Condition,
    Dosage,
    Encounter,
    Flag,
    Gap,
    GapScope,
    Medication,
    MedicationKind,
    Observation,
    Patient,
    PatientFacts,
    Procedure,
    Provenance,
    Source,
)
from cds.engine.units import Quantity

AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = AT.date()
SYSTEMS = {
    "atc": "http://www.whocc.no/atc",
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "loinc": "http://loinc.org",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "snomed": "http://snomed.info/sct",
    "interpretation": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    "act": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
}

# Diagnoses
CRPS, CHRONIC_PAIN, DEPRESSION, PSYCHOSIS = "icd10cm|G90.511", "icd10cm|G89.4", "icd10cm|F33.2", "icd10cm|F20.0"
GLAUCOMA, INFARCTION, SUICIDAL_IDEATION = "icd10cm|H40.1190", "icd10cm|I21.3", "icd10cm|R45.851"
SPINAL_CORD_INJURY, PALLIATIVE_CARE = "icd10cm|S14.109A", "icd10cm|Z51.5"
# Measurements
EYE_PRESSURE_RIGHT, EYE_PRESSURE_LEFT, WEIGHT, ALT = "loinc|79892-6", "loinc|79893-4", "loinc|29463-7", "loinc|1742-6"
BP_PANEL, SYSTOLIC, DIASTOLIC = "loinc|85354-9", "loinc|8480-6", "loinc|8462-4"
BILIRUBIN, ALBUMIN, INR = "loinc|1975-2", "loinc|1751-7", "loinc|6301-6"
# Drugs
KETAMINE, ESKETAMINE = "rxnorm|6130", "rxnorm|2119365"


def on(text: str) -> Interval:
    """Return the days of a FHIR date, read in UTC."""
    interval = parse_interval(text, UTC)
    assert interval is not None, text
    return interval


def day(text: str) -> Interval | None:
    """Return the days of a FHIR date; None for an empty text."""
    return on(text) if text else None


def ago(days: int) -> str:
    """Return the date that lies so many days before the day of the call."""
    return (TODAY - timedelta(days=days)).isoformat()


def coding(text: str, display: str = "") -> Coding:
    """Return ``system|code`` as a coding; a system that is not in the table is taken as it is."""
    system, _, code = text.rpartition("|")
    return Coding(SYSTEMS.get(system, system), code, display)


def concept(*codes: str, text: str = "", display: str = "") -> Concept:
    """Return a concept with these codes, all with the same display."""
    return Concept(tuple(coding(code, display) for code in codes), text)


def quantity(text: str) -> Quantity:
    """Return ``21 mm[Hg]``, ``> 30 mm[Hg]`` or ``21`` as a quantity."""
    parts = text.split()
    comparator = parts.pop(0) if parts[0] in ("<", "<=", ">=", ">") else ""
    return Quantity(Decimal(parts[0]), parts[1] if len(parts) > 1 else "", comparator)


def provenance(kind: str, name: str, source: Source) -> Provenance:
    """Return where a fact comes from."""
    return Provenance(f"{kind}/{name}", f"prefetch {source.value}", source)


def condition(
    code: str,
    *,
    name: str = "c1",
    status: str = "active",
    verification: str = "confirmed",
    onset: str = "",
    recorded: str = "",
    abated: bool = False,
    categories: tuple[str, ...] = ("problem-list-item",),
    encounter: str = "",
    display: str = "",
) -> Condition:
    """Return a diagnosis."""
    where = provenance("Condition", name, Source.CONDITIONS)
    return Condition(
        where, concept(code, display=display or code), status, verification, categories,
        onset=day(onset), abated=abated, recorded=day(recorded), encounter=encounter,
    )  # fmt: skip


def observation(
    code: str,
    value: str = "",
    when: str = "2026-02-01",
    *,
    name: str = "o1",
    status: str = "final",
    upper: str = "",
    result: Concept | None = None,
    interpretations: tuple[Coding, ...] = (),
    source: Source = Source.MEASUREMENTS,
) -> Observation:
    """Return a measurement, or a coded result."""
    return Observation(
        provenance("Observation", name, source), concept(code), status, day(when),
        quantity(value) if value else None, result, interpretations,
        upper_limit=quantity(upper) if upper else None,
    )  # fmt: skip


def blood_pressure(
    systolic: str = "",
    diastolic: str = "",
    when: str = "2026-02-01",
    *,
    name: str = "bp1",
    panel: str = BP_PANEL,
    status: str = "final",
) -> Observation:
    """Return a blood pressure panel; a half that is empty is not in it, a bare number is in mm[Hg]."""
    halves = ((SYSTOLIC, systolic), (DIASTOLIC, diastolic))
    parts = tuple(
        Component(concept(code), quantity(value if " " in value else f"{value} mm[Hg]"))
        for code, value in halves
        if value
    )
    where = provenance("Observation", name, Source.BLOOD_PRESSURE)
    return Observation(where, concept(panel), status, day(when), components=parts)


def medication(
    drug: str | Concept,
    *,
    name: str = "m1",
    kind: MedicationKind = MedicationKind.REQUEST,
    status: str = "active",
    intent: str = "order",
    authored: str = "",
    supply: int | None = None,
    validity: tuple[str, str] = ("", ""),
    dosages: tuple[Dosage, ...] = (),
    form: str = "",
    ingredients: tuple[Concept, ...] = (),
    draft: bool = False,
    do_not_perform: bool = False,
) -> Medication:
    """Return a drug; `drug` is a code if it has a bar, else words."""
    named = drug if isinstance(drug, Concept) else concept(drug) if "|" in drug else concept(text=drug)
    return Medication(
        provenance(kind.value, name, Source.MEDICATIONS), kind, named, ingredients, (), Concept(text=form), status,
        intent, (), dosages, day(authored), day(validity[0]), day(validity[1]),
        None if supply is None else Decimal(supply), do_not_perform=do_not_perform, draft=draft,
    )  # fmt: skip


def dispense(drug: str, *, handed: str, days: int | None, name: str = "d1", status: str = "completed") -> Medication:
    """Return a dispense with its days of supply."""
    return medication(
        drug, name=name, kind=MedicationKind.DISPENSE, status=status, intent="", authored=handed, supply=days
    )


def order(
    drug: str | Concept = KETAMINE,
    *,
    route: str | Concept = "",
    text: str = "",
    form: str = "",
    rate: str = "",
    dose: str = "",
    reasons: tuple[Concept, ...] = (),
    categories: tuple[Concept, ...] = (),
    notes: tuple[str, ...] = (),
    ingredients: tuple[Concept, ...] = (),
    kind: MedicationKind = MedicationKind.REQUEST,
) -> Medication:
    """Return the draft order that is assessed: ketamine, unless another drug is named."""
    named = drug if isinstance(drug, Concept) else concept(drug) if "|" in drug else concept(text=drug)
    way = route if isinstance(route, Concept) else concept(route) if "|" in route else concept(text=route)
    dosage = Dosage(text, way, quantity(dose) if dose else None, rate=quantity(rate) if rate else None)
    return Medication(
        Provenance(f"{kind.value}/draft-1", "context draftOrders"), kind, named, ingredients, form=Concept(text=form),
        status="draft", intent="order", categories=categories, dosages=(dosage,), reasons=reasons, notes=notes,
        draft=True,
    )  # fmt: skip


Record = Condition | Observation | Medication | Allergy | Procedure | Flag | Encounter | Patient | Gap


def patient(birth: str = "1981-02-01", *, sex: str = "female", deceased: bool = False) -> Patient:
    """Return the patient: a woman of 45, unless said otherwise."""
    return Patient(provenance("Patient", "amara", Source.PATIENT), day(birth), sex, deceased)


def encounter(class_code: str) -> Encounter:
    """Return the encounter of the call, with its class."""
    return Encounter(provenance("Encounter", "e1", Source.ENCOUNTER), coding(f"act|{class_code}"))


def gap(source: Source, *codes: str, scope: GapScope = GapScope.SOURCE, reference: str = "") -> Gap:
    """Return something that could not be read; with codes, an entry of which only these could be seen."""
    return Gap(source, GapScope.ENTRY if codes else scope, "HTTP 403", reference, tuple(coding(code) for code in codes))


def record(*facts: Record, back_to: Mapping[Source, str] | None = None) -> PatientFacts:
    """Return a patient's record: every source was read, unless a gap says otherwise."""
    return PatientFacts(
        "amara",
        next((one for one in facts if isinstance(one, Patient)), patient()),
        tuple(one for one in facts if isinstance(one, Condition)),
        tuple(one for one in facts if isinstance(one, Observation)),
        tuple(one for one in facts if isinstance(one, Medication)),
        tuple(one for one in facts if isinstance(one, Allergy)),
        tuple(one for one in facts if isinstance(one, Procedure)),
        next((one for one in facts if isinstance(one, Encounter)), None),
        tuple(one for one in facts if isinstance(one, Gap)),
        {source: on(text) for source, text in (back_to or {}).items()},
        tuple(one for one in facts if isinstance(one, Flag)),
    )
