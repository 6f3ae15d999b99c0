"""Read one decoded resource: whose it is, the fact that it states, and what of it could not be used."""

from collections.abc import Callable, Iterable
from typing import Any, TypeGuard, get_args

from cds.engine import facts
from cds.engine.facts import Gap, GapScope, Source
from cds.fhir import clinical
from cds.fhir.drug import Lookup
from cds.fhir.drug_resources import MedicationDispense, MedicationRequest, MedicationStatement
from cds.fhir.medication import read_medication
from cds.fhir.observation import read_observation
from cds.fhir.reading import Reading
from cds.fhir.references import Addresses, Subject
from cds.fhir.resources import AllergyIntolerance, Condition, Encounter, Flag, Observation, Patient, Procedure

DrugUseResource = MedicationRequest | MedicationStatement | MedicationDispense
PatientResource = (
    Patient | Encounter | Condition | AllergyIntolerance | Procedure | Flag | Observation | DrugUseResource
)
"""The resources that state a fact about a patient."""
_PATIENT_RESOURCES = frozenset(get_args(PatientResource))


def states_fact(resource: object) -> TypeGuard[PatientResource]:
    """Say whether a decoded entry states a fact about a patient."""
    return type(resource) in _PATIENT_RESOURCES


def whose(resource: PatientResource, addresses: Addresses) -> Subject:
    """Say whose resource it is."""
    if isinstance(resource, Patient):
        return Subject.OURS if resource.id == addresses.patient_id else Subject.ANOTHER
    return addresses.subject(resource.patient if isinstance(resource, AllergyIntolerance) else resource.subject)


def read_entry(
    resource: PatientResource, reading: Reading, lookup: Lookup, source: Source
) -> tuple[facts.Fact | None, tuple[Gap, ...]]:
    """Return the fact and the gaps of one resource.

    There is no fact where a date lies in the future, or where the resource does not say what it is about.
    """
    fact, missing = _read(resource, reading, lookup)
    if reading.refused:
        return None, _gaps(fact, reading, source, GapScope.VALUE, [*reading.problems, reading.refused])
    if _is_nameless(fact):
        reason = lookup.why_missing(missing) if missing else "it has no code and no text"
        return None, _gaps(fact, reading, source, GapScope.ENTRY, [reason])
    return fact, _gaps(fact, reading, source, GapScope.VALUE, reading.problems) if reading.problems else ()


def _gaps(
    fact: facts.Fact, reading: Reading, source: Source, scope: GapScope, reasons: Iterable[str]
) -> tuple[Gap, ...]:
    codings = tuple(coding for concept in _concepts(fact) for coding in concept.codings)
    return tuple(Gap(source, scope, reason, reading.provenance.reference, codings) for reason in dict.fromkeys(reasons))


def _read(resource: PatientResource, reading: Reading, lookup: Lookup) -> tuple[facts.Fact, str]:
    if isinstance(resource, MedicationRequest | MedicationStatement | MedicationDispense):
        return read_medication(resource, reading, lookup)
    if isinstance(resource, Condition):
        return clinical.read_condition(resource, reading, lookup.addresses), ""
    return _READERS[type(resource)](resource, reading), ""


_READERS: dict[type, Callable[[Any, Reading], facts.Fact]] = {
    Observation: read_observation,
    AllergyIntolerance: clinical.read_allergy,
    Procedure: clinical.read_procedure,
    Flag: clinical.read_flag,
    Encounter: clinical.read_encounter,
    Patient: clinical.read_patient,
}


def _concepts(fact: facts.Fact) -> tuple[facts.Concept, ...]:
    """Return what a fact is about."""
    match fact:
        case facts.Observation():
            return (fact.code, *(component.code for component in fact.components))
        case facts.Condition() | facts.Procedure() | facts.Flag():
            return (fact.code,)
        case facts.Medication():
            return (fact.drug, *fact.ingredients)
        case facts.Allergy():
            return fact.substances
        case facts.Encounter() | facts.Patient():
            return ()


def _is_nameless(fact: facts.Fact) -> bool:
    if isinstance(fact, facts.Encounter | facts.Patient):
        return False
    return not any(concept.codings or concept.text for concept in _concepts(fact))
