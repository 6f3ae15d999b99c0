"""The access token goes to the FHIR server of the call, and nowhere else.

Source: CDS Hooks 2.0.1, "FHIR Resource Access"; RFC 6750; trust/design.md 0a.10.
"""

import logging

import pytest

from cds.app.events import JsonLines
from cds.fhir.client import server_for
from cds.network.address import parse_address
from cds.network.failure import NetworkError
from tests.fetch.calls import TOKEN, call, without_prefetch
from tests.fetch.fault_server import FaultServer, fault_server, says
from tests.running import Running


@pytest.mark.requirement(36, 37)
def test_the_token_goes_to_the_server_and_nowhere_else(
    service: Running, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Not into an answer, the record or the log, also at DEBUG of every library and where everything fails."""
    caplog.set_level(logging.DEBUG)
    with fault_server() as evil:
        for fault in (None, says(401), says(302, b"", Location=f"{evil.base}/x"), says(200, b"no")):
            server.faults = {"Condition": fault} if fault else {}
            assert TOKEN not in call(service, server.base).response.text
        assert [] == evil.asked
    lines = [JsonLines().format(record) for record in caplog.records if record.name != "httpx"]
    stored = b"".join(path.read_bytes() for path in service.database.parents[1].rglob("*") if path.is_file())

    assert {f"Bearer {TOKEN}"} == {asked.headers["authorization"] for asked in server.asked}
    assert b"amara" in stored
    assert TOKEN.encode() not in stored
    assert [] == [line for line in lines if TOKEN in line]


NO_TOKENS = ["CANARY\r\nX-Evil: 1", "CANARY and more", "CANARY\u20ac", "CANARY\x00", '"CANARY"', "CANARY,b"]


@pytest.mark.requirement(37)
@pytest.mark.parametrize("token", NO_TOKENS, ids=ascii)
def test_a_token_that_is_none_is_not_sent_and_not_repeated(
    service: Running, server: FaultServer, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    """As a header value it could be a header more, and an HTTP library would say it in its error."""
    caplog.set_level(logging.DEBUG)
    sent = without_prefetch(server.base, token=token)

    found = call(service, server.base, fhirAuthorization=sent["fhirAuthorization"])

    assert (412, "CDS-301") == (found.response.status_code, found.problem)
    assert "the access token is none (RFC 6750)" in found.response.text
    assert [] == server.asked
    assert "CANARY" not in found.response.text
    lines = [JsonLines().format(record) for record in caplog.records if record.name != "httpx"]
    assert [] == [line for line in lines if "CANARY" in line]


def test_a_token_is_in_no_representation_and_in_no_error() -> None:
    base = parse_address("https://ehr.example/fhir")
    with pytest.raises(NetworkError) as caught:
        server_for("hospital", base, "s3cr3t t0k3n")

    assert "s3cr3t" not in repr(server_for("hospital", base, "s3cr3t"))
    assert "s3cr3t" not in f"{caught.value!r} {caught.value} {caught.value.__context__!r}"


@pytest.mark.requirement(36)
def test_without_authorization_no_token_is_sent(service: Running, server: FaultServer) -> None:
    found = call(service, server.base, fhirAuthorization=None)

    assert 200 == found.response.status_code
    assert [] == [asked for asked in server.asked if "authorization" in asked.headers]


@pytest.mark.requirement(38)
@pytest.mark.parametrize(
    "scope", ["patient/*.read", "patient/Condition.rs?x=y", "Epic (free text) [read]", "", None, 7]
)
def test_the_scope_is_never_parsed(service: Running, server: FaultServer, scope: object) -> None:
    given = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": scope, "subject": "y"}

    assert "KETPSYCHOSIS1C" in call(service, server.base, fhirAuthorization=given).topics
