"""D-UNIT and D-REFRANGE on real definitions: units, plausibility, comparators, upper limits of normal."""

import pytest

from cds.engine.dates import Window
from cds.engine.facts import Source
from cds.engine.rules import Knowledge, ObservationCriterion
from tests.engine.ask import answer, found, remarks
from tests.engine.build import ALBUMIN, ALT, BILIRUBIN, EYE_PRESSURE_RIGHT, INR, WEIGHT, observation, quantity, record

SETS = {
    EYE_PRESSURE_RIGHT: ("intraocular_pressure", Source.MEASUREMENTS),
    WEIGHT: ("body_weight", Source.MEASUREMENTS),
    ALT: ("alt", Source.LABORATORY),
    "loinc|1920-8": ("ast", Source.LABORATORY),
    BILIRUBIN: ("bilirubin_total", Source.LABORATORY),
    ALBUMIN: ("albumin", Source.LABORATORY),
    INR: ("inr", Source.LABORATORY),
    "loinc|44261-6": ("phq9_total", Source.MEASUREMENTS),
}


def asked(knowledge: Knowledge, code: str, value: str, *, above: str = "", at_least: str = "") -> str:
    """Return what is answered of one reading of yesterday."""
    value_set, source = SETS[code]
    criterion = ObservationCriterion(
        (value_set,),
        above=quantity(above) if above else None,
        at_least=quantity(at_least) if at_least else None,
        within=Window(30),
    )
    return answer(found(knowledge, criterion, record(observation(code, value, "2026-01-31", source=source))))


@pytest.mark.parametrize(
    ("code", "value", "above", "expected"),
    [
        (EYE_PRESSURE_RIGHT, "21 mm[Hg]", "21 mm[Hg]", "not-found"),
        (EYE_PRESSURE_RIGHT, "21.5 mm[Hg]", "21 mm[Hg]", "critical"),
        (EYE_PRESSURE_RIGHT, "2.8 kPa", "21 mm[Hg]", "critical"),
        (EYE_PRESSURE_RIGHT, "2.79 kPa", "21 mm[Hg]", "not-found"),
        (EYE_PRESSURE_RIGHT, "34", "21 mm[Hg]", "unknown"),
        (EYE_PRESSURE_RIGHT, "34 [in_i]", "21 mm[Hg]", "unknown"),
        (EYE_PRESSURE_RIGHT, "34 mmHG", "21 mm[Hg]", "unknown"),
        (WEIGHT, "154 [lb_av]", "69 kg", "critical"),
        (WEIGHT, "152 [lb_av]", "69 kg", "not-found"),
        (WEIGHT, "70000 g", "69 kg", "critical"),
        (WEIGHT, "154 lbs", "69 kg", "critical"),
        (WEIGHT, "70", "69 kg", "unknown"),
        (ALT, "3 ukat/L", "179 U/L", "critical"),
        (ALT, "3 ukat/L", "180 U/L", "not-found"),
        (BILIRUBIN, "41.1 umol/L", "2.4 mg/dL", "critical"),
        (BILIRUBIN, "41.0 umol/L", "2.4 mg/dL", "not-found"),
        (BILIRUBIN, "41.04 umol/L", "2.4 mg/dL", "not-found"),
        (BILIRUBIN, "2.5 mg/dL", "2.4 mg/dL", "critical"),
        (ALBUMIN, "36 g/L", "3.5 g/dL", "critical"),
        (ALBUMIN, "35 g/L", "3.5 g/dL", "not-found"),
        (INR, "1.8 {INR}", "1.7 {INR}", "critical"),
        (INR, "1.8 1", "1.7 {INR}", "critical"),
    ],
)
def test_a_value_is_compared_in_the_unit_of_the_threshold_or_not_at_all(
    knowledge: Knowledge, code: str, value: str, above: str, expected: str
) -> None:
    assert expected == asked(knowledge, code, value, above=above)


def test_bilirubin_exactly_on_a_limit_in_umol_is_exactly_on_it_in_mg(knowledge: Knowledge) -> None:
    """41.04 umol/L / 17.1 = 2.4 mg/dL: a conversion must not push it over or under."""
    assert asked(knowledge, BILIRUBIN, "41.04 umol/L", at_least="2.4 mg/dL") == "critical"
    assert asked(knowledge, BILIRUBIN, "34.2 umol/L", at_least="2 mg/dL") == "critical"
    assert asked(knowledge, BILIRUBIN, "34.2 umol/L", above="2 mg/dL") == "not-found"


