"""Real systems deviate from FHIR. What can be read is read, and one bad entry costs only itself."""

from decimal import Decimal

import pytest

from cds.engine.facts import Coding, GapScope, Source
from tests.fhir.records import ICD, RXNORM, Json, condition, gaps, observation, quantity, read, request, searchset


def test_a_bundle_may_come_without_its_type_or_its_resource_type() -> None:
    facts = read({
        "conditions": {"resourceType": "Bundle", "entry": [{"resource": condition()}]},
        "laboratory": {"entry": [{"resource": observation()}]},
    })  # fmt: skip

    assert (1, 1, 0) == (len(facts.conditions), len(facts.observations), len(facts.gaps))


def test_an_object_may_stand_where_a_list_belongs() -> None:
    dose = {"doseQuantity": quantity(50, "mg")}
    order = request(
        category={"coding": {"code": "community"}},
        reasonCode={"text": "low mood"},
        dosageInstruction={"text": "1 a day", "doseAndRate": dose},
        note={"text": "new"},
    )

    facts = read({"medications": {"resourceType": "Bundle", "entry": {"resource": order}}})

    (drug,) = facts.medications
    assert ("community", "low mood", "1 a day", "new") == (
        drug.categories[0].codings[0].code,
        drug.reasons[0].text,
        drug.dosages[0].text,
        drug.notes[0],
    )
    assert drug.dosages[0].dose
    assert (Decimal(50), ()) == (drug.dosages[0].dose.value, facts.gaps)


def test_a_list_of_one_may_stand_where_an_object_belongs() -> None:
    code = [{"coding": [{"system": ICD, "code": "F20.0"}]}]

    facts = read({"conditions": searchset([condition(code=code, subject=[{"reference": "Patient/amara"}])])})

    assert ("F20.0", ()) == (facts.conditions[0].code.codings[0].code, facts.gaps)


@pytest.mark.parametrize(
    ("code", "read_as"),
    [
        ("Paranoid schizophrenia", ("", "", "Paranoid schizophrenia")),
        ({"coding": "F20.0"}, ("", "F20.0", "")),
        ({"system": ICD, "code": "F20.0"}, (ICD, "F20.0", "")),
        ({"coding": [{"system": ICD, "code": 295}]}, (ICD, "295", "")),
        ({"coding": [None, {"code": "F20.0", "system": None}], "text": None}, ("", "F20.0", "")),
    ],
    ids=["plain text", "plain code", "bare Coding", "number", "null members"],
)
def test_ways_to_write_a_code(code: object, read_as: tuple[str, str, str]) -> None:
    facts = read({"conditions": searchset(condition(code=code))})

    (one,) = facts.conditions
    coding = one.code.codings[0] if one.code.codings else Coding("", "")
    assert read_as == (coding.system, coding.code, one.code.text)


def test_identifiers_may_be_numbers_and_numbers_may_be_texts() -> None:
    value = {"value": " 22.50 ", "code": "U/L", "system": "http://unitsofmeasure.org"}
    facts = read({"laboratory": searchset(observation(id=17, valueQuantity=value))})

    (one,) = facts.observations
    assert one.value
    assert ("Observation/17", "22.50") == (one.provenance.reference, str(one.value.value))


