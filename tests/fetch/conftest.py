"""The service with a short deadline, and a FHIR server for each test."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.fetch.calls import fill_well
from tests.fetch.fault_server import FaultServer, fault_server
from tests.running import Running, running, settings_in

DEADLINE_MS = 900
TODAY = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service; every FHIR server on this machine is allowed."""
    with running(settings_in(tmp_path_factory.mktemp("service"), clock=TODAY, deadline_ms=DEADLINE_MS)) as service:
        yield service


@pytest.fixture
def server(service: Running) -> Iterator[FaultServer]:
    """A FHIR server that holds a patient about whom several rules speak, and does nothing wrong yet."""
    with fault_server() as server:
        fill_well(server, service)
        yield server
