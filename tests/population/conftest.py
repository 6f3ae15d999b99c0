"""The Synthea patients of ../shared, read once."""

from pathlib import Path

import pytest

from tests.population.evaluate import Patient, synthea


@pytest.fixture(scope="session")
def synthea_patients(shared_folder: Path) -> list[Patient]:
    """All 304, each at its last record plus one day."""
    return synthea(shared_folder / "patients")
