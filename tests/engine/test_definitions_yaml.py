"""The numbers and words of cards/definitions.yaml, tried on the examples that the clinical rules name."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from cds.engine.dates import Span, Window
from cds.engine.derive.drug import recognise
from cds.engine.derive.medication_state import is_local
from cds.engine.derive.order_reading import read_order
from cds.engine.derive.readings import number
from cds.engine.facts import Concept, Dosage, HookContext, Medication, MedicationKind, PatientFacts, Provenance
from cds.engine.logic import Verdict
from cds.engine.order import Drug, Order, OrderContext, Purpose, Route
from cds.engine.units import Quantity, UnitError
from cds.knowledge.definitions import DefinitionsText
from cds.knowledge.strict_yaml import read_document
from tests.cards.answers import CARDS, knowledge

DEFINITIONS = knowledge().definitions
KETAMINE, NASAL, INJECTABLE = Drug.KETAMINE, Drug.ESKETAMINE_NASAL, Drug.ESKETAMINE_INJECTABLE
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


def product(text: str, *, route: str = "", dosage: str = "", form: str = "", note: str = "") -> Medication:
    """Return an order that is named in words only."""
    return Medication(
        Provenance("MedicationRequest/1", "context draftOrders"),
        MedicationKind.REQUEST,
        Concept(text=text),
        form=Concept(text=form),
        dosages=(Dosage(text=dosage, route=Concept(text=route)),),
        notes=(note,) if note else (),
        draft=True,
    )


def service(text: str, category: str = "") -> Medication:
    categories = (Concept(text=category),) if category else ()
    return replace(product(text), kind=MedicationKind.SERVICE, categories=categories)


def read(medication: Medication) -> Order:
    order = read_order(medication, PatientFacts("1"), HookContext("order-select", "1"), knowledge(), NOON)
    assert order is not None
    return order


# D-DRUG


@pytest.mark.parametrize(
    ("text", "drug"),
    [
        ("S(+)-ketamine", NASAL),
        ("(S)-ketamine", NASAL),
        ("S-ketamine 25 mg/mL", INJECTABLE),
        ("Esketaminhydrochlorid", NASAL),
        ("Esketamin Inresa 25 mg/ml Injektionslösung", INJECTABLE),
        ("Spravato 28 mg", NASAL),
        ("Ketanest S 25 mg/ml", INJECTABLE),
        ("esketamine ampoule", INJECTABLE),
        ("Ketaminhydrochlorid", KETAMINE),
        ("kétamine 50 mg", KETAMINE),
        ("Ketalar 10 mg/mL", KETAMINE),
        ("Ketanest", KETAMINE),
        ("mcg/s ketamine", KETAMINE),
        ("patient's ketamine", KETAMINE),
        ("patient\u2019s ketamine", KETAMINE),
        ("Ketamine (no esketamine)", KETAMINE),
        ("KETAMINE HCL 50MG/ML", KETAMINE),
        ("norketamine", None),
        ("ketamine-free analgesia", None),
        ("allergic to ketamine: give fentanyl", None),
        ("fentanyl, no ketamine", None),
        ("ketoprofen", None),
        ("ketorolac", None),
        ("ketotifen", None),
        ("ketoconazole", None),
    ],
)
def test_a_drug_is_recognised_by_its_words(text: str, drug: Drug | None) -> None:
    match = recognise(product(text), knowledge())

    assert drug == (match and match.drug)


def test_a_match_by_words_is_marked_as_such() -> None:
    match = recognise(product("ketamine 50 mg/mL"), knowledge())

    assert match is not None
    assert match.found.startswith("match=text")


# D-ORDER


@pytest.mark.parametrize(
    "text",
    ["Ketamine infusion therapy", "ketamine infusions", "Ketamine clinic", "Treatment with ketamine",
     "ketamine administration"],
)  # fmt: skip
def test_a_service_that_names_ketamine_and_a_treatment_is_an_order(text: str) -> None:
    assert recognise(service(text), knowledge()) is not None


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Ketamine level, urine", ""),
        ("Ketamine screen before treatment", ""),
        ("Ketamine assay", ""),
        ("Ketamine therapy monitoring", "Laboratory procedure"),
        ("Ketamine", ""),
    ],
)
def test_a_laboratory_test_for_ketamine_is_no_order(text: str, category: str) -> None:
    assert recognise(service(text, category), knowledge()) is None


# D-ROUTE


@pytest.mark.parametrize(
    ("dosage", "route"),
    [
        ("50 mg IV over 40 min", Route.INTRAVENOUS),
        ("give intravenously", Route.INTRAVENOUS),
        ("50 mg IM once", Route.INTRAMUSCULAR),
        ("50 mg im once", Route.INTRAMUSCULAR),
        ("10 mg SC", Route.SUBCUTANEOUS),
        ("subcutaneous infusion", Route.SUBCUTANEOUS),
        ("1 spray each nostril", Route.NASAL),
        ("intranasally", Route.NASAL),
        ("100 mg PO", Route.ORAL),
        ("1 lozenge", Route.ORAL),
        ("1 troche dissolved sublingually", Route.SUBLINGUAL),
        ("im Notfall 50 mg langsam", Route.UNKNOWN),
        ("slowly", Route.UNKNOWN),
    ],
)
def test_a_route_is_found_in_the_words_of_the_dosage(dosage: str, route: Route) -> None:
    assert route == read(product("ketamine", dosage=dosage)).route


def test_a_nasal_spray_is_nasal_by_its_form() -> None:
    assert Route.NASAL == read(product("ketamine", form="Nasal spray")).route


def test_a_cream_gets_no_rule_at_all() -> None:
    assert recognise(product("ketamine 10 % cream"), knowledge()) is None


def test_a_cream_named_beside_an_intravenous_dose_does_not_silence_the_rules() -> None:
    """Numbing cream for the cannula."""
    assert Route.INTRAVENOUS == read(product("ketamine", dosage="EMLA cream to the site, then 35 mg/h IV")).route


# D-PURPOSE, D-CONTEXT


@pytest.mark.parametrize(
    ("note", "purposes"),
    [
        ("for chronic pain", {Purpose.PAIN}),
        ("CRPS of the right arm", {Purpose.PAIN}),
        ("painful neuropathy", {Purpose.PAIN}),
        ("TRD, third course", {Purpose.MOOD}),
        ("depressive episode, suicidal", {Purpose.MOOD}),
        ("major depression with pain", {Purpose.PAIN, Purpose.MOOD}),
        ("watch for respiratory depression and CNS depression", set()),
    ],
)
def test_the_purpose_of_an_order_is_found_in_its_words(note: str, purposes: set[Purpose]) -> None:
    order = read(product("ketamine", note=note))

    assert purposes == {purpose for purpose, verdict in order.purposes.items() if verdict is Verdict.PRESENT}


@pytest.mark.parametrize(
    ("note", "context"),
    [
        ("for anaesthesia", OrderContext.PROCEDURAL),
        ("Anesthesia induction", OrderContext.PROCEDURAL),
        ("RSI", OrderContext.PROCEDURAL),
        ("procedural sedation", OrderContext.PROCEDURAL),
        ("burn dressing change", OrderContext.PROCEDURAL),
        ("status epilepticus", OrderContext.PROCEDURAL),
        ("status asthmaticus", OrderContext.PROCEDURAL),
        ("requested by the anaesthesia pain clinic", OrderContext.THERAPY),
        ("acute pain", OrderContext.ACUTE_PAIN),
        ("Other acute postprocedural pain", OrderContext.ACUTE_PAIN),
        ("postoperative pain", OrderContext.ACUTE_PAIN),
        ("chronic pain", OrderContext.THERAPY),
        ("", OrderContext.THERAPY),
    ],
)
def test_the_context_of_an_order_is_found_in_its_words(note: str, context: OrderContext) -> None:
    assert context == read(product("ketamine", note=note)).context


# D-UNIT, D-REFRANGE


@pytest.mark.parametrize(
    ("value_set", "recorded", "converted"),
    [
        ("intraocular_pressure", Quantity(Decimal("2.8"), "kPa"), "21.001736"),
        ("body_weight", Quantity(Decimal(154), "[lb_av]"), "69.85286"),
        ("bilirubin_total", Quantity(Decimal("34.2"), "umol/L"), "2"),
        ("alt", Quantity(Decimal(2), "ukat/L"), "120"),
        ("albumin", Quantity(Decimal(30), "g/L"), "3.0"),
        ("inr", Quantity(Decimal("1.5"), "1"), "1.5"),
    ],
)
def test_a_measurement_is_converted_as_the_rules_say(value_set: str, recorded: Quantity, converted: str) -> None:
    assert Decimal(converted) == number(recorded, DEFINITIONS.observations[value_set]).value


@pytest.mark.parametrize(
    ("value_set", "recorded"),
    [
        ("intraocular_pressure", Quantity(Decimal(81), "mm[Hg]")),
        ("body_weight", Quantity(Decimal(1), "kg")),
        ("body_weight", Quantity(Decimal(401), "kg")),
        ("phq9_total", Quantity(Decimal(28), "{score}")),
        ("albumin", Quantity(Decimal(30), "mmol/L")),
        ("inr", Quantity(Decimal("1.5"), "")),
    ],
)
def test_a_measurement_that_is_not_believed_is_never_used(value_set: str, recorded: Quantity) -> None:
    with pytest.raises(UnitError):
        number(recorded, DEFINITIONS.observations[value_set])


@pytest.mark.parametrize(("value_set", "limit"), [("alt", "40"), ("ast", "40"), ("bilirubin_total", "1.2")])
def test_a_report_without_reference_range_has_the_default_upper_limit(value_set: str, limit: str) -> None:
    default = DEFINITIONS.observations[value_set].default_upper_limit

    assert default is not None
    assert Decimal(limit) == default.value


def test_plausible_blood_pressures_are_those_of_the_rules() -> None:
    pressure = DEFINITIONS.blood_pressure

    assert (40, 300) == tuple(map(int, pressure.plausible_systolic))
    assert (20, 200) == tuple(map(int, pressure.plausible_diastolic))


# D-COND, D-MED, D-EXPOSURE, CR-HEP and single numbers


def test_status_codes_mean_what_the_rules_say() -> None:
    condition = DEFINITIONS.condition

    assert {"active", "recurrence", "relapse"} == condition.active
    assert {"inactive", "resolved"} == condition.past
    assert {"remission"} == condition.remission
    assert {"unconfirmed", "provisional", "differential"} == condition.unconfirmed
    assert Window(30) == condition.encounter_diagnosis_within


@pytest.mark.parametrize(
    ("form", "route", "local"),
    [
        ("Eye drops", "", True),
        ("Ophthalmic solution", "", True),
        ("", "Nasal", True),
        ("Topical gel", "", True),
        ("Suppository", "", True),
        ("Oral tablet", "oral", False),
        ("Solution for injection", "Subcutaneous", False),
        ("Transdermal patch", "Transdermal", False),
        ("Softgel capsule", "", False),
    ],
)
def test_a_product_for_eye_nose_skin_or_rectum_is_local(form: str, route: str, local: bool) -> None:
    """A patch is not: its drug acts in the whole body."""
    assert local == is_local(product("drug", form=form, route=route), DEFINITIONS.medication)


def test_antidepressant_trials_are_counted_as_the_rules_say() -> None:
    trial = DEFINITIONS.trials["antidepressant"]
    drugs, augmentation, stimulation = trial.groups

    assert (Window(24, Span.MONTHS), Window(5, Span.YEARS)) == (trial.within, trial.at_most_back)
    assert (Window(42), "ingredient") == (drugs.exposure_at_least, drugs.distinct_by)
    assert (Window(42), True, 1) == (augmentation.exposure_at_least, augmentation.together, augmentation.counts_at_most)
    assert (("ect_tms",), 1) == (stimulation.procedures, stimulation.counts_at_most)
    doses = {name: str(dose) for name, dose in (trial.minimum_daily_doses or {}).items()}
    expected = dict.fromkeys(("amitriptyline", "nortriptyline", "doxepin"), "75 mg/d") | {"trazodone": "150 mg/d"}
    assert expected == doses


def test_every_drug_with_a_least_dose_is_an_ingredient_of_an_antidepressant_set() -> None:
    """A misspelt ingredient would count at any dose."""
    trial = DEFINITIONS.trials["antidepressant"]
    members = [member for name in trial.groups[0].value_sets for member in knowledge().value_sets[name].codes.values()]

    known = {ingredient for member in members for ingredient in member.ingredients}
    assert set() == set(trial.minimum_daily_doses or {}) - known


def test_pain_drug_classes_are_counted_as_the_rules_say() -> None:
    trial = DEFINITIONS.trials["pain"]
    classes, trigeminal = trial.groups

    assert Window(5, Span.YEARS) == trial.within
    assert {(Window(28), "value_set")} == {(group.exposure_at_least, group.distinct_by) for group in trial.groups}
    assert {"gabapentinoid", "neuropathic_snri_tca", "topical_analgesic", "opioid", "nsaid"} == set(classes.value_sets)
    assert (("trigeminal_first_line",), ("trigeminal_neuralgia",)) == (trigeminal.value_sets, trigeminal.only_with)


def test_child_pugh_has_the_cut_offs_and_classes_of_the_cited_table() -> None:
    definition = DEFINITIONS.child_pugh

    cut_offs = [tuple(map(str, cut[1:])) for cut in (definition.bilirubin, definition.albumin, definition.inr)]
    assert [("2 mg/dL", "3 mg/dL"), ("2.8 g/dL", "3.5 g/dL"), ("1.7 {INR}", "2.3 {INR}")] == cut_offs
    assert {"A": (5, 6), "B": (7, 9), "C": (10, 15)} == definition.classes
    assert {"ascites": 2, "hepatic_encephalopathy": 2} == definition.findings


def test_single_numbers_are_those_of_the_rules() -> None:
    found = (DEFINITIONS.weight[1], DEFINITIONS.max_cards, DEFINITIONS.medication.stale_after)

    assert (Window(90), 8, Window(365)) == found
    assert date(2025, 2, 1) == DEFINITIONS.medication.stale_after.first_day(NOON.date())


def test_every_number_that_no_source_supports_is_named_as_local_policy() -> None:
    """The LP marks of the clinical rules' part A, and the look-backs of D-EXPOSURE."""
    document, _ = read_document(CARDS / "definitions.yaml", CARDS)
    assert document is not None
    text = DefinitionsText.model_validate(document.data)

    blocks = (text.condition, text.medication, text.observations, *text.trials.values(), text.child_pugh, text.weight)
    said = " ".join(line for block in blocks for line in block.local_policy)
    numbers = ["30 days", "365 days", "40 U/L", "1.2 mg/dL", "42 days", "24 months", "5 years", "75 mg", "150 mg",
               "28 days", "2 points", "90 days"]  # fmt: skip
    assert [] == [number for number in numbers if not re.search(rf"\b{re.escape(number)}", said)]
