"""A10: Who may call."""

import base64
import hashlib
import hmac
import json
import logging
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.responses import Response

from cds.app.gates import TokenGate
from cds.ehr.keypair import make_key_pair
from cds.trust import gatekeeper
from cds.trust.client import Caller
from cds.trust.spent import SpentTokens
from tests.conformance.exchange import ORDER_SELECT
from tests.conformance.mutations import having, turned_red_by, where
from tests.conformance.trusted import AUDIENCE, Trusted, letting_in, logged
from tests.hooks.bodies import request
from tests.trust.tokens import BASE

HERE = f"{BASE}/cds-services"
Claims = dict[str, Any]
GOOD: list[Claims] = [
    {},
    {"aud": [HERE, "https://other.example"]},
    {"tenant": None},
    {"nbf": 1},
]
EXPIRED: list[Claims] = [{"exp": 1}, {"iat": 4_000_000_000, "exp": 4_000_000_100}]


def _accepts(*_: object) -> None:
    """Check nothing."""


_ADMIT = TokenGate.admit


async def _telling(gate: TokenGate, authorization: str, path: str, peer: str) -> Caller | Response:
    """Log what must not be logged."""
    logging.getLogger("cds").warning("%s", authorization)
    return await _ADMIT(gate, authorization, path, peer)


async def _forgets(*_: object) -> None:
    """Note nothing."""


@pytest.mark.requirement(63)
@turned_red_by("everybody is let in", letting_in(lambda *_: True))
@turned_red_by("discovery is for everybody", letting_in(lambda header, claims: not header and not claims))
@turned_red_by("403 instead", where(401, status=403))
def test_a_call_without_a_token_is_refused_discovery_as_well(trusted: Trusted) -> None:
    bare = [
        trusted.exchange.get(),
        trusted.exchange.post(request()),
        trusted.exchange.get("/cds-services", authorization="Basic YTpi"),
        trusted.exchange.get("/cds-services", authorization="Bearer"),
        trusted.exchange.post(request(), "nothing"),
    ]

    assert [401] * 5 == [reply.status for reply in bare]
    assert [200, 200] == [trusted.get().status, trusted.post(request()).status]


@pytest.mark.requirement(64)
@turned_red_by("any audience is accepted", having(gatekeeper, "check_audience", _accepts))
@turned_red_by("any time is accepted", having(gatekeeper, "check_times", _accepts))
@turned_red_by("tokens without jti are accepted", letting_in(lambda _, claims: "iss" in claims and "jti" not in claims))
@turned_red_by("tokens without kid are accepted", letting_in(lambda header, _: "alg" in header and "kid" not in header))
@turned_red_by("nobody is let in", where(200, status=401))
def test_a_token_needs_its_header_and_its_claims_and_the_address_that_is_called(trusted: Trusted) -> None:
    for good in GOOD:
        assert 200 == trusted.get(**good).status
    for claim in ("iss", "aud", "exp", "iat", "jti"):
        assert 401 == trusted.get(**{claim: None}).status, claim
    for wrong in (f"{HERE}/{ORDER_SELECT}", "https://cds.example", f"{HERE}/", ["https://other.example"], 7):
        assert 401 == trusted.get(aud=wrong).status, wrong
    for expired in EXPIRED:
        assert 401 == trusted.get(**expired).status
    for header in ({"alg": "ES384", "typ": "JWT"}, {"alg": "ES384", "kid": _kid(trusted)}):
        assert 401 == trusted.with_token(_signed(trusted, header)).status


@pytest.mark.requirement(65)
@turned_red_by("no signature is needed", letting_in(lambda header, _: header.get("alg") == "none"))
@turned_red_by("HS256 is accepted", letting_in(lambda header, _: header.get("alg") == "HS256"))
@turned_red_by("HS512 is accepted", letting_in(lambda header, _: header.get("alg") == "HS512"))
@turned_red_by("200 for everybody", where(401, status=200))
def test_a_token_without_signature_or_with_a_shared_secret_is_refused(trusted: Trusted) -> None:
    """Also where the secret is the EHR's public key, which everybody knows."""
    public = trusted.ehr.identity.keys.private.public_key()
    secrets = [public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), b"secret", b""]
    for algorithm, name in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
        for secret in secrets:
            parts = _unsigned(trusted, {"alg": algorithm, "typ": "JWT", "kid": _kid(trusted)})
            signature = hmac.new(secret, parts.encode(), getattr(hashlib, name)).digest()

            assert 401 == trusted.with_token(f"{parts}.{_base64(signature)}").status
    for algorithm in ("none", "None", ""):
        parts = _unsigned(trusted, {"alg": algorithm, "typ": "JWT", "kid": _kid(trusted)})

        assert [401, 401] == [trusted.with_token(f"{parts}.{last}").status for last in ("", "AA")]


