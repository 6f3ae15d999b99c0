"""D-MED: which drugs the patient has: by code or word, by ingredient, active, stale, local products."""

import pytest

from cds.engine.dates import Window
from cds.engine.facts import Concept, Dosage, Medication, MedicationKind, Source
from cds.engine.rules import Knowledge, Level, MedicationCriterion, MedicationState
from tests.engine.ask import answer, found, remarks
from tests.engine.build import ago, concept, day, dispense, gap, medication, on, order, quantity, record

THEOPHYLLINE = "rxnorm|10438"
HAS_THEOPHYLLINE = MedicationCriterion(("theophylline",))


@pytest.mark.parametrize(
    ("drug", "expected"),
    [
        pytest.param(concept(THEOPHYLLINE), "critical", id="its code"),
        pytest.param(
            concept("rxnorm|999999", text="theophylline 200 MG Extended Release Oral Tablet"),
            "critical",
            id="an unknown code, by its text (worked case 54)",
        ),
        pytest.param(concept("local|7", display="Theophylline SR"), "critical", id="by the display of a code"),
        pytest.param(concept(text="Aminophylline"), "critical", id="by another of the set's words"),
        pytest.param(concept(text="etheophylline-like"), "not-found", id="part of a word"),
        pytest.param(concept("rxnorm|36437", text="sertraline"), "not-found", id="another drug"),
        pytest.param(concept(), "not-found", id="a drug without code and words"),
    ],
)
def test_a_drug_is_known_by_its_code_else_by_whole_words(knowledge: Knowledge, drug: Concept, expected: str) -> None:
    assert expected == answer(found(knowledge, HAS_THEOPHYLLINE, record(medication(drug))))


def test_the_ingredient_of_a_resolved_product_is_the_drug(knowledge: Knowledge) -> None:
    mixture = medication("Mixture 17", ingredients=(concept(THEOPHYLLINE),))

    assert answer(found(knowledge, HAS_THEOPHYLLINE, record(mixture))) == "critical"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", "critical"),
        ("completed", "not-found"),
        ("stopped", "not-found"),
        ("on-hold", "not-found"),
        ("cancelled", "not-found"),
        ("entered-in-error", "not-found"),
        ("draft", "not-found"),
        ("unknown", "not-found"),
        ("", "not-found"),
    ],
)
def test_a_drug_is_active_only_by_the_status_active(knowledge: Knowledge, status: str, expected: str) -> None:
    assert expected == answer(found(knowledge, HAS_THEOPHYLLINE, record(medication(THEOPHYLLINE, status=status))))


@pytest.mark.parametrize(
    ("dosages", "expected"),
    [
        pytest.param((Dosage(ends=on(ago(1))),), "not-found", id="ended yesterday"),
        pytest.param((Dosage(ends=on(ago(0))),), "critical", id="ends today"),
        pytest.param((Dosage(ends=on("2026-03-01")),), "critical", id="ends later"),
        pytest.param((Dosage(ends=on("2026-01")),), "not-found", id="ended some day last month"),
        pytest.param((Dosage(ends=on("2026")),), "critical", id="ends some day this year"),
        pytest.param((Dosage(ends=on(ago(30))), Dosage(ends=on(ago(1)))), "not-found", id="the last dosage has ended"),
        pytest.param((Dosage(ends=on(ago(30))), Dosage(text="then 200 mg")), "critical", id="a later one has no end"),
        pytest.param((Dosage(bounds_days=quantity("20").value),), "not-found", id="20 days, ended yesterday"),
        pytest.param((Dosage(bounds_days=quantity("21").value),), "critical", id="21 days, ends today"),
        pytest.param(
            (Dosage(starts=on(ago(5)), bounds_days=quantity("10").value),), "critical", id="10 days, begun 5 days ago"
        ),
    ],
)
def test_an_active_order_whose_dosage_timing_is_over_is_not_active(
    knowledge: Knowledge, dosages: tuple[Dosage, ...], expected: str
) -> None:
    ordered = medication(THEOPHYLLINE, dosages=dosages, authored=ago(20))

    assert expected == answer(found(knowledge, HAS_THEOPHYLLINE, record(ordered)))


