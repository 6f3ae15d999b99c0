"""Settings that would be dangerous stop the start."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cds.settings import Settings, Stated

PRODUCTION: dict[str, Any] = {"profile": "production", "public_base_url": "https://cds.hospital.example"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"host": "0.0.0.0"}, "only loopback is served"),  # noqa: S104 - what is refused
        ({"host": "cds.hospital.example"}, "only loopback is served"),
        ({"clock": "2026-02-01T12:00:00Z", **PRODUCTION}, "refused unless CDS_PROFILE=development"),
        ({"profile": "production"}, "CDS_PUBLIC_BASE_URL is required"),
        ({**PRODUCTION, "public_base_url": "http://cds.hospital.example"}, "http only on loopback"),
        ({"cors_origins": ["*"]}, "is not an origin"),
        ({"cors_origins": ["https://*.example"]}, "is not an origin"),
        ({"cors_origins": ["null"]}, "is not an origin"),
        ({"cors_origins": ["https://app.example/"]}, "is not an origin"),
        ({"cors_origins": ["http://app.example"]}, "is not an origin"),
        ({"private_networks": ["0.0.0.0/0"]}, "not a network of private addresses"),
        ({"private_networks": ["::/0"]}, "not a network of private addresses"),
        ({"private_networks": ["8.8.8.0/24"]}, "not a network of private addresses"),
        ({"private_networks": ["10.0.0.1/8"]}, "not a valid IPv4 network"),
        ({"trusted_proxies": ["*"]}, "not a valid IPv4 network"),
        ({"deadline_ms": 300}, "greater than or equal to 500"),
        ({"workers": 0}, "greater than or equal to 1"),
        ({"clock": "2026-02-01T12:00:00"}, "needs an offset"),
        ({"time_zone": "Europe/Atlantis"}, "not an IANA time zone"),
        ({"public_base_url": "http://cds.hospital.example"}, "http only on loopback"),
        ({"public_base_url": "cds.hospital.example"}, "is not an address"),
        ({"public_base_url": "https://cds.hospital.example/?a=b"}, "is not an address"),
        ({"public_base_url": "https://user:secret@cds.hospital.example"}, "is not an address"),
        ({"port": 70000}, "less than or equal to 65535"),
        ({"max_body_bytes": 10}, "greater than or equal to 1000"),
    ],
)
def test_a_setting_that_is_not_allowed_is_refused_with_its_reason(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Settings(**given)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://cds.hospital.example/ketamine/", "https://cds.hospital.example/ketamine"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("", ""),
    ],
)
def test_the_public_address_is_https_or_on_this_machine_and_has_no_slash_at_its_end(given: str, kept: str) -> None:
    """Links on cards begin with it: in clear they could be turned elsewhere on their way."""
    assert kept == Settings(public_base_url=given).public_base_url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_permission(host: str) -> None:
    assert host == Settings(host=host).host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "cds.hospital.example"])  # noqa: S104 - as in a container
def test_a_service_that_knows_its_callers_may_listen_anywhere(host: str) -> None:
    assert host == Settings(**PRODUCTION, host=host).host


@pytest.mark.parametrize("network", ["10.20.0.0/16", "172.18.0.0/16", "192.168.1.7/32", "100.64.0.0/10", "fd00::/64"])
def test_a_network_of_private_addresses_can_be_listed(network: str) -> None:
    assert [network] == [str(each) for each in Settings(private_networks=[network]).private_networks]


@pytest.mark.parametrize("origin", ["https://app.example", "https://app.example:8443", "http://localhost:3000"])
def test_an_exact_origin_can_be_listed(origin: str) -> None:
    assert (origin,) == Settings(cors_origins=[origin]).cors_origins


def test_a_command_that_serves_nobody_needs_no_setting_of_a_service() -> None:
    """Clients are registered before the service has its address."""
    assert Stated(profile="production").authenticated


def test_a_container_says_that_something_else_keeps_strangers_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_HOST", "0.0.0.0")  # noqa: S104 - what a container listens on
    monkeypatch.setenv("CDS_ALLOW_REMOTE", "true")
    monkeypatch.setenv("CDS_ALLOWED_HOSTS", '["cds"]')
    monkeypatch.setenv("CDS_DATABASE", "/data/record/record.sqlite")

    settings = Settings()

    assert ("0.0.0.0", ("cds",), Path("/data/record/record.sqlite")) == (  # noqa: S104
        settings.host,
        settings.allowed_hosts,
        settings.database,
    )


def test_settings_do_not_change_while_the_service_runs() -> None:
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_only_the_container_files_allow_calls_from_elsewhere() -> None:
    """A default that let strangers in would be copied; the two files publish their port on loopback only."""
    root = Path(__file__).parents[1]
    shipped = [root / "Dockerfile", root / "Makefile", root / ".ci" / "run", *(root / "deploy").glob("*.yaml")]

    named = [path.name for path in shipped if "CDS_ALLOW_REMOTE" in path.read_text()]

    assert set(named) <= {"Dockerfile", "compose.yaml"}
