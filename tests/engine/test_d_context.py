"""D-CONTEXT: procedural, acute pain or therapy, as the order and the encounter say it."""

import pytest

from cds.engine.facts import Concept, Dosage, Encounter, PatientFacts
from cds.engine.order import OrderContext
from cds.engine.rules import Knowledge
from tests.engine.ask import read
from tests.engine.build import (
    CRPS,
    ESKETAMINE,
    KETAMINE,
    WEIGHT,
    ago,
    concept,
    encounter,
    medication,
    observation,
    order,
    quantity,
    record,
)

THERAPY, ACUTE, PROCEDURAL = OrderContext.THERAPY, OrderContext.ACUTE_PAIN, OrderContext.PROCEDURAL


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("anaesthesia", PROCEDURAL),
        ("General anesthesia", PROCEDURAL),
        ("induction of sleep", PROCEDURAL),
        ("RSI", PROCEDURAL),
        ("rapid sequence intubation", PROCEDURAL),
        ("intubation", PROCEDURAL),
        ("procedural sedation", PROCEDURAL),
        ("burn dressing", PROCEDURAL),
        ("change of burn dressings", PROCEDURAL),
        ("status epilepticus", PROCEDURAL),
        ("status asthmaticus", PROCEDURAL),
        ("acute pain", ACUTE),
        ("acute postoperative pain", ACUTE),
        ("postoperative pain", ACUTE),
        ("post-operative pain", ACUTE),
        ("trauma pain", ACUTE),
        ("traumatic pain", ACUTE),
        ("chronic pain", THERAPY),
        ("depression", THERAPY),
        ("history of trauma", THERAPY),
        ("pain", THERAPY),
        ("sedation", THERAPY),
        ("Anesthesia Pain Clinic", THERAPY),
        ("Department: Anaesthesia Department", THERAPY),
        ("consult anesthesia consultant", THERAPY),
        ("traumatic brain injury", THERAPY),
        ("induction of anaesthesia", PROCEDURAL),
        ("anaesthesia induction series", PROCEDURAL),
        ("induction phase", THERAPY),
        ("induction series 1 of 6", THERAPY),
        ("Induction course, twice weekly", THERAPY),
        ("induction therapy for depression", THERAPY),
        ("IV infusion for chronic pain, given in anaesthesia recovery area", THERAPY),
        ("under supervision of the anesthesia team", THERAPY),
        ("Anaesthesia staff and anaesthesia recovery room", THERAPY),
        ("in the anaesthesia unit, for RSI", PROCEDURAL),
        ("", THERAPY),
    ],
)
@pytest.mark.parametrize("place", ["reason", "category", "dosage", "note"])
def test_the_words_of_the_order_tell_its_context(
    knowledge: Knowledge, place: str, words: str, expected: OrderContext
) -> None:
    orders = {
        "reason": order(reasons=(concept(text=words),)),
        "category": order(categories=(concept(text=words),)),
        "dosage": order(text=words),
        "note": order(notes=(words,)),
    }

    assert expected is read(knowledge, orders[place], record()).context


def test_the_name_of_the_drug_may_say_that_it_is_for_anaesthesia(knowledge: Knowledge) -> None:
    assert read(knowledge, order("ketamine 2 mg/kg for induction"), record()).context is PROCEDURAL


@pytest.mark.parametrize("words", ["56 mg nasally twice weekly, induction phase", "induction", "general anaesthesia"])
def test_no_words_make_nasal_esketamine_procedural(knowledge: Knowledge, words: str) -> None:
    """Its label says that it is not an anaesthetic."""
    assert read(knowledge, order(ESKETAMINE, route="nasal", text=words), record()).context is THERAPY


def test_injectable_esketamine_for_an_induction_is_procedural(knowledge: Knowledge) -> None:
    ordered = order("esketamine 25 mg/mL vial", route="IV", text="induction of anaesthesia")

    assert read(knowledge, ordered, record()).context is PROCEDURAL


def test_a_procedural_word_outweighs_acute_pain(knowledge: Knowledge) -> None:
    both = order(reasons=(concept(text="acute pain"),), text="RSI")

    assert read(knowledge, both, record()).context is PROCEDURAL


def test_how_the_context_was_found_is_kept_for_the_card(knowledge: Knowledge) -> None:
    assert read(knowledge, order(text="for RSI"), record()).context_found == "the order says 'RSI'"


