"""How many of the 304 Synthea patients get each rule, at each level, for three kinds of order."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.population.evaluate import Evaluated, Patient, evaluate, order

TABLE = Path(__file__).with_name("synthea_table.yaml")
ORDERS = ("ketamine_iv_infusion", "esketamine_nasal", "ketamine_oral_lozenge")


@pytest.fixture(scope="module", params=ORDERS)
def evaluated(request: pytest.FixtureRequest, synthea_patients: list[Patient]) -> tuple[str, list[Evaluated]]:
    """The name of an order, and every patient assessed for it."""
    return request.param, [evaluate(patient, order(request.param)) for patient in synthea_patients]


def counts(results: list[Evaluated]) -> dict[str, dict[str, int]]:
    """Rule to verdict (or level, where it is present) to the number of patients."""
    table: dict[str, Counter[str]] = {}
    for result in results:
        for finding in result.assessment.findings:
            said = finding.level.value if finding.level else finding.verdict.value
            table.setdefault(finding.rule_id, Counter())[said] += 1
    return {rule: dict(sorted(counter.items())) for rule, counter in table.items()}


def shown(results: list[Evaluated]) -> dict[str, int]:
    """Topic of a card to the number of patients who get it."""
    return dict(sorted(Counter(card.topic for result in results for card in result.cards).items()))


def test_every_patient_gets_a_verdict_of_every_rule(evaluated: tuple[str, list[Evaluated]]) -> None:
    _, results = evaluated

    assert 304 == len(results)
    assert 1 == len({tuple(finding.rule_id for finding in one.assessment.findings) for one in results})


def test_as_many_patients_as_before_get_each_rule_at_each_level(evaluated: tuple[str, list[Evaluated]]) -> None:
    """A change of this table is a change of what clinicians see: look at the patients before you accept it."""
    name, results = evaluated

    assert yaml.safe_load(TABLE.read_text())[name]["rules"] == counts(results)


def test_as_many_cards_as_before_are_shown(evaluated: tuple[str, list[Evaluated]]) -> None:
    name, results = evaluated

    assert yaml.safe_load(TABLE.read_text())[name]["cards"] == shown(results)


def test_nobody_is_shown_more_than_eight_cards_unless_all_are_critical(evaluated: tuple[str, list[Evaluated]]) -> None:
    _, results = evaluated

    assert 8 >= max(len(one.cards) for one in results)
