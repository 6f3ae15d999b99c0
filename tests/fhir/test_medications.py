"""Reading drugs that were ordered, taken or dispensed, and their dosage."""

from decimal import Decimal
from typing import Any

import pytest

from cds.engine.dates import Interval
from cds.engine.facts import Dosage, Gap, GapScope, Medication, MedicationKind
from tests.fhir.records import RXNORM, SUBJECT, Json, condition, quantity, read, request, searchset

PRODUCT = {
    "resourceType": "Medication",
    "id": "med-1",
    "code": {"coding": [{"system": RXNORM, "code": "238083", "display": "ketamine 50 MG/ML"}]},
    "form": {"text": "Injectable Solution"},
    "ingredient": [
        {
            "itemCodeableConcept": {"coding": [{"system": RXNORM, "code": "6130"}]},
            "strength": {"numerator": quantity(500, "mg"), "denominator": quantity(10, "mL")},
        }
    ],
}


def one(**members: Any) -> Medication:  # noqa: ANN401 - any JSON
    """The only drug that was read."""
    (found,) = read({"medications": searchset(request(**members))}).medications
    return found


def dosage(**members: object) -> Dosage:
    """Its only dosage instruction."""
    (found,) = one(dosageInstruction=[members]).dosages
    return found


def by_reference(reference: str, *others: Json, **members: Any) -> tuple[tuple[Medication, ...], tuple[Gap, ...]]:  # noqa: ANN401
    order = request(medicationCodeableConcept=None, medicationReference={"reference": reference}, **members)
    facts = read({"medications": searchset(order, *others)})
    return facts.medications, facts.gaps


def test_the_parts_of_an_order() -> None:
    found = one(
        category=[{"coding": [{"code": "inpatient"}]}],
        groupIdentifier={"system": "urn:groups", "value": "g1"},
        priorPrescription={"reference": "MedicationRequest/m0"},
        basedOn=[{"reference": "ServiceRequest/s0"}],
        encounter={"reference": "Encounter/e1"},
        doNotPerform=True,
        note=[{"text": "slowly"}],
    )

    assert (MedicationKind.REQUEST, "active", "order", "sertraline") == (
        found.kind,
        found.status,
        found.intent,
        found.drug.label,
    )
    assert ("urn:groups|g1", ("MedicationRequest/m0", "ServiceRequest/s0")) == (found.group, found.replaces)
    assert ("Encounter/e1", True, ("slowly",), "inpatient") == (
        found.encounter,
        found.do_not_perform,
        found.notes,
        found.categories[0].label,
    )


def test_an_order_without_intent_or_status_is_read() -> None:
    found = one(intent=None, status=None)

    assert ("", "") == (found.status, found.intent)


@pytest.mark.parametrize(
    ("request_members", "days"),
    [
        ({"expectedSupplyDuration": quantity(30, "d")}, "30"),
        ({"expectedSupplyDuration": quantity(30, "d"), "numberOfRepeatsAllowed": 2}, "90"),
        ({"expectedSupplyDuration": {"value": 6, "unit": "weeks"}}, "42"),
        ({"expectedSupplyDuration": quantity(3, "mo")}, "90"),
        ({"expectedSupplyDuration": {"value": 30}}, "None"),
        ({"expectedSupplyDuration": quantity(30, "{pill}")}, "None"),
        ({"expectedSupplyDuration": quantity(-30, "d")}, "None"),
        ({"expectedSupplyDuration": quantity(30, "d"), "numberOfRepeatsAllowed": 10**6}, "None"),
        ({"numberOfRepeatsAllowed": 3}, "None"),
    ],
)
def test_the_supply_of_an_order_in_days(request_members: Json, days: str) -> None:
    assert days == str(one(dispenseRequest=request_members).supply_days)


def test_an_order_keeps_the_period_in_which_it_is_valid() -> None:
    found = one(dispenseRequest={"validityPeriod": {"start": "2025-01-01", "end": "2026-12-31"}})

    assert ("2025-01-01", "2026-12-31") == (str(found.validity_start), str(found.validity_end))


def test_a_dispense_says_how_many_days_it_lasts() -> None:
    dispense = {
        "resourceType": "MedicationDispense",
        "id": "d1",
        "status": "completed",
        "subject": SUBJECT,
        "medicationCodeableConcept": {"text": "sertraline"},
        "whenHandedOver": "2026-01-03T10:00:00Z",
        "daysSupply": {"value": 28},
    }

    (found,) = read({"medication_dispenses": searchset(dispense)}).medications

    assert (MedicationKind.DISPENSE, "28", "2026-01-03") == (found.kind, str(found.supply_days), str(found.authored))


