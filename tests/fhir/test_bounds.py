"""However much an EHR sends that cannot be read: what is kept of it is little, and that something is missing stays."""

import json
from collections.abc import Callable

import pytest

from cds.engine.facts import GapScope, Source
from cds.fhir.bundle import MOST_ENTRIES
from cds.fhir.context import Received
from cds.fhir.drafts import read_drafts
from cds.fhir.gaps import MOST_SINGLE
from cds.fhir.read import read_facts
from tests.fhir.records import Json, condition, context, gaps, observation, read, reasons, request, searchset

FLOODED = f"more than {MOST_SINGLE} of its entries or values could not be read"
TOO_MANY = "not readable: more than 20,000 entries"


def entries(*found: object) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(found)}


def without_code(number: int) -> Json:
    return condition(f"c{number}", code=None)


def unreadable(number: int) -> Json:
    return condition(f"c{number}", onsetDateTime={"not": "a date"})


def in_the_future(number: int) -> Json:
    return condition(f"c{number}", recordedDate="2031-01-01")


@pytest.mark.parametrize("broken", [without_code, unreadable, in_the_future])
@pytest.mark.parametrize("many", [MOST_SINGLE + 1, 3_000])
def test_a_source_with_very_many_entries_that_cannot_be_read_was_not_read(
    broken: Callable[[int], Json], many: int
) -> None:
    facts = read({"conditions": searchset(condition("readable"), *map(broken, range(many)))})

    assert (FLOODED,) == reasons(facts, Source.CONDITIONS)
    assert 1 == len(facts.gaps)
    assert ["Condition/readable"] == [one.provenance.reference for one in facts.conditions]


def test_a_few_entries_that_cannot_be_read_stay_named_one_by_one() -> None:
    facts = read({"conditions": searchset(*map(unreadable, range(MOST_SINGLE)))})

    assert MOST_SINGLE == len(gaps(facts, GapScope.ENTRY)) == len(facts.gaps)


def test_one_flooded_source_says_nothing_of_another() -> None:
    facts = read({"conditions": searchset(*map(unreadable, range(999))), "laboratory": searchset(observation())})

    assert {Source.CONDITIONS} == {gap.source for gap in facts.gaps}


def test_entries_without_anything_in_them_are_counted_as_well() -> None:
    facts = read({"conditions": entries(*[{}] * 10_000)})

    assert (FLOODED,) == reasons(facts, Source.CONDITIONS)


def test_of_very_many_errors_the_first_ones_are_named_and_how_many_more_there_are() -> None:
    issues = [{"severity": "error", "diagnostics": f"reason {number}"} for number in range(500)]
    outcomes = [{"resourceType": "OperationOutcome", "issue": [issue]} for issue in issues]

    found = reasons(read({"conditions": searchset(*outcomes)}), Source.CONDITIONS)

    assert ("the EHR reported an error: reason 0", "and for 490 more reasons") == (found[0], found[-1])
    assert 11 == len(found)


@pytest.mark.parametrize(
    "sent",
    [
        entries(*[{}] * (MOST_ENTRIES + 1)),
        entries(*[None] * (MOST_ENTRIES + 1)),
        entries(*[0] * (MOST_ENTRIES + 1)),
        {"resourceType": "Bundle", "entry": [0] * 3_000_000},
    ],
    ids=["empty objects", "nulls", "numbers", "millions"],
)
def test_a_bundle_of_very_many_entries_is_not_read_and_says_so(sent: Json) -> None:
    assert (TOO_MANY,) == reasons(read({"conditions": sent}), Source.CONDITIONS)


def test_pages_together_have_no_more_entries_than_one_may_have() -> None:
    page = json.dumps(entries(*[{}] * (MOST_ENTRIES // 2 + 1))).encode()

    facts = read_facts({"conditions": Received((page, page))}, context(expected={"conditions": Source.CONDITIONS}))

    assert (TOO_MANY,) == reasons(facts, Source.CONDITIONS)


def test_keys_together_have_no_more_entries_than_one_may_have() -> None:
    half = entries(*[{}] * (MOST_ENTRIES // 2))

    facts = read({"conditions": half, "allergies": half, "procedures": searchset(condition())})

    assert (FLOODED,) == reasons(facts, Source.CONDITIONS) == reasons(facts, Source.ALLERGIES)
    assert (TOO_MANY,) == reasons(facts, Source.PROCEDURES)


CODINGS = [{"system": "http://codes.example", "code": str(number)} for number in range(6_000)]


def test_a_resource_larger_than_any_real_one_costs_what_is_known_of_its_source() -> None:
    """Its codes are too many to be held against the rules one by one, so anything may be among them."""
    facts = read({"conditions": searchset(condition("large", code={"coding": CODINGS}), condition("small"))})

    assert (FLOODED,) == reasons(facts, Source.CONDITIONS)
    assert ["Condition/small"] == [one.provenance.reference for one in facts.conditions]


def test_a_resource_of_very_many_parts_is_an_entry_that_cannot_be_read() -> None:
    found = gaps(read({"medications": searchset(request("m", note=[{"text": "x"}] * 6_000))}), GapScope.ENTRY)

    assert [("MedicationRequest/m", "not readable: it has more than 5,000 objects")] == [
        (gap.reference, gap.reason) for gap in found
    ]
    assert ["36437"] == [coding.code for coding in found[0].codings]


def test_an_order_of_very_many_parts_is_not_taken_for_an_order_of_something_else() -> None:
    order = request("m", dosageInstruction=[{"text": "iv"}] * 6_000)

    (found,) = read_drafts([("", json.dumps(order).encode())], context())

    assert (None, "MedicationRequest") == (found.medication, found.resource_type)
    assert ["not readable: it has more than 5,000 objects"] == [gap.reason for gap in found.gaps]
