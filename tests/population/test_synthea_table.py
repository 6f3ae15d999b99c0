"""How many of the 304 Synthea patients get each rule, at each level, for an intravenous ketamine infusion."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.population.evaluate import Evaluated, Patient, evaluate, order

TABLE = Path(__file__).with_name("synthea_table.yaml")


@pytest.fixture(scope="module")
def evaluated(synthea_patients: list[Patient]) -> list[Evaluated]:
    """Every patient, assessed."""
    return [evaluate(patient, order("ketamine_iv_infusion")) for patient in synthea_patients]


def counts(results: list[Evaluated]) -> dict[str, dict[str, int]]:
    """Rule to verdict (or level, where it is present) to the number of patients."""
    table: dict[str, Counter[str]] = {}
    for result in results:
        for finding in result.assessment.findings:
            said = finding.level.value if finding.level else finding.verdict.value
            table.setdefault(finding.rule_id, Counter())[said] += 1
    return {rule: dict(sorted(counter.items())) for rule, counter in table.items()}


def test_every_patient_gets_a_verdict_of_every_rule(evaluated: list[Evaluated]) -> None:
    assert 304 == len(evaluated)
    assert 1 == len({tuple(finding.rule_id for finding in one.assessment.findings) for one in evaluated})


def test_as_many_patients_as_before_get_each_rule_at_each_level(evaluated: list[Evaluated]) -> None:
    """A change of this table is a change of what clinicians see: look at the patients before you accept it."""
    assert yaml.safe_load(TABLE.read_text())["rules"] == counts(evaluated)


def test_as_many_cards_as_before_are_shown(evaluated: list[Evaluated]) -> None:
    cards = Counter(card.topic for one in evaluated for card in one.cards)

    assert yaml.safe_load(TABLE.read_text())["cards"] == dict(sorted(cards.items()))
