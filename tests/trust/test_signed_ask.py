"""A signed ``cds ask``: what an integrator types to call as a registered EHR."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from cds.cli import main
from cds.ehr.keypair import read_key_pair, write_key_pair
from tests.running import Running, running, settings_in
from tests.trust.tokens import BASE, ISSUER, NAME, Ehr, registered_ehr

REQUEST = Path(__file__).parents[2] / "fhir_fixtures" / "hooks" / "complete.request.json"
Printed = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Ehr:
    ehr = registered_ehr(tmp_path_factory.mktemp("ehr"), audiences=["sand_man"])
    write_key_pair(ehr.identity.keys, ehr.folder / "ehr.pem")
    return ehr


@pytest.fixture(scope="module")
def service(ehr: Ehr) -> Iterator[Running]:
    with running(settings_in(ehr.folder, **ehr.production)) as service:
        yield service


def _address(service: Running) -> str:
    return str(service.client.base_url)


def _signed(ehr: Ehr, service: Running, *options: str) -> list[str]:
    key = ["--key", str(ehr.folder / "ehr.pem"), "--issuer", ISSUER]
    return ["ask", str(REQUEST), "--service", _address(service), *key, *options]


@pytest.mark.requirement(63, 64)
def test_ask_signs_discovery_and_the_call_as_a_registered_ehr(ehr: Ehr, service: Running, capsys: Printed) -> None:
    """Each with a token of its own: the same one would be refused."""
    status = main(_signed(ehr, service, "--audience", "sand_man"))

    assert 0 == status
    assert "WARNING" in capsys.readouterr().out
    assert NAME in str(service.records()[0].envelope)


def test_ask_signs_with_an_identity_in_a_file(ehr: Ehr, service: Running, capsys: Printed) -> None:
    identity = ehr.folder / "identity.json"
    identity.write_text(json.dumps({"key": "ehr.pem", "issuer": ISSUER, "audience": "sand_man"}))

    status = main(["ask", str(REQUEST), "--service", _address(service), "--identity", str(identity)])

    assert 0 == status
    assert "WARNING" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--subject", "somebody"], ["--tenant", "t"], ["--kid", "k"], []])
def test_ask_says_that_the_service_does_not_know_it(
    ehr: Ehr, service: Running, capsys: Printed, options: list[str]
) -> None:
    """The service gives no reason, so neither is one made up; the last case is for the wrong address."""
    status = main(_signed(ehr, service, *options))

    assert 1 == status
    assert "HTTP 401: It never says why." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--key", "ehr.pem"], "CDS-244"),
        (["--issuer", ISSUER], "CDS-244"),
        (["--issuer", ISSUER, "--identity", "identity.json"], "CDS-244"),
        (["--key", "nowhere.pem", "--issuer", ISSUER], "CDS-605"),
        (["--identity", "nowhere.json"], "CDS-605"),
        (["--key", str(REQUEST), "--issuer", ISSUER], "CDS-605"),
        (["--identity", str(REQUEST)], "CDS-605"),
    ],
)
def test_ask_names_options_by_which_it_cannot_sign(capsys: Printed, options: list[str], code: str) -> None:
    assert 2 == main(["ask", str(REQUEST), *options])
    assert code in capsys.readouterr().err


def test_every_token_of_an_ehr_is_another_and_says_what_it_is_for(ehr: Ehr) -> None:
    """Five minutes, one call, one address."""
    public: Any = read_key_pair(ehr.folder / "ehr.pem").private.public_key()
    address = f"{BASE}/cds-services"

    claims = [jwt.decode(ehr.token(), public, ["ES384"], audience=address) for _ in range(2)]

    assert claims[0]["jti"] != claims[1]["jti"]
    assert [300, 300] == [one["exp"] - one["iat"] for one in claims]
    assert {"typ": "JWT", "alg": "ES384", "kid": ehr.identity.keys.public_jwk["kid"]} == jwt.get_unverified_header(
        ehr.token()
    )
