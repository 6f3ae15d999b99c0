"""D-STRENGTH: how much of the drug is in a millilitre, from what the order itself says and never from a code table."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from cds.engine.derive.dose import Amount, Measure, ordered_amounts
from cds.engine.facts import Medication
from cds.engine.order import Route
from tests.engine.build import KETAMINE, concept, order, quantity


def product(display: str = "", text: str = "", *strengths: str, code: str = KETAMINE) -> Medication:
    """Return an order of 14 mL/h of a product with this name and these ingredient strengths."""
    named = order(concept(code, display=display, text=text), route="IV", rate="14 mL/h")
    return replace(named, strengths=tuple(quantity(one) for one in strengths))


def rate(medication: Medication, weight: str | None = "70") -> str:
    """Return the rate in mg/kg/h, or why it is not known."""
    (one,) = ordered_amounts(Amount.RATE, Measure(medication, Route.INTRAVENOUS, Decimal(weight) if weight else None))
    return str(one.amount) if one.amount else one.problem.reason if one.problem else "nothing"


@pytest.mark.parametrize(
    "medication",
    [
        pytest.param(product("ketamine 50 MG/ML Injectable Solution"), id="the product's display"),
        pytest.param(product("", "Ketamine 50 mg/ml vial"), id="the product's text"),
        pytest.param(product("", "ketamine 50mg/mL"), id="written together"),
        pytest.param(product("", "", "50 mg/mL"), id="the ingredient's strength"),
        pytest.param(product("ketamine 50 MG/ML", "ketamine 50 mg/ml", "50 mg/mL"), id="three that agree"),
    ],
)
def test_a_dose_in_ml_is_worked_out_with_the_strength_that_the_order_states(medication: Medication) -> None:
    assert rate(medication) == "10 mg/kg/h"


@pytest.mark.parametrize(
    ("medication", "words"),
    [
        pytest.param(product(), "states no strength", id="an ingredient code"),
        pytest.param(product(code="rxnorm|238082"), "states no strength", id="a code whose table names a strength"),
        pytest.param(product("ketamine 500 MG Injection"), "states no strength", id="an amount is no strength"),
        pytest.param(product("", "ketamine 10 mg/ml or 50 mg/ml"), "states no strength", id="two in one name"),
    ],
)
def test_without_a_strength_of_its_own_a_dose_in_ml_is_not_known(medication: Medication, words: str) -> None:
    assert words in rate(medication)


@pytest.mark.parametrize(
    "medication",
    [
        pytest.param(product("ketamine 10 MG/ML", "", "50 mg/mL"), id="display and ingredient (worked case 60)"),
        pytest.param(product("ketamine 10 MG/ML", "ketamine 50 mg/ml"), id="display and text"),
    ],
)
def test_two_strengths_that_disagree_are_not_known_and_both_are_named(medication: Medication) -> None:
    reason = rate(medication)

    assert ["two strengths" in reason, "10 mg/mL" in reason, "50 mg/mL" in reason] == [True, True, True]


def test_a_strength_is_of_no_use_without_a_weight() -> None:
    assert "weight" in rate(product("ketamine 50 MG/ML"), None)


@pytest.mark.parametrize(
    ("ordered", "expected"),
    [
        ("0.5 mg/kg/h", "0.5 mg/kg/h"),
        ("30 ug/kg/min", "1.8 mg/kg/h"),
        ("60 mcg/kg/min", "3.6 mg/kg/h"),
        ("0.5 mg/kg/hr", "0.5 mg/kg/h"),
        ("35 mg/h", "0.5 mg/kg/h"),
        ("2 mg/min", "1.71 mg/kg/h"),
        ("1 {drop}/min", "{drop}"),
        ("35", "no unit"),
    ],
)
def test_a_rate_is_read_in_mg_per_kg_and_hour_or_not_at_all(ordered: str, expected: str) -> None:
    """Worked case 40. A unit that is not known is never guessed."""
    assert expected in rate(order(route="IV", rate=ordered))


def test_a_name_of_very_many_digits_costs_no_time() -> None:
    began = time.perf_counter()

    assert "states no strength" in rate(product("ketamine " + "1" * 100_000))
    assert time.perf_counter() - began < 1
