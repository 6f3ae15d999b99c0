"""Where the FHIR server and the service under test are, and how the command `cds` reaches them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from testcontainers.compose import DockerCompose

from benchmarks.servers import serving_cds
from cds.fhir.shift import AS_OF

ROOT = Path(__file__).resolve().parents[2]
CLOCK = f"{AS_OF}T12:00:00+00:00"
"""What the service takes as now: the day for which the dates of the fixtures are written."""


@dataclass(frozen=True, slots=True)
class Places:
    """A FHIR server and the service.

    Attributes:
        fhir: base URL of the FHIR server.
        service: address of the service.
        log: runs ``cds log ...`` where the record lies, and returns what it printed.
    """

    fhir: str
    service: str
    log: Callable[[list[str]], str]

    def run(self, *arguments: str) -> str:
        """Run the command `cds` and return what it printed."""
        return self.log(list(arguments)) if arguments[0] == "log" else _cds(list(arguments))


@contextmanager
def in_containers() -> Iterator[Places]:
    """Bring up deploy/compose.yaml on free ports under a project name of its own; take it down in any case."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COMPOSE_PROJECT_NAME", f"ketamine-cds-test-{os.getpid()}")
        environment.setenv("HAPI_PORT", "0")
        environment.setenv("CDS_PORT", "0")
        environment.setenv("CDS_CLOCK", CLOCK)
        compose = DockerCompose(ROOT / "deploy", "compose.yaml", build=True)
        try:
            _start(compose)
            yield Places(
                fhir=f"http://127.0.0.1:{_published(compose, 'fhir', 8080)}/fhir",
                service=f"http://127.0.0.1:{_published(compose, 'cds', 8000)}",
                log=lambda arguments: compose.exec_in_container(["cds", *arguments], "cds")[0],
            )
        finally:
            compose.stop()


@contextmanager
def beside(fhir: str) -> Iterator[Places]:
    """Start the service here, for a FHIR server that runs elsewhere."""
    with serving_cds({"CDS_FHIR_BASES": f'["{fhir}"]', "CDS_CLOCK": CLOCK}) as server:
        yield Places(fhir, server.url, lambda arguments: _cds(arguments, server.environment))


def engine_answers() -> bool:
    """Say whether there is a container engine with compose."""
    try:
        return all(
            subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0
            for command in (["docker", "info"], ["docker", "compose", "version"])
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _start(compose: DockerCompose) -> None:
    """Bring everything up; if that fails, what the containers said is part of the failure."""
    try:
        compose.start()
    except subprocess.CalledProcessError as error:
        said, _ = compose.get_logs("cds", "fhir-ready")
        pytest.fail(f"{error.stderr.decode()[-1000:]}\n{said[-4000:]}", pytrace=False)


def _published(compose: DockerCompose, service: str, port: int) -> int:
    published = compose.get_container(service).get_publisher(by_port=port, by_host="127.0.0.1").PublishedPort
    assert published
    return int(published)


def _cds(arguments: list[str], environment: Mapping[str, str] | None = None) -> str:
    command = [str(Path(sys.executable).with_name("cds")), *arguments]
    finished = subprocess.run(
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False, timeout=300
    )
    assert finished.returncode == 0, f"{command}: {finished.stdout}{finished.stderr}"
    return finished.stdout