@pytest.mark.parametrize(
    ("members", "period"),
    [
        ({"effectivePeriod": {"start": "2025-01-01", "end": "2025-03-01"}}, ("2025-01-01", "2025-03-01")),
        ({"effectiveDateTime": "2025-01-01"}, ("2025-01-01", "None")),
    ],
)
def test_a_statement_says_when_a_drug_was_taken(members: Json, period: tuple[str, str]) -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "s1",
        "status": "completed",
        "subject": SUBJECT,
        "category": {"coding": [{"code": "patientspecified"}]},
        "medicationCodeableConcept": {"text": "sertraline"},
        "dosage": [{"text": "1 a day"}],
    }

    (found,) = read({"medication_statements": searchset({**statement, **members})}).medications

    assert (MedicationKind.STATEMENT, "1 a day") == (found.kind, found.dosages[0].text)
    assert period == (str(found.validity_start), str(found.validity_end))


def test_the_reason_of_an_order_is_the_code_of_the_diagnosis_that_it_names() -> None:
    order = request(
        reasonCode=[{"text": "low mood"}],
        reasonReference=[{"reference": "https://ehr.example/fhir/Condition/c1"}, {"reference": "Condition/elsewhere"}],
    )

    facts = read({"medications": searchset(order), "conditions": searchset(condition("c1"))})

    (found,) = facts.medications
    assert ["low mood", "Paranoid schizophrenia"] == [reason.label for reason in found.reasons]
    assert ("Condition/c1", "Condition/elsewhere") == found.reason_references


def test_a_reason_may_be_contained_or_only_named() -> None:
    diagnosis = {"resourceType": "Condition", "id": "why", "code": {"text": "CRPS"}}
    references = [{"reference": "#why"}, {"display": "chronic pain"}]

    found = one(contained=[diagnosis], reasonReference=references)

    assert ["CRPS", "chronic pain"] == [reason.label for reason in found.reasons]
    assert () == found.reason_references


def test_a_medication_is_found_where_it_was_sent() -> None:
    """Contained in the order, beside it in the Bundle, under its fullUrl, or in another prefetch key."""
    contained, _ = by_reference("#med-1", contained=[PRODUCT])
    beside, _ = by_reference("https://ehr.example/fhir/Medication/med-1", PRODUCT)
    order = request(medicationCodeableConcept=None, medicationReference={"reference": "Medication/med-1"})
    elsewhere = read({"medications": searchset(order), "extra": searchset(PRODUCT)}).medications
    bundle = searchset(request(medicationCodeableConcept=None, medicationReference={"reference": "urn:uuid:7"}))
    bundle["entry"].append({"fullUrl": "urn:uuid:7", "resource": PRODUCT, "search": {"mode": "include"}})
    by_urn = read({"medications": bundle}).medications

    for (found,) in (contained, beside, elsewhere, by_urn):
        assert ("ketamine 50 MG/ML", "6130", "50 mg/mL", "Injectable Solution") == (
            found.drug.label,
            found.ingredients[0].codings[0].code,
            str(found.strengths[0]),
            found.form.label,
        )


def test_a_medication_that_was_not_sent_and_has_no_name_is_a_gap() -> None:
    drugs, (gap,) = by_reference("Medication/other", PRODUCT)

    assert () == drugs
    assert (GapScope.ENTRY, "MedicationRequest/m1", "its Medication/other could not be read") == (
        gap.scope,
        gap.reference,
        gap.reason,
    )


def test_a_medication_that_was_not_sent_is_known_by_the_words_of_the_reference() -> None:
    order = request(
        medicationCodeableConcept=None,
        medicationReference={"reference": "Medication/x", "display": "ketamine 50 mg/mL"},
    )

    facts = read({"medications": searchset(order)})

    assert ("ketamine 50 mg/mL",) == facts.medications[0].drug.words
    assert () == facts.gaps


def test_every_name_of_a_drug_is_kept() -> None:
    reference = {"reference": "#med-1", "display": "KETALAR"}

    found = one(medicationReference=reference, contained=[PRODUCT])

    assert {"sertraline", "ketamine 50 MG/ML", "KETALAR"} == set(found.drug.words)


def test_a_drug_named_as_in_r5_is_read() -> None:
    found = one(medicationCodeableConcept=None, medication={"concept": {"text": "sertraline"}})

    assert "sertraline" == found.drug.label


def test_a_contained_resource_that_cannot_be_read_does_not_cost_the_order() -> None:
    assert "sertraline" == one(contained=[7, {"resourceType": "Medication"}, {"id": "x"}]).drug.label


def test_an_order_of_next_month_is_not_used_and_is_listed() -> None:
    facts = read({"medications": searchset(request(authoredOn="2026-03-01"))})

    assert () == facts.medications
    assert "authoredOn 2026-03-01 is in the future: not used" == facts.gaps[0].reason


