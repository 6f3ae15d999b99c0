"""Taking data away may make a verdict unknown, never a healthy patient of a sick one, nor the other way round."""

import os
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.engine.assessment import Assessment
from cds.engine.facts import Source, name_of
from cds.engine.logic import Verdict
from cds.hooks.prefetch import sources
from tests.population.evaluate import (
    Evaluated,
    Patient,
    Prefetch,
    evaluate,
    fixtures,
    knowledge,
    offered,
    order,
)

ERROR = orjson.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "forbidden", "diagnostics": "HTTP 403"}],
    }
)
REQUIRED = (Source.CONDITIONS, Source.ALLERGIES, Source.MEDICATIONS, Source.BLOOD_PRESSURE, Source.LABORATORY)
KEYS = [key for key in offered() if key not in ("patient", "encounter")]
JUDGED = [rule.id for rule in knowledge().rules if rule.kind not in ("gate", "data_gap")]
FIXTURES = fixtures()
BEFORE: dict[tuple[str, str], Evaluated] = {}
Change = Callable[[Prefetch], Prefetch]


def removed(key: str) -> Change:
    """The key is not sent."""
    return lambda prefetch: {name: value for name, value in prefetch.items() if name != key}


def refused(key: str) -> Change:
    """The EHR met an error and says so."""
    return lambda prefetch: {**prefetch, key: ERROR}


def cut(key: str, keep: float) -> Change:
    """Only the first page is sent; its next link is not read."""
    return lambda prefetch: {**prefetch, key: _first_page(prefetch[key], keep)} if key in prefetch else prefetch


def _first_page(raw: bytes, keep: float) -> bytes:
    bundle: dict[str, Any] = orjson.loads(raw)
    entries = bundle.get("entry", [])
    number = int(len(entries) * keep)
    if number == len(entries):
        return raw
    link = {"relation": "next", "url": "http://ehr.example/fhir?page=2"}
    return orjson.dumps({**bundle, "entry": entries[:number], "link": [link]})


def before(patient: Patient, draft: str) -> Evaluated:
    """What comes out with all data; remembered."""
    key = (patient.name, draft)
    if key not in BEFORE:
        BEFORE[key] = evaluate(patient, order(draft))
    return BEFORE[key]


def wrong_changes(full: Assessment, less: Assessment) -> list[str]:
    """Every rule whose verdict changed in a way that missing data cannot justify."""
    return [
        f"{rule}: {full.finding(rule).verdict} -> {less.finding(rule).verdict}"
        for rule in JUDGED
        if not _justified(full.finding(rule).verdict, less.finding(rule).verdict)
    ]


def _justified(full: Verdict, less: Verdict) -> bool:
    return less in (full, Verdict.UNKNOWN)


@pytest.mark.parametrize("draft", ["ketamine_iv_infusion", "esketamine_nasal", "ketamine_oral_lozenge"])
@pytest.mark.parametrize("patient", FIXTURES, ids=lambda patient: patient.name)
@pytest.mark.parametrize("key", KEYS)
def test_a_missing_or_refused_or_shortened_answer_never_turns_a_verdict_round(
    patient: Patient, key: str, draft: str
) -> None:
    full = before(patient, draft).assessment
    changes = [removed(key), refused(key), cut(key, 0.0), cut(key, 0.5)]

    wrong = [
        words for change in changes for words in wrong_changes(full, evaluate(patient, order(draft), change).assessment)
    ]

    assert [] == wrong


@pytest.mark.parametrize("source", REQUIRED)
def test_a_clinician_sees_one_card_that_names_what_could_not_be_checked(source: Source) -> None:
    keys = [key for key, one in sources(offered()).items() if one is source]
    for patient in FIXTURES:
        cards = evaluate(patient, order("ketamine_iv_infusion"), refused(keys[0])).cards
        gaps = [card for card in cards if card.topic == "KETGAP0W"]

        assert 1 == len(gaps)
        assert name_of(source) in gaps[0].summary
        assert "HTTP 403" in gaps[0].detail


EVERY = st.sampled_from(KEYS)
TAKEN = st.lists(
    st.one_of(EVERY.map(removed), EVERY.map(refused), st.builds(cut, EVERY, st.sampled_from([0.0, 0.3, 0.7, 0.95]))),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=int(os.environ.get("CDS_ABSENCE_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_of_synthea_patients_no_part_of_the_data_can_be_taken_away_to_turn_a_verdict_round(
    data: st.DataObject, synthea_patients: list[Patient]
) -> None:
    patient = data.draw(st.sampled_from([*synthea_patients, *FIXTURES]))
    draft = data.draw(st.sampled_from(["ketamine_iv_infusion", "esketamine_nasal", "ketamine_oral_lozenge"]))
    full = before(patient, draft).assessment
    taken = data.draw(TAKEN)

    def change(prefetch: Prefetch) -> Prefetch:
        for one in taken:
            prefetch = one(prefetch)
        return prefetch

    less = evaluate(patient, order(draft), change).assessment

    assert [] == wrong_changes(full, less)
