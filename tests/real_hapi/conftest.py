"""The FHIR server and the service, started once for all tests of this folder."""

import os
from collections.abc import Iterator

import pytest

from tests.real_hapi.places import Places, beside, engine_answers, in_containers


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A FHIR server and the service, by container or at CDS_TEST_FHIR_URL; skipped where there is neither."""
    url = os.environ.get("CDS_TEST_FHIR_URL")
    if not url and not engine_answers():
        reason = "no container engine answers, and CDS_TEST_FHIR_URL is not set"
        if os.environ.get("CDS_REQUIRE_DOCKER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with beside(url) if url else in_containers(tmp_path_factory.mktemp("keys")) as started:
        yield started