def test_code_systems_are_named_canonically() -> None:
    code = {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.90", "code": "F20.0"}]}

    facts = read({"conditions": searchset(condition(code=code))})

    assert ICD == facts.conditions[0].code.codings[0].system


UNREADABLE: list[tuple[str, object]] = [
    ("a code that is a truth value", condition(code=True)),
    ("a list of two codes", condition(code=[{"text": "a"}, {"text": "b"}])),
    ("a status that is a truth value", condition(clinicalStatus=True)),
    ("a date that is an object", condition(onsetDateTime={"year": 2020})),
    ("no resource type", {"id": "x"}),
    ("a resource type that is a number", condition(resourceType=4)),
    ("no resource", None),
    ("a number", 7),
    ("a text", "Condition/1"),
    ("no code and no text", condition(code=None)),
    ("an empty code", condition(code={"coding": [{"system": ICD}]})),
]


@pytest.mark.parametrize("bad", [bad for _, bad in UNREADABLE], ids=[name for name, _ in UNREADABLE])
def test_one_unreadable_entry_costs_only_itself_and_is_named(bad: object) -> None:
    facts = read({"conditions": searchset(condition("before"), bad, condition("after"))})

    assert ["Condition/before", "Condition/after"] == [one.provenance.reference for one in facts.conditions]
    (gap,) = facts.gaps
    assert (Source.CONDITIONS, GapScope.ENTRY) == (gap.source, gap.scope)


def test_the_gap_of_an_unreadable_entry_says_which_why_and_with_what_code() -> None:
    bad = condition("c7", clinicalStatus=[1, 2])
    bad["code"]["coding"][0]["system"] = "urn:oid:2.16.840.1.113883.6.90"

    facts = read({"conditions": searchset(bad)})

    (gap,) = facts.gaps
    assert "Condition/c7" == gap.reference
    assert (Coding(ICD, "F20.0", "Paranoid schizophrenia"),) == gap.codings
    assert "not readable: clinicalStatus is not as FHIR has it" == gap.reason


def test_the_code_of_an_unreadable_order_is_seen_as_well() -> None:
    facts = read({"medications": searchset(request(dosageInstruction=True))})

    assert ((Coding(RXNORM, "36437", "sertraline"),),) == tuple(gap.codings for gap in facts.gaps)


@pytest.mark.parametrize("entry", [5, "x", None, [], {}, {"fullUrl": "urn:x"}, {"resource": None}])
def test_an_entry_that_is_none_costs_only_itself(entry: object) -> None:
    bundle = searchset(condition())
    bundle["entry"].append(entry)

    facts = read({"conditions": bundle})

    assert (1, [GapScope.ENTRY]) == (len(facts.conditions), [gap.scope for gap in facts.gaps])


def test_an_entry_may_have_members_that_cannot_be_read() -> None:
    entry = {"fullUrl": 5, "search": "match", "resource": condition()}

    facts = read({"conditions": {"resourceType": "Bundle", "total": "many", "link": 3, "entry": [entry]}})

    assert () == facts.conditions
    assert 1 == len(gaps(facts, GapScope.SOURCE))


def test_unreadable_members_of_an_entry_do_not_cost_its_resource() -> None:
    entry = {"fullUrl": 5, "search": "match", "resource": condition()}

    facts = read({"conditions": {"resourceType": "Bundle", "total": "many", "entry": [entry]}})

    assert (1, ()) == (len(facts.conditions), facts.gaps)


def test_a_next_link_is_seen_also_where_the_bundle_is_not_quite_one() -> None:
    bundle: Json = {"entry": {"resource": condition()}, "link": {"relation": "next", "url": "y"}}

    facts = read({"conditions": bundle})

    assert ["cut short: a next page was not read"] == [gap.reason for gap in facts.gaps]


def test_an_order_of_an_older_release_is_a_gap_not_a_missing_drug() -> None:
    old = {"resourceType": "MedicationOrder", "id": "old", "medicationCodeableConcept": {"coding": [{"code": "10438"}]}}

    facts = read({"medications": searchset(request(), old)})

    (gap,) = facts.gaps
    assert ("MedicationOrder/old", "MedicationOrder is no resource of FHIR R4") == (gap.reference, gap.reason)
    assert "10438" == gap.codings[0].code


def test_what_an_unreadable_resource_holds_does_not_stand_in_the_reason() -> None:
    """Reasons reach cards and records; they must not carry what nobody could check."""
    facts = read({"conditions": searchset(condition(verificationStatus=[{"text": "Mrs Okoye"}, {"text": "x"}]))})

    (gap,) = facts.gaps
    assert "Okoye" not in gap.reason
