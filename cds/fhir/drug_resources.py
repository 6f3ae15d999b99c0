"""FHIR R4 resources about drugs and orders as decoded: only the members that are read, each of them optional.

Source: FHIR R4 (4.0.1) resources.
"""

import msgspec

from cds.fhir.datatypes import (
    Annotation,
    CodeableConcept,
    CodeableReference,
    Dosage,
    FhirObject,
    Identifier,
    Period,
    Quantity,
    Ratio,
    Reference,
)
from cds.fhir.resources import ResourceBase


class Ingredient(FhirObject, frozen=True, gc=False):
    """Medication.ingredient."""

    item_codeable_concept: CodeableConcept | None = None
    strength: Ratio | None = None


class Medication(ResourceBase, frozen=True, gc=False, tag=True):
    """Medication."""

    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    ingredient: tuple[Ingredient, ...] = ()


class DrugUse(ResourceBase, frozen=True, gc=False):
    """What requests, statements and dispenses of a drug have in common; `medication` is R5's way to name it."""

    contained: tuple[msgspec.Raw, ...] = ()
    status: str | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    medication: CodeableReference | None = None
    subject: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    based_on: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()


class DispenseRequest(FhirObject, frozen=True, gc=False):
    """MedicationRequest.dispenseRequest."""

    validity_period: Period | None = None
    number_of_repeats_allowed: int | None = None
    expected_supply_duration: Quantity | None = None


class MedicationRequest(DrugUse, frozen=True, gc=False, tag=True):
    """MedicationRequest."""

    intent: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    do_not_perform: bool | None = None
    encounter: Reference | None = None
    authored_on: str | None = None
    group_identifier: Identifier | None = None
    prior_prescription: Reference | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    dispense_request: DispenseRequest | None = None


class MedicationStatement(DrugUse, frozen=True, gc=False, tag=True):
    """MedicationStatement."""

    context: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    dosage: tuple[Dosage, ...] = ()


class MedicationDispense(DrugUse, frozen=True, gc=False, tag=True):
    """MedicationDispense."""

    context: Reference | None = None
    days_supply: Quantity | None = None
    when_prepared: str | None = None
    when_handed_over: str | None = None
    dosage_instruction: tuple[Dosage, ...] = ()


class ServiceRequest(ResourceBase, frozen=True, gc=False, tag=True):
    """ServiceRequest."""

    contained: tuple[msgspec.Raw, ...] = ()
    status: str | None = None
    intent: str | None = None
    category: tuple[CodeableConcept, ...] = ()
    do_not_perform: bool | None = None
    code: CodeableConcept | None = None
    order_detail: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    encounter: Reference | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    authored_on: str | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    based_on: tuple[Reference, ...] = ()
    replaces: tuple[Reference, ...] = ()
    requisition: Identifier | None = None
    note: tuple[Annotation, ...] = ()
    patient_instruction: str | None = None
