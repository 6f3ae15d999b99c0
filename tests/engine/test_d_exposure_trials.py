"""D-EXPOSURE as PR-TRD and PR-PAIN count it: doses, augmentation, the look-back, classes, and what was not read."""

from decimal import Decimal

import pytest

from cds.engine.facts import Dosage, Source
from cds.engine.rules import Knowledge, TrialCriterion
from tests.engine.ask import answer
from tests.engine.build import (
    DEPRESSION,
    Record,
    ago,
    condition,
    dispense,
    gap,
    medication,
    quantity,
)
from tests.engine.treatments import (
    AMITRIPTYLINE,
    ARIPIPRAZOLE,
    BUPROPION,
    CARBAMAZEPINE,
    DOXEPIN,
    DULOXETINE,
    GABAPENTIN,
    IBUPROFEN,
    LIDOCAINE,
    LITHIUM,
    NORTRIPTYLINE,
    OXYCODONE,
    PREGABALIN,
    SERTRALINE,
    TRAZODONE,
    TWO_PAIN_CLASSES,
    VENLAFAXINE,
    count,
    shock,
    taken,
    trials,
)

# Doses


@pytest.mark.parametrize(
    ("drug", "dose", "per_day", "expected"),
    [
        pytest.param(AMITRIPTYLINE, "75 mg", "1", "1", id="amitriptyline 75 mg"),
        pytest.param(AMITRIPTYLINE, "74 mg", "1", "0", id="amitriptyline 74 mg"),
        pytest.param(AMITRIPTYLINE, "25 mg", "3", "1", id="amitriptyline 25 mg three times a day"),
        pytest.param(AMITRIPTYLINE, "25 mg", "1", "0", id="amitriptyline 25 mg, as for pain"),
        pytest.param(AMITRIPTYLINE, "75 mg", "", "0", id="amitriptyline, times a day not known"),
        pytest.param(AMITRIPTYLINE, "", "1", "0", id="amitriptyline, dose not known"),
        pytest.param(AMITRIPTYLINE, "1 {tablet}", "1", "0", id="amitriptyline in tablets"),
        pytest.param(NORTRIPTYLINE, "75 mg", "1", "1", id="nortriptyline 75 mg"),
        pytest.param(NORTRIPTYLINE, "50 mg", "1", "0", id="nortriptyline 50 mg"),
        pytest.param(DOXEPIN, "75 mg", "1", "1", id="doxepin 75 mg"),
        pytest.param(DOXEPIN, "6 mg", "1", "0", id="doxepin 6 mg, as for sleep"),
        pytest.param(TRAZODONE, "150 mg", "1", "1", id="trazodone 150 mg"),
        pytest.param(TRAZODONE, "149 mg", "1", "0", id="trazodone 149 mg"),
        pytest.param(SERTRALINE, "25 mg", "1", "1", id="sertraline has no least dose"),
        pytest.param(SERTRALINE, "", "", "1", id="sertraline needs no dose"),
    ],
)
def test_some_antidepressants_count_only_from_their_dose(
    knowledge: Knowledge, drug: str, dose: str, per_day: str, expected: str
) -> None:
    dosage = Dosage(dose=quantity(dose) if dose else None, per_day=Decimal(per_day) if per_day else None)
    fact = medication(drug, status="completed", authored=ago(100), supply=60, dosages=(dosage,))

    assert expected == count(knowledge, fact)


def test_a_dose_that_is_too_low_or_not_known_is_listed_with_that_reason(knowledge: Knowledge) -> None:
    low = medication(AMITRIPTYLINE, status="completed", authored=ago(100), supply=60,
                     dosages=(Dosage(dose=quantity("25 mg"), per_day=Decimal(1)),))  # fmt: skip
    unknown = taken(TRAZODONE, 60, name="m2")

    listed = trials(knowledge, low, unknown).values["listed"]

    expected = {
        "amitriptyline 60 days (dose below 75 mg/d)",
        "trazodone 60 days (dose not known, counts from 150 mg/d)",
    }
    assert expected == set(listed.split("; "))


