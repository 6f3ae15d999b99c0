"""Read the resources of the record other than drugs and Observations."""

from cds.engine import facts
from cds.engine.dates import Interval
from cds.fhir import datatypes, resources
from cds.fhir.reading import Reading, code_of, status_of
from cds.fhir.references import Addresses

CLINICAL_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
"""The code system of Condition.clinicalStatus."""
VERIFICATION_STATUS = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
"""The code system of Condition.verificationStatus."""


def read_patient(patient: resources.Patient, reading: Reading) -> facts.Patient:
    """Return the patient; a birth date that cannot be one is left out."""
    birth = reading.past(patient.birth_date, "birthDate")
    if reading.refused:
        reading.problems.append(reading.refused)
        reading.refused, birth = "", None
    deceased = bool(patient.deceased_boolean or patient.deceased_date_time)
    return facts.Patient(reading.provenance, birth, status_of(patient.gender), deceased)


def read_encounter(encounter: resources.Encounter, reading: Reading) -> facts.Encounter:
    """Return the encounter with its class, and where it is; a class without a code is empty."""
    found = reading.concept(encounter.class_)
    provider = encounter.service_provider
    return facts.Encounter(
        reading.provenance,
        found.codings[0] if found.codings else facts.Coding("", "", found.text),
        location=_where(encounter),
        organization=(provider.reference or "") if provider else "",
    )


def _where(encounter: resources.Encounter) -> str:
    """Return where the patient is: the location that is active, else the last one that is named."""
    named = [one for one in encounter.location if one.location and one.location.reference]
    active = [one for one in named if one.status == "active"]
    found = next(iter(active or reversed(named)), None)
    return (found.location.reference or "") if found and found.location else ""


def read_condition(condition: resources.Condition, reading: Reading, addresses: Addresses) -> facts.Condition:
    """Return the diagnosis; an abatement without a date, or with one that is not in the future, means that it ended."""
    onset = condition.onset_period.start if condition.onset_period else None
    abatement = _abatement(condition, reading)
    return facts.Condition(
        reading.provenance,
        reading.concept(condition.code),
        code_of(condition.clinical_status, CLINICAL_STATUS),
        code_of(condition.verification_status, VERIFICATION_STATUS),
        tuple(code for item in condition.category for code in _codes(item)),
        onset=reading.past(condition.onset_date_time or onset, "onset"),
        abatement=abatement,
        abated=_has_ended(condition) if abatement is None else abatement.start <= reading.context.today,
        recorded=reading.past(condition.recorded_date or condition.asserted_date, "recordedDate"),
        encounter=addresses.local(condition.encounter),
    )


def read_allergy(allergy: resources.AllergyIntolerance, reading: Reading) -> facts.Allergy:
    """Return the allergy with its own code and the substance of every reaction."""
    substances = reading.concepts(
        tuple(code for code in (allergy.code, *(reaction.substance for reaction in allergy.reaction)) if code)
    )
    return facts.Allergy(
        reading.provenance,
        substances,
        code_of(allergy.clinical_status),
        code_of(allergy.verification_status),
        status_of(allergy.type),
        tuple(status_of(category) for category in allergy.category),
        reading.past(allergy.recorded_date or allergy.asserted_date, "recordedDate"),
    )


def read_procedure(procedure: resources.Procedure, reading: Reading) -> facts.Procedure:
    """Return the procedure; a period is one interval from its first to its last day."""
    performed = reading.past(procedure.performed_date_time, "performedDateTime")
    if performed is None and procedure.performed_period:
        performed = _whole(procedure.performed_period, reading)
    return facts.Procedure(reading.provenance, reading.concept(procedure.code), status_of(procedure.status), performed)


def read_flag(flag: resources.Flag, reading: Reading) -> facts.Flag:
    """Return the flag with its status as a code."""
    return facts.Flag(reading.provenance, reading.concept(flag.code), status_of(flag.status))


def _abatement(condition: resources.Condition, reading: Reading) -> Interval | None:
    period = condition.abatement_period or datatypes.Period()
    return reading.interval(condition.abatement_date_time or period.end or period.start, "abatement")


def _has_ended(condition: resources.Condition) -> bool:
    """Say whether an abatement is stated in a form that gives no date."""
    dated = condition.abatement_date_time
    stated = (dated, condition.abatement_age, condition.abatement_range, condition.abatement_string)
    return bool(condition.abatement_boolean) or any(value is not None for value in stated)


def _whole(period: datatypes.Period, reading: Reading) -> Interval | None:
    start = reading.past(period.start, "performedPeriod.start")
    end = reading.interval(period.end, "performedPeriod.end")
    if start is None or end is None or end.end < start.start:
        return start or end
    return Interval(start.start, end.end, end.instant)


def _codes(concept: datatypes.CodeableConcept) -> tuple[str, ...]:
    codes = tuple(status_of(coding.code) for coding in concept.coding if coding.code)
    return codes or tuple(code for code in (code_of(concept),) if code)