def test_the_validity_of_a_prescription_does_not_end_the_order(knowledge: Knowledge) -> None:
    """dispenseRequest.validityPeriod says how long it may be filled, not how long it is taken."""
    ordered = medication(THEOPHYLLINE, validity=(ago(60), ago(30)), authored=ago(60))

    assert answer(found(knowledge, HAS_THEOPHYLLINE, record(ordered))) == "critical"


@pytest.mark.parametrize(
    ("authored", "expected", "remarked"),
    [
        pytest.param(ago(365), "critical", (), id="365 days old"),
        pytest.param(ago(366), "warning", ("stale: ordered 366 days ago, no end",), id="366 days old"),
        pytest.param("2025", "critical", (), id="some day last year"),
        pytest.param("2023", "warning", ("stale: ordered 763 days ago, no end",), id="some day in 2023"),
        pytest.param("", "critical", (), id="no date"),
    ],
)
def test_an_order_without_end_is_stale_after_365_days_and_one_step_lower(
    knowledge: Knowledge, authored: str, expected: str, remarked: tuple[str, ...]
) -> None:
    finding = found(knowledge, HAS_THEOPHYLLINE, record(medication(THEOPHYLLINE, authored=authored)))

    assert (expected, remarked) == (answer(finding), remarks(finding))


def test_an_old_order_with_an_end_that_is_to_come_is_not_stale(knowledge: Knowledge) -> None:
    ordered = medication(THEOPHYLLINE, authored=ago(800), dosages=(Dosage(ends=on("2026-06-01")),))

    assert answer(found(knowledge, HAS_THEOPHYLLINE, record(ordered))) == "critical"


def test_a_fresh_order_beside_a_stale_one_keeps_the_level(knowledge: Knowledge) -> None:
    both = (medication(THEOPHYLLINE, authored=ago(800)), medication(THEOPHYLLINE, name="m2", authored=ago(10)))

    assert answer(found(knowledge, HAS_THEOPHYLLINE, record(*both))) == "critical"


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        pytest.param(medication(THEOPHYLLINE, status="draft", draft=True), "critical", id="a draft of the session"),
        pytest.param(
            medication(THEOPHYLLINE, status="draft", draft=True, do_not_perform=True),
            "not-found",
            id="a draft not to",
        ),
        pytest.param(
            medication(THEOPHYLLINE, status="cancelled", draft=True), "not-found", id="a draft that was cancelled"
        ),
        pytest.param(
            medication(THEOPHYLLINE, status="entered-in-error", draft=True), "not-found", id="a draft entered in error"
        ),
        pytest.param(medication(THEOPHYLLINE, do_not_perform=True), "not-found", id="an order not to give it"),
        pytest.param(medication(THEOPHYLLINE, intent="proposal"), "not-found", id="a proposal"),
        pytest.param(medication(THEOPHYLLINE, intent="option"), "not-found", id="an option"),
        pytest.param(medication(THEOPHYLLINE, kind=MedicationKind.STATEMENT), "critical", id="a statement"),
        pytest.param(
            medication(THEOPHYLLINE, kind=MedicationKind.STATEMENT, status="not-taken"), "not-found", id="not taken"
        ),
        pytest.param(
            medication(THEOPHYLLINE, kind=MedicationKind.STATEMENT, validity=("2025", ago(1))),
            "not-found",
            id="a statement that ended yesterday",
        ),
        pytest.param(dispense(THEOPHYLLINE, handed=ago(3), days=30), "not-found", id="a dispense alone"),
    ],
)
def test_what_counts_as_taken_now(knowledge: Knowledge, fact: Medication, expected: str) -> None:
    assert expected == answer(found(knowledge, HAS_THEOPHYLLINE, record(fact)))


def test_the_order_that_is_assessed_is_no_drug_of_the_patient(knowledge: Knowledge) -> None:
    ketamine = MedicationCriterion(("ketamine_medication",))
    draft = order(route="IV")

    assert answer(found(knowledge, ketamine, record(draft), draft)) == "not-found"


