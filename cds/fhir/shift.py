"""Move every date of FHIR JSON by whole days: the fixtures are written for one day and loaded as of another.

Pure: JSON in, JSON out. Only full dates move; ``2021`` and ``2021-03`` say no day and stay as they are.
"""

import re
from datetime import date, timedelta
from typing import Any, TypeVar

_T = TypeVar("_T")

AS_OF = date(2026, 2, 1)
"""The day for which the dates of fhir_fixtures/ are written."""

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T.+)?")
_MEMBERS = frozenset({
    "abatementDateTime", "assertedDate", "authoredOn", "birthDate", "date", "dateAsserted", "deceasedDateTime",
    "effectiveDateTime", "effectiveInstant", "end", "issued", "lastUpdated", "occurrenceDateTime", "onsetDateTime",
    "performedDateTime", "recorded", "recordedDate", "start", "timestamp", "valueDate", "valueDateTime",
    "whenHandedOver", "whenPrepared",
})  # fmt: skip


def shifted(resource: _T, days: int) -> _T:
    """Return a copy of JSON in which every full date in a date-typed member lies `days` later.

    The time of day and its offset stay, and so do ages: the birth date moves as well. Text and ids are not touched.

    >>> shifted({"onsetDateTime": "2026-02-01T09:00:00Z", "recordedDate": "2026-02", "id": "2026-02-01"}, 2)
    {'onsetDateTime': '2026-02-03T09:00:00Z', 'recordedDate': '2026-02', 'id': '2026-02-01'}

    Raises:
        ValueError: if a member that holds a date holds a day that does not exist.
    """
    moved: _T = _moved(resource, timedelta(days=days))
    return moved


def as_of(resource: _T, today: date) -> _T:
    """Return a copy of a fixture with its dates moved from the day it is written for to `today`."""
    return shifted(resource, (today - AS_OF).days)


def _moved(value: Any, by: timedelta) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_moved(item, by) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _later(item, by) if name in _MEMBERS and isinstance(item, str) else _moved(item, by)
        for name, item in value.items()
    }


def _later(text: str, by: timedelta) -> str:
    match = _DATE.fullmatch(text)
    return (date.fromisoformat(match[1]) + by).isoformat() + (match[2] or "") if match else text
