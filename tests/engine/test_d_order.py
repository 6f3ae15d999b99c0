"""D-ORDER, as far as the engine decides it: which ServiceRequest is an order for a ketamine treatment.

Which drafts are looked at at all (selections, statuses) is decided before, from the request.
"""

import pytest

from cds.engine.derive.drug import recognise
from cds.engine.facts import Concept, MedicationKind
from cds.engine.order import Drug
from cds.engine.rules import Knowledge
from tests.engine.build import ESKETAMINE, KETAMINE, concept, order


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (concept(text="Ketamine infusion therapy"), Drug.KETAMINE),
        (concept(text="Ketamine infusion"), Drug.KETAMINE),
        (concept(text="ketamine therapy for chronic pain"), Drug.KETAMINE),
        (concept(text="Treatment with ketamine"), Drug.KETAMINE),
        (concept(text="Referral to ketamine clinic"), Drug.KETAMINE),
        (concept(text="Ketamine administration"), Drug.KETAMINE),
        (concept(text="Ketamine infusions, series of 6"), Drug.KETAMINE),
        (concept(text="Spravato treatment"), Drug.ESKETAMINE_NASAL),
        (concept("local|KET-INF", display="Ketamine infusion"), Drug.KETAMINE),
        (concept(KETAMINE, display="Ketamine", text="Infusion therapy"), Drug.KETAMINE),
        (concept(ESKETAMINE, text="Nasal administration"), Drug.ESKETAMINE_NASAL),
    ],
    ids=lambda value: value.label if isinstance(value, Concept) else "",
)
def test_a_service_that_names_ketamine_and_a_treatment_is_an_order(
    knowledge: Knowledge, named: Concept, expected: Drug
) -> None:
    match = recognise(order(named, kind=MedicationKind.SERVICE), knowledge)

    assert match is not None
    assert expected is match.drug


@pytest.mark.parametrize(
    "named",
    [
        concept(text="Ketamine level, urine"),
        concept(text="Ketamine levels during infusion"),
        concept(text="Ketamine screen before therapy"),
        concept(text="Ketamine assay, treatment monitoring"),
        concept(text="Ketamine"),
        concept(KETAMINE, display="Ketamine"),
        concept(text="Infusion therapy"),
        concept(text="Ketorolac infusion"),
        concept(text="Ketamine-free infusion"),
        concept(text="Infusion therapy, avoid ketamine"),
    ],
    ids=lambda value: value.label,
)
def test_a_service_without_ketamine_or_without_a_treatment_is_no_order(knowledge: Knowledge, named: Concept) -> None:
    assert recognise(order(named, kind=MedicationKind.SERVICE), knowledge) is None


@pytest.mark.parametrize(
    "category",
    [
        pytest.param(concept(text="Laboratory"), id="in words"),
        pytest.param(concept("category|laboratory"), id="as a code without a display"),
        pytest.param(concept("snomed|108252007", display="Laboratory procedure"), id="as a SNOMED code and display"),
        pytest.param(concept("snomed|108252007"), id="as a SNOMED code alone"),
    ],
)
def test_a_service_of_the_laboratory_is_never_an_order(knowledge: Knowledge, category: Concept) -> None:
    service = order("Ketamine, therapy monitoring", categories=(category,), kind=MedicationKind.SERVICE)

    assert recognise(service, knowledge) is None


def test_a_service_of_another_category_is_an_order(knowledge: Knowledge) -> None:
    service = order("Ketamine therapy", categories=(concept(text="Procedure"),), kind=MedicationKind.SERVICE)

    assert recognise(service, knowledge) is not None


def test_a_medication_order_needs_no_word_of_treatment(knowledge: Knowledge) -> None:
    assert recognise(order(KETAMINE), knowledge) is not None


def test_the_word_level_in_a_medication_order_does_not_hide_it(knowledge: Knowledge) -> None:
    """Only a ServiceRequest can be a laboratory test."""
    assert recognise(order("ketamine infusion, level 2 monitoring"), knowledge) is not None