def test_the_days_of_a_low_dose_do_not_make_an_adequate_dose_adequate(knowledge: Knowledge) -> None:
    """60 days at 25 mg and 20 days at 75 mg are no 42 days at 75 mg."""
    low, high = (
        medication(
            AMITRIPTYLINE,
            name=name,
            status="completed",
            authored=ago(begun),
            supply=days,
            dosages=(Dosage(dose=quantity(dose), per_day=Decimal(1)),),
        )
        for name, dose, begun, days in (("low", "25 mg", 200, 60), ("high", "75 mg", 100, 20))
    )

    assert count(knowledge, low, high) == "0"


# Augmentation and ECT


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param((taken(SERTRALINE, 90), taken(LITHIUM, 42, name="b")), "2", id="lithium for 42 days beside it"),
        pytest.param((taken(SERTRALINE, 90), taken(LITHIUM, 41, name="b")), "1", id="lithium for 41 days beside it"),
        pytest.param((taken(LITHIUM, 90),), "0", id="lithium alone"),
        pytest.param((taken(SERTRALINE, 90, begun=400), taken(LITHIUM, 90, name="b")), "1", id="lithium after it"),
        pytest.param((taken(SERTRALINE, 90, begun=139), taken(LITHIUM, 90, name="b")), "1", id="together for 41 days"),
        pytest.param((taken(SERTRALINE, 90, begun=138), taken(LITHIUM, 90, name="b")), "2", id="together for 42 days"),
        pytest.param(
            (taken(SERTRALINE, 90), taken(LITHIUM, 60, name="b"), taken(ARIPIPRAZOLE, 60, name="c")), "2", id="1 in all"
        ),
        pytest.param((taken(SERTRALINE, 90), shock()), "2", id="ECT"),
        pytest.param((shock(),), "1", id="ECT alone"),
        pytest.param((taken(SERTRALINE, 90), shock(), shock("2025-07-01", name="p2")), "2", id="ECT counts once"),
        pytest.param((shock(status="not-done"),), "0", id="ECT that was not done"),
        pytest.param((shock(status="entered-in-error"),), "0", id="ECT in error"),
        pytest.param((shock("2024-02-01"),), "1", id="ECT on the first day of 24 months"),
        pytest.param((shock("2024-01-31"),), "0", id="ECT a day before 24 months"),
        pytest.param((shock(""),), "0", id="ECT at an unknown time"),
    ],
)
def test_augmentation_counts_one_in_all_and_only_beside_an_antidepressant(
    knowledge: Knowledge, facts: tuple[Record, ...], expected: str
) -> None:
    assert expected == count(knowledge, *facts)


# The look-back


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(
            (medication(SERTRALINE, status="completed", authored="2024-02-01", supply=42),),
            "1",
            id="begun on the first day of 24 months",
        ),
        pytest.param(
            (medication(SERTRALINE, status="completed", authored="2024-01-31", supply=42),),
            "0",
            id="begun a day before",
        ),
        pytest.param(
            (medication(SERTRALINE, status="completed", authored="2024-01-31", supply=43),),
            "1",
            id="begun a day before, with 42 days inside",
        ),
        pytest.param(
            (
                condition(DEPRESSION, onset="2022-02-01"),
                medication(SERTRALINE, status="completed", authored="2022-02-01", supply=42),
            ),
            "1",
            id="since an onset 4 years ago",
        ),
        pytest.param(
            (
                condition(DEPRESSION, onset="2022-02-02"),
                medication(SERTRALINE, status="completed", authored="2022-02-01", supply=42),
            ),
            "0",
            id="begun a day before the onset",
        ),
        pytest.param(
            (
                condition(DEPRESSION, onset="2025-06-01"),
                medication(SERTRALINE, status="completed", authored="2024-02-01", supply=42),
            ),
            "1",
            id="a recent onset does not shorten 24 months",
        ),
        pytest.param(
            (
                condition(DEPRESSION, onset="2010"),
                medication(SERTRALINE, status="completed", authored="2021-02-01", supply=42),
            ),
            "1",
            id="begun 5 years ago",
        ),
        pytest.param(
            (
                condition(DEPRESSION, onset="2010"),
                medication(SERTRALINE, status="completed", authored="2021-01-31", supply=42),
            ),
            "0",
            id="begun 5 years and a day ago",
        ),
        pytest.param(
            (
                condition(DEPRESSION, recorded="2022-02-01"),
                medication(SERTRALINE, status="completed", authored="2022-02-01", supply=42),
            ),
            "1",
            id="since it was recorded, without an onset",
        ),
        pytest.param(
            (
                condition(DEPRESSION, onset="2022-02-01", status="remission"),
                medication(SERTRALINE, status="completed", authored="2022-02-01", supply=42),
            ),
            "0",
            id="an onset of a depression in remission",
        ),
        pytest.param(
            (
                condition("icd10cm|I10", onset="2022-02-01"),
                medication(SERTRALINE, status="completed", authored="2022-02-01", supply=42),
            ),
            "0",
            id="an onset of another diagnosis",
        ),
    ],
)
def test_trials_are_looked_for_in_24_months_or_since_onset_at_most_5_years(
    knowledge: Knowledge, facts: tuple[Record, ...], expected: str
) -> None:
    assert expected == count(knowledge, *facts)


