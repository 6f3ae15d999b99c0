"""The numbered requirements of CDS Hooks, as requirements.yaml lists them."""

from dataclasses import dataclass
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("requirements.yaml")
REASONS = frozenset({"client's duty", "3.0 only", "mutual TLS"})
LEVELS = frozenset({"SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "RECOMMENDED", "MAY", "OPTIONAL", "ours"})


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement.

    Attributes:
        number: 1 to 71.
        area: the title of its area.
        level: as the specification writes it; ``ours`` where the specification leaves it open.
        says: one sentence in our own words.
        not_applicable: one of `REASONS`; empty if a test has to prove it.
    """

    number: int
    area: str
    level: str
    says: str
    not_applicable: str = ""


def read_requirements() -> tuple[Requirement, ...]:
    """Return all requirements in the order of their numbers."""
    written = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(Requirement(**{**one, "area": written["areas"][one["area"]]}) for one in written["requirements"])
