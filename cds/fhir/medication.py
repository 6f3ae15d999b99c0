"""Read drugs that were ordered, taken or dispensed, and treatments that were ordered."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TypedDict

from cds.engine import facts
from cds.engine.dates import Interval
from cds.engine.facts import MedicationKind
from cds.engine.units import Quantity
from cds.fhir import datatypes
from cds.fhir.dosage import LONGEST_DAYS, days, read_dosage
from cds.fhir.drug import Contained, Lookup, NamedDrug, name_drug, read_contained, read_reasons
from cds.fhir.drug_resources import (
    DispenseRequest,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    ServiceRequest,
)
from cds.fhir.reading import Reading, status_of
from cds.fhir.references import Addresses

DrugResource = MedicationRequest | MedicationStatement | MedicationDispense | ServiceRequest
_NOT_CONTAINED = Contained()
_NO_SUPPLY = DispenseRequest()


class _Shared(TypedDict):
    """What every kind of resource says in the same way."""

    provenance: facts.Provenance
    status: str
    drug: facts.Concept
    ingredients: tuple[facts.Concept, ...]
    strengths: tuple[Quantity, ...]
    form: facts.Concept
    reasons: tuple[facts.Concept, ...]
    reason_references: tuple[str, ...]
    notes: tuple[str, ...]


def read_medication(resource: DrugResource, reading: Reading, lookup: Lookup) -> tuple[facts.Medication, str]:
    """Return the drug or treatment, and the address of its Medication if that was not found (else empty)."""
    contained = read_contained(resource.contained) if resource.contained else _NOT_CONTAINED
    if isinstance(resource, ServiceRequest):
        named = NamedDrug(reading.concept(resource.code))
    else:
        named = name_drug(resource, reading, lookup, contained)
    shared = _shared(resource, named, contained, reading, lookup.addresses)
    addresses = lookup.addresses
    if isinstance(resource, MedicationRequest):
        medication = _read_request(resource, shared, reading, addresses)
    elif isinstance(resource, MedicationStatement):
        medication = _read_statement(resource, shared, reading, addresses)
    elif isinstance(resource, MedicationDispense):
        medication = _read_dispense(resource, shared, reading, addresses)
    else:
        medication = _read_service(resource, shared, reading, addresses)
    return medication, named.missing


def with_diagnoses(medication: facts.Medication, diagnoses: Mapping[str, facts.Concept]) -> facts.Medication:
    """Return the medication with the codes of the Conditions that its reason references lead to."""
    found = tuple(diagnoses[address] for address in medication.reason_references if address in diagnoses)
    return replace(medication, reasons=(*medication.reasons, *found)) if found else medication


def _shared(
    resource: DrugResource, named: NamedDrug, contained: Contained, reading: Reading, addresses: Addresses
) -> _Shared:
    references = resource.reason_reference
    return {
        "provenance": reading.provenance,
        "status": status_of(resource.status),
        "drug": named.drug,
        "ingredients": named.ingredients,
        "strengths": named.strengths,
        "form": named.form,
        "reasons": read_reasons(reading.concepts(resource.reason_code), references, reading, contained),
        "reason_references": tuple(at for at in _locals(addresses, references) if not at.startswith("#")),
        "notes": tuple(note.text for note in resource.note if note.text),
    }


def _read_request(
    request: MedicationRequest, shared: _Shared, reading: Reading, addresses: Addresses
) -> facts.Medication:
    supply = request.dispense_request or _NO_SUPPLY
    start, end = _period(supply.validity_period, reading, "validityPeriod")
    return facts.Medication(
        kind=MedicationKind.REQUEST,
        intent=status_of(request.intent),
        categories=reading.concepts(request.category),
        dosages=tuple([read_dosage(dosage, reading) for dosage in request.dosage_instruction]),
        authored=reading.past(request.authored_on, "authoredOn"),
        validity_start=start,
        validity_end=end,
        supply_days=_supply(supply, reading),
        replaces=_locals(addresses, (request.prior_prescription, *request.based_on)),
        group=_group(request.group_identifier),
        encounter=addresses.local(request.encounter),
        do_not_perform=bool(request.do_not_perform),
        **shared,
    )


def _read_statement(
    statement: MedicationStatement, shared: _Shared, reading: Reading, addresses: Addresses
) -> facts.Medication:
    """Return what is said to be taken; a single effective date is when it was so, and says nothing of an end."""
    start, end = _period(statement.effective_period, reading, "effectivePeriod")
    return facts.Medication(
        kind=MedicationKind.STATEMENT,
        dosages=tuple([read_dosage(dosage, reading) for dosage in statement.dosage]),
        authored=reading.past(statement.date_asserted, "dateAsserted"),
        validity_start=start or reading.past(statement.effective_date_time, "effectiveDateTime"),
        validity_end=end,
        replaces=_locals(addresses, statement.based_on),
        encounter=addresses.local(statement.context),
        **shared,
    )


def _read_dispense(
    dispense: MedicationDispense, shared: _Shared, reading: Reading, addresses: Addresses
) -> facts.Medication:
    return facts.Medication(
        kind=MedicationKind.DISPENSE,
        dosages=tuple([read_dosage(dosage, reading) for dosage in dispense.dosage_instruction]),
        authored=reading.past(dispense.when_handed_over or dispense.when_prepared, "whenHandedOver"),
        supply_days=days(dispense.days_supply, reading, "daysSupply", unit="d"),
        encounter=addresses.local(dispense.context),
        **shared,
    )


def _read_service(service: ServiceRequest, shared: _Shared, reading: Reading, addresses: Addresses) -> facts.Medication:
    start, end = _period(service.occurrence_period, reading, "occurrencePeriod")
    details = (*(reading.concept(detail).label for detail in service.order_detail), service.patient_instruction)
    shared["notes"] = (*(text for text in details if text), *shared["notes"])
    return facts.Medication(
        kind=MedicationKind.SERVICE,
        intent=status_of(service.intent),
        categories=reading.concepts(service.category),
        authored=reading.past(service.authored_on, "authoredOn"),
        validity_start=start or reading.interval(service.occurrence_date_time, "occurrenceDateTime"),
        validity_end=end,
        replaces=_locals(addresses, (*service.replaces, *service.based_on)),
        group=_group(service.requisition),
        encounter=addresses.local(service.encounter),
        do_not_perform=bool(service.do_not_perform),
        **shared,
    )


def _supply(request: DispenseRequest, reading: Reading) -> Decimal | None:
    once = days(request.expected_supply_duration, reading, "expectedSupplyDuration")
    repeats = request.number_of_repeats_allowed or 0
    if once is None or (0 <= repeats and once * (1 + repeats) <= LONGEST_DAYS):
        return once and once * (1 + repeats)
    reading.problems.append("numberOfRepeatsAllowed is not a usable number")
    return None


def _period(period: datatypes.Period | None, reading: Reading, element: str) -> tuple[Interval | None, Interval | None]:
    if period is None:
        return None, None
    return reading.interval(period.start, f"{element}.start"), reading.interval(period.end, f"{element}.end")


def _locals(addresses: Addresses, references: tuple[datatypes.Reference | None, ...]) -> tuple[str, ...]:
    return tuple([address for reference in references if (address := addresses.local(reference))])


def _group(identifier: datatypes.Identifier | None) -> str:
    if identifier is None or not identifier.value:
        return ""
    return f"{identifier.system or ''}|{identifier.value}"
