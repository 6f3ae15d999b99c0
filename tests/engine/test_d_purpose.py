"""D-PURPOSE: what the order is for, from its reason, else its words, else the drug, else the problem list."""

import pytest

from cds.engine.facts import Concept, Condition, Medication, MedicationKind, Source
from cds.engine.logic import Verdict
from cds.engine.order import Purpose
from cds.engine.rules import Knowledge
from tests.engine.ask import read
from tests.engine.build import (
    CHRONIC_PAIN,
    CRPS,
    DEPRESSION,
    ESKETAMINE,
    SPINAL_CORD_INJURY,
    SUICIDAL_IDEATION,
    Record,
    concept,
    condition,
    gap,
    order,
    record,
)

PAIN, MOOD, BOTH, UNSTATED, UNKNOWN = "pain", "mood", "both", "unstated", "unknown"
WORDS = {
    (Verdict.PRESENT, Verdict.NOT_FOUND): PAIN,
    (Verdict.NOT_FOUND, Verdict.PRESENT): MOOD,
    (Verdict.PRESENT, Verdict.PRESENT): BOTH,
    (Verdict.NOT_FOUND, Verdict.NOT_FOUND): UNSTATED,
    (Verdict.UNKNOWN, Verdict.UNKNOWN): UNKNOWN,
    (Verdict.PRESENT, Verdict.UNKNOWN): "pain, mood not known",
    (Verdict.UNKNOWN, Verdict.PRESENT): "mood, pain not known",
}


def purpose(knowledge: Knowledge, medication: Medication, *facts: Record) -> str:
    """Return in a word what an order is for."""
    found = read(knowledge, medication, record(*facts)).purposes
    return WORDS[found[Purpose.PAIN], found[Purpose.MOOD]]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(CRPS, PAIN, id="CRPS I"),
        pytest.param("icd10cm|G56.42", PAIN, id="CRPS II"),
        pytest.param("icd10cm|M79.7", PAIN, id="fibromyalgia"),
        pytest.param("icd10cm|G50.0", PAIN, id="trigeminal neuralgia"),
        pytest.param("icd10cm|G54.6", PAIN, id="phantom limb pain"),
        pytest.param("icd10cm|G43.909", PAIN, id="migraine"),
        pytest.param("icd10cm|G89.3", PAIN, id="cancer pain"),
        pytest.param("icd10cm|M54.50", PAIN, id="low back pain"),
        pytest.param(CHRONIC_PAIN, PAIN, id="chronic pain is included"),
        pytest.param(DEPRESSION, MOOD, id="severe depression"),
        pytest.param("icd10cm|F32.A", MOOD, id="depression, unspecified"),
        pytest.param("icd10cm|F33.3", MOOD, id="psychotic depression"),
        pytest.param("icd10cm|F33.41", MOOD, id="depression in remission"),
        pytest.param("snomed|1153570009", MOOD, id="treatment-resistant depression"),
        pytest.param("icd10cm|F31.4", MOOD, id="bipolar disorder"),
        pytest.param("icd10cm|F43.10", MOOD, id="post-traumatic stress disorder"),
        pytest.param(SUICIDAL_IDEATION, UNSTATED, id="suicidal ideation alone"),
        pytest.param(SPINAL_CORD_INJURY, UNSTATED, id="a spinal cord injury alone"),
        pytest.param("icd10cm|I10", UNSTATED, id="hypertension"),
    ],
)
def test_the_code_of_the_reason_tells_the_purpose(knowledge: Knowledge, code: str, expected: str) -> None:
    assert expected == purpose(knowledge, order(reasons=(concept(code),)))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pain", PAIN),
        ("chronic PAIN, left arm", PAIN),
        ("painful scar", PAIN),
        ("CRPS", PAIN),
        ("postherpetic neuralgia", PAIN),
        ("neuropathy", PAIN),
        ("depression", MOOD),
        ("major depressive episode", MOOD),
        ("suicidal", MOOD),
        ("TRD", MOOD),
        ("pain and depression", BOTH),
        ("painless", UNSTATED),
        ("spain", UNSTATED),
        ("watch for respiratory depression", UNSTATED),
        ("CNS depression", UNSTATED),
        ("antidepressant-free", UNSTATED),
        ("trdx", UNSTATED),
        ("over 40 minutes", UNSTATED),
        ("", UNSTATED),
    ],
)
@pytest.mark.parametrize("place", ["reason", "dosage", "note", "drug"])
def test_the_words_of_the_order_tell_the_purpose(knowledge: Knowledge, place: str, words: str, expected: str) -> None:
    orders = {
        "reason": order(reasons=(concept(text=words),)),
        "dosage": order(text=words),
        "note": order(notes=(words,)),
        "drug": order(f"ketamine {words}"),
    }

    assert expected == purpose(knowledge, orders[place])


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        pytest.param((concept(CRPS), concept(DEPRESSION)), BOTH, id="a code of each"),
        pytest.param((concept(CRPS, text="and depression"),), BOTH, id="a code of one and a word of the other"),
        pytest.param((concept(SUICIDAL_IDEATION), concept(DEPRESSION)), MOOD, id="suicidal ideation beside depression"),
        pytest.param(
            (concept(SUICIDAL_IDEATION, display="Suicidal ideations"),), UNSTATED, id="the display of suicidal ideation"
        ),
        pytest.param(
            (concept(SUICIDAL_IDEATION, display="Suicidal ideations"), concept(CRPS)), PAIN, id="ideation beside pain"
        ),
        pytest.param(
            (concept(SUICIDAL_IDEATION, display="Suicidal ideations", text="major depression, suicidal thoughts"),),
            MOOD,
            id="the clinician's own words beside the code of suicidal ideation",
        ),
        pytest.param(
            (concept(SPINAL_CORD_INJURY, display="Spinal cord injury with pain"),),
            PAIN,
            id="other displays",
        ),
    ],
)
def test_reasons_together_tell_the_purpose(knowledge: Knowledge, reasons: tuple[Concept, ...], expected: str) -> None:
    assert expected == purpose(knowledge, order(reasons=reasons))


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        pytest.param((), UNSTATED, id="none"),
        pytest.param((condition(CRPS),), PAIN, id="pain only"),
        pytest.param((condition(CHRONIC_PAIN),), PAIN, id="chronic pain only"),
        pytest.param((condition(DEPRESSION),), MOOD, id="mood only"),
        pytest.param((condition(CRPS), condition(DEPRESSION, name="c2")), BOTH, id="both"),
        pytest.param((condition(SUICIDAL_IDEATION),), UNSTATED, id="suicidal ideation only"),
        pytest.param((condition(SUICIDAL_IDEATION), condition(CRPS, name="c2")), PAIN, id="ideation beside pain"),
        pytest.param((condition(CRPS, status="resolved"),), UNSTATED, id="a pain that is over"),
        pytest.param(
            (condition(CRPS), condition(DEPRESSION, name="c2", status="remission")), PAIN, id="depression in remission"
        ),
        pytest.param((condition(DEPRESSION, verification="refuted"),), UNSTATED, id="refuted"),
        pytest.param((condition(DEPRESSION, verification="entered-in-error"),), UNSTATED, id="entered in error"),
        pytest.param((condition(DEPRESSION, verification="provisional"),), MOOD, id="provisional"),
        pytest.param((condition("icd10cm|I10"),), UNSTATED, id="something else"),
        pytest.param(
            (
                condition(CRPS),
                condition(DEPRESSION, name="c2", recorded="2020-01-01"),
                condition(DEPRESSION, name="c3", recorded="2024-01-01", verification="refuted"),
            ),
            PAIN,
            id="a depression that was refuted later",
        ),
    ],
)
def test_without_a_reason_the_problem_list_tells_the_purpose(
    knowledge: Knowledge, problems: tuple[Condition, ...], expected: str
) -> None:
    assert expected == purpose(knowledge, order(), *problems)


