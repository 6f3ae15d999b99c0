"""Keys that an EHR publishes: fetched from the registered address alone, seldom, and within bounds."""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from cds.ehr.keypair import make_key_pair
from cds.errors import TrustError
from cds.network.rules import NetworkRules
from cds.trust.published import PublishedKeys
from tests.trust.forging import jwk
from tests.trust.open_gatekeepers import gatekeeper
from tests.trust.published_keys import KeyServer, key_server
from tests.trust.tokens import Ehr, registered_ehr


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server() as server:
        yield server


@pytest.fixture
def ehr(server: KeyServer, tmp_path: Path) -> Ehr:
    """An EHR whose keys are at its registered address alone."""
    ehr = registered_ehr(tmp_path, jwks=None, jwks_url=server.url)
    server.keys = [ehr.identity.keys.public_jwk]
    return ehr


@pytest.mark.requirement(66, 67)
def test_a_key_is_fetched_from_the_registered_address_once(ehr: Ehr, server: KeyServer) -> None:
    """Also when many calls come at once."""

    async def call() -> list[str]:
        async with gatekeeper(ehr.folder) as watched:
            return await asyncio.gather(*(watched.answer(ehr.headers()["Authorization"]) for _ in range(20)))

    assert ["test-ehr"] * 20 == asyncio.run(call())
    assert ["/jwks.json"] == server.asked


@pytest.mark.requirement(66)
def test_an_address_in_a_token_is_never_asked(ehr: Ehr, server: KeyServer) -> None:
    """A stranger could bring keys of his own, or make the service call for him."""
    foreign = server.url.replace("jwks.json", "evil.json")

    async def call() -> str:
        async with gatekeeper(ehr.folder) as watched:
            return await watched.answer(ehr.headers(header={"jku": foreign})["Authorization"])

    assert "CDS-612" == asyncio.run(call())
    assert [] == server.asked


@pytest.mark.parametrize("mode", ["slow", "redirecting", "oversized", "failing", "broken"])
def test_keys_that_cannot_be_had_within_bounds_lead_to_a_refusal_in_time(
    ehr: Ehr, server: KeyServer, mode: str
) -> None:
    """Two seconds at most, one request, and no redirect is followed."""
    server.mode = mode

    async def call() -> tuple[str, float, list[tuple[str, object]]]:
        async with gatekeeper(ehr.folder) as watched:
            began = time.monotonic()
            answer = await watched.answer(ehr.headers()["Authorization"])
            return answer, time.monotonic() - began, watched.events

    answer, seconds, events = asyncio.run(call())

    assert "CDS-615" == answer
    assert seconds < 2.5
    assert ["/jwks.json"] == server.asked
    assert [("keys.refused", "CDS-603" if mode == "broken" else "CDS-616")] == events


def test_an_internal_address_is_not_asked_unless_the_operator_listed_it(ehr: Ehr, server: KeyServer) -> None:
    """A registered address is still one that somebody else chose."""

    async def call(rules: NetworkRules) -> str:
        async with gatekeeper(ehr.folder, rules) as watched:
            return await watched.answer(ehr.headers()["Authorization"])

    answers = [asyncio.run(call(NetworkRules())), asyncio.run(call(NetworkRules((ip_network("127.0.0.0/8"),))))]

    assert ["CDS-615", "test-ehr"] == answers
    assert 1 == len(server.asked)


def test_keys_at_an_address_where_nobody_is_lead_to_a_refusal(tmp_path: Path) -> None:
    ehr = registered_ehr(tmp_path, jwks=None, jwks_url="http://127.0.0.1:9/jwks.json")

    async def call() -> str:
        async with gatekeeper(tmp_path) as watched:
            return await watched.answer(ehr.headers()["Authorization"])

    assert "CDS-615" == asyncio.run(call())


def test_ten_thousand_unknown_keys_lead_to_one_fetch(ehr: Ehr, server: KeyServer) -> None:
    """Else a stranger could make the service attack the EHR's server of keys."""
    headers = [ehr.headers(header={"kid": f"unknown-{number}"})["Authorization"] for number in range(100)]

    async def call() -> set[str]:
        async with gatekeeper(ehr.folder) as watched:
            assert "test-ehr" == await watched.answer(ehr.headers()["Authorization"])
            answers = set[str]()
            for _ in range(100):
                answers.update(await asyncio.gather(*map(watched.answer, headers)))
            return answers

    assert {"CDS-615"} == asyncio.run(call())
    assert ["/jwks.json"] == server.asked