def test_a_coded_reason_with_its_display_tells_acute_pain(knowledge: Knowledge) -> None:
    reason = concept("icd10cm|G89.18", display="Other acute postprocedural pain")

    assert read(knowledge, order(reasons=(reason,)), record()).context is ACUTE


def weighing(kilograms: str = "70", *, days: int = 7, in_class: str = "EMER") -> PatientFacts:
    """Return a patient of this weight in an encounter of this class."""
    facts: list[Encounter] = [encounter(in_class)] if in_class else []
    return record(observation(WEIGHT, f"{kilograms} kg", ago(days)), *facts)


@pytest.mark.parametrize(
    ("dose", "route", "facts", "expected"),
    [
        pytest.param("70 mg", "IV", weighing(), PROCEDURAL, id="exactly 1 mg/kg"),
        pytest.param("69 mg", "IV", weighing(), THERAPY, id="just below 1 mg/kg"),
        pytest.param("140 mg", "IM", weighing(), PROCEDURAL, id="2 mg/kg into a muscle"),
        pytest.param("140 mg", "", weighing(), PROCEDURAL, id="an unknown route is treated as IV"),
        pytest.param("140 mg", "nasal", weighing(), THERAPY, id="by the nose"),
        pytest.param("140 mg", "oral", weighing(), THERAPY, id="by mouth"),
        pytest.param("1 mg/kg", "IV", weighing(), PROCEDURAL, id="ordered per kg"),
        pytest.param("1000 ug/kg", "IV", weighing(), PROCEDURAL, id="ordered in micrograms per kg"),
        pytest.param("1 mg/kg", "IV", record(encounter("EMER")), PROCEDURAL, id="per kg it needs no weight"),
        pytest.param("140 mg", "IV", record(encounter("EMER")), THERAPY, id="without a weight it is not known"),
        pytest.param("140 mg", "IV", weighing(days=90), PROCEDURAL, id="a weight 90 days old"),
        pytest.param("140 mg", "IV", weighing(days=91), THERAPY, id="a weight 91 days old is too old"),
        pytest.param("140 mg", "IV", weighing(in_class="ACUTE"), PROCEDURAL, id="acute inpatient encounter"),
        pytest.param("140 mg", "IV", weighing(in_class="AMB"), THERAPY, id="ambulatory encounter"),
        pytest.param("140 mg", "IV", weighing(in_class="IMP"), THERAPY, id="inpatient encounter"),
        pytest.param("140 mg", "IV", weighing(in_class=""), THERAPY, id="no encounter"),
        pytest.param("14 mL", "IV", weighing(), THERAPY, id="a dose in another unit"),
    ],
)
def test_a_bolus_of_1_mg_per_kg_in_an_emergency_is_procedural(
    knowledge: Knowledge, dose: str, route: str, facts: PatientFacts, expected: OrderContext
) -> None:
    assert expected is read(knowledge, order(dose=dose, route=route), facts).context


@pytest.mark.parametrize(
    "dosage",
    [
        pytest.param(Dosage("IV", dose=quantity("140 mg"), rate=quantity("0.5 mg/kg/h")), id="an infusion"),
        pytest.param(Dosage("IV", dose=quantity("140 mg"), per_day=quantity("2").value), id="twice a day"),
        pytest.param(Dosage("IV", dose=quantity("140 mg"), duration_minutes=quantity("40").value), id="over 40 min"),
        pytest.param(Dosage("IV"), id="without a dose"),
    ],
)
def test_only_a_single_dose_is_a_bolus(knowledge: Knowledge, dosage: Dosage) -> None:
    assert read(knowledge, medication(KETAMINE, dosages=(dosage,)), weighing()).context is THERAPY


def test_several_dosages_are_no_single_bolus(knowledge: Knowledge) -> None:
    dosage = Dosage("IV", dose=quantity("140 mg"))

    assert read(knowledge, medication(KETAMINE, dosages=(dosage, dosage)), weighing()).context is THERAPY


@pytest.mark.parametrize(
    ("reason", "expected"), [(concept(CRPS, display="CRPS I"), THERAPY), (concept(text="not known"), THERAPY)]
)
def test_what_says_nothing_of_the_context_is_therapy(
    knowledge: Knowledge, reason: Concept, expected: OrderContext
) -> None:
    """Nor does who ordered it: pain clinics are run by anaesthesiologists. The requester is not even read."""
    assert expected is read(knowledge, order(reasons=(reason,)), record()).context
