"""Material that lies beside the repository, for tests that need it."""

import os
from pathlib import Path

import pytest


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