def test_the_reason_outweighs_the_problem_list(knowledge: Knowledge) -> None:
    """Worked cases 49 and 50: the same patient, with and without a reason."""
    problems = (condition(CRPS), condition(DEPRESSION, name="c2"))

    assert purpose(knowledge, order(reasons=(concept(DEPRESSION),)), *problems) == MOOD
    assert purpose(knowledge, order(), *problems) == BOTH


@pytest.mark.parametrize(
    ("medication_order", "expected"),
    [
        pytest.param(order(ESKETAMINE), MOOD, id="nasal esketamine"),
        pytest.param(order(ESKETAMINE, reasons=(concept(CRPS),)), PAIN, id="nasal esketamine with pain as its reason"),
        pytest.param(order(ESKETAMINE, route="IV"), PAIN, id="injectable esketamine follows the problem list"),
        pytest.param(order(ESKETAMINE, route="oral"), PAIN, id="oral esketamine is treated as ketamine"),
    ],
)
def test_nasal_esketamine_is_for_mood_unless_its_reason_says_otherwise(
    knowledge: Knowledge, medication_order: Medication, expected: str
) -> None:
    assert expected == purpose(knowledge, medication_order, condition(CRPS))


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        pytest.param((), UNKNOWN, id="nothing seen"),
        pytest.param((condition(CRPS),), "pain, mood not known", id="a pain seen"),
        pytest.param((condition(DEPRESSION),), "mood, pain not known", id="a depression seen"),
    ],
)
def test_a_problem_list_that_was_not_read_whole_leaves_the_purpose_open(
    knowledge: Knowledge, problems: tuple[Condition, ...], expected: str
) -> None:
    assert expected == purpose(knowledge, order(), *problems, gap(Source.CONDITIONS))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(CRPS, "mood, pain not known", id="a pain"),
        pytest.param("icd10cm|I10", MOOD, id="something else"),
    ],
)
def test_an_entry_that_is_not_readable_leaves_the_purpose_open_that_its_code_names(
    knowledge: Knowledge, code: str, expected: str
) -> None:
    assert expected == purpose(knowledge, order(), condition(DEPRESSION), gap(Source.CONDITIONS, code))


def test_a_reason_needs_no_problem_list(knowledge: Knowledge) -> None:
    assert purpose(knowledge, order(reasons=(concept(CRPS),)), gap(Source.CONDITIONS)) == PAIN


@pytest.mark.parametrize(
    ("medication_order", "problems", "words"),
    [
        (order(reasons=(concept(CRPS, display="CRPS I"),)), (), "reason CRPS I"),
        (order(text="for neuralgia"), (), "word 'neuralgia'"),
        (order(ESKETAMINE), (), "nasal esketamine"),
        (order(), (condition(CRPS),), "problem list: pain"),
        (order(), (), "unstated"),
        (order(), (gap(Source.CONDITIONS),), "not read whole"),
    ],
)
def test_how_the_purpose_was_found_stands_in_the_record(
    knowledge: Knowledge, medication_order: Medication, problems: tuple[Record, ...], words: str
) -> None:
    assert words in read(knowledge, medication_order, record(*problems)).purpose_found


def test_a_service_request_has_a_purpose_too(knowledge: Knowledge) -> None:
    service = order("Ketamine infusion therapy for neuralgia", kind=MedicationKind.SERVICE)

    assert purpose(knowledge, service) == PAIN
