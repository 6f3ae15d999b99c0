"""What a test needs and this machine may lack: without it the test is skipped, or fails where it must not be."""

import os
from typing import NoReturn

import pytest

REQUIRE_FAULTS = "CDS_REQUIRE_FAULTS"
"""Where this is 1, faults of system calls and a full disk must be tried."""


def cannot(reason: str, variable: str) -> NoReturn:
    """Skip the test for this reason; fail it where the environment sets `variable` to 1."""
    if os.environ.get(variable) == "1":
        pytest.fail(reason)
    pytest.skip(reason)
