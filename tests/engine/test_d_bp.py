"""D-BP: blood pressure as a pair, strictly above either limit, from a panel or from two single readings."""

from itertools import permutations

import pytest

from cds.engine.dates import Window
from cds.engine.facts import Observation, Source
from cds.engine.logic import Verdict
from cds.engine.rules import BloodPressureCriterion, Knowledge
from cds.engine.units import Quantity
from tests.engine.ask import answer, found, remarks
from tests.engine.build import DIASTOLIC, SYSTOLIC, ago, blood_pressure, gap, observation, quantity, record


def limit(text: str) -> tuple[Quantity, Quantity]:
    """Return ``180/100`` as a pair in mm[Hg]."""
    systolic, diastolic = text.split("/")
    return quantity(f"{systolic} mm[Hg]"), quantity(f"{diastolic} mm[Hg]")


def above(
    text: str = "180/100",
    within: int = 30,
    of_last: tuple[int, int] | None = None,
    if_missing: Verdict = Verdict.UNKNOWN,
) -> BloodPressureCriterion:
    """Return the question for a blood pressure above a limit."""
    return BloodPressureCriterion(
        above=limit(text),
        within=Window(within),
        of_last=of_last,
        if_missing=if_missing,
    )


def at_most(text: str = "140/90", within: int = 1) -> BloodPressureCriterion:
    """Return the question for a blood pressure at or below both limits."""
    return BloodPressureCriterion(at_most=limit(text), within=Window(within))


def half(code: str, value: str, when: str = "2026-02-01", **more: str) -> Observation:
    """Return one half as an Observation of its own."""
    return observation(code, f"{value} mm[Hg]", when, source=Source.BLOOD_PRESSURE, **{"name": code, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("systolic", "diastolic", "expected"),
    [
        pytest.param("180", "100", "not-found", id="exactly on both limits"),
        pytest.param("181", "100", "critical", id="systolic above"),
        pytest.param("180", "101", "critical", id="diastolic above"),
        pytest.param("181", "101", "critical", id="both above"),
        pytest.param("180.1", "60", "critical", id="a tenth above"),
        pytest.param("120", "80", "not-found", id="normal"),
        pytest.param("181", "", "critical", id="systolic alone, above"),
        pytest.param("180", "", "unknown", id="systolic alone, not above"),
        pytest.param("", "101", "critical", id="diastolic alone, above"),
        pytest.param("", "100", "unknown", id="diastolic alone, not above"),
        pytest.param("24.5 kPa", "12 kPa", "critical", id="in kPa (worked case 15)"),
        pytest.param("24.0 kPa", "13.3 kPa", "critical", id="in kPa, just above"),
        pytest.param("23.9 kPa", "13.3 kPa", "not-found", id="in kPa, just below"),
        pytest.param("> 180", "90", "critical", id="more than 180"),
        pytest.param("> 170", "90", "unknown", id="more than 170"),
        pytest.param("< 180", "90", "not-found", id="less than 180"),
        pytest.param("300", "90", "critical", id="the highest systolic that is believed"),
        pytest.param("301", "90", "unknown", id="a systolic that is not believed"),
        pytest.param("40", "20", "not-found", id="the lowest values that are believed"),
        pytest.param("39", "20", "unknown", id="a systolic too low to believe"),
        pytest.param("120", "19", "unknown", id="a diastolic too low to believe"),
        pytest.param("120", "200", "critical", id="the highest diastolic that is believed"),
        pytest.param("120", "201", "unknown", id="a diastolic too high to believe"),
        pytest.param("301", "101", "critical", id="the believed half is enough"),
        pytest.param("186 [psi]", "90", "unknown", id="a unit that cannot be converted"),
    ],
)
def test_above_means_systolic_or_diastolic_strictly(
    knowledge: Knowledge, systolic: str, diastolic: str, expected: str
) -> None:
    values = [value if " " in value[2:] else f"{value} mm[Hg]" if value else "" for value in (systolic, diastolic)]

    assert expected == answer(found(knowledge, above(), record(blood_pressure(*values))))


@pytest.mark.parametrize(
    ("systolic", "diastolic", "expected"),
    [
        ("140", "90", "critical"),
        ("141", "90", "not-found"),
        ("140", "91", "not-found"),
        ("141", "", "not-found"),
        ("140", "", "unknown"),
        ("", "91", "not-found"),
        ("", "90", "unknown"),
    ],
)
def test_at_most_needs_both_halves(knowledge: Knowledge, systolic: str, diastolic: str, expected: str) -> None:
    assert expected == answer(found(knowledge, at_most(), record(blood_pressure(systolic, diastolic))))


@pytest.mark.parametrize("panel", ["loinc|85354-9", "loinc|55284-4"])
def test_both_panels_are_blood_pressure(knowledge: Knowledge, panel: str) -> None:
    finding = found(knowledge, above(), record(blood_pressure("186", "96", panel=panel)))

    assert ("critical", "186/96 mm[Hg]") == (answer(finding), finding.evidence[0].value)


@pytest.mark.parametrize("when", ["2026-02-01", "2026-02-01T08:00:00Z"])
def test_two_single_readings_of_one_time_are_a_pair(knowledge: Knowledge, when: str) -> None:
    for halves in permutations([half(SYSTOLIC, "186", when), half(DIASTOLIC, "96", when)]):
        finding = found(knowledge, above(), record(*halves))

        assert ("critical", "186/96 mm[Hg]") == (answer(finding), finding.evidence[0].value)


def test_single_readings_of_different_times_are_no_pair(knowledge: Knowledge) -> None:
    """The later one is all that is known of its time."""
    halves = (half(SYSTOLIC, "120", "2026-02-01T08:00:00Z"), half(DIASTOLIC, "80", "2026-02-01T09:00:00Z"))

    finding = found(knowledge, above(), record(*halves))

    assert ("unknown", ["?/80 mm[Hg]"]) == (answer(finding), [one.value for one in finding.evidence])


def test_the_reading_is_shown_in_mm_hg(knowledge: Knowledge) -> None:
    finding = found(knowledge, above(), record(blood_pressure("24.5 kPa", "12 kPa")))

    assert finding.evidence[0].value == "183.77/90.01 mm[Hg]"


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param([("186", "96", ago(3)), ("124", "78", ago(1))], "not-found", id="the latest is normal"),
        pytest.param([("124", "78", ago(3)), ("186", "96", ago(1))], "critical", id="the latest is high"),
        pytest.param(
            [("186", "96", "2026-02-01T08:00:00Z"), ("124", "78", "2026-02-01T09:00:00Z")],
            "not-found",
            id="an hour later",
        ),
        pytest.param([("186", "96", ago(30))], "critical", id="30 days old"),
        pytest.param([("186", "96", ago(31))], "unknown", id="31 days old"),
        pytest.param([("186", "96", "2026-01")], "unknown", id="some day last month"),
        pytest.param([], "unknown", id="never measured"),
    ],
)
def test_the_latest_pair_of_the_window_counts(
    knowledge: Knowledge, readings: list[tuple[str, str, str]], expected: str
) -> None:
    facts = [blood_pressure(*one, name=str(number)) for number, one in enumerate(readings)]

    assert {expected} == {answer(found(knowledge, above(), record(*one))) for one in permutations(facts)}


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param(
            [("150", "80", ago(1)), ("150", "80", ago(5)), ("120", "80", ago(9))], "critical", id="2 of 3 days"
        ),
        pytest.param(
            [("120", "80", ago(1)), ("150", "80", ago(5)), ("150", "80", ago(9))], "critical", id="not the last"
        ),
        pytest.param(
            [("150", "80", ago(1)), ("120", "80", ago(5)), ("120", "80", ago(9))], "not-found", id="1 of 3 days"
        ),
        pytest.param(
            [("120", "80", ago(1)), ("120", "80", ago(5)), ("120", "80", ago(9)), ("150", "80", ago(10))],
            "not-found",
            id="older days are not looked at",
        ),
        pytest.param([("150", "80", ago(1)), ("150", "80", ago(5))], "critical", id="2 of 2 days with a reading"),
        pytest.param([("150", "80", ago(1))], "not-found", id="a single day"),
        pytest.param(
            [("150", "80", f"{ago(1)}T08:00:00Z"), ("150", "80", f"{ago(1)}T09:00:00Z")],
            "not-found",
            id="one day twice",
        ),
        pytest.param(
            [
                ("150", "80", f"{ago(1)}T08:00:00Z"),
                ("120", "80", f"{ago(1)}T09:00:00Z"),
                ("150", "80", ago(5)),
                ("120", "80", ago(9)),
            ],
            "not-found",
            id="the latest reading of a day counts",
        ),
        pytest.param([("150", "80", ago(90)), ("150", "80", ago(5))], "critical", id="90 days old"),
        pytest.param([("150", "80", ago(91)), ("150", "80", ago(5))], "not-found", id="91 days old"),
        pytest.param([("140", "90", ago(1)), ("140", "90", ago(5))], "not-found", id="exactly on the limit"),
    ],
)
def test_two_of_the_last_three_days_with_a_reading(
    knowledge: Knowledge, readings: list[tuple[str, str, str]], expected: str
) -> None:
    criterion = above("140/90", within=90, of_last=(2, 3), if_missing=Verdict.NOT_FOUND)
    facts = [blood_pressure(*one, name=str(number)) for number, one in enumerate(readings)]

    assert expected == answer(found(knowledge, criterion, record(*facts)))


