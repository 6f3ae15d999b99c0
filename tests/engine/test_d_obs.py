"""D-OBS: which readings count, which is the latest, and what two values of one time mean."""

from itertools import permutations

import pytest

from cds.engine.dates import Window
from cds.engine.facts import Observation, Source
from cds.engine.logic import Verdict
from cds.engine.rules import ChildPughCriterion, Knowledge, ObservationCriterion, Use
from tests.engine.ask import answer, found, remarks
from tests.engine.build import (
    ALBUMIN,
    BILIRUBIN,
    EYE_PRESSURE_LEFT,
    EYE_PRESSURE_RIGHT,
    coding,
    concept,
    gap,
    observation,
    quantity,
    record,
)

HIGH = ObservationCriterion(("intraocular_pressure",), above=quantity("21 mm[Hg]"), within=Window(180))
POSITIVE = ObservationCriterion(("hcg",), result=("result_positive",), within=Window(30))


def eye(value: str, when: str = "2026-01-20", *, code: str = EYE_PRESSURE_RIGHT, **more: str) -> Observation:
    """Return an eye pressure in mm[Hg]."""
    return observation(code, f"{value} mm[Hg]", when, **{"name": value, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "expected", "remarked"),
    [
        ("final", "critical", ()),
        ("amended", "critical", ()),
        ("corrected", "critical", ()),
        ("preliminary", "critical", ("preliminary",)),
        ("cancelled", "unknown", ()),
        ("entered-in-error", "unknown", ()),
        ("unknown", "unknown", ()),
        ("registered", "unknown", ()),
    ],
)
def test_a_reading_counts_by_its_status_and_a_preliminary_one_is_marked(
    knowledge: Knowledge, status: str, expected: str, remarked: tuple[str, ...]
) -> None:
    """A reading that does not count is as if it had never been made: not known."""
    finding = found(knowledge, HIGH, record(eye("34", status=status)))

    assert (expected, remarked) == (answer(finding), remarks(finding))


def test_a_reading_without_a_date_is_not_usable(knowledge: Knowledge) -> None:
    assert answer(found(knowledge, HIGH, record(eye("34", "")))) == "unknown"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param((("34", "2026-01-10"), ("18", "2026-01-20")), "not-found", id="high, then normal"),
        pytest.param((("18", "2026-01-10"), ("34", "2026-01-20")), "critical", id="normal, then high"),
        pytest.param((("18", "2026-01-20T08:00:00Z"), ("34", "2026-01-20T09:00:00Z")), "critical", id="an hour later"),
        pytest.param(
            (("34", "2026-01-20T08:00:00Z"), ("18", "2026-01-20T09:00:00Z")), "not-found", id="an hour before"
        ),
        pytest.param(
            (("34", "2026-01-20T09:00:00Z"), ("18", "2026-01-20T11:00:00+01:00")), "not-found", id="by the real time"
        ),
        pytest.param(
            (("34", "2026-01-20"), ("18", "2026-01-20T09:00:00Z")), "critical", id="one without a time of day"
        ),
        pytest.param((("34", "2026-01"), ("18", "2026-01-20")), "critical", id="a month that may be later"),
        pytest.param((("34", "2025-12"), ("18", "2026-01-20")), "not-found", id="a month that is earlier"),
    ],
)
def test_the_latest_reading_counts_whatever_the_order_of_the_entries(
    knowledge: Knowledge, values: tuple[tuple[str, str], ...], expected: str
) -> None:
    readings = [eye(value, when) for value, when in values]

    assert {expected} == {answer(found(knowledge, HIGH, record(*one))) for one in permutations(readings)}


@pytest.mark.parametrize("when", ["2026-01-20", "2026-01-20T08:00:00Z"])
def test_of_two_different_values_of_one_time_the_worse_counts_and_is_marked(knowledge: Knowledge, when: str) -> None:
    for readings in permutations([eye("18", when), eye("34", when), eye("20", when)]):
        finding = found(knowledge, HIGH, record(*readings))

        expected = ("critical", "34 mm[Hg]", ("conflicting record",))
        assert expected == (answer(finding), finding.evidence[0].value, remarks(finding))


