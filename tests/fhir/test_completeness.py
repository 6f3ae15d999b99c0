"""Whether silence of a source proves anything (clinical/rules.md D-EMPTY)."""

import json
from collections.abc import Callable

import pytest

from cds.engine.dates import Interval, parse_interval
from cds.engine.facts import GapScope, Source
from cds.fhir.context import Received
from cds.fhir.read import read_facts
from tests.fhir.records import NOON, Json, condition, context, observation, read, reasons, searchset

NEXT = {"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]}


def outcome(severity: str, text: str = "not allowed") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "details": {"text": text}}]}


def warning(
    code: str, text: str = "Client not authorized for Condition - Genomics.", severity: str = "warning"
) -> Json:
    found = outcome(severity, text)
    found["issue"][0]["code"] = code
    return found


def on(day: str, identifier: str = "") -> Json:
    return observation(identifier or f"o-{day}", effectiveDateTime=f"{day}T08:00:00Z")


def day(text: str) -> Interval:
    interval = parse_interval(text, NOON.tzinfo)  # type: ignore[arg-type]
    assert interval
    return interval


@pytest.mark.parametrize(
    "sent",
    [
        None,
        searchset(),
        {"resourceType": "Bundle", "type": "searchset", "total": 0},
        {"resourceType": "Bundle", "entry": None},
        searchset(outcome("warning", "No results"), total=0),
        searchset(outcome("information")),
        searchset({"resourceType": "Provenance", "id": "p"}, condition()),
    ],
    ids=["null", "no entries", "no entry member", "entry null", "warning", "information", "other types beside it"],
)
def test_an_ehr_that_says_it_has_nothing_is_believed(sent: object) -> None:
    facts = read({"conditions": sent})

    assert () == facts.gaps


def test_a_key_that_was_not_sent_is_a_gap_of_its_source() -> None:
    expected = {"conditions": Source.CONDITIONS, "laboratory_2": Source.LABORATORY}

    facts = read({}, expected=expected)

    assert ("not sent",) == reasons(facts, Source.CONDITIONS)
    assert ("laboratory_2 not sent",) == reasons(facts, Source.LABORATORY)


def test_a_read_that_failed_is_a_gap_with_its_cause() -> None:
    received = {"conditions": Received(failure="HTTP 403")}

    facts = read_facts(received, context(expected={"conditions": Source.CONDITIONS}))

    assert ("HTTP 403",) == reasons(facts, Source.CONDITIONS)


@pytest.mark.parametrize("severity", ["error", "fatal", "", "unheard-of"])
@pytest.mark.parametrize("shape", [lambda found: found, searchset], ids=["bare", "in a searchset"])
def test_an_error_of_the_ehr_is_never_an_empty_record(severity: str, shape: Callable[[Json], Json]) -> None:
    facts = read({"conditions": shape(outcome(severity))})

    assert ("the EHR reported an error: not allowed",) == reasons(facts, Source.CONDITIONS)


DATA_ARE_MISSING = [
    "security", "login", "unknown", "expired", "forbidden", "suppressed", "too-costly",
    "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
]  # fmt: skip


@pytest.mark.parametrize("severity", ["warning", "information"])
@pytest.mark.parametrize("code", DATA_ARE_MISSING)
def test_an_ehr_that_says_that_data_are_missing_is_believed_however_mildly_it_says_so(code: str, severity: str) -> None:
    """FHIR R4 issue-type; total 0 beside such a warning is no empty record."""
    facts = read({"conditions": searchset(warning(code, severity=severity), total=0)})

    said = "the EHR says that data are missing: Client not authorized for Condition - Genomics"
    assert (said,) == reasons(facts, Source.CONDITIONS)


def test_results_beside_a_warning_that_more_are_missing_are_used() -> None:
    facts = read({"conditions": searchset(condition(), warning("incomplete"), total=1)})

    assert (1, 1) == (len(facts.conditions), len(reasons(facts, Source.CONDITIONS)))


