"""What the lines of a case mean, and that a line which is not understood is refused and never skipped."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cds.engine.dates import Interval
from cds.engine.facts import GapScope, MedicationKind, Source
from cds.engine.units import Quantity
from cds.errors import KnowledgeError
from tests.cards import record_lines as lines
from tests.cards.case_language import GivenLine, read_cases, situation_of
from tests.cards.order_lines import OrderWords, order
from tests.cards.words import CaseError

SYSTEMS = {"icd10cm": "urn:icd", "loinc": "urn:loinc", "rxnorm": "urn:rxnorm", "snomed": "urn:snomed"}
TODAY = date(2026, 2, 1)
CASES = """\
today: "2026-02-01"
cases:
  - name: One
    given:
      - condition: icd10cm|F20.0 active
    expect: critical
"""


def day(text: str) -> Interval:
    found = date.fromisoformat(text)
    return Interval(found, found)


def test_a_diagnosis_is_active_confirmed_and_on_the_problem_list_unless_said_otherwise() -> None:
    fact = lines.condition("icd10cm|F20.0", "Condition/1", SYSTEMS)

    assert ("active", "confirmed", ("problem-list-item",), None) == (
        fact.clinical_status, fact.verification_status, fact.categories, fact.onset,
    )  # fmt: skip


def test_a_diagnosis_has_what_its_line_says() -> None:
    text = (
        'icd10cm|F29 nostatus provisional encounter-diagnosis onset 2025 recorded 2026-01-20 abated 2026-01-25 "said"'
    )

    fact = lines.condition(text, "Condition/1", SYSTEMS)

    assert ("", "provisional", ("encounter-diagnosis",)) == (
        fact.clinical_status, fact.verification_status, fact.categories,
    )  # fmt: skip
    assert (day("2026-01-20"), Interval(date(2025, 1, 1), date(2025, 12, 31))) == (fact.recorded, fact.onset)
    assert (day("2026-01-25"), True, "said") == (fact.abatement, fact.abated, fact.code.label)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("loinc|1-8 = 21 mm[Hg] on 2026-01-20", Quantity(Decimal(21), "mm[Hg]")),
        ("loinc|1-8 = > 30 mm[Hg] on 2026-01-20", Quantity(Decimal(30), "mm[Hg]", ">")),
        ("loinc|1-8 = 21 on 2026-01-20", Quantity(Decimal(21), "")),
    ],
)
def test_a_measurement_keeps_its_number_unit_and_comparator(text: str, value: Quantity) -> None:
    fact = lines.observation(text, "Observation/1", SYSTEMS)

    assert (value, day("2026-01-20"), "final") == (fact.value, fact.effective, fact.status)


def test_a_measurement_has_status_and_upper_limit() -> None:
    fact = lines.observation("loinc|1-8 = 180 U/L on 2026-01-20 status preliminary upper 40 U/L", "x", SYSTEMS)

    assert ("preliminary", Quantity(Decimal(40), "U/L")) == (fact.status, fact.upper_limit)


def test_a_result_is_a_code_or_words_or_only_an_interpretation() -> None:
    coded = lines.observation("loinc|1-8 = snomed|10828004 on 2026-01-20", "x", SYSTEMS)
    worded = lines.observation('loinc|1-8 = "Not detected" on 2026-01-20', "x", SYSTEMS)
    interpreted = lines.observation("loinc|1-8 on 2026-01-20 interpretation snomed|10828004", "x", SYSTEMS)

    assert ["10828004", "Not detected"] == [fact.value_concept and fact.value_concept.label for fact in (coded, worded)]
    assert ("10828004", None, None) == (
        interpreted.interpretations[0].code, interpreted.value, interpreted.value_concept,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        ("186/96 on 2026-02-01", ["186 mm[Hg]", "96 mm[Hg]"]),
        ("24.5/12 kPa on 2026-02-01", ["24.5 kPa", "12 kPa"]),
        ("184/? on 2026-02-01", ["184 mm[Hg]"]),
    ],
)
def test_a_blood_pressure_has_two_halves_or_one(text: str, halves: list[str]) -> None:
    fact = lines.blood_pressure(text, "Observation/1", SYSTEMS)

    assert halves == [str(part.value) for part in fact.components]


def test_a_drug_is_ordered_dispensed_or_stated() -> None:
    ordered = lines.medication('rxnorm|1 "sertraline" stopped authored 2025-01-01 days 90', "m", SYSTEMS)
    dispensed = lines.medication("rxnorm|1 dispensed authored 2025-01-01 days 30", "m", SYSTEMS)
    stated = lines.medication("rxnorm|1 statement active started 2025-01-01 ended 2025-03-01", "m", SYSTEMS)

    assert [(MedicationKind.REQUEST, "stopped"), (MedicationKind.DISPENSE, "completed"),
            (MedicationKind.STATEMENT, "active")] == [
        (fact.kind, fact.status) for fact in (ordered, dispensed, stated)
    ]  # fmt: skip
    assert (Decimal(90), Decimal(30), day("2025-03-01")) == (
        ordered.supply_days, dispensed.supply_days, stated.validity_end,
    )  # fmt: skip


def test_a_drug_can_be_words_only() -> None:
    fact = lines.medication('text "theophylline 200 MG" active', "m", SYSTEMS)

    assert ((), "theophylline 200 MG") == (fact.drug.codings, fact.drug.text)


def test_what_is_missing_is_a_source_or_one_entry() -> None:
    whole = lines.unreadable("conditions", SYSTEMS)
    entry = lines.unreadable("conditions entry icd10cm|F20.0", SYSTEMS)

    assert [(Source.CONDITIONS, GapScope.SOURCE, ()), (Source.CONDITIONS, GapScope.ENTRY, ("F20.0",))] == [
        (gap.source, gap.scope, tuple(coding.code for coding in gap.codings)) for gap in (whole, entry)
    ]


def test_family_history_is_no_fact_about_the_patient() -> None:
    situation = situation_of([GivenLine(family_history="snomed|23986001")], "ketamine infusion", TODAY, SYSTEMS)

    assert ["Patient/1"] == [fact.provenance.reference for fact in situation.facts]


def test_another_order_of_the_drug_has_its_reference_group_and_dose() -> None:
    text = (
        'rxnorm|6130 "ketamine" active authored 2026-01-12 route "IV" ref MedicationRequest/x group g1 prn '
        'dose "35 mg" rate "35 mg/h" minutes 40 replaces MedicationRequest/w reason icd10cm|F33.2 category inpatient'
    )

    fact = lines.medication(text, "m", SYSTEMS)

    dosage = fact.dosages[0]
    assert ("MedicationRequest/x", "g1", ("MedicationRequest/w",)) == (
        fact.provenance.reference, fact.group, fact.replaces,
    )  # fmt: skip
    assert (True, "35 mg", "35 mg/h", Decimal(40)) == (
        dosage.as_needed, str(dosage.dose), str(dosage.rate), dosage.duration_minutes,
    )  # fmt: skip
    assert ("F33.2", "inpatient") == (fact.reasons[0].codings[0].code, fact.categories[0].text)


def test_an_order_says_how_long_how_often_and_what_it_replaces() -> None:
    words = OrderWords(dose="35 mg", duration="2 h", per_week="2", bolus="20 mg", strength="50 mg/mL",
                       replaces=("MedicationRequest/x",), group="g1", authored="2026-02-01")  # fmt: skip

    found = order(words, SYSTEMS)

    main, bolus = found.dosages
    assert (Decimal(120), Decimal(2)) == (main.duration_minutes, round((main.per_day or Decimal(0)) * 7, 2))
    assert ("20 mg", None, ["50 mg/mL"]) == (str(bolus.dose), bolus.rate, [str(one) for one in found.strengths])
    assert (("MedicationRequest/x",), "g1", day("2026-02-01")) == (found.replaces, found.group, found.authored)


def test_an_infusion_may_be_ordered_without_a_rate() -> None:
    assert order(OrderWords(rate="none"), SYSTEMS).dosages[0].rate is None


def test_a_case_can_be_about_a_patient_without_a_weight(tmp_path: Path) -> None:
    path = tmp_path / "cards" / "x.yaml"
    path.parent.mkdir()
    path.write_text(CASES + "    without: [weight]\n", encoding="utf-8")

    situation = read_cases(path, tmp_path / "cards", SYSTEMS)[0].situation

    assert () == situation.facts.observations


def test_an_order_is_an_intravenous_infusion_unless_said_otherwise() -> None:
    dosage = order(OrderWords(), SYSTEMS).dosages[0]

    assert ("intravenous", "0.5 mg/kg/h") == (dosage.route.text, str(dosage.rate))


@pytest.mark.parametrize(
    ("words", "route", "rate", "dose"),
    [
        (OrderWords(route="oral"), "oral", None, None),
        (OrderWords(drug="esketamine nasal"), "nasal", None, None),
        (OrderWords(dose="2 mg/kg"), "intravenous", None, "2 mg/kg"),
        (OrderWords(rate="14 mL/h"), "intravenous", "14 mL/h", None),
        (OrderWords(route="none"), "", None, None),
    ],
)
def test_an_order_that_says_otherwise_is_no_default_infusion(
    words: OrderWords, route: str, rate: str | None, dose: str | None
) -> None:
    dosage = order(words, SYSTEMS).dosages[0]

    quantities = [str(value) if value else None for value in (dosage.rate, dosage.dose)]
    assert (route, [rate, dose]) == (dosage.route.text, quantities)


def test_a_later_line_of_the_order_adds_to_the_order_of_the_file() -> None:
    given = [GivenLine(order=OrderWords(reason=("icd10cm|F33.2",)))]

    situation = situation_of(given, OrderWords(route="oral"), TODAY, SYSTEMS)

    found = situation.medication
    assert ("oral", "F33.2") == (found.dosages[0].route.text, found.reasons[0].codings[0].code)


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (lines.condition, "icd10cm|F20.0 actve", "Did you mean 'active'?"),
        (lines.condition, "icd10cm|F20.0 active resolved", "contradict"),
        (lines.condition, "icd10cn|F20.0 active", "Did you mean 'icd10cm'?"),
        (lines.condition, "icd10cm|F20.0 onset yesterday", "'yesterday' is no date"),
        (lines.condition, "F20.0 active", "system|code"),
        (lines.observation, "loinc|1-8 = high on 2026-01-20", "'high' is no number"),
        (lines.blood_pressure, "186 on 2026-01-20", "no blood pressure"),
        (lines.medication, "rxnorm|1 active days", "'days' has no value"),
        (lines.unreadable, "condition", "'condition' is none of"),
        (lines.medication, "rxnorm|1 active group", "'group' has no value"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_understood_is_refused(read: object, text: str, says: str) -> None:
    arguments = (text, SYSTEMS) if read is lines.unreadable else (text, "x/1", SYSTEMS)
    assert callable(read)

    with pytest.raises(CaseError, match=says.replace("|", r"\|").replace("?", r"\?")):
        read(*arguments)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("F20.0 active", "F20.0 actve", r"cards/x.yaml:3: 'actve' is not known .* Did you mean 'active'\?"),
        ("expect: critical", "expect: severe", r"cards/x.yaml:6: 'severe' is not allowed"),
        ("- condition:", "- conditions:", r"cards/x.yaml:5: Unknown key 'conditions'. Did you mean 'condition'\?"),
        ('"2026-02-01"', "2026-02-01", r"cards/x.yaml:1: YAML reads 2026-02-01 as a date"),
    ],
)
def test_a_case_that_is_not_understood_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "cards" / "x.yaml"
    path.parent.mkdir()
    path.write_text(CASES.replace(old, new), encoding="utf-8")

    with pytest.raises(KnowledgeError, match=says):
        read_cases(path, tmp_path / "cards", SYSTEMS)
