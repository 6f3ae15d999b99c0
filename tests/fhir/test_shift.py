"""Fixtures are written for one day; they are loaded as of another without growing stale."""

from datetime import date

import pytest

from cds.fhir.shift import AS_OF, as_of, shifted


@pytest.mark.parametrize(
    ("member", "value", "later"),
    [
        ("effectiveDateTime", "2026-01-31T08:00:00Z", "2026-02-02T08:00:00Z"),
        ("effectiveDateTime", "2026-01-31T23:30:00.123-05:00", "2026-02-02T23:30:00.123-05:00"),
        ("birthDate", "1984-02-28", "1984-03-01"),
        ("start", "2025-12-31", "2026-01-02"),
        ("onsetDateTime", "2021-03", "2021-03"),
        ("onsetDateTime", "2021", "2021"),
        ("authoredOn", "", ""),
        ("id", "2026-01-31", "2026-01-31"),
        ("text", "since 2026-01-31", "since 2026-01-31"),
        ("value", 20260131, 20260131),
    ],
)
def test_full_dates_move_and_nothing_else(member: str, value: object, later: object) -> None:
    assert {"a": [{member: later}]} == shifted({"a": [{member: value}]}, 2)


def test_what_was_given_stays_as_it_was() -> None:
    given = {"period": {"start": "2026-01-31"}}

    shifted(given, 5)

    assert {"period": {"start": "2026-01-31"}} == given


def test_there_and_back_again_is_the_same() -> None:
    given = {"onsetDateTime": "2024-02-29", "note": [{"time": "2026-02-01"}]}

    assert given == shifted(shifted(given, 777), -777)


def test_a_fixture_is_moved_to_today() -> None:
    day_before = {"effectiveDateTime": "2026-01-31"}

    assert date(2026, 2, 1) == AS_OF
    assert {"effectiveDateTime": "2027-06-14"} == as_of(day_before, date(2027, 6, 15))


def test_a_day_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="day is out of range"):
        shifted({"recordedDate": "2026-02-30"}, 1)
