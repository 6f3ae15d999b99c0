"""Reading measurements and coded results (clinical/rules.md D-OBS, D-UNIT, D-REFRANGE)."""

from decimal import Decimal
from typing import Any

import pytest

from cds.engine.facts import GapScope, Observation
from tests.fhir.records import LOINC, Json, gaps, observation, quantity, read, searchset

BARE: Json = {"valueQuantity": None}
LIMIT: Json = {"high": quantity(40, "U/L")}
TREATMENT = {"coding": [{"code": "treatment"}]}


def one(**members: Any) -> Observation:  # noqa: ANN401 - any JSON
    """The only Observation that was read."""
    (found,) = read({"laboratory": searchset(observation(**members))}).observations
    return found


@pytest.mark.parametrize(
    ("members", "read_as"),
    [
        ({"effectiveDateTime": "2026-01-30T23:30:00-05:00", "issued": "2026-02-01T00:00:00Z"}, "2026-01-31"),
        ({"effectivePeriod": {"start": "2026-01", "end": "2026-01-04"}, "issued": "2026-01-09T00:00:00"}, "2026-01-04"),
        ({"effectivePeriod": {"start": "2026-01-01"}, "issued": "2026-01-09T00:00:00Z"}, "2026-01-09"),
        ({"effectiveInstant": "2026-01-03T00:00:00Z"}, "2026-01-03"),
        ({"effectiveTiming": {"event": ["2026-01-01"]}, "issued": "2026-01-09T00:00:00Z"}, "2026-01-09"),
        ({"effectiveDateTime": "2026-01"}, "2026-01"),
        ({}, "None"),
    ],
)  # fmt: skip
def test_the_time_that_counts(members: Json, read_as: str) -> None:
    assert read_as == str(one(**{"effectiveDateTime": None, **members}).effective)


def test_a_number_is_exactly_what_was_sent() -> None:
    """24.5 kPa is not 24.499999999999999645."""
    value = one(valueQuantity=quantity(24.50, "kPa")).value

    assert value
    assert (Decimal("24.5"), "kPa") == (value.value, value.unit)


@pytest.mark.parametrize(
    ("given", "unit"),
    [
        ({"unit": "millimetre of mercury", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}, "mm[Hg]"),
        ({"unit": "mmHg", "system": "http://unitsofmeasure.org"}, "mmHg"),
        ({"unit": "lbs"}, "lbs"),
        ({"unit": "mmHg", "code": "mm[Hg]"}, "mm[Hg]"),
        ({"unit": "mg", "system": "http://snomed.info/sct", "code": "258684004"}, "{258684004}"),
        ({}, ""),
    ],
    ids=["UCUM", "UCUM without code", "text only", "code without system", "another system", "none"],
)
def test_the_unit_is_never_guessed(given: Json, unit: str) -> None:
    value = one(valueQuantity={"value": 34, **given}).value

    assert value
    assert unit == value.unit


def test_a_comparator_is_kept() -> None:
    value = one(valueQuantity={"comparator": ">", **quantity(30, "mm[Hg]")}).value

    assert value
    assert "> 30 mm[Hg]" == str(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"valueSampledData": {"data": "1 2 3"}}, "valueSampledData is not read"),
        ({"valueRatio": {"numerator": {"value": 1}}}, "valueRatio is not read"),
        ({"valueDateTime": "2026-01-01"}, "valueDateTime is not read"),
        ({"valueQuantity": {"comparator": "~", "value": 1}}, "valueQuantity has a comparator that is not known"),
        ({"valueQuantity": {"value": "NaN"}}, "valueQuantity is not a usable number"),
        ({"valueQuantity": {"value": "1e999999"}}, "valueQuantity is not a usable number"),
    ],
)
def test_a_value_that_cannot_be_used_is_a_gap_and_the_rest_is_read(value: Json, reason: str) -> None:
    facts = read({"laboratory": searchset(observation(**{**BARE, **value}))})

    assert (None, None) == (facts.observations[0].value, facts.observations[0].value_concept)
    (gap,) = gaps(facts, GapScope.VALUE)
    assert (reason, "1742-6") == (gap.reason, gap.codings[0].code)


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        ({"valueCodeableConcept": {"coding": [{"code": "10828004", "display": "Positive"}]}}, "Positive"),
        ({"valueString": "POSITIVE"}, "POSITIVE"),
        ({"valueBoolean": True}, "true"),
        ({"valueBoolean": False}, "false"),
    ],
)
def test_a_result_in_words_or_codes(value: Json, read_as: str) -> None:
    result = one(**{**BARE, **value}).value_concept

    assert result
    assert read_as == result.label


def test_a_whole_number_has_the_unit_one() -> None:
    """ValueInteger has no unit by definition; it is no measurement without its unit."""
    value = one(**BARE, valueInteger=17).value

    assert "17 1" == str(value)


def test_a_result_that_is_absent_for_a_reason_has_no_value() -> None:
    facts = read({"laboratory": searchset(observation(**BARE, dataAbsentReason={"text": "not done"}))})

    assert facts.observations[0].value is None
    assert () == facts.gaps


def test_a_blood_pressure_keeps_its_halves() -> None:
    halves = [
        {"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": quantity(186, "mm[Hg]")},
        {"code": {"coding": [{"system": LOINC, "code": "8462-4"}]}, "dataAbsentReason": {"text": "error"}},
    ]

    found = one(**BARE, component=halves)

    assert [("8480-6", "186 mm[Hg]"), ("8462-4", "None")] == [
        (half.code.codings[0].code, str(half.value)) for half in found.components
    ]


def test_an_observation_known_only_by_its_components_is_read() -> None:
    half = {"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": quantity(186, "mm[Hg]")}

    assert 1 == len(one(**BARE, code=None, component=[half]).components)


@pytest.mark.parametrize(
    ("ranges", "limit"),
    [
        ([LIMIT], "40 U/L"),
        (LIMIT, "40 U/L"),
        ([{"low": quantity(5, "U/L")}], "None"),
        ([{"type": TREATMENT, "high": quantity(9, "U/L")}, LIMIT], "40 U/L"),
        ([LIMIT, {"high": quantity(55, "U/L")}], "None"),
    ],
    ids=["one", "an object", "no upper limit", "a therapeutic range beside it", "two that differ"],
)  # fmt: skip
def test_the_upper_limit_of_normal_is_taken_only_if_there_is_one(ranges: object, limit: str) -> None:
    assert limit == str(one(referenceRange=ranges).upper_limit)


def test_interpretations_are_codes_or_words() -> None:
    found = one(interpretation=[{"coding": [{"code": "POS"}]}, {"text": "abnormal"}])

    assert [("POS", ""), ("", "abnormal")] == [(coding.code, coding.display) for coding in found.interpretations]


def test_a_result_of_next_week_is_not_used_and_is_listed() -> None:
    facts = read({"laboratory": searchset(observation(effectiveDateTime="2026-02-08"))})

    assert () == facts.observations
    assert "effectiveDateTime 2026-02-08 is in the future: not used" == facts.gaps[0].reason