def test_newest_first_proves_nothing_where_the_ehr_says_that_data_are_missing() -> None:
    facts = read({"laboratory": searchset(on("2026-01-30"), warning("timeout"), **NEXT)})

    assert {} == facts.complete_since
    assert 2 == len(reasons(facts, Source.LABORATORY))


EPIC = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"


@pytest.mark.parametrize("code", ["processing", "informational", "not-found"])
@pytest.mark.parametrize("number", ["4101", "4119"])
def test_the_warnings_that_epic_always_sends_are_harmless(code: str, number: str) -> None:
    """4101: no results; 4119: this may not be the entire record (it says so of every record)."""
    found = warning(code)
    found["issue"][0]["details"] = {"coding": [{"system": EPIC, "code": number, "display": "May not be entire."}]}

    assert () == read({"conditions": searchset(found, total=0)}).gaps


@pytest.mark.parametrize(
    "issue",
    [
        {"details": {"text": "Scope missing."}},
        {"details": {"coding": [{"code": "59204", "display": "Scope missing."}]}, "diagnostics": "a stack of calls"},
        {"diagnostics": "Scope missing. "},
        {"details": {"text": "Scope missing"}},
    ],
    ids=["text", "display", "diagnostics", "no full stop"],
)
def test_the_words_of_the_ehr_fit_into_a_sentence(issue: Json) -> None:
    said = {"resourceType": "OperationOutcome", "issue": [issue | {"severity": "error"}]}

    assert ("the EHR reported an error: Scope missing",) == reasons(read({"conditions": said}), Source.CONDITIONS)


def test_an_error_beside_results_leaves_the_results_and_says_that_more_may_be_missing() -> None:
    facts = read({"conditions": searchset(condition(), outcome("error"))})

    assert (1, 1) == (len(facts.conditions), len(facts.gaps))


def test_a_bare_warning_is_no_answer_to_a_search() -> None:
    facts = read({"conditions": outcome("warning", "slow")})

    assert ("the EHR reported an error: slow",) == reasons(facts, Source.CONDITIONS)


@pytest.mark.parametrize(
    "sent", [5, "none", True, [], [condition()], {}, {"entry": 5}, {"resourceType": "Bundle", "entry": "x"}]
)
def test_what_is_no_bundle_at_all_is_a_gap_of_the_whole_source(sent: object) -> None:
    facts = read({"conditions": sent})

    assert 1 == len(reasons(facts, Source.CONDITIONS))


def test_a_single_resource_is_used_but_proves_no_absence() -> None:
    """A search cannot answer with one bare Condition: whoever sent it did not search."""
    facts = read({"conditions": condition()})

    assert 1 == len(facts.conditions)
    assert ("a single Condition, not the result of a search",) == reasons(facts, Source.CONDITIONS)


def test_a_key_filled_with_another_search_proves_no_absence() -> None:
    """Prefetch is typed in by hand at some sites; two keys are swapped easily."""
    facts = read({"conditions": searchset(observation())})

    assert ("holds Observation and no Condition",) == reasons(facts, Source.CONDITIONS)


def test_an_unread_next_page_means_that_absence_is_not_known() -> None:
    facts = read({"conditions": searchset(condition(), **NEXT)})

    assert 1 == len(facts.conditions)
    assert ("cut short: a next page was not read",) == reasons(facts, Source.CONDITIONS)


def test_fewer_entries_than_the_total_mean_that_some_were_left_out() -> None:
    facts = read({"conditions": searchset(condition(), total=3)})

    assert ("cut short: 1 of 3 were sent",) == reasons(facts, Source.CONDITIONS)


def test_a_total_that_counts_what_was_sent_is_complete() -> None:
    """Resources that a search brought along are not counted by total."""
    brought = {"resource": {"resourceType": "Medication", "id": "d"}, "search": {"mode": "include"}}
    bundle = searchset(condition(), total=1)
    bundle["entry"].append(brought)

    facts = read({"conditions": bundle})

    assert () == facts.gaps


def test_results_sorted_newest_first_reach_back_to_the_oldest_that_was_sent() -> None:
    facts = read({"laboratory": searchset(on("2026-01-30"), on("2026-01-10"), on("2025-12-24"), **NEXT)})

    assert () == facts.gaps
    assert {Source.LABORATORY: day("2025-12-24T08:00:00Z")} == facts.complete_since


