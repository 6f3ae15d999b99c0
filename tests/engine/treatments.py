"""Drugs for depression and pain, and how a test asks for their trials."""

from cds.engine.assessment import Finding
from cds.engine.facts import Dosage, Medication, Procedure, Source
from cds.engine.rules import Knowledge, TrialCriterion
from tests.engine.ask import found
from tests.engine.build import (
    Record,
    ago,
    concept,
    medication,
    on,
    provenance,
    record,
)

SERTRALINE, SERTRALINE_50, SERTRALINE_100 = "rxnorm|36437", "rxnorm|312940", "rxnorm|312938"
VENLAFAXINE, BUPROPION, MIRTAZAPINE = "rxnorm|39786", "rxnorm|42347", "rxnorm|15996"
AMITRIPTYLINE, NORTRIPTYLINE, DOXEPIN, TRAZODONE = "rxnorm|704", "rxnorm|7531", "rxnorm|3638", "rxnorm|10737"
LITHIUM, ARIPIPRAZOLE = "rxnorm|6448", "rxnorm|89013"
GABAPENTIN, PREGABALIN, DULOXETINE, OXYCODONE = "rxnorm|25480", "rxnorm|187832", "rxnorm|72625", "rxnorm|7804"
IBUPROFEN, LIDOCAINE, CARBAMAZEPINE = "rxnorm|5640", "rxnorm|6387", "rxnorm|2002"
TWO_ANTIDEPRESSANTS = TrialCriterion("antidepressant", at_least=2)
TWO_PAIN_CLASSES = TrialCriterion("pain", at_least=2)


def trials(knowledge: Knowledge, *facts: Record, of: TrialCriterion = TWO_ANTIDEPRESSANTS) -> Finding:
    """Return the finding of a rule that counts trials."""
    return found(knowledge, of, record(*facts))


def count(knowledge: Knowledge, *facts: Record, of: TrialCriterion = TWO_ANTIDEPRESSANTS) -> str:
    """Return how many adequate trials are counted."""
    return trials(knowledge, *facts, of=of).values["count"]


def taken(drug: str, days: int, *, name: str = "m1", begun: int | None = None, **more: str) -> Medication:
    """Return a completed prescription with a supply of so many days, ended today unless it began before."""
    return medication(
        drug,
        name=name,
        status="completed",
        authored=ago(days if begun is None else begun),
        supply=days,
        **more,  # type: ignore[arg-type]
    )


def timed(drug: str, dosage: Dosage, *, status: str = "completed", name: str = "m1", authored: str = "") -> Medication:
    """Return a prescription with a dosage."""
    return medication(drug, name=name, status=status, dosages=(dosage,), authored=authored or ago(200))


def shock(when: str = "2025-06-01", status: str = "completed", name: str = "p1") -> Procedure:
    """Return an electroconvulsive treatment."""
    where = provenance("Procedure", name, Source.PROCEDURES)
    return Procedure(where, concept("snomed|23835007"), status, on(when) if when else None)