@pytest.mark.parametrize(
    ("amount", "dose", "rate"),
    [
        ({"doseAndRate": [{"doseQuantity": quantity(35, "mg")}]}, "35 mg", "None"),
        ({"doseAndRate": [{"doseRange": {"low": quantity(20, "mg"), "high": quantity(40, "mg")}}]}, "40 mg", "None"),
        ({"doseAndRate": [{"rateQuantity": quantity(0.5, "mg/kg/h")}]}, "None", "0.5 mg/kg/h"),
        ({"doseAndRate": [{"rateRange": {"low": quantity(1, "mg/h"), "high": quantity(2, "mg/h")}}]}, "None", "2 mg/h"),
        ({"rateQuantity": quantity(14, "mL/h")}, "None", "14 mL/h"),
        ({"doseQuantity": quantity(35, "mg")}, "35 mg", "None"),
    ],
    ids=["quantity", "range", "rate", "rate range", "STU3 rate", "STU3 dose"],
)
def test_doses_and_rates(amount: Json, dose: str, rate: str) -> None:
    found = dosage(**amount)

    assert (dose, rate) == (str(found.dose), str(found.rate))


@pytest.mark.parametrize(
    ("above", "below", "rate"),
    [
        (quantity(35, "mg"), quantity(1, "h"), "35 mg/h"),
        (quantity(250, "mL"), quantity(4, "h"), "62.5 mL/h"),
        (quantity(35, "mg/h"), {"value": 1}, "35 mg/h"),
        (quantity(35, "mg"), {"value": 0, "code": "h"}, "None"),
        (quantity(35, "mg"), None, "None"),
    ],
)
def test_a_rate_written_as_a_ratio_is_one_quantity(above: Json, below: Json | None, rate: str) -> None:
    found = dosage(doseAndRate=[{"rateRatio": {"numerator": above, "denominator": below}}])

    assert rate == str(found.rate)


def test_a_dose_range_keeps_its_low_end() -> None:
    found = dosage(doseAndRate=[{"doseRange": {"low": quantity(20, "mg"), "high": quantity(40, "mg")}}])

    assert "20 mg" == str(found.dose_low)


def test_of_a_calculated_and_an_ordered_dose_the_ordered_one_counts() -> None:
    calculated = {"type": {"coding": [{"code": "calculated"}]}, "rateQuantity": quantity(3.5, "mL/h")}
    ordered = {"type": {"coding": [{"code": "ordered"}]}, "rateQuantity": quantity(0.5, "mg/kg/h")}

    assert "0.5 mg/kg/h" == str(dosage(doseAndRate=[calculated, ordered]).rate)


@pytest.mark.parametrize(
    ("repeat", "per_day"),
    [
        ({"frequency": 3, "period": 1, "periodUnit": "d"}, "3"),
        ({"frequency": 1, "period": 8, "periodUnit": "h"}, "3"),
        ({"period": 12, "periodUnit": "h"}, "2"),
        ({"frequency": 1, "period": 2, "periodUnits": "d"}, "0.5"),
        ({"frequency": 7, "period": 1, "periodUnit": "wk"}, "1"),
        ({"frequency": 3, "period": 0, "periodUnit": "d"}, "None"),
        ({"frequency": 3, "period": 1}, "None"),
        ({"frequency": 3}, "None"),
        ({}, "None"),
    ],
)
def test_how_often_a_day(repeat: Json, per_day: str) -> None:
    assert per_day == str(dosage(timing={"repeat": repeat}).per_day)


@pytest.mark.parametrize(
    ("repeat", "minutes"),
    [
        ({"duration": 40, "durationUnit": "min"}, Decimal(40)),
        ({"duration": 4, "durationUnit": "h"}, Decimal(240)),
        ({"duration": 90, "durationUnit": "s"}, Decimal("1.5")),
        ({"duration": 40}, None),
    ],
)
def test_how_long_one_administration_takes(repeat: Json, minutes: Decimal | None) -> None:
    assert minutes == dosage(timing={"repeat": repeat}).duration_minutes


def test_the_bounds_of_a_dosage() -> None:
    within = dosage(timing={"repeat": {"boundsPeriod": {"start": "2026-01-05", "end": "2026-06-30"}}})
    length = dosage(timing={"repeat": {"boundsDuration": quantity(6, "wk")}})

    assert ("2026-01-05", "2026-06-30") == (str(within.starts), str(within.ends))
    assert Decimal(42) == length.bounds_days


def test_the_words_of_a_dosage() -> None:
    found = dosage(patientInstruction="Under the tongue", route="sublingual", asNeededCodeableConcept={"text": "pain"})

    assert ("Under the tongue", "sublingual", True) == (found.text, found.route.label, found.as_needed)


def test_an_unusable_dose_is_a_gap_and_the_order_stays() -> None:
    order = request(dosageInstruction=[{"doseAndRate": [{"doseQuantity": {"value": "1e99999"}}]}])

    facts = read({"medications": searchset(order)})

    assert facts.medications[0].dosages[0].dose is None
    assert ["dose is not a usable number"] == [gap.reason for gap in facts.gaps]


def test_the_day_an_order_was_written_is_counted_in_the_time_zone_of_the_client() -> None:
    found = one(authoredOn="2026-01-10T23:30:00-05:00")

    assert isinstance(found.authored, Interval)
    assert "2026-01-11" == str(found.authored)
