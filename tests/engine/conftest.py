"""The knowledge of cards/, loaded once for all tests of the engine."""

import pytest

from cds.engine.rules import Knowledge
from tests.engine.ask import published


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The knowledge as it is published."""
    return published()
