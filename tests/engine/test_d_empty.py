"""D-EMPTY, as far as facts say it: what was read and is empty, what was not read, and how far a cut list reaches."""

import pytest

from cds.engine.dates import Window
from cds.engine.facts import Gap, GapScope, PatientFacts, Source
from cds.engine.logic import Verdict
from cds.engine.rules import (
    AllergyCriterion,
    BloodPressureCriterion,
    ConditionCriterion,
    Criterion,
    GapCriterion,
    Knowledge,
    MedicationCriterion,
    ObservationCriterion,
    ProcedureCriterion,
    Use,
)
from tests.engine.ask import answer, found
from tests.engine.build import (
    EYE_PRESSURE_LEFT,
    EYE_PRESSURE_RIGHT,
    PSYCHOSIS,
    Record,
    ago,
    blood_pressure,
    coding,
    condition,
    gap,
    observation,
    quantity,
    record,
)

LIMIT = (quantity("180 mm[Hg]"), quantity("100 mm[Hg]"))
QUESTIONS: dict[str, tuple[Source, Criterion]] = {
    "conditions": (Source.CONDITIONS, ConditionCriterion(("psychosis_active",))),
    "allergies": (Source.ALLERGIES, AllergyCriterion(("ketamine_allergen",))),
    "medications": (Source.MEDICATIONS, MedicationCriterion(("theophylline",))),
    "statements": (Source.STATEMENTS, MedicationCriterion(("theophylline",))),
    "procedures": (Source.PROCEDURES, ProcedureCriterion(words=("shunt",))),
    "blood pressure": (
        Source.BLOOD_PRESSURE,
        BloodPressureCriterion(above=LIMIT, within=Window(30), if_missing=Verdict.NOT_FOUND),
    ),
    "laboratory": (
        Source.LABORATORY,
        ObservationCriterion(("alt",), above_upper_limit="3", within=Window(90), if_missing=Verdict.NOT_FOUND),
    ),
    "drug screens": (
        Source.DRUG_SCREENS,
        ObservationCriterion(("urine_amphetamine",), result=("result_positive",), if_missing=Verdict.NOT_FOUND),
    ),
    "measurements": (
        Source.MEASUREMENTS,
        ObservationCriterion(("intraocular_pressure",), above=LIMIT[0], if_missing=Verdict.NOT_FOUND),
    ),
}


@pytest.mark.parametrize(("source", "criterion"), QUESTIONS.values(), ids=QUESTIONS)
def test_an_empty_source_is_data_and_an_unread_one_is_unknown(
    knowledge: Knowledge, source: Source, criterion: Criterion
) -> None:
    assert answer(found(knowledge, criterion, record())) == "not-found"
    assert answer(found(knowledge, criterion, record(gap(source)))) == "unknown"


