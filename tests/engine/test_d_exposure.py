"""D-EXPOSURE: how long a drug was taken: each way of saying it, the union of days, and which records count."""

from decimal import Decimal

import pytest

from cds.engine.facts import Dosage, Medication, MedicationKind
from cds.engine.rules import Knowledge
from tests.engine.build import (
    ago,
    dispense,
    medication,
    on,
)
from tests.engine.treatments import (
    BUPROPION,
    MIRTAZAPINE,
    OXYCODONE,
    SERTRALINE,
    SERTRALINE_50,
    SERTRALINE_100,
    VENLAFAXINE,
    count,
    taken,
    timed,
    trials,
)

# How long: each way of saying it, exactly at 42 days


@pytest.mark.parametrize("days", [42, 41])
@pytest.mark.parametrize(
    "way",
    [
        "supply",
        "dispense",
        "boundsPeriod",
        "boundsDuration",
        "validityPeriod",
        "active until now",
        "statement period",
        "two parts",
    ],
)
def test_a_trial_is_adequate_from_42_days_however_its_length_is_said(knowledge: Knowledge, way: str, days: int) -> None:
    first, last = ago(200), ago(200 - days + 1)
    ways = {
        "supply": (taken(SERTRALINE, days),),
        "dispense": (dispense(SERTRALINE, handed=first, days=days),),
        "boundsPeriod": (timed(SERTRALINE, Dosage(starts=on(first), ends=on(last))),),
        "boundsDuration": (timed(SERTRALINE, Dosage(bounds_days=Decimal(days))),),
        "validityPeriod": (medication(SERTRALINE, status="completed", validity=(first, last)),),
        "active until now": (medication(SERTRALINE, authored=ago(days)),),
        "statement period": (medication(SERTRALINE, kind=MedicationKind.STATEMENT, validity=(first, last)),),
        "two parts": (taken(SERTRALINE, 21, begun=200), taken(SERTRALINE, days - 21, begun=179, name="m2")),
    }

    finding = trials(knowledge, *ways[way])

    assert ("1" if days == 42 else "0") == finding.values["count"]
    assert ("shorter than 42 days" in finding.values["listed"]) is (days == 41)


def test_boundsperiod_comes_before_supply_and_supply_before_now(knowledge: Knowledge) -> None:
    short = Dosage(starts=on(ago(200)), ends=on(ago(190)))
    bounded = medication(SERTRALINE, authored=ago(200), supply=90, dosages=(short,))
    supplied = medication(VENLAFAXINE, name="m2", authored=ago(200), supply=30)

    assert trials(knowledge, bounded, supplied).values["listed"] == (
        "sertraline 11 days (shorter than 42 days); venlafaxine 30 days (shorter than 42 days)"
    )


@pytest.mark.parametrize("status", ["completed", "stopped", "on-hold"])
def test_without_an_end_and_a_supply_the_duration_is_not_known_listed_and_not_counted(
    knowledge: Knowledge, status: str
) -> None:
    finding = trials(knowledge, medication(SERTRALINE, status=status, authored=ago(200)))

    assert ("0", "sertraline (duration not known)") == (finding.values["count"], finding.values["listed"])


def test_a_course_that_is_not_over_counts_until_now(knowledge: Knowledge) -> None:
    finding = trials(knowledge, medication(SERTRALINE, authored=ago(20), supply=90))

    assert "sertraline 21 days" in finding.values["listed"]


