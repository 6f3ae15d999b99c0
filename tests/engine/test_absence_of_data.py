"""Absence is not evidence: whatever part of a record is taken away, no verdict changes except to unknown.

The record is drawn from facts that the published rules ask for. A part that is taken away is a whole source, one
entry, or everything before some day of a list that is sorted newest first.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.assessment import Assessment, Finding
from cds.engine.facts import Fact, Gap, GapScope, Medication, MedicationKind, PatientFacts, Source
from cds.engine.logic import Verdict
from cds.engine.rules import Level
from tests.engine.ask import FEW, assessed, published
from tests.engine.build import (
    ALBUMIN,
    ALT,
    BILIRUBIN,
    CHRONIC_PAIN,
    CRPS,
    DEPRESSION,
    ESKETAMINE,
    EYE_PRESSURE_LEFT,
    EYE_PRESSURE_RIGHT,
    GLAUCOMA,
    INFARCTION,
    INR,
    PALLIATIVE_CARE,
    PSYCHOSIS,
    ago,
    blood_pressure,
    concept,
    condition,
    dispense,
    gap,
    medication,
    observation,
    on,
    order,
    record,
)

POSITIVE, NEGATIVE = concept("snomed|10828004"), concept("snomed|260385009")
FACTS: tuple[Fact, ...] = (
    condition(CRPS, name="crps"),
    condition(CHRONIC_PAIN, name="pain"),
    condition(DEPRESSION, name="depression", onset="2023-05-01"),
    condition("snomed|1153570009", name="trd"),
    condition(PSYCHOSIS, name="psychosis"),
    condition(PSYCHOSIS, name="doubt", verification="provisional"),
    condition(PSYCHOSIS, name="refuted", verification="refuted", recorded="2025-01-01"),
    condition(GLAUCOMA, name="glaucoma"),
    condition(INFARCTION, name="infarction", onset=ago(10)),
    condition("icd10cm|K74.60", name="cirrhosis"),
    condition("icd10cm|R18.8", name="ascites"),
    condition("icd10cm|F10.20", name="alcohol", recorded="2010"),
    condition("icd10cm|F11.20", name="opioids"),
    condition("icd10cm|Z34.02", name="pregnant", onset=ago(100)),
    condition("icd10cm|O80", name="delivered", onset=ago(10)),
    condition("icd10cm|G93.2", name="pressure"),
    condition(PALLIATIVE_CARE, name="palliative"),
    blood_pressure("196", "112", ago(0), name="high"),
    blood_pressure("150", "80", ago(5), name="raised"),
    blood_pressure("124", "78", ago(1), name="normal"),
    observation(EYE_PRESSURE_RIGHT, "34 mm[Hg]", ago(20), name="right"),
    observation(EYE_PRESSURE_RIGHT, "18 mm[Hg]", ago(10), name="right-later"),
    observation(EYE_PRESSURE_LEFT, "19 mm[Hg]", ago(15), name="left"),
    observation(ALT, "300 U/L", ago(12), name="alt", source=Source.LABORATORY),
    observation(BILIRUBIN, "4 mg/dL", ago(12), name="bilirubin", source=Source.LABORATORY),
    observation(ALBUMIN, "2.5 g/dL", ago(12), name="albumin", source=Source.LABORATORY),
    observation(INR, "2.5 {INR}", ago(12), name="inr", source=Source.LABORATORY),
    observation("loinc|2106-3", when=ago(20), name="hcg", result=POSITIVE, source=Source.LABORATORY),
    observation("loinc|2106-3", when=ago(2), name="hcg-later", result=NEGATIVE, source=Source.LABORATORY),
    observation("loinc|19261-7", when=ago(3), name="screen", result=POSITIVE, source=Source.DRUG_SCREENS),
    observation("loinc|12327-3", when=ago(3), name="ketamine", result=POSITIVE, source=Source.DRUG_SCREENS),
    medication("rxnorm|36437", name="sertraline", status="completed", authored=ago(300), supply=90),
    medication("rxnorm|39786", name="venlafaxine", status="completed", authored=ago(150), supply=90),
    medication("rxnorm|25480", name="gabapentin", authored=ago(100)),
    medication("rxnorm|7804", name="oxycodone", authored=ago(60)),
    medication("dextroamphetamine", name="amphetamine", authored=ago(60)),
    medication("brimonidine", name="drops", form="eye drops", authored=ago(60)),
    medication("rxnorm|10438", name="theophylline", authored=ago(60)),
    medication("buprenorphine 8 MG / naloxone 2 MG Sublingual Film", name="agonist", kind=MedicationKind.STATEMENT),
    dispense("rxnorm|36437", handed=ago(300), days=20, name="dispensed"),
    dispense("rxnorm|72625", handed=ago(200), days=60, name="duloxetine"),
)
ORDERS = (
    order(route="IV", rate="0.5 mg/kg/h"),
    order(route="IV", reasons=(concept(DEPRESSION),)),
    order(route="oral"),
    order(ESKETAMINE),
)
SOURCES = sorted(
    {one.provenance.source for one in FACTS if one.provenance.source} | {Source.ALLERGIES, Source.PROCEDURES}
)
CUT = (Source.BLOOD_PRESSURE, Source.LABORATORY, Source.DRUG_SCREENS, Source.MEASUREMENTS)
JUDGED = [one.id for one in published().rules if one.kind not in ("gate", "data_gap")]


def source_of(fact: Fact) -> Source | None:
    """Return the query that a fact comes from: a medication by its kind."""
    if isinstance(fact, Medication):
        kinds = {MedicationKind.STATEMENT: Source.STATEMENTS, MedicationKind.DISPENSE: Source.DISPENSES}
        return kinds.get(fact.kind, Source.MEDICATIONS)
    return fact.provenance.source


def assess_both(facts: tuple[Fact, ...], less: PatientFacts, number: int) -> tuple[Assessment, Assessment]:
    """Assess the whole record and the one from which something was taken."""
    return assessed(published(), record(*facts), ORDERS[number]), assessed(published(), less, ORDERS[number])


def broken(whole: Finding, less: Finding) -> str:
    """Return how a verdict changed that must not; empty if it did not."""
    before, after = whole.verdict, less.verdict
    silent = (Verdict.NOT_FOUND, Verdict.NOT_APPLICABLE)
    if after is Verdict.UNKNOWN or (before in silent and after in silent):
        return ""
    if before is not after:
        return f"{whole.rule_id}: {before.value} became {after.value}"
    return _milder(whole, less)


def _milder(whole: Finding, less: Finding) -> str:
    """Return how a level fell without a word on what may be worse."""
    if whole.level is None or less.level is None or less.level.rank <= whole.level.rank:
        return ""
    possible = less.possible_level
    said = possible is not None and possible.rank <= whole.level.rank
    said = said or any(one.steps for one in less.evidence)  # what is left is doubtful itself, and says so
    return "" if said else f"{whole.rule_id}: {whole.level.value} became {less.level.value} without a word"


def changes(whole: Assessment, less: Assessment) -> list[str]:
    """Return every verdict that changed and must not."""
    return [found for name in JUDGED if (found := broken(whole.finding(name), less.finding(name)))]


RECORDS = st.lists(st.sampled_from(FACTS), unique=True, max_size=14).map(tuple)


@FEW
@given(RECORDS, st.sets(st.sampled_from(SOURCES), min_size=1, max_size=3), st.integers(0, len(ORDERS) - 1))
def test_a_source_that_is_not_read_makes_verdicts_unknown_at_most(
    facts: tuple[Fact, ...], lost: set[Source], number: int
) -> None:
    kept = tuple(one for one in facts if source_of(one) not in lost)

    whole, less = assess_both(facts, record(*kept, *(gap(source) for source in sorted(lost))), number)

    assert changes(whole, less) == []


@FEW
@given(RECORDS.filter(bool), st.integers(0, 13), st.integers(0, len(ORDERS) - 1))
def test_an_entry_that_is_not_readable_makes_verdicts_unknown_at_most(
    facts: tuple[Fact, ...], position: int, number: int
) -> None:
    """Its code could still be seen."""
    lost = facts[position % len(facts)]
    source = source_of(lost)
    assert source
    concepts = [lost.drug] if isinstance(lost, Medication) else [getattr(lost, "code")]  # noqa: B009
    seen = tuple(one for found in concepts for one in found.codings)
    unreadable = Gap(source, GapScope.ENTRY, "not readable", lost.provenance.reference, seen)
    kept = tuple(one for one in facts if one is not lost)

    whole, less = assess_both(facts, record(*kept, unreadable), number)

    if seen:
        assert changes(whole, less) == []


@FEW
@given(RECORDS, st.sampled_from(CUT), st.integers(0, 40), st.integers(0, len(ORDERS) - 1))
def test_a_list_that_is_cut_short_makes_verdicts_unknown_at_most(
    facts: tuple[Fact, ...], source: Source, days: int, number: int
) -> None:
    """Sorted newest first, it holds everything after a day; what lies before was not read."""
    edge = on(ago(days))
    kept = tuple(one for one in facts if source_of(one) is not source or getattr(one, "effective").start > edge.end)  # noqa: B009

    less = replace(record(*kept), complete_since={source: edge})
    assert changes(*assess_both(facts, less, number)) == []


@pytest.mark.parametrize("number", range(len(ORDERS)))
def test_a_record_of_which_nothing_was_read_finds_nothing_and_clears_nothing(number: int) -> None:
    everything = [gap(source) for source in Source if source is not Source.PATIENT]

    trace = assessed(published(), record(*everything), ORDERS[number])

    about_the_record = [
        one for one in trace.findings
        if one.rule_id in JUDGED and one.verdict is Verdict.PRESENT and one.evidence
    ]  # fmt: skip
    assert about_the_record == []
    assert Level.WARNING in {one.level for one in trace.findings}
