"""Which drug a resource names: by code, by a Medication that was sent with it, or only by words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds.engine import facts
from cds.engine.units import Quantity
from cds.fhir.context import RawJson
from cds.fhir.datatypes import Reference
from cds.fhir.decode import Resource, decode_resource
from cds.fhir.drug_resources import DrugUse, Medication
from cds.fhir.reading import Reading
from cds.fhir.references import Addresses
from cds.fhir.resources import Condition


@dataclass(frozen=True, slots=True)
class Lookup:
    """What references of one request can lead to.

    Attributes:
        addresses: whose record it is and what its entries are called.
        medications: ``Medication/id`` (or the entry's fullUrl, if it has no id) to the Medication.
        unread: why other Medications could not be read from the FHIR server; empty if nothing failed.
    """

    addresses: Addresses
    medications: Mapping[str, Medication] = field(default_factory=dict)
    unread: str = ""

    def why_missing(self, address: str) -> str:
        """Return in words that a Medication could not be read, and why."""
        return f"its {address} could not be read" + (f" ({self.unread})" if self.unread else "")


@dataclass(frozen=True, slots=True)
class Contained:
    """The contained resources of one resource, by ``#id``."""

    medications: Mapping[str, Medication] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NamedDrug:
    """How a resource names its drug. `missing` is the address of a Medication that was not found, else empty."""

    drug: facts.Concept
    ingredients: tuple[facts.Concept, ...] = ()
    strengths: tuple[Quantity, ...] = ()
    form: facts.Concept = field(default_factory=facts.Concept)
    missing: str = ""


def name_drug(use: DrugUse, reading: Reading, lookup: Lookup, contained: Contained) -> NamedDrug:
    """Return the drug with the codes of its own concept and of its Medication, and every word that names it."""
    concept = use.medication_codeable_concept or (use.medication and use.medication.concept)
    own = reading.concept(concept or None)
    reference = _reference(use)
    if not reference:
        return NamedDrug(own)
    address = lookup.addresses.local(reference)
    product = contained.medications.get(address) or lookup.medications.get(address)
    named = _joined(own, reading.concept(product.code) if product else facts.Concept(), reference.display or "")
    if product is None:
        return NamedDrug(named, missing=address)
    return NamedDrug(
        named,
        reading.concepts(tuple(code for item in product.ingredient if (code := item.item_codeable_concept))),
        tuple(amount for item in product.ingredient if (amount := reading.ratio(item.strength, "strength"))),
        reading.concept(product.form),
    )


def product_address(use: DrugUse, lookup: Lookup) -> str:
    """Return the address of the Medication that a resource refers to, as in `Lookup.medications`; empty if to none."""
    return lookup.addresses.local(_reference(use))


def read_contained(raws: tuple[RawJson, ...]) -> Contained:
    """Return the contained Medications and Conditions; others, and what cannot be read, are left out."""
    found = [(f"#{identifier.lstrip('#')}", resource) for raw in raws for identifier, resource in _identified(raw)]
    return Contained(
        {address: resource for address, resource in found if isinstance(resource, Medication)},
        {address: resource for address, resource in found if isinstance(resource, Condition)},
    )


def read_reasons(
    codes: tuple[facts.Concept, ...], references: tuple[Reference, ...], reading: Reading, contained: Contained
) -> tuple[facts.Concept, ...]:
    """Return the reasons that are known at once: coded ones, contained Conditions, and the words of references."""
    diagnoses = [contained.conditions.get(item.reference or "") for item in references]
    words = [facts.Concept(text=item.display) for item in references if item.display]
    return (*codes, *reading.concepts(tuple(item.code for item in diagnoses if item and item.code)), *words)


def _reference(use: DrugUse) -> Reference | None:
    return use.medication_reference or (use.medication.reference if use.medication else None)


def _identified(raw: RawJson) -> list[tuple[str, Resource]]:
    resource = decode_resource(raw)
    return [(resource.id, resource)] if isinstance(resource, Medication | Condition) and resource.id else []


def _joined(own: facts.Concept, product: facts.Concept, display: str) -> facts.Concept:
    """Return one concept of all codings; a display is a word more, unless it is there already."""
    codings = (*own.codings, *product.codings)
    text = own.text or product.text or display
    extra = tuple(
        facts.Coding("", "", word) for word in dict.fromkeys((product.text, display)) if word and word != text
    )
    return facts.Concept(codings + extra, text)
