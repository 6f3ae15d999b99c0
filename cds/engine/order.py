"""What is ordered, as far as rules need to tell orders apart, and how each part was found."""

from dataclasses import dataclass
from enum import StrEnum

from cds.engine.facts import Gap, Medication
from cds.engine.logic import Verdict


class Drug(StrEnum):
    """Which drug is ordered. Injectable esketamine follows what a rule says for ketamine (rules.md D-DRUG)."""

    KETAMINE = "ketamine"
    ESKETAMINE_NASAL = "esketamine_nasal"
    ESKETAMINE_INJECTABLE = "esketamine_injectable"


class Route(StrEnum):
    """How the drug is given; UNKNOWN is treated as intravenous (rules.md D-ROUTE)."""

    INTRAVENOUS = "intravenous"
    INTRAMUSCULAR = "intramuscular"
    SUBCUTANEOUS = "subcutaneous"
    NASAL = "nasal"
    ORAL = "oral"
    SUBLINGUAL = "sublingual"
    TOPICAL = "topical"
    UNKNOWN = "unknown"


class OrderContext(StrEnum):
    """Why the drug is given, as far as it changes which rules run (rules.md D-CONTEXT)."""

    THERAPY = "therapy"
    ACUTE_PAIN = "acute_pain"
    PROCEDURAL = "procedural"


class Purpose(StrEnum):
    """What the order is for (rules.md D-PURPOSE); an order may serve both."""

    PAIN = "pain"
    MOOD = "mood"


@dataclass(frozen=True, slots=True)
class Order:
    """The order that is assessed.

    Attributes:
        medication: the draft as it was read.
        drug: which drug, and in `drug_found` how that is known (``code ...`` or ``text ...``, logged as match=text).
        route, context: as D-ROUTE and D-CONTEXT say, each with the words on how it was found.
        purposes: for each purpose whether the order serves it; both not found means that it is unstated.
        take_home: the drug leaves with the patient: self-given outside hospital, or injected in the community.
        gaps: what of the order could not be read.
    """

    medication: Medication
    drug: Drug
    drug_found: str
    route: Route
    route_found: str
    context: OrderContext
    context_found: str
    purposes: dict[Purpose, Verdict]
    purpose_found: str
    take_home: bool = False
    gaps: tuple[Gap, ...] = ()