def test_the_same_value_twice_is_no_conflict(knowledge: Knowledge) -> None:
    finding = found(knowledge, HIGH, record(eye("34", name="a"), eye("34", name="b")))

    assert ("critical", ()) == (answer(finding), remarks(finding))


def test_of_two_albumin_values_of_one_time_the_lower_is_the_worse(knowledge: Knowledge) -> None:
    low = ObservationCriterion(("albumin",), below=quantity("2.8 g/dL"), within=Window(90))
    readings = [observation(ALBUMIN, value, name=value, source=Source.LABORATORY) for value in ("4 g/dL", "2.5 g/dL")]

    assert {"critical"} == {answer(found(knowledge, low, record(*one))) for one in permutations(readings)}


def test_two_coded_results_of_one_time_count_as_positive(knowledge: Knowledge) -> None:
    results = [
        observation("loinc|2106-3", name=name, result=concept(f"snomed|{code}", display=name), source=Source.LABORATORY)
        for name, code in (("Positive", "10828004"), ("Negative", "260385009"))
    ]

    assert {"critical"} == {answer(found(knowledge, POSITIVE, record(*one))) for one in permutations(results)}


@pytest.mark.parametrize(
    ("use", "right", "left", "expected"),
    [
        pytest.param(Use.LATEST, ("18", "2026-01-20"), ("34", "2026-01-10"), "not-found", id="the latest of both eyes"),
        pytest.param(
            Use.LATEST_PER_CODE, ("18", "2026-01-20"), ("34", "2026-01-10"), "critical", id="the latest of each"
        ),
        pytest.param(Use.LATEST_PER_CODE, ("18", "2026-01-20"), ("20", "2026-01-10"), "not-found", id="both normal"),
        pytest.param(Use.ANY, ("18", "2026-01-20"), ("34", "2025-09-01"), "critical", id="any of the window"),
        pytest.param(Use.ANY, ("18", "2026-01-20"), ("34", "2025-07-01"), "not-found", id="not before the window"),
    ],
)
def test_a_rule_says_which_readings_it_looks_at(
    knowledge: Knowledge, use: Use, right: tuple[str, str], left: tuple[str, str], expected: str
) -> None:
    criterion = ObservationCriterion(
        ("intraocular_pressure",), above=quantity("21 mm[Hg]"), within=Window(180), use=use
    )
    readings = (eye(*right), eye(*left, code=EYE_PRESSURE_LEFT))

    assert expected == answer(found(knowledge, criterion, record(*readings)))


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param((eye("18"), eye("19", code=EYE_PRESSURE_LEFT)), "critical", id="both eyes at most 21"),
        pytest.param((eye("21"), eye("21", code=EYE_PRESSURE_LEFT)), "critical", id="both eyes exactly 21"),
        pytest.param((eye("18"), eye("22", code=EYE_PRESSURE_LEFT)), "not-found", id="one eye above"),
        pytest.param((eye("18"),), "unknown", id="only one eye measured"),
        pytest.param((eye("22"),), "not-found", id="only one eye measured, above"),
        pytest.param((), "unknown", id="no eye measured"),
    ],
)
def test_every_eye_must_be_known_where_every_one_is_asked(
    knowledge: Knowledge, readings: tuple[Observation, ...], expected: str
) -> None:
    controlled = ObservationCriterion(
        ("intraocular_pressure",),
        at_most=quantity("21 mm[Hg]"),
        within=Window(180),
        use=Use.LATEST_PER_CODE,
        every=True,
    )

    assert expected == answer(found(knowledge, controlled, record(*readings)))


