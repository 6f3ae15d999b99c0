"""What came of all cases of a fuzzing run, and what every single answer must be."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from tests.response_checker import discovery_violations, outcome_violations, response_violations

BARE = frozenset({401})
"""Answers that have no body on purpose."""


class Answer(Protocol):
    """An answer as any HTTP client brings it."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def content(self) -> bytes:
        """The body."""


_A = TypeVar("_A", bound=Answer)


def violations_of(response: Answer) -> list[str]:
    """Return what is wrong with an answer: a server error, or a body that is not as CDS Hooks or FHIR has it."""
    if response.status_code >= 500:
        return ["the service failed", response.content[:2000].decode(errors="replace")]
    if response.status_code in BARE:
        return [] if not response.content else ["it has a body"]
    try:
        answer = json.loads(response.content)
    except ValueError:
        return ["the body is not JSON"]
    if response.status_code != 200:
        return outcome_violations(answer)
    return discovery_violations(answer) if "services" in answer else response_violations(answer)


@dataclass
class Tally:
    """What came of all cases so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    with_cards: int = 0

    def send(self, call: Callable[[], _A], judge: Callable[[Answer], list[str]] = violations_of) -> _A:
        """Make a call, judge its answer, and count it."""
        started = time.monotonic()
        response = call()
        self.seconds.append(time.monotonic() - started)
        self.statuses[response.status_code] += 1
        violations = judge(response)
        assert [] == violations, f"{response.status_code}: {violations}"
        self.with_cards += bool(response.status_code == 200 and b'"uuid"' in response.content)
        return response

    @property
    def cases(self) -> int:
        """How many calls were made."""
        return self.statuses.total()

    def __str__(self) -> str:
        """Return all figures in one line."""
        ordered = sorted(self.seconds)
        quantiles = {name: ordered[int(share * (len(ordered) - 1))] for name, share in (("p50", 0.5), ("p99", 0.99))}
        times = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in (quantiles | {"max": ordered[-1]}).items())
        shares = f"{self.statuses[200] / self.cases:.0%} are 200, {self.with_cards / self.cases:.0%} have a card"
        return f"{self.cases} cases: {dict(sorted(self.statuses.items()))}; {shares}; {times}"
