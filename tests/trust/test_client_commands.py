"""``cds client``: what an operator types."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds.cli import main
from cds.ehr.keypair import make_key_pair, write_key_pair
from cds.trust.registry import Registry
from tests.running import Running, running, settings_in
from tests.trust.tokens import BASE, ISSUER, NAME, Ehr, registered_ehr

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


@pytest.fixture
def public_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operator has set: the service's public address."""
    monkeypatch.setenv("CDS_PUBLIC_BASE_URL", BASE)


def _key(folder: Path, *options: str) -> int:
    return main(["client", "key", str(folder / "ehr.pem"), "--jwks", str(folder / "jwks.json"), *options])


def _add(folder: Path, *options: str, name: str = "north") -> int:
    clients, jwks = str(folder / "clients.json"), str(folder / "jwks.json")
    return main(["client", "add", name, "--issuer", ISSUER, "--jwks", jwks, "--clients", clients, *options])


def _address(service: Running) -> str:
    return str(service.client.base_url)


@pytest.mark.parametrize("command", ["key", "add", "list", "test"])
def test_every_command_tells_its_exit_statuses_and_an_example(command: str, capsys: Printed) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["client", command, "--help"])
    printed = capsys.readouterr().out

    assert 0 == ended.value.code
    assert "Exit status: 0 " in printed
    assert f"Example:\n  cds client {command}" in printed


@pytest.mark.parametrize(("algorithm", "kind"), [("ES384", "EC"), ("RS384", "RSA")])
def test_a_key_is_private_to_its_owner_and_its_public_half_is_a_jwk_set(
    tmp_path: Path, algorithm: str, kind: str
) -> None:
    status = _key(tmp_path, "--algorithm", algorithm)
    jwks = json.loads((tmp_path / "jwks.json").read_text())

    assert 0 == status
    assert 0o600 == stat.S_IMODE((tmp_path / "ehr.pem").stat().st_mode)
    assert [(kind, algorithm, "sig")] == [(key["kty"], key["alg"], key["use"]) for key in jwks["keys"]]
    assert {"d", "p", "q"}.isdisjoint(jwks["keys"][0])


def test_a_key_that_is_there_is_kept(tmp_path: Path) -> None:
    """A container that starts again must not lock its EHR out."""
    _key(tmp_path)
    before = (tmp_path / "ehr.pem").read_bytes()

    assert 0 == _key(tmp_path)
    assert before == (tmp_path / "ehr.pem").read_bytes()


def test_a_key_of_another_kind_is_not_overwritten(tmp_path: Path, capsys: Printed) -> None:
    _key(tmp_path)

    assert 2 == _key(tmp_path, "--algorithm", "RS384")
    assert "CDS-605" in capsys.readouterr().err


def test_the_public_half_is_printed_where_no_file_is_named(tmp_path: Path, capsys: Printed) -> None:
    main(["client", "key", str(tmp_path / "ehr.pem")])

    assert ["keys"] == list(json.loads(capsys.readouterr().out))


def test_a_registration_by_options_is_one_that_the_service_reads(tmp_path: Path, capsys: Printed) -> None:
    """Every option reaches its member."""
    _key(tmp_path)
    options = [
        "--tenant",
        "t",
        "--subject",
        "s",
        "--audience",
        "a",
        "--audience",
        "b",
        "--fhir-base",
        "https://f.example",
    ]
    limits = ["--deadline-ms", "900", "--calls-per-minute", "7", "--never-sends", "procedures", "--shadow"]

    status = _add(tmp_path, *options, *limits, "--jwks-url", "https://k.example/jwks")
    (registration,) = Registry.load(tmp_path / "clients.json").registrations
    client = registration.client

    assert 0 == status
    assert ("north", ISSUER, "t", "s") == (client.name, client.issuer, client.tenant, client.subject)
    assert (("a", "b"), ("https://f.example",)) == (client.audiences, client.fhir_bases)
    assert (900, 7, frozenset({"procedures"}), True) == (
        client.deadline_ms,
        client.calls_per_minute,
        client.never_sends,
        client.shadow,
    )
    assert "https://k.example/jwks" == registration.jwks_url
    assert "north is registered" in capsys.readouterr().out


