"""How much of the drug is in a millilitre of the product (rules.md D-STRENGTH)."""

import re
from decimal import Decimal

from cds.engine.facts import Medication
from cds.engine.units import UnitError, convert

_WRITTEN = re.compile(r"(?<!\d)(\d+(?:[.,]\d+)?)\s*mg\s*/\s*ml\b", re.IGNORECASE)


def strengths(medication: Medication) -> dict[str, Decimal]:
    """Return every strength in mg/mL that the order itself states, by where it stands.

    Only the ingredient's strength and the product's own name count, never a code table.
    """
    found = {}
    for strength in medication.strengths:
        try:
            found["ingredient strength"] = convert(strength, "mg/mL").value
        except UnitError:
            continue
    for name in medication.drug.words:
        written = {match.group(1).replace(",", ".") for match in _WRITTEN.finditer(name)}
        if len(written) == 1:
            found[f"product name '{name}'"] = Decimal(written.pop())
    return found