# What could not be read


@pytest.mark.parametrize(
    ("facts", "at_least", "fewer"),
    [
        pytest.param(
            (taken(SERTRALINE, 90), taken(VENLAFAXINE, 90, name="b")), "critical", "not-found", id="2, all read"
        ),
        pytest.param((taken(SERTRALINE, 90),), "not-found", "critical", id="1, all read"),
        pytest.param(
            (taken(SERTRALINE, 90), gap(Source.MEDICATIONS)), "unknown", "unknown", id="1, prescriptions not read"
        ),
        pytest.param(
            (taken(SERTRALINE, 90), gap(Source.STATEMENTS)), "unknown", "unknown", id="1, statements not read"
        ),
        pytest.param((gap(Source.DISPENSES),), "unknown", "unknown", id="0, dispenses not read"),
        pytest.param((gap(Source.PROCEDURES),), "unknown", "unknown", id="0, procedures not read"),
        pytest.param(
            (taken(SERTRALINE, 90), taken(VENLAFAXINE, 90, name="b"), gap(Source.DISPENSES)),
            "unknown",
            "unknown",
            id="2 by prescriptions that dispenses would replace",
        ),
        pytest.param(
            (
                dispense(SERTRALINE, handed=ago(90), days=90),
                dispense(VENLAFAXINE, handed=ago(90), days=90, name="b"),
                gap(Source.MEDICATIONS),
            ),
            "critical",
            "not-found",
            id="2 by dispenses, prescriptions not read",
        ),
        pytest.param(
            (taken(SERTRALINE, 90), taken(VENLAFAXINE, 90, name="b"), gap(Source.PROCEDURES)),
            "critical",
            "not-found",
            id="2, procedures not read",
        ),
        pytest.param(
            (taken(SERTRALINE, 90), gap(Source.MEDICATIONS, VENLAFAXINE)),
            "unknown",
            "unknown",
            id="an unreadable antidepressant",
        ),
        pytest.param(
            (taken(SERTRALINE, 90), gap(Source.MEDICATIONS, OXYCODONE)),
            "not-found",
            "critical",
            id="an unreadable other drug",
        ),
        pytest.param(
            (taken(SERTRALINE, 90), taken(VENLAFAXINE, 90, name="b"), gap(Source.DISPENSES, SERTRALINE)),
            "unknown",
            "unknown",
            id="an unreadable dispense, which would replace a prescription",
        ),
        pytest.param(
            (taken(SERTRALINE, 90), taken(VENLAFAXINE, 90, name="b"), gap(Source.DISPENSES, OXYCODONE)),
            "critical",
            "not-found",
            id="an unreadable dispense of another drug",
        ),
        pytest.param((gap(Source.CONDITIONS),), "not-found", "critical", id="the problem list says nothing of drugs"),
    ],
)
def test_a_list_that_was_not_read_may_hold_more_trials(
    knowledge: Knowledge, facts: tuple[Record, ...], at_least: str, fewer: str
) -> None:
    """A missing medication list proves neither that a drug was tried nor that it was not."""
    answers = (
        answer(trials(knowledge, *facts)),
        answer(trials(knowledge, *facts, of=TrialCriterion("antidepressant", fewer_than=2))),
    )

    assert (at_least, fewer) == answers


