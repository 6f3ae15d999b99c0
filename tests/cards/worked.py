"""The patients of the worked cases: the context that they share, and what each case says beyond it."""

from collections.abc import Mapping
from datetime import date, timedelta

from tests.cards.case_language import GivenLine, Situation, WorkedCaseText, default_lines, situation_of

TODAY = date(2026, 2, 1)
_PREGNANCY_TESTS = ("loinc|2106-3", "loinc|2118-8", "loinc|2110-5", "loinc|19080-1", "loinc|21198-7")


def situation_of_worked(case: WorkedCaseText, systems: Mapping[str, str]) -> Situation:
    """Return the patient, order and moment of a worked case.

    A blood pressure or pregnancy test of the case stands instead of that of the shared context.
    """
    today = date.fromisoformat(case.today) if case.today else TODAY
    said = {_kind(line) for line in case.given} | set(case.without)
    shared = [line for kind, line in _context(today) if kind not in said]
    pain = _complex_regional_pain(today) if case.base == "ctx+crps" else []
    return situation_of((*shared, *pain, *case.given), case.order, today, systems)


def _kind(line: GivenLine) -> str:
    if line.observation and line.observation.startswith(_PREGNANCY_TESTS):
        return "pregnancy_test"
    return "blood_pressure" if line.blood_pressure else ""


def _context(today: date) -> list[tuple[str, GivenLine]]:
    """Return an adult who is not pregnant, with a normal blood pressure and a known weight."""
    test = f"loinc|2106-3 = snomed|260385009 on {today - timedelta(days=5)}"
    return [
        ("blood_pressure", GivenLine(blood_pressure=f"124/78 on {today}")),
        ("pregnancy_test", GivenLine(observation=test)),
        *(("weight", line) for line in default_lines(today)),
    ]


def _complex_regional_pain(today: date) -> list[GivenLine]:
    """Return complex regional pain syndrome of the right arm, with two classes of drugs tried."""
    tried = f"completed authored {today - timedelta(days=600)} days 90"
    return [
        GivenLine(condition=f"icd10cm|G90.511 active recorded {today - timedelta(days=700)}"),
        GivenLine(medication=f'rxnorm|25480 "gabapentin" {tried}'),
        GivenLine(medication=f'rxnorm|72625 "duloxetine" {tried}'),
    ]
