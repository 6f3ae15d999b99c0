"""Write synthea_table.yaml anew: ``python -m tests.population.table``. Look at the patients before you accept it."""

from collections import Counter
from pathlib import Path

import yaml

from tests.population.evaluate import evaluate, order, synthea
from tests.population.test_synthea_table import TABLE, counts

HEAD = """\
# How many of the 304 Synthea patients get each verdict of each rule (a level where the rule is present), and each card,
# for an intravenous ketamine infusion ordered the day after their last record, with their death left out.
# `python -m tests.population.table` writes it anew: look at the patients before you accept a change.
"""


def main() -> None:
    """Evaluate all patients and write the table."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "patients"
    results = [evaluate(patient, order("ketamine_iv_infusion")) for patient in synthea(folder)]
    cards = Counter(card.topic for result in results for card in result.cards)
    table = {"rules": counts(results), "cards": dict(sorted(cards.items()))}
    TABLE.write_text(HEAD + yaml.safe_dump(table, sort_keys=False))


if __name__ == "__main__":
    main()
