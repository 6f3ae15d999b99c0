"""Records to seal and store: one invented patient, sized as the case needs."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import orjson

from cds.audit.keys import Keys
from cds.audit.pseudonym import Pseudonym
from cds.audit.record import (
    Call,
    Caller,
    DecisionRecord,
    ErrorRecord,
    KnowledgeVersion,
    NotApplicableRecord,
    Software,
    SourceRead,
    Subject,
)
from cds.audit.sealed import Stamp
from cds.audit.signing import Signer
from cds.audit.store_sqlite import SqliteStore
from cds.audit.writer import Recorder, open_recorder
from cds.engine.assessment import Assessment, Evidence, Finding
from cds.engine.dates import Interval
from cds.engine.facts import (
    Coding,
    Concept,
    Condition,
    Dosage,
    Gap,
    GapScope,
    HookContext,
    Medication,
    MedicationKind,
    Observation,
    Patient,
    PatientFacts,
    Provenance,
    Source,
)
from cds.engine.logic import Verdict
from cds.engine.order import Drug, Order, OrderContext, Purpose, Route
from cds.engine.rules import Applicability, Citation, Level, Rule
from cds.engine.units import Quantity

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
SOFTWARE = Software("0.1.0", "abc1234", "ff" * 32)
STAMP = Stamp(NOON, 1_000, "0011223344556677", SOFTWARE)
PSEUDONYM = Pseudonym(bytes(range(32)))
SIGNER = Signer("development", bytes(range(32)))
KEYS = Keys(PSEUDONYM, SIGNER)
PACKAGE = b"a package of knowledge"
KNOWLEDGE = KnowledgeVersion("2026.1", f"sha256:{hashlib.sha256(PACKAGE).hexdigest()}")
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
CARD_UUID = "7f3e9c1e-52ab-4b0c-9a55-0a8f8a7e6d11"
PRESSURE = "raised_intraocular_pressure"
HEART = "cardiovascular_disease"
ALLERGY = "ketamine_allergy"
ANSWER = orjson.dumps(
    {
        "cards": [
            {
                "uuid": CARD_UUID,
                "summary": "Eye pressure 34 mm[Hg] (2026-01-20): relative contraindication (grade C)",
                "indicator": "critical",
                "detail": "Eye pressure 34 mm\\[Hg\\]\n\nConsider an ophthalmologist.",
                "source": {"label": "Cohen 2018", "url": "https://doi.example/cohen"},
                "overrideReasons": [{"code": "specialist-cleared", "display": "A specialist has cleared it"}],
            }
        ]
    }
)
NO_CARDS = b'{"cards":[]}'
GAP = Gap(Source.ALLERGIES, GapScope.SOURCE, "HTTP 403")


def recorder_in(folder: Path) -> Recorder:
    """Open a recorder with its log and its key in two folders below `folder`."""
    recorder = open_recorder(folder / "data" / "record.sqlite", folder / "keys" / "pseudonym.key", SOFTWARE)
    recorder.keep_knowledge(KNOWLEDGE.digest, PACKAGE)
    return recorder


def unlocked(store: SqliteStore) -> SqliteStore:
    """Let a store sign with the key of these tests."""
    with store.exclusively():
        store.use(SIGNER)
        store.keep_knowledge(KNOWLEDGE.digest, PACKAGE)
    return store


def call(answer: bytes = ANSWER, status: int = 200) -> Call:
    """Make a call with a new record id."""
    return Call(
        record_id=str(uuid4()),
        at=NOON,
        service="ketamine-order-select",
        hook="order-select",
        caller=Caller("development"),
        status=status,
        knowledge=KNOWLEDGE,
        hook_instance=HOOK_INSTANCE,
        subject=Subject("https://ehr.example/fhir", "123", "Encounter/5", "Practitioner/7"),
        body=b'{"hook":"order-select"}',
        answer=answer,
        durations_us={"fetch": 30_000, "evaluate": 900},
        sources=(SourceRead("conditions", "prefetch", 20), SourceRead("allergies", "none", 0)),
        uuids=(CARD_UUID,),
    )


def decision(facts: PatientFacts | None = None, answer: bytes = ANSWER) -> DecisionRecord:
    """Make the record of an assessed order: one rule present, one unknown, one not found."""
    return DecisionRecord(
        call(answer), HookContext("order-select", "123", "Encounter/5"), facts or chart(), (assessment(),), rules()
    )


def decision_at(level: Level) -> DecisionRecord:
    """Make a decision whose one card, and the finding behind it, has this level."""
    record = decision(answer=ANSWER.replace(b"critical", level.value.encode()))
    (assessed,) = record.assessments
    first, *others = assessed.findings
    return replace(record, assessments=(replace(assessed, findings=(replace(first, level=level), *others)),))


def not_applicable() -> NotApplicableRecord:
    """Make the compact record of an order for another drug."""
    return NotApplicableRecord(call(NO_CARDS), (Concept((Coding("rxnorm", "25480", "gabapentin"),)),))


def failure() -> ErrorRecord:
    """Make the record of a call that could not be answered."""
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"details": {"text": "The patient could not be read"}, "diagnostics": "GET Patient/123: timeout"}],
    }
    return ErrorRecord(call(orjson.dumps(outcome), status=412), "CDS-301")


def chart(conditions: int = 1, medications: int = 1, observations: int = 1) -> PatientFacts:
    """Make the facts of a patient with so many entries of each kind."""
    return PatientFacts(
        patient_id="123",
        patient=Patient(provenance("Patient/123", Source.PATIENT), day(1971, 4, 12), "female"),
        conditions=tuple(_condition(number) for number in range(conditions)),
        observations=tuple(_observation(number) for number in range(observations)),
        medications=tuple(_medication(f"MedicationRequest/m{number}") for number in range(medications)),
        gaps=(GAP,),
        complete_since={Source.LABORATORY: day(2020, 1, 1)},
    )


def assessment() -> Assessment:
    """Make what the rules said of a ketamine infusion."""
    pressure = Evidence(
        "Observation/o0", "prefetch laboratory", "Eye pressure", "loinc 79892-6", "34 mm[Hg]", "2026-01-20"
    )
    order = Order(
        medication=_medication("MedicationRequest/draft"),
        drug=Drug.KETAMINE,
        drug_found="code 6130",
        route=Route.INTRAVENOUS,
        route_found="words: infusion",
        context=OrderContext.THERAPY,
        context_found="no procedural words",
        purposes={Purpose.PAIN: Verdict.PRESENT, Purpose.MOOD: Verdict.NOT_FOUND},
        purpose_found="problem list",
    )
    findings = (
        Finding(
            PRESSURE,
            Verdict.PRESENT,
            Level.CRITICAL,
            evidence=(pressure,),
            summary="Eye pressure 34 mm[Hg]",
            citations=(Citation("cohen-2018", "Cohen 2018", "Elevated intraocular pressure: do not use", "C"),),
        ),
        Finding(HEART, Verdict.NOT_FOUND, notes=("1 of 2 readings",)),
        Finding(ALLERGY, Verdict.UNKNOWN, possible_level=Level.CRITICAL, missing=(GAP,)),
    )
    return Assessment(order, findings, (GAP,))


def rules() -> tuple[Rule, ...]:
    """Make the rules that the assessment speaks of."""
    return tuple(_rule(rule_id) for rule_id in (PRESSURE, HEART, ALLERGY))


def provenance(reference: str, source: Source) -> Provenance:
    """Say that a resource came with its prefetch key."""
    return Provenance(reference, f"prefetch {source.value}", source, "3")


def day(year: int, month: int, number: int) -> Interval:
    """Return one day."""
    return Interval(date(year, month, number), date(year, month, number))


def _condition(number: int) -> Condition:
    concept = Concept((Coding("icd10cm", f"G90.5{number}", "CRPS"), Coding("snomed", "128200000")), "Regional pain")
    return Condition(
        provenance(f"Condition/c{number}", Source.CONDITIONS),
        concept,
        "active",
        "confirmed",
        ("problem-list-item",),
        onset=Interval(date(2021, 11, 1), date(2021, 11, 30)),
        recorded=Interval(date(2026, 1, 2), date(2026, 1, 2), "2026-01-02T10:00:00+00:00"),
    )


def _observation(number: int) -> Observation:
    return Observation(
        provenance(f"Observation/o{number}", Source.LABORATORY),
        Concept((Coding("loinc", "79892-6", "Right eye pressure"),)),
        "final",
        day(2026, 1, 20),
        Quantity(Decimal("34.0"), "mm[Hg]"),
        upper_limit=Quantity(Decimal(21), "mm[Hg]"),
    )


def _medication(reference: str) -> Medication:
    return Medication(
        provenance(reference, Source.MEDICATIONS),
        MedicationKind.REQUEST,
        Concept((Coding("rxnorm", "6130", "ketamine"),), "ketamine infusion"),
        status="active",
        intent="order",
        dosages=(Dosage("0.5 mg/kg over 40 min", Concept((Coding("snomed", "47625008", "Intravenous"),))),),
        authored=day(2026, 1, 30),
    )


def _rule(rule_id: str) -> Rule:
    return Rule(
        id=rule_id,
        title=rule_id.replace("_", " ").capitalize(),
        topic="KET" + rule_id[:3].upper(),
        implements=(),
        kind="contraindication",
        family=rule_id,
        strength="relative",
        version=1,
        file=f"cards/contraindications/{rule_id}.yaml",
        reviewed_by="",
        reviewed_on="",
        review_next="",
        applies=Applicability(),
        levels={},
        because=(),
        card=None,
        local_policy=("Look-back 180 days",),
    )
