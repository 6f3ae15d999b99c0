"""D-TIME: look-back windows to the day, in the client's time zone, with partial and future dates."""

from datetime import UTC, datetime

import pytest

from cds.engine.dates import Span, Window
from cds.engine.facts import HookContext, Observation
from cds.engine.logic import Verdict
from cds.engine.rules import ConditionCriterion, Dating, Knowledge, ObservationCriterion
from tests.engine.ask import answer, found, hook
from tests.engine.build import EYE_PRESSURE_RIGHT, PSYCHOSIS, ago, condition, observation, quantity, record


def pressure(within: Window | None) -> ObservationCriterion:
    """Return the question for an eye pressure above 21 in a window, silent where there is none."""
    return ObservationCriterion(
        ("intraocular_pressure",), above=quantity("21 mm[Hg]"), within=within, if_missing=Verdict.NOT_FOUND
    )


def high(when: str) -> Observation:
    """Return a high eye pressure of this date."""
    return observation(EYE_PRESSURE_RIGHT, "34 mm[Hg]", when)


@pytest.mark.parametrize(
    ("window", "when", "expected"),
    [
        (Window(180), ago(180), "critical"),
        (Window(180), ago(181), "not-found"),
        (Window(30), "2026-01-02", "critical"),
        (Window(30), "2026-01-01", "not-found"),
        (Window(6, Span.MONTHS), "2025-08-01", "critical"),
        (Window(6, Span.MONTHS), "2025-07-31", "not-found"),
        (Window(24, Span.MONTHS), "2024-02-01", "critical"),
        (Window(24, Span.MONTHS), "2024-01-31", "not-found"),
        (Window(5, Span.YEARS), "2021-02-01", "critical"),
        (Window(5, Span.YEARS), "2021-01-31", "not-found"),
        (None, "1990", "critical"),
    ],
)
def test_a_window_includes_its_last_day_and_not_one_more(
    knowledge: Knowledge, window: Window | None, when: str, expected: str
) -> None:
    assert expected == answer(found(knowledge, pressure(window), record(high(when))))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        pytest.param("2026-02", "critical", id="wholly inside"),
        pytest.param("2026-01", "unknown", id="straddling"),
        pytest.param("2026", "unknown", id="straddling, a year"),
        pytest.param("2025-12", "not-found", id="wholly outside"),
        pytest.param("2025", "not-found", id="wholly outside, a year"),
    ],
)
def test_a_partial_date_that_straddles_the_edge_is_unknown(knowledge: Knowledge, when: str, expected: str) -> None:
    assert expected == answer(found(knowledge, pressure(Window(30)), record(high(when))))


@pytest.mark.parametrize(
    ("when", "expected"),
    [("2026-02-01", "critical"), ("2026-02-02", "critical"), ("2026-02-03", "not-found"), ("2062-01-01", "not-found")],
)
def test_a_date_more_than_a_day_ahead_is_not_used(knowledge: Knowledge, when: str, expected: str) -> None:
    assert expected == answer(found(knowledge, pressure(Window(30)), record(high(when))))


@pytest.mark.parametrize(
    ("zone", "at", "when", "expected"),
    [
        pytest.param("UTC", datetime(2026, 2, 1, 23, 30, tzinfo=UTC), "2026-01-02", "critical", id="UTC: 30 days"),
        pytest.param(
            "Pacific/Auckland",
            datetime(2026, 2, 1, 23, 30, tzinfo=UTC),
            "2026-01-02",
            "not-found",
            id="Auckland: 31 days",
        ),
        pytest.param("UTC", datetime(2026, 2, 1, 0, 30, tzinfo=UTC), "2026-01-01", "not-found", id="UTC: 31 days"),
        pytest.param(
            "America/Los_Angeles", datetime(2026, 2, 1, 0, 30, tzinfo=UTC), "2026-01-01", "critical", id="LA: 30 days"
        ),
    ],
)
def test_today_is_the_day_of_the_clients_time_zone(
    knowledge: Knowledge, zone: str, at: datetime, when: str, expected: str
) -> None:
    finding = found(knowledge, pressure(Window(30)), record(high(when)), context=hook(zone=zone), at=at)

    assert expected == answer(finding)


def test_the_time_zone_is_utc_unless_the_client_has_another() -> None:
    assert HookContext("order-select", "amara").time_zone == "UTC"


@pytest.mark.parametrize(
    ("when", "dating", "inside", "outside"),
    [
        pytest.param(ago(28), Dating.UNKNOWN, "critical", "not-found", id="28 days"),
        pytest.param(ago(29), Dating.UNKNOWN, "not-found", "critical", id="29 days"),
        pytest.param("2026-01", Dating.UNKNOWN, "unknown", "unknown", id="straddling"),
        pytest.param("", Dating.UNKNOWN, "unknown", "unknown", id="undated"),
        pytest.param("", Dating.INSIDE, "critical", "critical", id="undated counts"),
        pytest.param("", Dating.OUTSIDE, "not-found", "not-found", id="undated does not count"),
        pytest.param("", Dating.ONLY, "critical", "critical", id="only the undated"),
        pytest.param(ago(3), Dating.ONLY, "not-found", "not-found", id="only the undated, not this one"),
    ],
)
def test_a_diagnosis_is_younger_or_older_than_its_window(
    knowledge: Knowledge, when: str, dating: Dating, inside: str, outside: str
) -> None:
    younger = ConditionCriterion(("psychosis_active",), within=Window(28), undated=dating)
    older = ConditionCriterion(("psychosis_active",), older_than=Window(28), undated=dating)
    facts = record(condition(PSYCHOSIS, onset=when))

    assert (inside, outside) == (answer(found(knowledge, younger, facts)), answer(found(knowledge, older, facts)))


def test_a_date_that_is_not_known_well_enough_is_named(knowledge: Knowledge) -> None:
    criterion = ConditionCriterion(("psychosis_active",), within=Window(28))

    finding = found(knowledge, criterion, record(condition(PSYCHOSIS, onset="2026-01", display="Psychosis")))

    assert ["Condition/c1"] == [one.reference for one in finding.missing]
    assert "its date is not known well enough" in finding.missing[0].reason


@pytest.mark.parametrize(
    ("onset", "recorded", "by_recorded", "expected"),
    [
        ("2015", ago(10), False, "not-found"),
        ("2015", ago(10), True, "critical"),
        (ago(10), "2015", True, "not-found"),
        (ago(10), "", True, "critical"),
    ],
)
def test_a_window_counts_from_onset_unless_the_rule_asks_for_the_day_of_recording(
    knowledge: Knowledge, onset: str, recorded: str, by_recorded: bool, expected: str
) -> None:
    criterion = ConditionCriterion(("psychosis_active",), within=Window(28), by_recorded=by_recorded)

    assert expected == answer(found(knowledge, criterion, record(condition(PSYCHOSIS, onset=onset, recorded=recorded))))
