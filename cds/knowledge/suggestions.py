"""The codes of what a card offers to order: written as ``snomed|29303009``, known from a value set."""

from collections.abc import Mapping

from cds.engine.facts import Coding
from cds.engine.terminology import ValueSet, normalise

REMOVE_DRAFT = "Remove this draft order"
"""What the button says that takes the draft order out."""


def find_coding(text: str, systems: Mapping[str, str], value_sets: Mapping[str, ValueSet]) -> Coding | None:
    """Return the code with its display, or None if no value set lists it.

    Args:
        text: the short name of the code system, a bar and the code.
        systems: short name to canonical URI.
        value_sets: all value sets.
    """
    name, _, code = text.partition("|")
    key = (systems.get(name, ""), normalise(code))
    member = next((one.codes[key] for one in value_sets.values() if key in one.codes), None)
    return Coding(key[0], code, member.display) if member else None
