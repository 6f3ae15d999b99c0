"""D-AGE: the patient's age on the day of the call, and what a partial or missing birth date allows."""

from datetime import UTC, datetime

import pytest

from cds.engine.logic import Verdict
from cds.engine.render import render
from cds.engine.rules import Knowledge, PatientCriterion
from tests.engine.ask import answer, assessed, found, hook
from tests.engine.build import patient, record

UNDER_18, FROM_18 = PatientCriterion(age_below=18), PatientCriterion(age_at_least=18)


@pytest.mark.parametrize(
    ("birth", "under", "adult"),
    [
        pytest.param("2008-02-01", "not-found", "critical", id="18 today is adult"),
        pytest.param("2008-02-02", "critical", "not-found", id="18 tomorrow is not"),
        pytest.param("2008-01-31", "not-found", "critical", id="18 yesterday"),
        pytest.param("2010-06-01", "critical", "not-found", id="15"),
        pytest.param("1981-02-01", "not-found", "critical", id="45"),
        pytest.param("2009", "critical", "not-found", id="the whole year is under 18"),
        pytest.param("2008", "not-found", "critical", id="a year that may be 18"),
        pytest.param("2008-02", "not-found", "critical", id="a month that may be 18"),
        pytest.param("2008-03", "critical", "not-found", id="a month that is wholly under 18"),
        pytest.param("2007", "not-found", "critical", id="the whole year is 18"),
        pytest.param("", "unknown", "unknown", id="no birth date"),
    ],
)
def test_under_18_is_said_only_if_it_is_sure(knowledge: Knowledge, birth: str, under: str, adult: str) -> None:
    facts = record(patient(birth))

    assert (under, adult) == (answer(found(knowledge, UNDER_18, facts)), answer(found(knowledge, FROM_18, facts)))


@pytest.mark.parametrize(
    ("day", "expected"),
    [(datetime(2026, 2, 28, 12, tzinfo=UTC), "critical"), (datetime(2026, 3, 1, 12, tzinfo=UTC), "not-found")],
)
def test_who_was_born_on_a_leap_day_is_18_on_the_first_of_march(
    knowledge: Knowledge, day: datetime, expected: str
) -> None:
    assert expected == answer(found(knowledge, UNDER_18, record(patient("2008-02-29")), at=day))


def test_a_birthday_begins_in_the_clients_time_zone(knowledge: Knowledge) -> None:
    evening = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    facts = record(patient("2008-02-01"))

    assert answer(found(knowledge, UNDER_18, facts, at=evening)) == "critical"
    assert answer(found(knowledge, UNDER_18, facts, context=hook(zone="Europe/Zurich"), at=evening)) == "not-found"


def test_a_missing_birth_date_is_named_as_a_gap(knowledge: Knowledge) -> None:
    finding = found(knowledge, UNDER_18, record(patient("")))

    assert ["the patient's sex or date of birth is not known"] == [gap.reason for gap in finding.missing]


@pytest.mark.parametrize(("sex", "expected"), [("female", "critical"), ("male", "not-found"), ("", "unknown")])
def test_sex_is_asked_of_the_patient(knowledge: Knowledge, sex: str, expected: str) -> None:
    assert expected == answer(found(knowledge, PatientCriterion(sex="female"), record(patient(sex=sex))))


def test_for_a_deceased_patient_the_findings_stand_and_no_card_is_shown(knowledge: Knowledge) -> None:
    dead = assessed(knowledge, record(patient(deceased=True)))

    present = [one for one in dead.findings if one.verdict is Verdict.PRESENT]
    assert present
    assert {"the patient is recorded as deceased"} == {one.withheld for one in present}
    assert render(knowledge, [dead]) == ()