@pytest.mark.parametrize(("if_missing", "expected"), [(Verdict.UNKNOWN, "unknown"), (Verdict.NOT_FOUND, "not-found")])
def test_a_measurement_that_was_never_made_is_what_the_rule_says(
    knowledge: Knowledge, if_missing: Verdict, expected: str
) -> None:
    criterion = ObservationCriterion(("intraocular_pressure",), above=quantity("21 mm[Hg]"), if_missing=if_missing)

    assert expected == answer(found(knowledge, criterion, record()))
    assert answer(found(knowledge, criterion, record(gap(Source.MEASUREMENTS)))) == "unknown"


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        pytest.param({"result": concept("snomed|10828004")}, "critical", id="coded positive"),
        pytest.param({"result": concept("snomed|260373001")}, "critical", id="coded detected"),
        pytest.param({"result": concept("snomed|260385009")}, "not-found", id="coded negative"),
        pytest.param({"result": concept(text="POSITIVE")}, "critical", id="written positive"),
        pytest.param({"result": concept(text="Negative")}, "not-found", id="written negative"),
        pytest.param({"result": concept(text="see comment")}, "unknown", id="words that are not understood"),
        pytest.param({"interpretations": (coding("interpretation|POS", "Positive"),)}, "critical", id="interpretation"),
        pytest.param({"interpretations": (coding("interpretation|NEG"),)}, "not-found", id="negative interpretation"),
        pytest.param({"value": "5000 m[IU]/mL"}, "unknown", id="a number without an interpretation"),
        pytest.param(
            {"value": "5000 m[IU]/mL", "interpretations": (coding("interpretation|POS"),)},
            "critical",
            id="a number counts by its interpretation",
        ),
    ],
)
def test_a_coded_result_is_understood_or_unknown_never_taken_as_negative(
    knowledge: Knowledge, fact: dict[str, object], expected: str
) -> None:
    reading = observation("loinc|2106-3", when="2026-01-20", source=Source.LABORATORY, **fact)  # type: ignore[arg-type]

    assert expected == answer(found(knowledge, POSITIVE, record(reading)))


def test_a_later_negative_result_wins(knowledge: Knowledge) -> None:
    """Worked case 35."""
    results = [
        observation("loinc|2106-3", when=when, name=name, result=concept(f"snomed|{code}"), source=Source.LABORATORY)
        for name, when, code in (("a", "2026-01-22", "10828004"), ("b", "2026-01-30", "260385009"))
    ]

    assert answer(found(knowledge, POSITIVE, record(*results))) == "not-found"


@pytest.mark.parametrize(
    ("albumins", "expected"),
    [
        pytest.param((("4.1 g/dL", "2026-01-20"),), "critical", id="class A"),
        pytest.param((("2.5 g/dL", "2025-12-01"), ("4.1 g/dL", "2026-01-20")), "critical", id="the latest counts"),
        pytest.param((("2.5 g/dL", "2026-01-20"), ("4.1 g/dL", "2026-01-20")), "not-found", id="the worse of one time"),
        pytest.param((("4.1 g/dL", "2025"),), "unknown", id="a date that may be too old"),
        pytest.param((("4.1 g/dL", "2025-11-03"),), "critical", id="90 days old"),
        pytest.param((("4.1 g/dL", "2025-11-02"),), "unknown", id="91 days old"),
    ],
)
def test_the_values_of_child_pugh_are_read_like_all_others(
    knowledge: Knowledge, albumins: tuple[tuple[str, str], ...], expected: str
) -> None:
    others = ((BILIRUBIN, "1 mg/dL"), ("loinc|6301-6", "1.1 {INR}"))
    facts = [observation(code, value, name=code, source=Source.LABORATORY) for code, value in others]
    facts += [observation(ALBUMIN, value, when, name=value, source=Source.LABORATORY) for value, when in albumins]

    in_class_a = ChildPughCriterion(("A",))
    assert {expected} == {answer(found(knowledge, in_class_a, record(*one))) for one in permutations(facts)}
