"""Material that lies beside the repository, for tests that need it; and every answer of the service is looked at."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watching import violations, watching_clients


@pytest.fixture(scope="session", autouse=True)
def _watching() -> Iterator[None]:
    """See the answers that come over the network."""
    with watching_clients():
        yield


@pytest.fixture(autouse=True)
def _answers_are_as_cds_hooks_has_them() -> Iterator[None]:
    """Fail a test that saw an answer of the service with which something is wrong."""
    yield
    assert [] == violations()


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder ../shared; without it the test is skipped, or fails where CDS_REQUIRE_SHARED=1 says so."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if folder.is_dir():
        return folder
    reason = "../shared is not beside this clone"
    if os.environ.get("CDS_REQUIRE_SHARED") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