def test_an_active_order_of_the_same_drug_is_a_drug_of_the_patient(knowledge: Knowledge) -> None:
    ketamine = MedicationCriterion(("ketamine_medication",))

    assert answer(found(knowledge, ketamine, record(medication("ketamine 50 mg/ml")))) == "critical"


@pytest.mark.parametrize(
    ("value_set", "drug", "parts", "expected"),
    [
        ("glaucoma_eyedrops", "brimonidine", {"form": "Ophthalmic Solution"}, "critical"),
        ("glaucoma_eyedrops", "brimonidine", {"route": "eye"}, "critical"),
        ("topical_analgesic", "rxnorm|6387", {"route": "Topical"}, "critical"),
        ("topical_analgesic", "rxnorm|6387", {"form": "Medicated Patch"}, "critical"),
        ("nsaid", "ketorolac", {}, "critical"),
        ("nsaid", "ketorolac", {"form": "Ophthalmic Solution"}, "not-found"),
        ("nsaid", "ketorolac", {"route": "Ophthalmic route"}, "not-found"),
        ("nsaid", "ketorolac", {"route": "Nasal route"}, "not-found"),
        ("nsaid", "diclofenac", {"form": "Topical Gel"}, "not-found"),
        ("nsaid", "diclofenac", {"route": "to the skin"}, "not-found"),
        ("nsaid", "diclofenac", {"form": "suppository"}, "not-found"),
        ("nsaid", "diclofenac", {"route": "Rectal"}, "not-found"),
        ("nsaid", "diclofenac", {"route": "snomed|6064005"}, "not-found"),
        ("nsaid", "ketorolac", {"route": "snomed|46713006"}, "not-found"),
        ("nsaid", "diclofenac sodium 0.01 MG/MG Topical Gel", {}, "not-found"),
        ("nsaid", "ketorolac tromethamine 5 MG/ML Ophthalmic Solution", {}, "not-found"),
        ("nsaid", "naproxen, diagnosed low back pain", {}, "critical"),
        ("sympathomimetic_decongestant", "pseudoephedrine", {"route": "oral"}, "critical"),
        ("sympathomimetic_decongestant", "pseudoephedrine", {"form": "Nasal Spray"}, "not-found"),
        ("opioid", "fentanyl", {"form": "72 HR Transdermal System"}, "critical"),
    ],
)
def test_a_product_for_eye_nose_skin_or_rectum_counts_only_where_such_products_are_meant(
    knowledge: Knowledge, value_set: str, drug: str, parts: dict[str, str], expected: str
) -> None:
    route = parts.get("route", "")
    way = concept(route) if "|" in route else concept(text=route)
    fact = medication(drug, form=parts.get("form", ""), dosages=(Dosage(route=way),))

    assert expected == answer(found(knowledge, MedicationCriterion((value_set,)), record(fact)))


@pytest.mark.parametrize(("days_ago", "expected"), [(0, "critical"), (2, "critical"), (3, "not-found")])
def test_a_drug_that_ended_counts_within_its_window(knowledge: Knowledge, days_ago: int, expected: str) -> None:
    stopped = medication(THEOPHYLLINE, status="stopped", dosages=(Dosage(ends=day(ago(days_ago))),))
    criterion = MedicationCriterion(("theophylline",), within=Window(2))

    assert expected == answer(found(knowledge, criterion, record(stopped)))


def test_a_drug_of_any_time_counts_where_that_is_asked(knowledge: Knowledge) -> None:
    ever = {Level.INFO: MedicationCriterion(("theophylline",), MedicationState.ANY)}

    assert answer(found(knowledge, ever, record(medication(THEOPHYLLINE, status="stopped", authored="2010")))) == "info"


@pytest.mark.parametrize("source", [Source.MEDICATIONS, Source.STATEMENTS])
def test_a_medication_list_that_was_not_read_proves_nothing(knowledge: Knowledge, source: Source) -> None:
    assert answer(found(knowledge, HAS_THEOPHYLLINE, record(gap(source)))) == "unknown"
    assert answer(found(knowledge, HAS_THEOPHYLLINE, record(medication(THEOPHYLLINE), gap(source)))) == "critical"
