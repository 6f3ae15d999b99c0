"""FHIR R4 data types as decoded: only the members that are read, each of them optional.

Source: FHIR R4 (4.0.1) data types. Members of older and newer releases that mean the same are noted where they stand.
"""

from decimal import Decimal
from typing import Any, ClassVar

import msgspec


class FhirObject(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Any FHIR object; members that are not declared are ignored.

    `plain_member` names the member that a plain value stands for where an object was expected
    (``"code": "Asthma"`` means ``{"text": "Asthma"}``); empty if a plain value cannot be read.
    """

    plain_member: ClassVar[str] = ""


class Coding(FhirObject, frozen=True, gc=False):
    """Coding."""

    plain_member = "code"

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(FhirObject, frozen=True, gc=False):
    """CodeableConcept; one that was written as a bare Coding keeps its `system`, `code` and `display`."""

    plain_member = "text"

    coding: tuple[Coding, ...] = ()
    text: str | None = None
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Quantity(FhirObject, frozen=True, gc=False):
    """Quantity, Duration and SimpleQuantity. The value is exactly what the JSON number says."""

    plain_member = "value"

    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(FhirObject, frozen=True, gc=False):
    """Range."""

    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(FhirObject, frozen=True, gc=False):
    """Ratio."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(FhirObject, frozen=True, gc=False):
    """Period."""

    start: str | None = None
    end: str | None = None


class Reference(FhirObject, frozen=True, gc=False):
    """Reference."""

    plain_member = "reference"

    reference: str | None = None
    display: str | None = None


class CodeableReference(FhirObject, frozen=True, gc=False):
    """R5 CodeableReference, as newer servers send it in `medication`."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Annotation(FhirObject, frozen=True, gc=False):
    """Annotation."""

    plain_member = "text"

    text: str | None = None


class Identifier(FhirObject, frozen=True, gc=False):
    """Identifier."""

    plain_member = "value"

    system: str | None = None
    value: str | None = None


class Meta(FhirObject, frozen=True, gc=False):
    """Meta."""

    version_id: str | None = None


class Repeat(FhirObject, frozen=True, gc=False):
    """Timing.repeat; `period_units` is its name in DSTU2."""

    bounds_duration: Quantity | None = None
    bounds_period: Period | None = None
    duration: Decimal | None = None
    duration_unit: str | None = None
    frequency: Decimal | None = None
    period: Decimal | None = None
    period_unit: str | None = None
    period_units: str | None = None


class Timing(FhirObject, frozen=True, gc=False):
    """Timing."""

    repeat: Repeat | None = None


class DoseAndRate(FhirObject, frozen=True, gc=False):
    """Dosage.doseAndRate; `type` says whether it is as ordered or as calculated."""

    type: CodeableConcept | None = None
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    rate_quantity: Quantity | None = None
    rate_range: Range | None = None
    rate_ratio: Ratio | None = None


class Dosage(DoseAndRate, frozen=True, gc=False):
    """Dosage. In STU3 it has the dose and the rate as members of its own."""

    plain_member = "text"

    text: str | None = None
    patient_instruction: str | None = None
    timing: Timing | None = None
    as_needed_boolean: bool | None = None
    as_needed_codeable_concept: Any = None
    route: CodeableConcept | None = None
    dose_and_rate: tuple[DoseAndRate, ...] = ()
