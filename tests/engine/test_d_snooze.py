"""D-SNOOZE, its palliative part: indications and prerequisites are silent for a patient in palliative care."""

import pytest

from cds.engine.facts import Medication, Source
from cds.engine.render import render
from cds.engine.rules import Knowledge
from tests.engine.ask import assessed
from tests.engine.build import (
    CRPS,
    DEPRESSION,
    PALLIATIVE_CARE,
    PSYCHOSIS,
    Record,
    concept,
    condition,
    gap,
    order,
    record,
)

IV = order(route="IV")
MOOD = order(route="IV", reasons=(concept(DEPRESSION),))
PALLIATIVE = condition(PALLIATIVE_CARE, name="palliative")


def rows(knowledge: Knowledge, medication: Medication, *facts: Record) -> set[str]:
    """Return the rows of the clinical rules that a card is shown for."""
    assessment = assessed(knowledge, record(*facts), medication)
    topics = {topic for card in render(knowledge, [assessment]) for topic in card.rules}
    return {row for rule in knowledge.rules if rule.topic in topics for row in rule.implements}


@pytest.mark.parametrize(
    ("medication", "facts", "expected"),
    [
        pytest.param(IV, (), {"IN-NONE"}, id="worked case 69, without hospice"),
        pytest.param(IV, (condition(CRPS),), {"IN-CRPS", "PR-PAIN"}, id="CRPS without a drug tried"),
        pytest.param(MOOD, (condition(DEPRESSION),), {"PR-TRD"}, id="depression without a trial"),
    ],
)
@pytest.mark.parametrize("code", [PALLIATIVE_CARE, "snomed|103735009", "snomed|170935008"])
def test_indications_and_prerequisites_are_silent_in_palliative_care(
    knowledge: Knowledge, code: str, medication: Medication, facts: tuple[Record, ...], expected: set[str]
) -> None:
    assert expected <= rows(knowledge, medication, *facts)
    shown = rows(knowledge, medication, *facts, condition(code, name="palliative"))
    assert {row for row in shown if row.startswith(("IN-", "PR-"))} == set()


def test_the_findings_stand_in_the_record_with_the_reason(knowledge: Knowledge) -> None:
    trace = assessed(knowledge, record(condition(CRPS), PALLIATIVE))

    assert trace.finding("complex_regional_pain_syndrome").withheld == "palliative care is recorded"


def test_contraindications_are_shown_in_palliative_care(knowledge: Knowledge) -> None:
    assert "CR-PSY" in rows(knowledge, IV, condition(PSYCHOSIS), PALLIATIVE)


@pytest.mark.parametrize(
    "palliative",
    [
        condition(PALLIATIVE_CARE, name="p", status="resolved"),
        condition(PALLIATIVE_CARE, name="p", verification="refuted"),
        condition(PALLIATIVE_CARE, name="p", verification="entered-in-error"),
    ],
    ids=["resolved", "refuted", "in error"],
)
def test_palliative_care_that_is_not_active_silences_nothing(knowledge: Knowledge, palliative: Record) -> None:
    assert "IN-NONE" in rows(knowledge, IV, palliative)


def test_a_problem_list_that_was_not_read_silences_nothing_by_itself(knowledge: Knowledge) -> None:
    """Whether palliative care is recorded is not known; the card on gaps is shown."""
    assert "DG-0" in rows(knowledge, IV, gap(Source.CONDITIONS))