class _Address:
    """A registered address in a world whose time is set by the test."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.document: dict[str, object] | None = {"keys": [jwk("ec")]}
        self.fetched_at: list[float] = []
        self.events: list[str] = []
        self.keys = PublishedKeys("https://x.example", self._fetch, lambda: self.seconds, self._report)

    async def _fetch(self, _url: str) -> bytes:
        self.fetched_at.append(self.seconds)
        if self.document is None:
            raise TrustError("CDS-616", "jwks_url", "no answer in time")
        return json.dumps(self.document).encode()

    def _report(self, event: str, _values: object) -> None:
        self.events.append(event)

    def knows(self, kid: str, seconds: float) -> bool:
        """Say whether the key is found, so many seconds after the start."""
        self.seconds = 1_000.0 + seconds
        return asyncio.run(self.keys.find(kid, "ES384")) is not None


def test_unknown_keys_lead_to_at_most_one_fetch_in_thirty_seconds() -> None:
    """Each second of five minutes brings another unknown key."""
    address = _Address()

    assert not any(address.knows(f"unknown-{second}", second) for second in range(300))
    assert [1_000.0 + 30 * number for number in range(10)] == address.fetched_at


@pytest.mark.requirement(67)
def test_a_key_that_is_new_at_its_address_is_found_within_thirty_seconds() -> None:
    """Rotation needs no restart; the old key goes when it is gone there."""
    address = _Address()
    assert address.knows("ec", 0)
    address.document = {"keys": [jwk("north")]}

    assert [False, True, False] == [address.knows("north", 29), address.knows("north", 30), address.knows("ec", 31)]


def test_keys_are_asked_for_again_after_ten_minutes() -> None:
    address = _Address()

    assert [True, True, True] == [address.knows("ec", seconds) for seconds in (0, 600, 601)]
    assert [1_000.0, 1_601.0] == address.fetched_at


def test_keys_stay_in_use_for_an_hour_while_their_address_is_down() -> None:
    """An outage of the server of keys must not lock the EHR out at once, nor leave a withdrawn key in use for ever."""
    address = _Address()
    address.knows("ec", 0)
    address.document = None

    assert [True, True, False] == [address.knows("ec", seconds) for seconds in (700, 3600, 3601)]
    assert {"keys.refused"} == set(address.events)


@pytest.mark.parametrize("document", [{"keys": []}, {"keys": [jwk("rsa1024")]}, {"no": "keys"}])
def test_an_address_that_suddenly_holds_no_usable_key_is_taken_for_a_fault(document: dict[str, object]) -> None:
    address = _Address()
    address.knows("ec", 0)
    address.document = document

    assert address.knows("ec", 700)
    assert ["keys.refused"] == address.events


def test_a_call_that_is_given_up_does_not_end_the_fetch_of_the_others(ehr: Ehr, server: KeyServer) -> None:
    """An EHR that hangs up must not cost the next one its keys."""

    async def call() -> str:
        async with gatekeeper(ehr.folder) as watched:
            impatient = asyncio.create_task(watched.answer(ehr.headers()["Authorization"]))
            await asyncio.sleep(0)
            impatient.cancel()
            return await watched.answer(ehr.headers()["Authorization"], now=datetime.now(UTC))

    assert "test-ehr" == asyncio.run(call())
    assert 1 == len(server.asked)


@pytest.mark.requirement(67)
def test_a_key_is_rotated_at_its_address_without_a_restart(tmp_path: Path, server: KeyServer) -> None:
    """A new key beside a registered one: it is looked for at the address only when a token names it."""
    ehr = registered_ehr(tmp_path, jwks_url=server.url)
    new = ehr.with_keys(make_key_pair("ES384"))
    server.keys = [new.identity.keys.public_jwk]

    async def rotate() -> list[str]:
        async with gatekeeper(tmp_path) as watched:
            return [await watched.answer(one.headers()["Authorization"]) for one in (ehr, new)]

    assert ["test-ehr", "test-ehr"] == asyncio.run(rotate())
    assert 1 == len(server.asked)
