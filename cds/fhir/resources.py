"""Clinical FHIR R4 resources as decoded: only the members that are read, each of them optional.

Source: FHIR R4 (4.0.1) resources.
"""

from typing import Any

import msgspec

from cds.fhir.datatypes import CodeableConcept, FhirObject, Meta, Period, Quantity, Reference


class ResourceBase(FhirObject, frozen=True, gc=False, tag_field="resourceType"):
    """What every resource has."""

    id: str | None = None
    meta: Meta | None = None


class Patient(ResourceBase, frozen=True, gc=False, tag=True):
    """Patient."""

    birth_date: str | None = None
    gender: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None


class EncounterLocation(FhirObject, frozen=True, gc=False):
    """Encounter.location."""

    location: Reference | None = None
    status: str | None = None


class Encounter(ResourceBase, frozen=True, gc=False, tag=True):
    """Encounter; `class_` also takes R5's CodeableConcept."""

    class_: CodeableConcept | None = msgspec.field(default=None, name="class")
    subject: Reference | None = None
    location: tuple[EncounterLocation, ...] = ()
    service_provider: Reference | None = None


class Condition(ResourceBase, frozen=True, gc=False, tag=True):
    """Condition; `asserted_date` is recordedDate in STU3."""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_boolean: bool | None = None
    abatement_age: Any = None
    abatement_range: Any = None
    abatement_string: Any = None
    recorded_date: str | None = None
    asserted_date: str | None = None


class Reaction(FhirObject, frozen=True, gc=False):
    """AllergyIntolerance.reaction."""

    substance: CodeableConcept | None = None


class AllergyIntolerance(ResourceBase, frozen=True, gc=False, tag=True):
    """AllergyIntolerance; `asserted_date` is recordedDate in STU3."""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    type: str | None = None
    category: tuple[str, ...] = ()
    code: CodeableConcept | None = None
    patient: Reference | None = None
    recorded_date: str | None = None
    asserted_date: str | None = None
    reaction: tuple[Reaction, ...] = ()


class Procedure(ResourceBase, frozen=True, gc=False, tag=True):
    """Procedure."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None


class Flag(ResourceBase, frozen=True, gc=False, tag=True):
    """Flag."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None


class ReferenceRange(FhirObject, frozen=True, gc=False):
    """Observation.referenceRange."""

    high: Quantity | None = None
    type: CodeableConcept | None = None


class Result(FhirObject, frozen=True, gc=False):
    """A code and its value: a component of an Observation, and the Observation itself."""

    code: CodeableConcept | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_range: Any = None
    value_ratio: Any = None
    value_sampled_data: Any = None
    value_time: Any = None
    value_date_time: Any = None
    value_period: Any = None


class Observation(Result, frozen=True, gc=False, tag_field="resourceType", tag=True):
    """Observation."""

    id: str | None = None
    meta: Meta | None = None
    status: str | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    issued: str | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    reference_range: tuple[ReferenceRange, ...] = ()
    component: tuple[Result, ...] = ()
