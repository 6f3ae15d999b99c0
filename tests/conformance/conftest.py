"""The services that all requirements are tried on: one for trying out, one as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cds.service.ports import nothing_earlier
from tests.conformance.calls import TODAY
from tests.conformance.exchange import Exchange
from tests.conformance.trusted import AUDIENCE, ORIGIN, Trusted
from tests.fetch.fault_server import fault_server
from tests.running import running, settings_in
from tests.trust.tokens import registered_ehr

MANY = 1_000_000


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """The service for trying out; the time stands still."""
    with _service(tmp_path_factory.mktemp("conformance"), clock=TODAY) as service:
        yield service


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trusted]:
    """The service as in production, with one registered EHR."""
    folder = tmp_path_factory.mktemp("trusted")
    with fault_server() as fhir, fault_server() as other:
        ehr = registered_ehr(folder, audiences=[AUDIENCE], fhir_bases=[fhir.base], calls_per_minute=MANY)
        network = {"private_networks": ["127.0.0.0/8"], "cors_origins": [ORIGIN], "failed_tokens_per_minute": MANY}
        with _service(folder, **ehr.production, **network) as service:
            yield Trusted(service, ehr, fhir, other)


@contextmanager
def _service(folder: Path, **changed: Any) -> Iterator[Exchange]:  # noqa: ANN401 - settings of any type
    """Every call is that of a user who saw nothing before: nothing stays silent because of another test."""
    with running(settings_in(folder, **changed)) as service:
        service.app.state.ports = replace(service.app.state.ports, history=nothing_earlier)
        yield Exchange(service)
