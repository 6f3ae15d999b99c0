"""Facts as evidence: what a card and the record say of them."""

from cds.engine.assessment import Evidence
from cds.engine.derive.blood_pressure import Pair
from cds.engine.derive.condition_state import clinical_date
from cds.engine.derive.diagnoses import Diagnosis
from cds.engine.derive.medication_state import MedicationState
from cds.engine.derive.readings import Reading
from cds.engine.facts import Allergy, Concept, Flag, Medication, Procedure


def condition_evidence(diagnosis: Diagnosis, remarks: tuple[str, ...] = (), steps: int = 0) -> Evidence:
    """Return a diagnosis as evidence; `remarks` and `steps` add to those of its state."""
    condition, state = diagnosis.condition, diagnosis.state
    return Evidence(
        condition.provenance.reference,
        condition.provenance.origin,
        condition.code.label,
        _code(condition.code),
        date=str(clinical_date(condition) or ""),
        remarks=(*state.remarks, *remarks),
        steps=state.steps + steps,
    )


def reading_evidence(reading: Reading) -> Evidence:
    """Return a reading as evidence, with its value as it was recorded."""
    value = reading.recorded or (reading.result.label if reading.result else "")
    return Evidence(
        reading.observation.provenance.reference,
        reading.observation.provenance.origin,
        reading.code.label,
        _code(reading.code),
        value=str(value),
        date=str(reading.when),
        remarks=reading.remarks,
    )


def pair_evidence(pair: Pair) -> Evidence:
    """Return a blood pressure as evidence, in mm[Hg]."""
    return Evidence(
        pair.references[0], pair.origin, "Blood pressure", value=str(pair), date=str(pair.when), remarks=pair.remarks
    )


def medication_evidence(medication: Medication, state: MedicationState) -> Evidence:
    """Return a drug as evidence."""
    return Evidence(
        medication.provenance.reference,
        medication.provenance.origin,
        medication.drug.label,
        _code(medication.drug),
        date=str(medication.authored or ""),
        remarks=state.remarks,
        steps=state.steps,
    )


def allergy_evidence(allergy: Allergy, remarks: tuple[str, ...] = ()) -> Evidence:
    """Return an allergy as evidence."""
    substance = next((one for one in allergy.substances if one.label), Concept())
    return Evidence(
        allergy.provenance.reference,
        allergy.provenance.origin,
        substance.label,
        _code(substance),
        date=str(allergy.recorded or ""),
        remarks=remarks,
    )


def procedure_evidence(procedure: Procedure) -> Evidence:
    """Return a procedure as evidence."""
    return Evidence(
        procedure.provenance.reference,
        procedure.provenance.origin,
        procedure.code.label,
        _code(procedure.code),
        date=str(procedure.performed or ""),
    )


def flag_evidence(flag: Flag) -> Evidence:
    """Return a flag as evidence."""
    return Evidence(flag.provenance.reference, flag.provenance.origin, flag.code.label, _code(flag.code))


def reason_evidence(reason: Concept, reference: str) -> Evidence:
    """Return a code of the order's reason as evidence: it counts as an active diagnosis."""
    return Evidence(reference, "order", reason.label, _code(reason), remarks=("reason of the order",))


def _code(concept: Concept) -> str:
    return next((f"{coding.system}|{coding.code}" for coding in concept.codings), "")