def test_the_same_registration_again_changes_nothing(tmp_path: Path, capsys: Printed) -> None:
    """A container that starts again registers again."""
    _key(tmp_path)
    _add(tmp_path)
    before = (tmp_path / "clients.json").stat()

    assert 0 == _add(tmp_path)
    assert before.st_ino == (tmp_path / "clients.json").stat().st_ino
    assert "already registered" in capsys.readouterr().out


def test_a_registration_is_replaced_only_if_that_is_said(tmp_path: Path, capsys: Printed) -> None:
    _key(tmp_path)
    _add(tmp_path)

    refused = _add(tmp_path, "--tenant", "t")
    replaced = _add(tmp_path, "--tenant", "t", "--replace")
    (registration,) = Registry.load(tmp_path / "clients.json").registrations

    assert (2, 0) == (refused, replaced)
    assert "CDS-606" in capsys.readouterr().err
    assert "t" == registration.client.tenant


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--never-sends", "proceedings"], "CDS-601 --never-sends: .*'proceedings'.*procedures"),
        (["--deadline-ms", "20"], "CDS-601 --deadline-ms"),
        (["--fhir-base", "ftp://f.example"], "CDS-601 .*fhir_bases"),
        (["--tenant", ""], "CDS-601 --tenant"),
    ],
)
def test_an_option_that_cannot_be_right_changes_nothing(
    tmp_path: Path, capsys: Printed, options: list[str], said: str
) -> None:
    _key(tmp_path)

    status = _add(tmp_path, *options)

    assert 2 == status
    assert not (tmp_path / "clients.json").exists()
    assert re.search(said, capsys.readouterr().err)


def test_a_second_client_that_the_same_token_could_be_is_refused(tmp_path: Path, capsys: Printed) -> None:
    _key(tmp_path)
    _add(tmp_path)

    assert 2 == _add(tmp_path, name="south")
    assert "A token of 'south' could as well be one of 'north'" in capsys.readouterr().err


def test_the_list_says_what_tokens_must_say(ehr: Ehr, capsys: Printed) -> None:
    status = main(["client", "list", "--clients", str(ehr.clients)])
    printed = capsys.readouterr().out

    assert 0 == status
    assert f"{NAME}\n  iss           {ISSUER}\n  tenant        (must be absent)" in printed
    assert "the address that is called, sand_man" in printed


@pytest.mark.usefixtures("public_base")
def test_a_registration_is_proven_by_calls_of_the_running_service(ehr: Ehr, service: Running, capsys: Printed) -> None:
    """Answered once with a token, refused with the same one and without."""
    status = main(_test_of(ehr, service))
    printed = capsys.readouterr().out

    assert 0 == status
    assert ["200", "401", "401"] == [line[5:8] for line in printed.splitlines() if line.startswith("HTTP")]


def _test_of(ehr: Ehr, service: Running) -> list[str]:
    where = ["--service", _address(service), "--clients", str(ehr.clients)]
    return ["client", "test", NAME, "--key", str(ehr.folder / "ehr.pem"), *where]


def test_a_registration_whose_address_is_another_is_not_proven(ehr: Ehr, service: Running, capsys: Printed) -> None:
    """Without CDS_PUBLIC_BASE_URL the token is for the address that is called."""
    status = main(_test_of(ehr, service))

    assert 1 == status
    assert "Is its CDS_PUBLIC_BASE_URL the aud above?" in capsys.readouterr().out


def test_a_service_that_lets_everybody_in_proves_nothing(ehr: Ehr, tmp_path: Path, capsys: Printed) -> None:
    with running(settings_in(tmp_path)) as open_service:
        status = main(_test_of(ehr, open_service))

    assert 1 == status
    assert "CDS_PROFILE=production" in capsys.readouterr().out


@pytest.mark.usefixtures("public_base")
def test_a_key_that_is_not_the_registered_one_is_named_before_any_call(
    ehr: Ehr, service: Running, tmp_path: Path, capsys: Printed
) -> None:
    write_key_pair(make_key_pair("ES384"), tmp_path / "other.pem")
    other = str(tmp_path / "other.pem")
    command = [other if part.endswith("ehr.pem") else part for part in _test_of(ehr, service)]

    assert 2 == main(command)
    assert "CDS-606" in capsys.readouterr().err