@pytest.mark.parametrize(
    ("code", "value", "above", "expected"),
    [
        (EYE_PRESSURE_RIGHT, "80 mm[Hg]", "21 mm[Hg]", "critical"),
        (EYE_PRESSURE_RIGHT, "80.1 mm[Hg]", "21 mm[Hg]", "unknown"),
        (EYE_PRESSURE_RIGHT, "0 mm[Hg]", "21 mm[Hg]", "not-found"),
        (EYE_PRESSURE_RIGHT, "-1 mm[Hg]", "21 mm[Hg]", "unknown"),
        (WEIGHT, "2 kg", "1 kg", "critical"),
        (WEIGHT, "1.9 kg", "1 kg", "unknown"),
        (WEIGHT, "400 kg", "1 kg", "critical"),
        (WEIGHT, "401 kg", "1 kg", "unknown"),
        (WEIGHT, "882 [lb_av]", "1 kg", "unknown"),
    ],
)
def test_a_value_that_is_not_plausible_is_not_evaluated(
    knowledge: Knowledge, code: str, value: str, above: str, expected: str
) -> None:
    assert expected == asked(knowledge, code, value, above=above)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("> 30 mm[Hg]", "critical"),
        ("> 21 mm[Hg]", "critical"),
        ("> 20 mm[Hg]", "unknown"),
        (">= 21 mm[Hg]", "unknown"),
        ("< 21 mm[Hg]", "not-found"),
        ("< 22 mm[Hg]", "unknown"),
        ("> 2.8 kPa", "critical"),
    ],
)
def test_a_comparator_is_used_only_if_it_cannot_change_the_verdict(
    knowledge: Knowledge, value: str, expected: str
) -> None:
    assert expected == asked(knowledge, EYE_PRESSURE_RIGHT, value, above="21 mm[Hg]")


def test_what_could_not_be_evaluated_is_named_with_its_value_and_resource(knowledge: Knowledge) -> None:
    criterion = ObservationCriterion(("intraocular_pressure",), above=quantity("21 mm[Hg]"), within=Window(30))

    finding = found(knowledge, criterion, record(observation(EYE_PRESSURE_RIGHT, "34 [in_i]")))

    (missing,) = finding.missing
    assert ("Observation/o1", True, True) == (missing.reference, "34" in missing.reason, "[in_i]" in missing.reason)


def test_an_old_spelling_of_a_unit_is_accepted_and_said(knowledge: Knowledge) -> None:
    criterion = ObservationCriterion(("body_weight",), above=quantity("69 kg"), within=Window(30))

    finding = found(knowledge, criterion, record(observation(WEIGHT, "154 lbs")))

    assert ("critical", ("unit written lbs",)) == (answer(finding), remarks(finding))


# D-REFRANGE


@pytest.mark.parametrize(
    ("code", "value", "upper", "times", "expected"),
    [
        pytest.param(ALT, "120 U/L", "", "3", "not-found", id="ALT exactly 3 times the default of 40"),
        pytest.param(ALT, "121 U/L", "", "3", "critical", id="ALT above 3 times the default of 40"),
        pytest.param("loinc|1920-8", "120 U/L", "", "3", "not-found", id="AST exactly 3 times the default of 40"),
        pytest.param("loinc|1920-8", "121 U/L", "", "3", "critical", id="AST above 3 times the default of 40"),
        pytest.param(BILIRUBIN, "2.4 mg/dL", "", "2", "not-found", id="bilirubin exactly 2 times the default of 1.2"),
        pytest.param(BILIRUBIN, "2.5 mg/dL", "", "2", "critical", id="bilirubin above 2 times the default of 1.2"),
        pytest.param(BILIRUBIN, "41.04 umol/L", "", "2", "not-found", id="bilirubin in umol/L, exactly on it"),
        pytest.param(ALT, "150 U/L", "50 U/L", "3", "not-found", id="exactly 3 times the report's own limit"),
        pytest.param(ALT, "151 U/L", "50 U/L", "3", "critical", id="above 3 times the report's own limit"),
        pytest.param(ALT, "121 U/L", "50 U/L", "3", "not-found", id="the report's limit outweighs the default"),
        pytest.param(ALT, "91 U/L", "30 U/L", "3", "critical", id="a lower limit of the report counts too"),
        pytest.param(ALT, "2.1 ukat/L", "0.7 ukat/L", "3", "not-found", id="value and limit in ukat/L"),
        pytest.param(ALT, "2.2 ukat/L", "0.7 ukat/L", "3", "critical", id="value and limit in ukat/L, above"),
        pytest.param(BILIRUBIN, "43 umol/L", "21 umol/L", "2", "critical", id="value and limit in umol/L, above"),
        pytest.param(BILIRUBIN, "42 umol/L", "21 umol/L", "2", "not-found", id="value and limit in umol/L, on it"),
    ],
)
def test_the_upper_limit_is_that_of_the_report_else_the_default(
    knowledge: Knowledge, code: str, value: str, upper: str, times: str, expected: str
) -> None:
    value_set, source = SETS[code]
    criterion = ObservationCriterion((value_set,), above_upper_limit=times, within=Window(90))

    reading = observation(code, value, "2026-01-20", upper=upper, source=source)
    assert expected == answer(found(knowledge, criterion, record(reading)))


def test_a_multiple_of_a_limit_that_nobody_knows_is_unknown(knowledge: Knowledge) -> None:
    criterion = ObservationCriterion(("albumin",), above_upper_limit="1", within=Window(90))

    reading = observation(ALBUMIN, "4 g/dL", "2026-01-20", source=Source.LABORATORY)
    assert answer(found(knowledge, criterion, record(reading))) == "unknown"
