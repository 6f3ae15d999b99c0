"""Many tokens at the same moment: bad ones are no way around the limit, and good ones are never refused for it."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.running import Running, running, settings_in
from tests.trust.tokens import Ehr, registered_ehr

BAD = {"Authorization": "Bearer abc"}
MOST = 5
"""How many tokens of an address may fail in a minute."""


@contextmanager
def _production(ehr: Ehr) -> Iterator[Running]:
    with running(settings_in(ehr.folder, **ehr.production, failed_tokens_per_minute=MOST)) as service:
        yield service


def _at_once(service: Running, calls: Sequence[dict[str, str]]) -> Counter[int]:
    """Send calls with these headers at the same moment, each on a connection of its own; count their statuses."""

    async def send() -> Counter[int]:
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=service.client.base_url, limits=limits, timeout=60) as client:
            answers = await asyncio.gather(*(client.get("/cds-services", headers=headers) for headers in calls))
        return Counter(answer.status_code for answer in answers)

    return asyncio.run(send())


@pytest.fixture
def ehr(tmp_path: Path) -> Ehr:
    return registered_ehr(tmp_path)


def test_of_a_burst_of_bad_tokens_no_more_are_looked_at_than_may_fail(ehr: Ehr) -> None:
    with _production(ehr) as service:
        statuses = _at_once(service, [BAD] * 80)

    assert {401: MOST, 429: 80 - MOST} == statuses


def test_a_burst_of_good_tokens_is_answered_whole(ehr: Ehr) -> None:
    """More than may fail: a token counts when it has failed, not before."""
    with _production(ehr) as service:
        statuses = _at_once(service, [ehr.headers() for _ in range(40)])

    assert {200: 40} == statuses


def test_good_tokens_wait_for_bad_ones_of_their_address_and_are_answered(ehr: Ehr) -> None:
    """One bad token less than bars the address: the same EHR may have an old key in one of its servers."""
    calls = [BAD] * (MOST - 1) + [ehr.headers() for _ in range(30)]
    with _production(ehr) as service:
        statuses = _at_once(service, calls)

    assert {200: 30, 401: MOST - 1} == statuses
