"""Write synthea_table.yaml anew: ``python -m tests.population.table``. Look at the patients before you accept it."""

from pathlib import Path

import yaml

from tests.population.evaluate import evaluate, order, synthea
from tests.population.test_synthea_table import ORDERS, TABLE, counts, shown

HEAD = """\
# How many of the 304 Synthea patients get each verdict of each rule (a level where the rule is present), and each card,
# for three kinds of order written the day after their last record, with their death left out.
# `python -m tests.population.table` writes it anew: look at the patients before you accept a change.
"""


def main() -> None:
    """Evaluate all patients for each order and write the table."""
    patients = synthea(Path(__file__).resolve().parents[3] / "shared" / "patients")
    table = {}
    for name in ORDERS:
        results = [evaluate(patient, order(name)) for patient in patients]
        table[name] = {"rules": counts(results), "cards": shown(results)}
    TABLE.write_text(HEAD + yaml.safe_dump(table, sort_keys=False))


if __name__ == "__main__":
    main()