@pytest.mark.parametrize("when", ["2026-02-01", "2026-02-01T08:00:00Z"])
def test_of_two_readings_of_one_time_the_worse_counts_and_is_marked(knowledge: Knowledge, when: str) -> None:
    readings = [blood_pressure("186", "90", when, name="a"), blood_pressure("124", "78", when, name="b")]

    for one in permutations(readings):
        finding = found(knowledge, above(), record(*one))
        assert ("critical", ("conflicting record",)) == (answer(finding), remarks(finding))


@pytest.mark.parametrize(
    ("status", "expected", "remarked"),
    [("preliminary", "critical", ("preliminary",)), ("entered-in-error", "unknown", ()), ("cancelled", "unknown", ())],
)
def test_a_blood_pressure_counts_by_its_status(
    knowledge: Knowledge, status: str, expected: str, remarked: tuple[str, ...]
) -> None:
    finding = found(knowledge, above(), record(blood_pressure("186", "96", status=status)))

    assert (expected, remarked) == (answer(finding), remarks(finding))


def test_a_value_that_is_not_believed_is_named_with_its_resource(knowledge: Knowledge) -> None:
    finding = found(knowledge, above(), record(blood_pressure("400", "90")))

    assert [("Observation/bp1", True)] == [(one.reference, "400" in one.reason) for one in finding.missing]


def test_blood_pressures_that_were_not_read_are_unknown(knowledge: Knowledge) -> None:
    silent = above(if_missing=Verdict.NOT_FOUND)

    assert answer(found(knowledge, silent, record())) == "not-found"
    assert answer(found(knowledge, silent, record(gap(Source.BLOOD_PRESSURE)))) == "unknown"