def test_of_two_keys_of_a_source_the_one_that_reaches_back_less_counts() -> None:
    facts = read({
        "laboratory": searchset(on("2026-01-30"), on("2025-06-01"), **NEXT),
        "laboratory_2": searchset(on("2026-01-20"), on("2026-01-05"), total=9),
    })  # fmt: skip

    assert {Source.LABORATORY: day("2026-01-05T08:00:00Z")} == facts.complete_since


@pytest.mark.parametrize(
    "sent",
    [
        [on("2026-01-10"), on("2026-01-30")],
        [on("2026-01-30"), observation("undated", effectiveDateTime=None)],
        [on("2026-01-30"), on("2026-01-10") | {"effectiveDateTime": "2025"}],
        [on("2026-01-30"), on("2026-01-10") | {"status": {"not": "readable"}}],
        [on("2026-01-30"), observation("p", effectiveDateTime=None, effectivePeriod={"end": "2026-01-02"})],
        [],
    ],
    ids=[
        "oldest first",
        "one undated",
        "one only with a year",
        "one unreadable",
        "one with a period",
        "nothing at all",
    ],
)
def test_a_page_that_is_not_surely_sorted_newest_first_proves_no_absence(sent: list[Json]) -> None:
    facts = read({"laboratory": searchset(*sent, **NEXT)})

    assert ("cut short: a next page was not read",) == reasons(facts, Source.LABORATORY)
    assert {} == facts.complete_since


def test_diagnoses_sorted_by_date_still_need_every_page() -> None:
    """A diagnosis of twenty years ago counts like one of today."""
    facts = read({"conditions": searchset(condition("a", recordedDate="2026-01-30"), **NEXT)})

    assert 1 == len(reasons(facts, Source.CONDITIONS))


def test_pages_that_were_all_read_are_one_complete_answer() -> None:
    pages = tuple(
        json.dumps(page).encode()
        for page in (searchset(condition("a"), total=2, **NEXT), searchset(condition("b"), total=2))
    )

    facts = read_facts(
        {"conditions": Received(pages, "FHIR read")}, context(expected={"conditions": Source.CONDITIONS})
    )

    assert ["Condition/a", "Condition/b"] == [one.provenance.reference for one in facts.conditions]
    assert "FHIR read" == facts.conditions[0].provenance.origin
    assert () == facts.gaps


def test_a_page_that_could_not_be_read_leaves_the_pages_before_it() -> None:
    page = json.dumps(searchset(condition("a"), **NEXT)).encode()

    facts = read_facts(
        {"conditions": Received((page,), failure="HTTP 500")}, context(expected={"conditions": Source.CONDITIONS})
    )

    assert 1 == len(facts.conditions)
    assert ("cut short: HTTP 500",) == reasons(facts, Source.CONDITIONS)


@pytest.mark.parametrize(
    "sent",
    [None, searchset(), outcome("error"), {"resourceType": "Patient"}, {"resourceType": "Patient", "id": "boris"}],
)
def test_without_the_patient_there_is_a_gap_and_no_patient(sent: object) -> None:
    facts = read({"patient": sent})

    assert facts.patient is None
    assert 1 == len(reasons(facts, Source.PATIENT))


def test_no_encounter_is_no_gap_but_an_unreadable_one_is() -> None:
    assert () == read({"encounter": None}).gaps
    assert ("the Encounter is not readable",) == reasons(
        read({"encounter": {"resourceType": "Encounter", "id": "e", "class": [1, 2]}}), Source.ENCOUNTER
    )


def test_a_key_that_nobody_asked_for_is_read_but_completes_nothing() -> None:
    facts = read({"extra": searchset(condition())}, expected={"conditions": Source.CONDITIONS})

    assert ["prefetch extra"] == [one.provenance.origin for one in facts.conditions]
    assert [(Source.CONDITIONS, GapScope.SOURCE)] == [(gap.source, gap.scope) for gap in facts.gaps]