@pytest.mark.requirement(66)
@turned_red_by("any issuer is accepted", letting_in(lambda _, claims: claims.get("iss") == "https://evil.example"))
@turned_red_by("keys of the token are accepted", letting_in(lambda header, _: "jku" in header or "jwk" in header))
@turned_red_by("nobody is let in", where(200, status=401))
def test_only_registered_issuers_and_keys_are_accepted_and_no_key_is_fetched(trusted: Trusted) -> None:
    attacker = make_key_pair("ES384")
    evil = trusted.ehr.with_keys(attacker)
    place = f"{trusted.other.base}/jwks.json"
    trusted.other.held["jwks.json"] = attacker.public_jwks
    before = len(trusted.other.asked)
    jwk = {"jwk": attacker.public_jwk}
    kid = {"kid": _kid(trusted)}
    tokens = [
        trusted.ehr.token(iss="https://evil.example"),
        evil.token(),
        evil.token(header={"jku": place}),
        evil.token(header=jwk),
        evil.token(header=kid),
        trusted.ehr.token(header={"jku": place}),
        trusted.ehr.token(tenant="another-hospital"),
    ]

    assert [401] * len(tokens) == [trusted.with_token(token).status for token in tokens]
    assert before == len(trusted.other.asked)
    assert 200 == trusted.get().status


@pytest.mark.requirement(67)
@turned_red_by("a reason in the body", where(401, content=b'{"detail":"expired"}'))
@turned_red_by("a reason in a header", where(401, headers={"www-authenticate": 'Bearer error="invalid_token"'}))
@turned_red_by("403 for a wrong signature", where(401, status=403))
@turned_red_by("tokens may be used again", having(SpentTokens, "spend", _forgets))
@turned_red_by("signatures are not checked", having(gatekeeper, "check_signature", _accepts))
def test_a_token_is_accepted_once_and_every_refusal_is_the_same_bare_401(trusted: Trusted) -> None:
    token = trusted.ehr.token()
    first = trusted.with_token(token)
    head, claims, signature = trusted.ehr.token().split(".")
    refused = [
        trusted.with_token(token),
        trusted.with_token(f"{head}.{claims}.{signature[:-8]}AAAAAAAA"),
        trusted.get(exp=1),
        trusted.get(aud="https://other.example"),
        trusted.get(iss="https://evil.example"),
        trusted.with_token("x" * 9000),
        trusted.exchange.get(),
    ]

    assert 200 == first.status
    assert {(401, b"", "Bearer")} == {
        (reply.status, reply.content, reply.headers.get("www-authenticate")) for reply in refused
    }
    assert 1 == len({tuple(sorted((n, v) for n, v in reply.headers.items() if n != "date")) for reply in refused})


@pytest.mark.requirement(67)
@turned_red_by("whoever calls is logged with the token", having(TokenGate, "admit", _telling))
def test_no_token_is_logged_whether_it_is_accepted_or_refused(trusted: Trusted) -> None:
    good, bad = trusted.ehr.token(), trusted.ehr.token(exp=1)
    with logged() as lines:
        statuses = [trusted.with_token(token).status for token in (good, bad)]

    assert [200, 401] == statuses
    ours = [line for line in lines if "httpx" not in line and "httpcore" not in line]
    assert any("token.refused" in line for line in ours)
    assert [] == [line for line in ours for token in (good, bad) if token.split(".")[1] in line]


@pytest.mark.requirement(68)
@turned_red_by("any audience is accepted", having(gatekeeper, "check_audience", _accepts))
@turned_red_by("nobody is let in", where(200, status=401))
def test_the_audience_is_the_configured_address_or_a_registered_name_never_the_host(trusted: Trusted) -> None:
    called = str(trusted.exchange.running.client.base_url).rstrip("/")

    assert 401 == trusted.get(aud=f"{called}/cds-services").status
    assert 401 == trusted.get(aud="sand_man").status
    assert 200 == trusted.get(aud="https://cds.example/cds-services").status
    assert 200 == trusted.get(aud=AUDIENCE).status


def _kid(trusted: Trusted) -> str:
    kid: str = trusted.ehr.identity.keys.public_jwk["kid"]
    return kid


def _unsigned(trusted: Trusted, header: dict[str, str]) -> str:
    """Return header and claims of a token that is good but for its signature."""
    claims = trusted.ehr.token().split(".")[1]
    return f"{_base64(json.dumps(header).encode())}.{claims}"


def _signed(trusted: Trusted, header: dict[str, str]) -> str:
    """Return a token with exactly this header, signed by the EHR's key."""
    parts = _unsigned(trusted, header)
    key = trusted.ehr.identity.keys.private
    return f"{parts}.{_base64(jwt.algorithms.get_default_algorithms()['ES384'].sign(parts.encode(), key))}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
