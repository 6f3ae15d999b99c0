"""Three-valued logic: a question about a record is answered present, not found or unknown.

"Not found" is never "absent", and what could not be read is never "not found".
"""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """The answer to one question about one patient."""

    PRESENT = "present"
    NOT_FOUND = "not-found"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return present if one is present, else unknown if one is unknown, else not found.

    >>> any_of([Verdict.UNKNOWN, Verdict.PRESENT]).value
    'present'
    >>> any_of([Verdict.UNKNOWN, Verdict.NOT_FOUND]).value
    'unknown'
    >>> any_of([]).value
    'not-found'
    """
    seen = set(verdicts)
    if Verdict.PRESENT in seen:
        return Verdict.PRESENT
    return Verdict.UNKNOWN if Verdict.UNKNOWN in seen else Verdict.NOT_FOUND


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return not found if one is not found, else unknown if one is unknown, else present.

    >>> all_of([Verdict.UNKNOWN, Verdict.NOT_FOUND]).value
    'not-found'
    >>> all_of([Verdict.UNKNOWN, Verdict.PRESENT]).value
    'unknown'
    """
    seen = set(verdicts)
    if Verdict.NOT_FOUND in seen:
        return Verdict.NOT_FOUND
    return Verdict.UNKNOWN if Verdict.UNKNOWN in seen else Verdict.PRESENT


def not_(verdict: Verdict) -> Verdict:
    """Return the opposite; what is unknown stays unknown.

    >>> not_(Verdict.UNKNOWN).value
    'unknown'
    """
    opposite = {Verdict.PRESENT: Verdict.NOT_FOUND, Verdict.NOT_FOUND: Verdict.PRESENT}
    return opposite.get(verdict, verdict)