@pytest.mark.parametrize(("source", "criterion"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_gap_elsewhere_changes_nothing(knowledge: Knowledge, source: Source, criterion: Criterion) -> None:
    others = {Source.PATIENT, Source.ENCOUNTER, Source.DISPENSES}
    assert source not in others

    assert answer(found(knowledge, criterion, record(*map(gap, others)))) == "not-found"


@pytest.mark.parametrize(("source", "criterion"), QUESTIONS.values(), ids=QUESTIONS)
def test_the_reason_why_it_is_unknown_is_kept(knowledge: Knowledge, source: Source, criterion: Criterion) -> None:
    finding = found(knowledge, criterion, record(gap(source)))

    assert [(source, "HTTP 403")] == [(one.source, one.reason) for one in finding.missing]


# A list that is sorted newest first and cut off: everything after the day it reaches back to was read


def eyes(*pressures: tuple[str, str, str], back_to: str = "") -> PatientFacts:
    """Return eye pressures (code, value, date) in measurements that reach back to a day."""
    readings = (
        observation(code, f"{value} mm[Hg]", when, name=f"o{number}")
        for number, (code, value, when) in enumerate(pressures)
    )
    return record(*readings, back_to={Source.MEASUREMENTS: back_to} if back_to else {})


HALF_A_YEAR = Window(180)


def high(use: Use, within: Window | None = HALF_A_YEAR) -> ObservationCriterion:
    """Return the question for a high eye pressure."""
    return ObservationCriterion(
        ("intraocular_pressure",), above=quantity("21 mm[Hg]"), within=within, use=use, if_missing=Verdict.NOT_FOUND
    )


@pytest.mark.parametrize(
    ("back_to", "within", "expected"),
    [
        pytest.param(ago(181), Window(180), "not-found", id="reaches back over the whole window"),
        pytest.param(ago(180), Window(180), "unknown", id="reaches into the first day of the window only"),
        pytest.param(ago(20), Window(180), "unknown", id="reaches back 20 days of 180"),
        pytest.param("2020-01-01", None, "unknown", id="no window: any reading of any time"),
        pytest.param("2025-08", Window(180), "unknown", id="reaches back to a month on the edge"),
        pytest.param("2025-07", Window(180), "not-found", id="reaches back to a month before the window"),
    ],
)
@pytest.mark.parametrize("use", [Use.LATEST, Use.LATEST_PER_CODE, Use.ANY])
def test_a_cut_list_proves_silence_only_if_it_reaches_over_the_whole_window(
    knowledge: Knowledge, use: Use, back_to: str, within: Window | None, expected: str
) -> None:
    assert expected == answer(found(knowledge, high(use, within), eyes(back_to=back_to)))


@pytest.mark.parametrize(
    ("use", "pressures", "expected"),
    [
        pytest.param(Use.LATEST, [(EYE_PRESSURE_RIGHT, "34", ago(10))], "critical", id="the latest is high"),
        pytest.param(Use.LATEST, [(EYE_PRESSURE_RIGHT, "18", ago(10))], "not-found", id="the latest is normal"),
        pytest.param(Use.LATEST, [(EYE_PRESSURE_RIGHT, "34", ago(20))], "unknown", id="on the day where the list ends"),
        pytest.param(Use.ANY, [(EYE_PRESSURE_RIGHT, "34", ago(10))], "critical", id="any high reading is enough"),
        pytest.param(Use.ANY, [(EYE_PRESSURE_RIGHT, "18", ago(10))], "unknown", id="an older one may be high"),
        pytest.param(
            Use.LATEST_PER_CODE, [(EYE_PRESSURE_RIGHT, "18", ago(10))], "unknown", id="the other eye may be high"
        ),
        pytest.param(
            Use.LATEST_PER_CODE,
            [(EYE_PRESSURE_RIGHT, "18", ago(10)), (EYE_PRESSURE_LEFT, "19", ago(11))],
            "unknown",
            id="both eyes normal, by codes that are known",
        ),
    ],
)
def test_what_a_cut_list_shows_counts_as_far_as_nothing_newer_can_be_missing(
    knowledge: Knowledge, use: Use, pressures: list[tuple[str, str, str]], expected: str
) -> None:
    """With both eyes normal it could be known; unknown is the careful answer, never not found for one eye alone."""
    finding = found(knowledge, high(use), eyes(*pressures, back_to=ago(20)))

    allowed = {expected, "not-found"} if len(pressures) == 2 else {expected}
    assert answer(finding) in allowed


@pytest.mark.parametrize(
    ("days", "back_to", "of_last", "expected"),
    [
        pytest.param([1], ago(20), None, "critical", id="the latest day is newer than the cut"),
        pytest.param([20], ago(20), None, "unknown", id="the latest day is the day of the cut"),
        pytest.param([1, 5], ago(20), (2, 2), "critical", id="the two latest days are newer than the cut"),
        pytest.param([1], ago(20), (2, 2), "unknown", id="a second day may lie behind the cut"),
        pytest.param([1], ago(31), (2, 2), "not-found", id="the window was read whole"),
    ],
)
def test_the_last_days_with_a_blood_pressure_are_known_if_they_are_newer_than_the_cut(
    knowledge: Knowledge, days: list[int], back_to: str, of_last: tuple[int, int] | None, expected: str
) -> None:
    criterion = BloodPressureCriterion(above=LIMIT, within=Window(30), of_last=of_last, if_missing=Verdict.NOT_FOUND)
    readings = [blood_pressure("186", "96", ago(one), name=str(one)) for one in days]

    facts = record(*readings, back_to={Source.BLOOD_PRESSURE: back_to})
    assert expected == answer(found(knowledge, criterion, facts))


# The gap card's own question


ENTRY = Gap(Source.CONDITIONS, GapScope.ENTRY, "not readable", "Condition/9")


@pytest.mark.parametrize(
    ("facts", "whole", "parts"),
    [
        pytest.param((), "not-found", "not-found", id="everything was read"),
        pytest.param((gap(Source.CONDITIONS),), "critical", "not-found", id="a whole source"),
        pytest.param((gap(Source.ENCOUNTER),), "not-found", "not-found", id="a source that is not asked for"),
        pytest.param((ENTRY,), "not-found", "critical", id="an entry whose code is not known"),
        pytest.param((gap(Source.CONDITIONS, PSYCHOSIS),), "not-found", "critical", id="an entry that could matter"),
        pytest.param((gap(Source.CONDITIONS, "icd10cm|Z00.0"),), "not-found", "not-found", id="an entry that cannot"),
    ],
)
def test_gaps_are_present_where_they_could_change_a_verdict(
    knowledge: Knowledge, facts: tuple[Record, ...], whole: str, parts: str
) -> None:
    required = (Source.CONDITIONS, Source.ALLERGIES, Source.MEDICATIONS)
    answers = [answer(found(knowledge, GapCriterion(required, one), record(*facts))) for one in (True, False)]

    assert [whole, parts] == answers


def test_source_gaps_are_those_of_a_whole_source() -> None:
    facts = record(gap(Source.CONDITIONS), gap(Source.CONDITIONS, PSYCHOSIS), gap(Source.ALLERGIES))

    assert (gap(Source.CONDITIONS),) == facts.source_gaps(Source.CONDITIONS)


def test_a_gap_names_the_code_that_could_be_seen() -> None:
    assert gap(Source.CONDITIONS, PSYCHOSIS).codings == (coding(PSYCHOSIS),)


def test_a_diagnosis_that_may_be_ended_elsewhere_is_unknown_where_that_was_not_read(knowledge: Knowledge) -> None:
    """Not from not found to present: a pregnancy whose end could not be looked up is not known to last."""
    ended = ConditionCriterion(("pregnancy",), ended_by=("delivery_postpartum", "pregnancy_ended"))
    pregnant = condition("icd10cm|Z34.02", onset=ago(100))

    assert answer(found(knowledge, ended, record(pregnant))) == "critical"
    assert answer(found(knowledge, ended, record(pregnant, gap(Source.PROCEDURES)))) == "unknown"
    assert answer(found(knowledge, ended, record(pregnant, condition("icd10cm|O80", name="c2", onset=ago(10))))) == (
        "not-found"
    )