# The union of one ingredient


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(
            (taken(SERTRALINE, 30, begun=100), taken(SERTRALINE, 12, begun=70, name="b")), "1", id="one after the other"
        ),
        pytest.param(
            (taken(SERTRALINE, 30, begun=100), taken(SERTRALINE, 12, begun=80, name="b")),
            "0",
            id="overlapping days count once",
        ),
        pytest.param(
            (taken(SERTRALINE, 30, begun=400), taken(SERTRALINE, 12, begun=100, name="b")), "1", id="with a pause"
        ),
        pytest.param(
            (taken(SERTRALINE_50, 90, begun=400), taken(SERTRALINE_100, 90, name="b")), "1", id="two strengths"
        ),
        pytest.param(
            (taken(SERTRALINE_50, 21, begun=100), taken(SERTRALINE, 21, begun=70, name="b")),
            "1",
            id="two codes together",
        ),
        pytest.param(
            (taken("sertraline 50 mg", 42), taken(SERTRALINE, 42, begun=100, name="b")), "1", id="a word and a code"
        ),
        pytest.param((taken(SERTRALINE, 42), taken(VENLAFAXINE, 42, name="b")), "2", id="two ingredients"),
        pytest.param(
            (taken(SERTRALINE, 41), taken(VENLAFAXINE, 41, name="b")), "0", id="two ingredients do not add up"
        ),
        pytest.param(
            (taken(VENLAFAXINE, 42), taken(BUPROPION, 42, name="b"), taken(MIRTAZAPINE, 42, name="c")),
            "3",
            id="three ingredients",
        ),
        pytest.param((taken(OXYCODONE, 90),), "0", id="another drug"),
    ],
)
def test_days_are_counted_once_per_ingredient(
    knowledge: Knowledge, facts: tuple[Medication, ...], expected: str
) -> None:
    """Worked case 61: sertraline 50 mg and 100 mg are one trial."""
    assert expected == count(knowledge, *facts)


# Which sources


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(
            (taken(SERTRALINE, 90), dispense(SERTRALINE, handed=ago(90), days=30)), "0", id="dispensed for 30 days"
        ),
        pytest.param(
            (taken(SERTRALINE, 10), dispense(SERTRALINE, handed=ago(90), days=42)), "1", id="dispensed for longer"
        ),
        pytest.param(
            (taken(SERTRALINE, 90), dispense(VENLAFAXINE, handed=ago(90), days=30)), "1", id="another drug dispensed"
        ),
        pytest.param(
            (taken(SERTRALINE, 90), dispense(SERTRALINE, handed=ago(90), days=30, status="cancelled")),
            "1",
            id="a dispense that was cancelled",
        ),
        pytest.param(
            (dispense(SERTRALINE, handed=ago(90), days=30), dispense(SERTRALINE, handed=ago(60), days=30, name="d2")),
            "1",
            id="two dispenses",
        ),
        pytest.param((dispense(SERTRALINE, handed=ago(90), days=None),), "0", id="a dispense without its days"),
    ],
)
def test_dispenses_replace_the_prescriptions_of_their_ingredient(
    knowledge: Knowledge, facts: tuple[Medication, ...], expected: str
) -> None:
    assert expected == count(knowledge, *facts)


@pytest.mark.parametrize(
    ("kind", "status", "intent", "expected"),
    [
        (MedicationKind.REQUEST, "active", "order", "1"),
        (MedicationKind.REQUEST, "completed", "order", "1"),
        (MedicationKind.REQUEST, "stopped", "order", "1"),
        (MedicationKind.REQUEST, "on-hold", "order", "1"),
        (MedicationKind.REQUEST, "cancelled", "order", "0"),
        (MedicationKind.REQUEST, "draft", "order", "0"),
        (MedicationKind.REQUEST, "entered-in-error", "order", "0"),
        (MedicationKind.REQUEST, "completed", "proposal", "0"),
        (MedicationKind.REQUEST, "completed", "plan", "0"),
        (MedicationKind.STATEMENT, "completed", "", "1"),
        (MedicationKind.STATEMENT, "active", "", "1"),
        (MedicationKind.STATEMENT, "not-taken", "", "0"),
        (MedicationKind.STATEMENT, "entered-in-error", "", "0"),
        (MedicationKind.DISPENSE, "completed", "", "1"),
        (MedicationKind.DISPENSE, "in-progress", "", "0"),
        (MedicationKind.DISPENSE, "entered-in-error", "", "0"),
    ],
)
def test_what_was_only_planned_or_never_taken_is_no_trial(
    knowledge: Knowledge, kind: MedicationKind, status: str, intent: str, expected: str
) -> None:
    fact = medication(SERTRALINE, kind=kind, status=status, intent=intent, authored=ago(90), supply=60)

    assert expected == count(knowledge, fact)


@pytest.mark.parametrize("more", [{"draft": True}, {"do_not_perform": True}])
def test_a_draft_or_an_order_not_to_give_a_drug_is_no_trial(knowledge: Knowledge, more: dict[str, bool]) -> None:
    fact = medication(SERTRALINE, authored=ago(90), supply=60, **more)  # type: ignore[arg-type]

    assert count(knowledge, fact) == "0"
