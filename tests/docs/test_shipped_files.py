"""Dockerfile and deploy/compose.yaml: what an operator gets who changes nothing is closed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds.cli import main

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [ROOT / "Dockerfile", ROOT / "Makefile", ROOT / "README.md", *sorted((ROOT / "deploy").glob("*.yaml"))]
COMPOSE: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))


def test_no_shipped_file_opens_the_service_to_strangers() -> None:
    assert [] == [path.name for path in SHIPPED if "ALLOW_REMOTE" in path.read_text(encoding="utf-8")]


def test_the_image_is_for_production_and_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever starts it without an address for tokens is told which variable is missing."""
    settings = dict(re.findall(r"\b(CDS_[A-Z_]+)=(\S+)", _instructions(ROOT / "Dockerfile")))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    status = main(["serve"])

    assert "production" == settings["CDS_PROFILE"]
    assert 2 == status
    assert "CDS_PUBLIC_BASE_URL" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_no_container_may_do_more_than_it_needs(name: str) -> None:
    """HAPI's own container writes to its own disk; everything else is read-only."""
    service = COMPOSE["services"][name]

    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert service.get("read_only") or name == "fhir"
    assert "privileged" not in service
    assert "user" not in service, "the image's own user is no root"


def test_every_port_is_published_on_this_machine_only() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]

    assert 2 == len(ports)
    assert [] == [port for port in ports if not port.startswith("127.0.0.1:")]


def test_the_service_never_sees_the_key_of_an_ehr_and_cannot_register_one() -> None:
    """Else whoever takes over the service could sign as the EHR, or let others in."""
    mounted = {name: service.get("volumes", []) for name, service in COMPOSE["services"].items()}

    assert "ehr:/keys" in mounted["clients"]
    assert [] == [volume for volume in mounted["cds"] if volume.startswith("ehr:")]
    assert "clients:/clients:ro" in mounted["cds"]
    assert "ehr:/keys:ro" in mounted["ask"]


def test_the_service_reads_the_keys_of_its_record_and_cannot_make_or_change_one() -> None:
    """They are made once, by a container that sees nothing else, and nobody else sees them."""
    mounted = {name: service.get("volumes", []) for name, service in COMPOSE["services"].items()}

    assert ["keys:/keys"] == mounted["log-keys"]
    assert "--if-missing" in COMPOSE["services"]["log-keys"]["command"]
    assert "keys:/keys:ro" in mounted["cds"]
    assert ["cds", "log-keys"] == sorted(name for name, volumes in mounted.items() if _has(volumes, "keys"))


def test_the_copy_of_the_checkpoint_lies_on_another_volume_than_the_record() -> None:
    """Else whoever puts an old state of the volume back puts back the copy with it, and nothing shows."""
    settings = dict(re.findall(r"\b(CDS_[A-Z_]+)=(\S+)", _instructions(ROOT / "Dockerfile")))
    volumes = dict(volume.split(":")[1::-1] for volume in COMPOSE["services"]["cds"]["volumes"])
    places = {name: volumes[str(Path(settings[name]).parent)] for name in ("CDS_DATABASE", "CDS_CHECKPOINT_COPY")}

    assert {"CDS_DATABASE": "record", "CDS_CHECKPOINT_COPY": "kept"} == places


def _has(volumes: list[str], name: str) -> bool:
    return any(volume.startswith(f"{name}:") for volume in volumes)


def _instructions(dockerfile: Path) -> str:
    """Return a Dockerfile without its comments."""
    lines = dockerfile.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))
