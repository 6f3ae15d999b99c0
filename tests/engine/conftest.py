"""The knowledge of cards/, loaded once for all tests of the engine."""

from pathlib import Path

import pytest

from cds.engine.rules import Knowledge
from cds.knowledge.load import load_knowledge


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The knowledge as it is published."""
    return load_knowledge(Path(__file__).resolve().parents[2] / "cards")
