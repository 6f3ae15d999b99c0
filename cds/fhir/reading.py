"""Translate the data types of one resource into the engine's, noting each value that cannot be used."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from cds.engine import facts
from cds.engine.dates import Interval, is_future, parse_interval
from cds.engine.units import Quantity
from cds.fhir import datatypes
from cds.fhir.context import ReadContext

UCUM = "http://unitsofmeasure.org"
"""The code system of units."""

_COMPARATORS = frozenset({"", "<", "<=", ">=", ">"})
_MOST_DIGITS = 40
_LARGEST_EXPONENT = 30
_LONGEST_DATE = 35

# A patient's dates come again with every call of an order that is being written.
_known_interval = lru_cache(maxsize=8192)(parse_interval)


@dataclass(slots=True)
class Reading:
    """One resource while it is being read.

    Attributes:
        context: how to read.
        provenance: where the resource comes from.
        problems: what could not be used of it, in words; each becomes a gap.
        refused: why the whole resource is not used; empty if it is.
    """

    context: ReadContext
    provenance: facts.Provenance
    problems: list[str] = field(default_factory=list)
    refused: str = ""

    def concept(self, concept: datatypes.CodeableConcept | None) -> facts.Concept:
        """Return the concept with canonical code systems; one that is missing is empty."""
        if concept is None:
            return facts.Concept()
        codings = [self.coding(item) for item in concept.coding if item.code or item.display]
        if not codings and (concept.code or concept.display):
            codings = [self.coding(datatypes.Coding(concept.system, concept.code, concept.display))]
        return facts.Concept(tuple(codings), concept.text or "")

    def concepts(self, concepts: tuple[datatypes.CodeableConcept, ...]) -> tuple[facts.Concept, ...]:
        """Return the concepts that say anything."""
        return tuple(read for concept in concepts if (read := self.concept(concept)) != facts.Concept())

    def coding(self, coding: datatypes.Coding) -> facts.Coding:
        """Return the coding with its canonical code system; the code stays as it was sent."""
        system = self.context.canonical(coding.system) if coding.system else ""
        return facts.Coding(system, coding.code or "", coding.display or "")

    def interval(self, text: str | None, element: str) -> Interval | None:
        """Return the days that a date covers; one that is no date is a problem, one not given is None."""
        if not text:
            return None
        interval = (_known_interval if len(text) <= _LONGEST_DATE else parse_interval)(text, self.context.zone)
        if interval is None:
            self.problems.append(f"{element} is not a date")
        return interval

    def past(self, text: str | None, element: str) -> Interval | None:
        """Return the days that a date covers; a date in the future means that the resource is not used."""
        interval = self.interval(text, element)
        if interval is not None and is_future(interval, self.context.today):
            self.refused = f"{element} {interval} is in the future: not used"
        return interval

    def number(self, value: Decimal | None, element: str) -> Decimal | None:
        """Return a number that can be calculated with; another one is a problem."""
        if value is None:
            return None
        digits = len(value.as_tuple().digits)
        usable = value.is_finite() and digits <= _MOST_DIGITS and abs(value.adjusted()) <= _LARGEST_EXPONENT
        if not usable:
            self.problems.append(f"{element} is not a usable number")
        return value if usable else None

    def quantity(self, quantity: datatypes.Quantity | None, element: str) -> Quantity | None:
        """Return the quantity in its recorded unit (not converted), or None if it has no value that can be used."""
        if quantity is None:
            return None
        value = self.number(quantity.value, element)
        comparator = (quantity.comparator or "").strip()
        if value is not None and comparator not in _COMPARATORS:
            self.problems.append(f"{element} has a comparator that is not known")
            return None
        return Quantity(value, self.unit(quantity), comparator) if value is not None else None

    def unit(self, quantity: datatypes.Quantity) -> str:
        """Return the UCUM code; where no system is given, what stands there; a unit of another system in braces.

        A unit in braces has no meaning in UCUM beyond itself, so it can be shown and is never converted.
        """
        code, words = (quantity.code or "").strip(), (quantity.unit or "").strip()
        named = code or words
        if quantity.system and self.context.canonical(quantity.system) != UCUM and named:
            return f"{{{named.strip('{}')}}}"
        return named

    def ratio(self, ratio: datatypes.Ratio | None, element: str) -> Quantity | None:
        """Return a ratio as one quantity: 35 mg per 1 h is 35 mg/h."""
        above = self.quantity(ratio.numerator, element) if ratio else None
        below = self.quantity(ratio.denominator, element) if ratio else None
        if above is None or below is None or not below.value:
            if ratio is not None:
                self.problems.append(f"{element} is not a usable ratio")
            return None
        unit = f"{above.unit}/{below.unit}" if below.unit not in ("", "1") else above.unit
        return Quantity(above.value / below.value, unit, above.comparator)


def code_of(concept: datatypes.CodeableConcept | None, system: str = "") -> str:
    """Return a status or category in lower case: the code of `system` if it has one, else the first, else the text."""
    if concept is None:
        return ""
    codes = [(coding.system == system, coding.code) for coding in concept.coding if coding.code]
    preferred = [code for wanted, code in codes if wanted] or [code for _, code in codes]
    return (preferred[0] if preferred else concept.code or concept.text or concept.display or "").strip().lower()


def status_of(code: str | None) -> str:
    """Return a FHIR code as it is compared: without spaces around it, in lower case."""
    return (code or "").strip().lower()
