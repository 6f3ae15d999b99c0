"""Dates as FHIR writes them: a partial date is an interval of days, and a window is asked in three values.

Source: clinical/rules.md D-TIME. Calendar arithmetic only; every window length belongs to cards/.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from cds.engine.logic import Verdict

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T.*)?)?)?")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A span of whole days, both ends included; `instant` is kept where the time of day is known.

    >>> str(Interval(date(2026, 2, 1), date(2026, 2, 28)))
    '2026-02'
    """

    start: date
    end: date
    instant: str = ""

    def __str__(self) -> str:
        """Return the date as precisely as it is known."""
        if self.start == self.end:
            return self.start.isoformat()
        if (self.start.day, self.end.month) == (1, self.start.month) and _month_end(self.start) == self.end:
            return f"{self.start:%Y-%m}"
        if (self.start.month, self.start.day, self.end.month, self.end.day) == (1, 1, 12, 31):
            return str(self.start.year) if self.start.year == self.end.year else f"{self.start.year}/{self.end.year}"
        return f"{self.start.isoformat()}/{self.end.isoformat()}"


class Span(StrEnum):
    """The calendar unit of a window."""

    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True, slots=True)
class Window:
    """A look-back such as 30 days or 24 months, in calendar units."""

    count: int
    span: Span = Span.DAYS

    def __str__(self) -> str:
        """Return for example ``30 days``."""
        return f"{self.count} {self.span.value if self.count != 1 else self.span.value[:-1]}"

    def first_day(self, today: date) -> date:
        """Return the earliest day that is still inside the window that ends today.

        >>> Window(1, Span.MONTHS).first_day(date(2026, 3, 31)).isoformat()
        '2026-02-28'
        """
        if self.span is Span.DAYS:
            return today - timedelta(days=self.count)
        months = self.count * (12 if self.span is Span.YEARS else 1)
        year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
        return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def parse_interval(text: str, zone: tzinfo) -> Interval | None:
    """Return the days that a FHIR date, dateTime or instant covers, in the client's time zone.

    Returns None when the text is no FHIR date. A dateTime without an offset is taken as local.
    """
    match = _PARTIAL.fullmatch(text.strip())
    if not match:
        return None
    year, month, day, clock = match.groups()
    try:
        if clock:
            return _from_instant(text.strip(), zone)
        if day:
            exact = date(int(year), int(month), int(day))
            return Interval(exact, exact)
        if month:
            first = date(int(year), int(month), 1)
            return Interval(first, _month_end(first))
        return Interval(date(int(year), 1, 1), date(int(year), 12, 31))
    except (ValueError, OverflowError):
        return None


def within(interval: Interval | None, window: Window, today: date) -> Verdict:
    """Say whether a date lies in the window that ends today; a straddling or missing date is unknown.

    >>> within(Interval(date(2026, 1, 2), date(2026, 1, 2)), Window(30), date(2026, 2, 1)).value
    'present'
    >>> within(Interval(date(2026, 1, 1), date(2026, 1, 31)), Window(15), date(2026, 2, 1)).value
    'unknown'
    """
    if interval is None:
        return Verdict.UNKNOWN
    first = window.first_day(today)
    if interval.end < first or is_future(interval, today):
        return Verdict.NOT_FOUND
    return Verdict.PRESENT if interval.start >= first else Verdict.UNKNOWN


def is_future(interval: Interval, today: date) -> bool:
    """Say whether a date lies more than one day ahead: an error in the data, not to be used."""
    return interval.start > today + timedelta(days=1)


def _from_instant(text: str, zone: tzinfo) -> Interval:
    moment = datetime.fromisoformat(text)
    local = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    return Interval(local.date(), local.date(), local.isoformat())


def _month_end(first: date) -> date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])
