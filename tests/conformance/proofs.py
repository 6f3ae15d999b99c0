"""The tests of this folder that prove requirements, with the numbers they are marked with and their mutations."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.conformance.mutations import Mutation, mutations_of

FOLDER = Path(__file__).parent
ABOUT_THE_TESTS = {"test_mutations", "test_catalogue", "test_page"}
"""Tests of these tests; they prove no requirement."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One test.

    Attributes:
        test: the test function; it takes one fixture.
        numbers: the requirements that it proves.
        mutations: what turns it red.
    """

    test: Callable[..., None]
    numbers: tuple[int, ...]
    mutations: tuple[Mutation, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.test.__module__.rpartition('.')[2]}.py"

    @property
    def fixture(self) -> str:
        """The name of what it is given."""
        (name,) = inspect.signature(self.test).parameters
        return name


def read_proofs() -> tuple[Proof, ...]:
    """Return every test of this folder, by file and place; one without a mark has no numbers."""
    return tuple(
        Proof(test, _numbers(test), mutations_of(test))
        for path in sorted(FOLDER.glob("test_*.py"))
        if path.stem not in ABOUT_THE_TESTS
        for name, test in vars(import_module(f"tests.conformance.{path.stem}")).items()
        if name.startswith("test_") and inspect.isfunction(test)
    )


def _numbers(test: Callable[..., None]) -> tuple[int, ...]:
    marks = getattr(test, "pytestmark", [])
    return tuple(number for mark in marks if mark.name == "requirement" for number in mark.args)
