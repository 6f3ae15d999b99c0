"""FHIR dates as spans of days, and the windows that are asked of them (rules.md D-TIME)."""

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.dates import Interval, Span, Window, is_future, parse_interval, within
from cds.engine.logic import Verdict
from tests.engine.ask import FEW

TODAY = date(2026, 2, 1)
ZURICH, AUCKLAND, LOS_ANGELES = ZoneInfo("Europe/Zurich"), ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Los_Angeles")
DAYS = st.dates(date(1901, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-02-01", date(2026, 2, 1), date(2026, 2, 1)),
        (" 2026-02-01 ", date(2026, 2, 1), date(2026, 2, 1)),
    ],
)
def test_a_partial_date_is_all_the_days_it_may_mean(text: str, start: date, end: date) -> None:
    assert Interval(start, end) == parse_interval(text, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13",
        "2026-02-30",
        "0000",
        "26-02-01",
        "2026-2-1",
        "01.02.2026",
        "2026-02-01T25:00:00Z",
        "2026-02-01Tnoon",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_fhir_date_is_no_date(text: str) -> None:
    assert parse_interval(text, LOS_ANGELES) is None or text.startswith("9999")
    assert parse_interval(text, AUCKLAND) is None


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        pytest.param("2026-01-31T23:30:00Z", UTC, date(2026, 1, 31), id="UTC in UTC"),
        pytest.param("2026-01-31T23:30:00Z", ZURICH, date(2026, 2, 1), id="late in UTC is the next day in Zurich"),
        pytest.param("2026-02-01T00:30:00+13:00", UTC, date(2026, 1, 31), id="early in Auckland is the day before"),
        pytest.param("2026-02-01T07:59:59Z", LOS_ANGELES, date(2026, 1, 31), id="last second of a day in Los Angeles"),
        pytest.param("2026-02-01T08:00:00Z", LOS_ANGELES, date(2026, 2, 1), id="first second of a day in Los Angeles"),
        pytest.param("2026-02-01T00:30:00", AUCKLAND, date(2026, 2, 1), id="without an offset it is local"),
        pytest.param("2026-01-31T23:30:00.123Z", ZURICH, date(2026, 2, 1), id="with parts of a second"),
    ],
)
def test_an_instant_lies_on_the_day_of_the_client_time_zone(text: str, zone: ZoneInfo, expected: date) -> None:
    found = parse_interval(text, zone)

    assert found is not None
    assert (expected, expected, True) == (found.start, found.end, bool(found.instant))


def test_the_same_moment_written_with_two_offsets_is_one_instant() -> None:
    assert parse_interval("2026-02-01T10:00:00Z", ZURICH) == parse_interval("2026-02-01T11:00:00+01:00", ZURICH)


@pytest.mark.parametrize(
    ("window", "first"),
    [
        pytest.param(Window(30), date(2026, 1, 2), id="30 days"),
        pytest.param(Window(0), date(2026, 2, 1), id="today"),
        pytest.param(Window(1), date(2026, 1, 31), id="today or yesterday"),
        pytest.param(Window(12, Span.MONTHS), date(2025, 2, 1), id="12 months"),
        pytest.param(Window(1, Span.MONTHS), date(2026, 1, 1), id="a month is a calendar month"),
        pytest.param(Window(24, Span.MONTHS), date(2024, 2, 1), id="24 months over a leap year"),
        pytest.param(Window(5, Span.YEARS), date(2021, 2, 1), id="5 years"),
        pytest.param(Window(365), date(2025, 2, 1), id="365 days"),
    ],
)
def test_the_first_day_of_a_window_is_inside_and_the_day_before_is_not(window: Window, first: date) -> None:
    """'N d' means at most N calendar days before the call; months and years are those of the calendar."""
    before = first - timedelta(days=1)

    assert first == window.first_day(TODAY)
    assert within(Interval(first, first), window, TODAY) is Verdict.PRESENT
    assert within(Interval(before, before), window, TODAY) is Verdict.NOT_FOUND


