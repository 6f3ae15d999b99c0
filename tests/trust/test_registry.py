"""Who is registered: what a registration may say, and what happens when the file changes."""

import asyncio
import json
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cds.ehr.keypair import make_key_pair
from cds.errors import TrustError
from cds.trust.registry import Registry, WatchedRegistry
from tests.trust.forging import jwk, key
from tests.trust.open_gatekeepers import gatekeeper
from tests.trust.tokens import registered_ehr

Members = dict[str, Any]
PLAIN: Members = {"name": "north", "issuer": "https://north.example", "tenant": None, "subject": None}
KEYS: Members = {"keys": [jwk("ec")]}
ABSENT = object()

WRONG: list[Any] = [
    pytest.param({"issuer": ABSENT}, "CDS-601", "required field `issuer`", id="no issuer"),
    pytest.param({"tenant": ABSENT}, "CDS-601", "required field `tenant`", id="tenant neither named nor absent"),
    pytest.param({"subject": ABSENT}, "CDS-601", "required field `subject`", id="subject neither named nor absent"),
    pytest.param({"issuer": ""}, "CDS-601", r"clients\[0\].issuer: .*length >= 1", id="empty issuer"),
    pytest.param({"issuer": 5}, "CDS-601", r"clients\[0\].issuer: Expected `str`", id="issuer no text"),
    pytest.param({"tenants": "x"}, "CDS-601", "unknown field `tenants`", id="misspelt member"),
    pytest.param({"name": "North Clinic"}, "CDS-601", r"clients\[0\].name", id="name with capitals"),
    pytest.param({"name": "development"}, "CDS-602", "nobody verified", id="name of the unverified caller"),
    pytest.param({"deadline_ms": 100}, "CDS-601", ">= 500", id="deadline too short"),
    pytest.param({"deadline_ms": "2500"}, "CDS-601", "Expected `int", id="deadline as text"),
    pytest.param({"calls_per_minute": 0}, "CDS-601", ">= 1", id="no calls at all"),
    pytest.param({"shadow": "yes"}, "CDS-601", "Expected `bool`", id="shadow as text"),
    pytest.param({"audiences": "sand_man"}, "CDS-601", "Expected `array`", id="audiences as text"),
    pytest.param({"fhir_bases": ["ftp://north.example"]}, "CDS-601", r"fhir_bases\[0\]", id="no FHIR address"),
    pytest.param({"fhir_bases": ["https://a@north.example"]}, "CDS-601", "names a user", id="FHIR base with a user"),
    pytest.param({"fhir_bases": ["https://north.example/f?a=b"]}, "CDS-601", "query", id="FHIR base with a query"),
    pytest.param({"jwks_url": "file:///etc/passwd"}, "CDS-601", "jwks_url", id="keys in a file"),
    pytest.param({"jwks_url": "https://u:p@north.example/"}, "CDS-601", "names a user", id="keys with a password"),
    pytest.param({"jwks": ABSENT}, "CDS-602", "neither keys", id="no keys at all"),
    pytest.param({"jwks": {}}, "CDS-603", "not a JWK set", id="an object instead of a JWK set"),
    pytest.param({"jwks": {"keys": [jwk("ec") | {"d": "AAAA"}]}}, "CDS-603", "private key", id="a private key"),
    pytest.param({"jwks": {"keys": [jwk("ec") | {"kid": ""}]}}, "CDS-603", "no kid", id="a key without a name"),
    pytest.param({"jwks": {"keys": [jwk("ec"), jwk("ec")]}}, "CDS-603", "same kid", id="a key twice"),
    pytest.param({"jwks": {"keys": [jwk("ec") | {"crv": "P-256"}]}}, "CDS-603", "curve", id="another curve"),
    pytest.param({"jwks": {"keys": [jwk("ec") | {"x": "AAAA"}]}}, "CDS-603", "not those", id="half a key"),
    pytest.param({"jwks": {"keys": [jwk("ec") | {"y": jwk("north")["y"]}]}}, "CDS-603", "", id="a point off the curve"),
    pytest.param({"jwks": {"keys": [jwk("ec") | {"alg": "ES256"}]}}, "CDS-603", "alg", id="another algorithm"),
    pytest.param({"jwks": {"keys": [jwk("ec") | {"use": "enc"}]}}, "CDS-603", "signatures", id="for encryption"),
    pytest.param({"jwks": {"keys": [jwk("ec") | {"key_ops": ["sign"]}]}}, "CDS-603", "key_ops", id="not to verify"),
    pytest.param({"jwks": {"keys": [jwk("rsa1024")]}}, "CDS-603", "1024 bits", id="RSA of 1024 bits"),
    pytest.param({"jwks": {"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}}, "CDS-603", "kty", id="a shared secret"),
    pytest.param({"jwks": {"keys": ["text"]}}, "CDS-603", "not those", id="a key that is text"),
]


def _write(path: Path, *clients: Members) -> Path:
    kept = [{name: value for name, value in client.items() if value is not ABSENT} for client in clients]
    path.write_text(json.dumps({"clients": kept}))
    return path


def _entry(**changes: object) -> Members:
    return {**PLAIN, "jwks": KEYS, **changes}


@pytest.mark.parametrize(("changes", "code", "words"), WRONG)
def test_a_registration_that_cannot_be_right_is_refused_with_its_place(
    tmp_path: Path, changes: Members, code: str, words: str
) -> None:
    """A limit that is misspelt would be no limit."""
    path = _write(tmp_path / "clients.json", _entry(**changes))

    with pytest.raises(TrustError, match=rf"(?s)^{code} .*clients\.json: .*{words}"):
        Registry.load(path)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"client": []}', b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_clients_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Absent, empty, cut, something else."""
    path = tmp_path / "clients.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(TrustError, match=r"^CDS-601 .*clients\.json: .*cds client add"):
        Registry.load(path)


def test_registrations_of_which_one_token_could_be_both_are_refused(tmp_path: Path) -> None:
    """Oracle Health shares an issuer between its tenants: without the tenant they would be one."""
    path = _write(tmp_path / "clients.json", _entry(), _entry(name="south"))

    with pytest.raises(TrustError, match=r"CDS-602 .*A token of 'south' could as well be one of 'north'"):
        Registry.load(path)


def test_a_name_stands_for_one_client(tmp_path: Path) -> None:
    path = _write(tmp_path / "clients.json", _entry(), _entry(issuer="https://south.example"))

    with pytest.raises(TrustError, match=r"CDS-602 .*Two clients have the name 'north'"):
        Registry.load(path)


def test_clients_are_told_apart_by_tenant_and_by_subject(tmp_path: Path) -> None:
    """Absent counts as a value of its own."""
    entries = [
        _entry(),
        _entry(name="tenant-a", tenant="a"),
        _entry(name="tenant-b", tenant="b"),
        _entry(name="tenant-a-app", tenant="a", subject="app"),
    ]
    registry = Registry.load(_write(tmp_path / "clients.json", *entries))

    found = [registry.find(PLAIN["issuer"], *claims) for claims in (("", ""), ("a", ""), ("b", ""), ("a", "app"))]

    assert ["north", "tenant-a", "tenant-b", "tenant-a-app"] == [one.client.name for one in found if one]
    assert registry.find(PLAIN["issuer"], "b", "app") is None


def test_a_registration_says_what_its_client_may_do(tmp_path: Path) -> None:
    """Every member reaches the client, and nothing else is assumed."""
    allowed = {
        "audiences": ["sand_man"],
        "fhir_bases": ["https://north.example/fhir/"],
        "deadline_ms": 800,
        "never_sends": ["procedures"],
        "calls_per_minute": 60,
        "shadow": True,
    }
    registry = Registry.load(_write(tmp_path / "clients.json", _entry(), _entry(name="b", tenant="b", **allowed)))

    plain, other = (one.client for one in registry.registrations)

    assert (plain.audiences, plain.fhir_bases, plain.deadline_ms, plain.shadow) == ((), (), None, False)
    assert ("sand_man",) == other.audiences
    assert ("https://north.example/fhir",) == other.fhir_bases
    assert (800, 60, True) == (other.deadline_ms, other.calls_per_minute, other.shadow)
    assert {"procedures"} == other.never_sends


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    ehr = registered_ehr(tmp_path)

    assert 0o600 == stat.S_IMODE(ehr.clients.stat().st_mode)
    assert [ehr.clients] == list(tmp_path.glob("*.json*"))  # no draft is left


class _Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def _watch(path: Path, clock: _Clock) -> tuple[WatchedRegistry, list[tuple[str, Mapping[str, Any]]]]:
    events: list[tuple[str, Mapping[str, Any]]] = []
    return WatchedRegistry(path, lambda event, values: events.append((event, values)), clock), events


def test_a_new_client_is_known_within_a_second_without_a_restart(tmp_path: Path) -> None:
    clock = _Clock()
    path = _write(tmp_path / "clients.json", _entry())
    watched, events = _watch(path, clock)

    _write(path, _entry(), _entry(name="south", tenant="south"))
    clock.seconds = 0.9
    before = len(watched.current().registrations)
    clock.seconds = 1.0

    assert (1, 2) == (before, len(watched.current().registrations))
    assert [("clients.reloaded", {"clients": 2})] == events


def test_a_file_that_breaks_while_the_service_runs_changes_nothing_and_is_reported_once(tmp_path: Path) -> None:
    """An editor's typing error must not lock every EHR out."""
    clock = _Clock()
    path = _write(tmp_path / "clients.json", _entry())
    watched, events = _watch(path, clock)

    path.write_text("{")
    for clock.seconds in (1.0, 2.0, 3.0):
        assert 1 == len(watched.current().registrations)
    path.unlink()
    clock.seconds = 4.0

    assert 1 == len(watched.current().registrations)
    assert [("clients.refused", {"problem": "CDS-601"})] * 2 == events


def test_a_client_that_is_removed_is_refused_within_a_second(tmp_path: Path) -> None:
    clock = _Clock()
    path = _write(tmp_path / "clients.json", _entry())
    watched, _ = _watch(path, clock)

    _write(path)
    clock.seconds = 1.0

    assert () == watched.current().registrations


@pytest.mark.requirement(67)
def test_a_key_is_replaced_in_the_file_without_a_restart(tmp_path: Path) -> None:
    """The old key is worth nothing from then on."""
    old = registered_ehr(tmp_path)

    async def rotate() -> list[str]:
        async with gatekeeper(tmp_path) as watched:
            answers = [await watched.answer(old.headers()["Authorization"])]
            new = registered_ehr(tmp_path, make_key_pair("RS384"))
            await asyncio.sleep(1.05)
            return [
                *answers,
                await watched.answer(old.headers()["Authorization"]),
                await watched.answer(new.headers()["Authorization"]),
            ]

    assert ["test-ehr", "CDS-615", "test-ehr"] == asyncio.run(rotate())


def test_keys_of_other_kinds_at_a_published_address_are_left_out_not_refused() -> None:
    """A JWK set that is published often serves several purposes."""
    from cds.trust.keys import read_keys

    mixed = [jwk("ec"), {"kty": "oct", "kid": "a"}, jwk("rsa") | {"alg": "RS256"}, jwk("rsa1024"), {"kty": "OKP"}, 7]

    found = read_keys(json.dumps({"keys": mixed}).encode(), "jwks_url", strict=False)

    assert [("ec", "ES384")] == list(found)
    assert key("ec").public_key() == found["ec", "ES384"].material


def test_a_registration_shows_no_key_in_its_text(tmp_path: Path) -> None:
    """What is printed by accident should be short."""
    ehr = registered_ehr(tmp_path)

    registration = Registry.load(ehr.clients).registrations[0]

    assert "keys" not in repr(replace(registration, jwks_url=""))
