"""Where the FHIR server and the service under test are, and how an EHR and the command `cds` reach them.

In containers it is the service as in production: the EHR of deploy/compose.yaml signs every call with its key.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from testcontainers.compose import DockerCompose

from benchmarks.servers import serving_cds
from cds.ehr import connect
from cds.ehr.identity import Identity, SignedCalls
from cds.ehr.keypair import read_key_pair
from tests.running import free_port

ROOT = Path(__file__).resolve().parents[2]
ISSUER = "https://ehr.example"
"""The EHR that deploy/compose.yaml registers."""


@dataclass(frozen=True, slots=True)
class Places:
    """A FHIR server and the service.

    Attributes:
        fhir: base URL of the FHIR server.
        fhir_of_service: base URL under which the service finds it.
        service: address of the service.
        log: runs ``cds log ...`` where the record lies, and returns what it printed.
        key: the private key with which calls are signed; None where they are not.
        compose: runs ``docker compose`` with arguments and returns what was printed; None without containers.
    """

    fhir: str
    fhir_of_service: str
    service: str
    log: Callable[[list[str]], str]
    key: Path | None = None
    compose: Callable[[list[str]], str] | None = None

    def run(self, *arguments: str) -> str:
        """Run the command `cds` and return what it printed."""
        return self.log(list(arguments)) if arguments[0] == "log" else _cds(list(arguments))

    @property
    def signing(self) -> tuple[str, ...]:
        """How the command `cds` is told to sign its calls."""
        return ("--key", str(self.key), "--issuer", ISSUER) if self.key else ()

    def calling(self) -> httpx.Client:
        """Return what calls the service as the EHR does."""
        auth = SignedCalls(Identity(read_key_pair(self.key), ISSUER)) if self.key else None
        return connect(self.service, auth=auth)


@contextmanager
def in_containers(folder: Path) -> Iterator[Places]:
    """Bring up deploy/compose.yaml on free ports under a project name of its own; take it down in any case."""
    port = free_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COMPOSE_PROJECT_NAME", f"ketamine-cds-test-{os.getpid()}")
        environment.setenv("HAPI_PORT", "0")
        environment.setenv("CDS_PORT", str(port))
        compose = DockerCompose(ROOT / "deploy", "compose.yaml", build=True)
        try:
            _start(compose)
            yield Places(
                fhir=f"http://127.0.0.1:{_published(compose, 'fhir', 8080)}/fhir",
                fhir_of_service="http://fhir:8080/fhir",
                service=f"http://127.0.0.1:{port}",
                log=lambda arguments: compose.exec_in_container(["cds", *arguments], "cds")[0],
                key=_key(compose, folder),
                compose=lambda arguments: _compose(compose, arguments),
            )
        finally:
            compose.stop()


@contextmanager
def beside(fhir: str) -> Iterator[Places]:
    """Start the service here, for a FHIR server that runs elsewhere; calls are not signed."""
    with serving_cds({"CDS_FHIR_BASES": f'["{fhir}"]'}) as server:
        yield Places(fhir, fhir, server.url, lambda arguments: _cds(arguments, server.environment))


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


def _key(compose: DockerCompose, folder: Path) -> Path:
    """Return the key of the EHR, copied out of its volume."""
    path = folder / "ehr.pem"
    path.write_text(
        _compose(compose, ["run", "--rm", "--no-deps", "-T", "--entrypoint", "cat", "ask", "/keys/ehr.pem"])
    )
    path.chmod(0o600)
    return path


def _compose(compose: DockerCompose, arguments: list[str]) -> str:
    command = [*compose.compose_command_property, *arguments]
    finished = subprocess.run(command, cwd=compose.context, capture_output=True, text=True, check=False, timeout=300)
    assert finished.returncode == 0, f"{command}: {finished.stdout}{finished.stderr}"
    return finished.stdout


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
