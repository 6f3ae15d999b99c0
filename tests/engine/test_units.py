"""Units are converted exactly or not at all; a comparator never pretends to be a value (rules.md D-UNIT)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.logic import Verdict
from cds.engine.units import Quantity, UnitError, convert, is_above, is_below, is_legacy, plain
from tests.engine.ask import FEW

NUMBERS = st.decimals(min_value=Decimal(-1000), max_value=Decimal(1000), places=3)


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        ("1", "kPa", "mm[Hg]", "7.50062"),
        ("24.5", "kPa", "mm[Hg]", "183.76519"),
        ("12", "kPa", "mm[Hg]", "90.00744"),
        ("186", "mm[Hg]", "mm[Hg]", "186"),
        ("100", "[lb_av]", "kg", "45.359"),
        ("70000", "g", "kg", "70"),
        ("1", "ukat/L", "U/L", "60"),
        ("2", "ukat/L", "U/L", "120"),
        ("41", "g/L", "g/dL", "4.1"),
        ("30", "ug/kg/min", "mg/kg/h", "1.8"),
        ("60", "ug/kg/min", "mg/kg/h", "3.6"),
        ("350", "ug/kg", "mg/kg", "0.35"),
    ],
)
def test_a_unit_is_converted_exactly(value: str, unit: str, wanted: str, expected: str) -> None:
    assert Quantity(Decimal(expected), wanted) == convert(Quantity(Decimal(value), unit), wanted)


@pytest.mark.parametrize(
    ("unit", "wanted", "expected"),
    [("mcg/kg/min", "mg/kg/h", "1.8"), ("mg/kg/hr", "mg/kg/h", "30"), ("lbs", "kg", "13.6077")],
)
def test_an_old_spelling_that_means_one_thing_is_accepted_and_known_as_such(
    unit: str, wanted: str, expected: str
) -> None:
    assert Decimal(expected) == convert(Quantity(Decimal(30), unit), wanted).value
    assert is_legacy(unit)


@pytest.mark.parametrize("unit", ["ug/kg/min", "mg/kg/h", "[lb_av]", "mm[Hg]", ""])
def test_a_ucum_unit_is_no_old_spelling(unit: str) -> None:
    assert not is_legacy(unit)


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        ("", "mm[Hg]"),
        ("[in_i]", "mm[Hg]"),
        ("kg", "mm[Hg]"),
        ("U/L", "mg/dL"),
        ("MM[HG]", "mm[Hg]"),
        ("mg", "mg/kg"),
        ("umol/L", "mg/dL"),
        ("lb", "kg"),
        ("ounces", "kg"),
    ],
)
def test_a_unit_that_is_missing_or_of_another_kind_is_refused_never_guessed(unit: str, wanted: str) -> None:
    with pytest.raises(UnitError):
        convert(Quantity(Decimal(30), unit), wanted)


def test_a_factor_of_the_substance_is_used_for_its_unit_only() -> None:
    factors = {"umol/L": 1 / Decimal("17.1")}

    assert Decimal("2.0000") == round(convert(Quantity(Decimal("34.2"), "umol/L"), "mg/dL", factors).value, 4)
    with pytest.raises(UnitError):
        convert(Quantity(Decimal("34.2"), "mmol/L"), "mg/dL", factors)


@FEW
@given(NUMBERS, st.sampled_from(["<", "<=", ">=", ">", ""]))
def test_conversion_keeps_the_comparator(value: Decimal, comparator: str) -> None:
    assert comparator == convert(Quantity(value, "kPa", comparator), "mm[Hg]").comparator


@FEW
@given(NUMBERS, NUMBERS)
def test_conversion_keeps_the_order_of_values(one: Decimal, other: Decimal) -> None:
    pressures = [convert(Quantity(value, "kPa"), "mm[Hg]").value for value in (one, other)]

    assert (one < other) is (pressures[0] < pressures[1])


@FEW
@given(NUMBERS)
def test_conversion_into_the_own_unit_changes_nothing(value: Decimal) -> None:
    assert Quantity(value, "mg/dL") == convert(Quantity(value, "mg/dL"), "mg/dL")


@pytest.mark.parametrize(
    ("comparator", "value", "above", "at_least"),
    [
        ("", "20.99", Verdict.NOT_FOUND, Verdict.NOT_FOUND),
        ("", "21", Verdict.NOT_FOUND, Verdict.PRESENT),
        ("", "21.01", Verdict.PRESENT, Verdict.PRESENT),
        (">", "20", Verdict.UNKNOWN, Verdict.UNKNOWN),
        (">", "21", Verdict.PRESENT, Verdict.PRESENT),
        (">", "22", Verdict.PRESENT, Verdict.PRESENT),
        (">=", "21", Verdict.UNKNOWN, Verdict.PRESENT),
        (">=", "22", Verdict.PRESENT, Verdict.PRESENT),
        ("<", "20", Verdict.NOT_FOUND, Verdict.NOT_FOUND),
        ("<", "21", Verdict.NOT_FOUND, Verdict.NOT_FOUND),
        ("<", "22", Verdict.UNKNOWN, Verdict.UNKNOWN),
        ("<=", "21", Verdict.NOT_FOUND, Verdict.UNKNOWN),
        ("<=", "22", Verdict.UNKNOWN, Verdict.UNKNOWN),
    ],
)
def test_a_comparator_is_used_only_where_it_cannot_change_the_verdict(
    comparator: str, value: str, above: Verdict, at_least: Verdict
) -> None:
    pressure = Quantity(Decimal(value), "mm[Hg]", comparator)

    assert above is is_above(pressure, Decimal(21))
    assert at_least is is_above(pressure, Decimal(21), or_equal=True)


@FEW
@given(NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">=", ">", ""]), st.booleans())
def test_what_is_above_is_not_below(value: Decimal, limit: Decimal, comparator: str, or_equal: bool) -> None:
    quantity = Quantity(value, "kg", comparator)
    verdicts = {is_above(quantity, limit, or_equal=or_equal), is_below(quantity, limit, or_equal=not or_equal)}

    assert verdicts in ({Verdict.PRESENT, Verdict.NOT_FOUND}, {Verdict.UNKNOWN})


@FEW
@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">=", ">"]))
def test_a_sure_answer_with_a_comparator_holds_for_every_value_it_may_mean(
    bound: Decimal, limit: Decimal, actual: Decimal, comparator: str
) -> None:
    holds = {"<": actual < bound, "<=": actual <= bound, ">=": actual >= bound, ">": actual > bound}[comparator]
    answer = is_above(Quantity(bound, "kg", comparator), limit)

    if holds and answer is not Verdict.UNKNOWN:
        assert answer is is_above(Quantity(actual, "kg"), limit)


@pytest.mark.parametrize(
    ("value", "expected"), [("21.0", "21"), ("1E+2", "100"), ("0.350", "0.35"), ("0", "0"), ("-4.10", "-4.1")]
)
def test_a_number_is_written_as_people_write_it(value: str, expected: str) -> None:
    assert expected == plain(Decimal(value))


@FEW
@given(NUMBERS)
def test_writing_a_number_loses_nothing(value: Decimal) -> None:
    assert value == Decimal(plain(value))


def test_a_quantity_is_written_with_comparator_and_unit() -> None:
    assert str(Quantity(Decimal("30.0"), "mm[Hg]", ">")) == "> 30 mm[Hg]"