# Classes of pain treatment


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param((taken(GABAPENTIN, 28),), "1", id="28 days"),
        pytest.param((taken(GABAPENTIN, 27),), "0", id="27 days"),
        pytest.param(
            (taken(GABAPENTIN, 60), taken(PREGABALIN, 60, name="b")), "1", id="two drugs of a class are one class"
        ),
        pytest.param((taken(GABAPENTIN, 60), taken(DULOXETINE, 60, name="b")), "2", id="two classes"),
        pytest.param(
            (taken(AMITRIPTYLINE, 60), taken(DULOXETINE, 60, name="b")), "1", id="SNRI and tricyclic are one class"
        ),
        pytest.param((taken(AMITRIPTYLINE, 60),), "1", id="for pain amitriptyline needs no dose"),
        pytest.param((taken(OXYCODONE, 60), taken(IBUPROFEN, 60, name="b")), "2", id="opioid and NSAID"),
        pytest.param((taken(LIDOCAINE, 60, form="Medicated Patch"),), "1", id="a lidocaine patch"),
        pytest.param((taken(CARBAMAZEPINE, 60),), "0", id="carbamazepine without trigeminal neuralgia"),
        pytest.param(
            (taken(CARBAMAZEPINE, 60), condition("icd10cm|G50.0")), "1", id="carbamazepine for trigeminal neuralgia"
        ),
        pytest.param(
            (taken(CARBAMAZEPINE, 60), condition("icd10cm|G50.0", status="resolved")),
            "0",
            id="for a neuralgia that is over",
        ),
        pytest.param(
            (medication(GABAPENTIN, status="completed", authored="2021-02-01", supply=28),), "1", id="5 years ago"
        ),
        pytest.param(
            (medication(GABAPENTIN, status="completed", authored="2021-01-31", supply=28),),
            "0",
            id="a day before 5 years",
        ),
        pytest.param(
            (taken(PREGABALIN, 60), dispense(GABAPENTIN, handed=ago(90), days=5)),
            "1",
            id="a dispense of one drug does not replace the prescription of another",
        ),
    ],
)
def test_pain_classes_count_from_28_days_in_5_years(
    knowledge: Knowledge, facts: tuple[Record, ...], expected: str
) -> None:
    assert expected == count(knowledge, *facts, of=TWO_PAIN_CLASSES)


@pytest.mark.parametrize(
    ("facts", "known", "possible"),
    [
        pytest.param((), "critical", "critical", id="no class at all"),
        pytest.param(
            (medication(GABAPENTIN, status="stopped", authored=ago(99)),),
            "critical",
            "not-found",
            id="one of unknown length",
        ),
        pytest.param((taken(GABAPENTIN, 10),), "critical", "critical", id="one that was too short"),
        pytest.param((taken(GABAPENTIN, 28),), "not-found", "not-found", id="one"),
    ],
)
def test_a_class_of_unknown_length_may_have_been_tried(
    knowledge: Knowledge, facts: tuple[Record, ...], known: str, possible: str
) -> None:
    """PR-PAIN warns only if no class was tried and none has a trial of unknown length."""
    answers = (
        answer(trials(knowledge, *facts, of=TrialCriterion("pain", fewer_than=1))),
        answer(trials(knowledge, *facts, of=TrialCriterion("pain", fewer_than=1, unknown_durations=True))),
    )

    assert (known, possible) == answers


@pytest.mark.parametrize(("drug", "expected"), [(OXYCODONE, "critical"), (IBUPROFEN, "not-found")])
def test_a_rule_may_count_some_classes_only(knowledge: Knowledge, drug: str, expected: str) -> None:
    """Cancer pain needs an opioid."""
    an_opioid = TrialCriterion("pain", at_least=1, only=("opioid",))

    assert expected == answer(trials(knowledge, taken(drug, 60), of=an_opioid))


def test_every_trial_is_listed_with_its_days_and_the_reason_it_does_not_count(knowledge: Knowledge) -> None:
    """Worked case 8: what was not counted and why."""
    finding = trials(knowledge, taken(SERTRALINE, 20), taken(BUPROPION, 10, name="b"), taken(VENLAFAXINE, 90, name="c"))

    expected = {
        "sertraline 20 days (shorter than 42 days)",
        "bupropion 10 days (shorter than 42 days)",
        "venlafaxine 90 days",
    }
    assert expected == set(finding.values["listed"].split("; "))
    assert ("1", "2") == (finding.values["count"], finding.values["needed"])