@pytest.mark.parametrize(
    ("today", "window", "first"),
    [
        (date(2026, 3, 31), Window(1, Span.MONTHS), date(2026, 2, 28)),
        (date(2024, 3, 31), Window(1, Span.MONTHS), date(2024, 2, 29)),
        (date(2024, 2, 29), Window(1, Span.YEARS), date(2023, 2, 28)),
        (date(2026, 1, 31), Window(2, Span.MONTHS), date(2025, 11, 30)),
        (date(2026, 1, 15), Window(13, Span.MONTHS), date(2024, 12, 15)),
    ],
)
def test_a_month_that_is_too_short_ends_on_its_last_day(today: date, window: Window, first: date) -> None:
    assert first == window.first_day(today)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-01-02", Verdict.PRESENT, id="the 30th day before"),
        pytest.param("2026-01-01", Verdict.NOT_FOUND, id="the 31st day before"),
        pytest.param("2026-02", Verdict.PRESENT, id="this month lies wholly inside"),
        pytest.param("2026-01", Verdict.UNKNOWN, id="a month with one day outside straddles the edge"),
        pytest.param("2025-12", Verdict.NOT_FOUND, id="a month wholly outside"),
        pytest.param("2026", Verdict.UNKNOWN, id="this year straddles the edge"),
        pytest.param("2025", Verdict.NOT_FOUND, id="last year lies wholly outside"),
        pytest.param("2026-02-02", Verdict.PRESENT, id="one day ahead is used: clocks and zones differ"),
        pytest.param("2026-02-03", Verdict.NOT_FOUND, id="two days ahead is an error in the data"),
        pytest.param("2026-03", Verdict.NOT_FOUND, id="a month that has not begun"),
    ],
)
def test_a_partial_date_is_inside_or_outside_only_if_all_its_days_are(text: str, expected: Verdict) -> None:
    assert expected is within(parse_interval(text, UTC), Window(30), TODAY)


def test_without_a_date_a_window_says_nothing() -> None:
    assert within(None, Window(30), TODAY) is Verdict.UNKNOWN


@pytest.mark.parametrize(("ahead", "expected"), [(0, False), (1, False), (2, True)])
def test_a_date_is_in_the_future_from_the_second_day_on(ahead: int, expected: bool) -> None:
    day = TODAY + timedelta(days=ahead)

    assert expected is is_future(Interval(day, day), TODAY)


@pytest.mark.parametrize("text", ["2026", "2026-02", "2024-02", "2026-02-01"])
def test_a_date_is_shown_as_precisely_as_it_is_known(text: str) -> None:
    assert text == str(parse_interval(text, UTC))


@pytest.mark.parametrize(
    ("window", "text"), [(Window(30), "30 days"), (Window(1), "1 day"), (Window(1, Span.YEARS), "1 year")]
)
def test_a_window_is_shown_in_words(window: Window, text: str) -> None:
    assert text == str(window)


@FEW
@given(DAYS, st.integers(0, 400), st.integers(-800, 1))
def test_a_day_is_inside_exactly_if_it_lies_at_most_so_many_days_back(today: date, count: int, offset: int) -> None:
    day = today + timedelta(days=offset)

    expected = Verdict.PRESENT if -offset <= count else Verdict.NOT_FOUND
    assert expected is within(Interval(day, day), Window(count), today)


@FEW
@given(DAYS, st.integers(1, 60), st.lists(DAYS, min_size=2, max_size=2))
def test_a_span_is_unknown_exactly_if_its_days_disagree(today: date, count: int, ends: list[date]) -> None:
    start, end = min(ends), min(max(ends), min(ends) + timedelta(days=90))
    days = [start + timedelta(days=one) for one in range((end - start).days + 1)]

    answers = {within(Interval(one, one), Window(count), today) for one in days if one <= today + timedelta(days=1)}
    if answers:
        expected = answers.pop() if len(answers) == 1 else Verdict.UNKNOWN
        assert expected is within(Interval(start, end), Window(count), today)


@FEW
@given(DAYS, st.sampled_from(list(Span)), st.integers(0, 30))
def test_a_longer_window_never_starts_later(today: date, span: Span, count: int) -> None:
    assert Window(count + 1, span).first_day(today) < Window(count, span).first_day(today)


@FEW
@given(st.text(max_size=30))
def test_no_text_makes_reading_a_date_fail(text: str) -> None:
    found = parse_interval(text, UTC)

    assert found is None or found.start <= found.end
