"""Whatever stands in place of any member: nothing raises, nothing else is lost, and nothing vanishes without a word."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cds.engine.facts import PatientFacts
from cds.fhir.context import Received, as_received
from cds.fhir.drafts import entries_of, read_drafts
from cds.fhir.r4b import lint_request, validate_resource
from cds.fhir.read import read_facts
from tests.fhir.records import (
    KEYS,
    LOINC,
    SUBJECT,
    Json,
    condition,
    context,
    observation,
    quantity,
    read,
    request,
    searchset,
)

RATIO = {"numerator": quantity(35, "mg"), "denominator": quantity(1, "h")}
DOSAGE = {
    "text": "slowly",
    "route": {"coding": [{"code": "47625008"}]},
    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "duration": 40, "durationUnit": "min"}},
    "doseAndRate": [{"doseQuantity": quantity(35, "mg"), "rateRatio": RATIO}],
}
SENT: Json = {
    "patient": {"resourceType": "Patient", "id": "amara", "birthDate": "1984-03-17", "gender": "female"},
    "conditions": searchset(
        condition("c1", onsetPeriod={"start": "2020-01-01"}, recordedDate="2020-02-01", category=[{"text": "problem"}]),
        condition("c2", abatementDateTime="2021-01-01", encounter={"reference": "Encounter/e1"}),
        total=2,
        link=[{"relation": "self", "url": "x"}],
    ),
    "allergies": searchset(
        {
            "resourceType": "AllergyIntolerance",
            "id": "a1",
            "patient": SUBJECT,
            "code": {"text": "latex"},
            "reaction": [{"substance": {"text": "latex"}}],
        }
    ),
    "medications": searchset(
        request("m1", dosageInstruction=[DOSAGE], dispenseRequest={"expectedSupplyDuration": quantity(30, "d")}),
        request("m2", reasonCode=[{"text": "mood"}], note=[{"text": "n"}], groupIdentifier={"value": "g"}),
    ),
    "procedures": searchset(
        {
            "resourceType": "Procedure",
            "id": "p1",
            "status": "completed",
            "subject": SUBJECT,
            "code": {"text": "ECT"},
            "performedPeriod": {"start": "2025-03-01", "end": "2025-04-01"},
        }
    ),
    "laboratory": searchset(
        observation("o1", referenceRange=[{"high": quantity(40, "U/L")}], interpretation=[{"text": "N"}]),
        observation("o2", component=[{"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueInteger": 3}]),
    ),
}
ODD = ["", "2026-13-45", "9999-12-31", "0001-01-01", "Patient/x", "#x", "1e999999999", "NaN", -1, 10**400]
NAMES = st.text(max_size=8) | st.sampled_from(["coding", "value", "reference", "entry"])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | FLOATS | st.text(max_size=12) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - any JSON
    """Every place in a JSON value."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in inner:
        yield from paths(part, (*path, step))


def replaced(value: Any, path: Path, new: object) -> Any:  # noqa: ANN401 - any JSON
    """A copy with another value in one place."""
    changed = json.loads(json.dumps(value))
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = new
    return changed


def described(facts: PatientFacts) -> dict[str, str]:
    """Every fact by its reference."""
    return {fact.provenance.reference: repr(fact) for fact in facts}


PATHS = sorted(paths(SENT), key=str)
IN_ENTRY = [path for path in PATHS if len(path) > 3 and path[1] == "entry"]
WHOLE = described(read(SENT))


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PATHS), JSON)
@example(("conditions", "entry"), {"resource": {"entry": 3}})
@example(("medications", "entry", 0, "resource", "dosageInstruction", 0, "timing", "repeat", "period"), "1e-30")
@example(("laboratory", "entry", 1, "resource", "component", 0, "valueInteger"), 10**400)
def test_any_json_anywhere_never_raises_and_other_sources_are_untouched(path: Path, new: object) -> None:
    facts = read(replaced(SENT, path, new))

    others = {reference: fact for reference, fact in WHOLE.items() if f"prefetch {path[0]}'" not in fact}
    assert others.items() <= described(facts).items()


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(IN_ENTRY), JSON)
def test_any_json_in_an_entry_costs_only_that_entry(path: Path, new: object) -> None:
    own = "{resourceType}/{id}".format(**SENT[str(path[0])]["entry"][path[2]]["resource"])

    facts = described(read(replaced(SENT, path, new)))

    expected = {reference: fact for reference, fact in WHOLE.items() if reference != own}
    assert expected.items() <= facts.items()


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([path for path in IN_ENTRY if path[-1] != "resourceType"]), JSON)
def test_what_is_lost_leaves_a_gap(path: Path, new: object) -> None:
    """An entry that is no longer read, and no gap that says so, would be a silent not-found."""
    facts = read(replaced(SENT, path, new))

    assert len(list(facts)) >= len(WHOLE) or facts.gaps


DEEP = b'{"entry": [{"resource": {"resourceType": "Condition", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}}]}"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(sorted(set(KEYS) - {"patient"})))
@example(b"", "conditions")
@example(b'{"resourceType": "Bundle", "entry": [', "conditions")
@example(b'{"resourceType": "Condition", "id": "\\ud800"}', "conditions")
@example(b"[" * 100_000 + b"]" * 100_000, "conditions")
@example(DEEP, "conditions")
def test_what_is_not_even_json_is_a_gap_never_an_error(raw: bytes, key: str) -> None:
    facts = read_facts(as_received({key: raw}), context(expected={key: KEYS[key]}))

    assert (raw.strip() == b"null", []) == (not facts.gaps, list(facts))


def test_nothing_received_is_not_an_empty_record() -> None:
    facts = read_facts({"conditions": Received()}, context(expected={"conditions": KEYS["conditions"]}))

    assert ["nothing was received"] == [gap.reason for gap in facts.gaps]


DRAFTS = searchset(request("d1", dosageInstruction=[DOSAGE], contained=[{"resourceType": "Medication", "id": "x"}]))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(paths(DRAFTS), key=str)), JSON)
def test_any_json_in_a_draft_order_never_raises(path: Path, new: object) -> None:
    raw = json.dumps(replaced(DRAFTS, path, new)).encode()

    for draft in read_drafts(entries_of(raw), context(), as_received({"x": raw})):
        assert draft.reference


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PATHS), JSON)
def test_the_strict_check_of_any_json_never_raises(path: Path, new: object) -> None:
    changed = replaced(SENT, path, new)
    call = {"hook": "order-select", "context": {"draftOrders": changed["medications"]}, "prefetch": changed}

    for problem in (*lint_request(call), *validate_resource(changed["conditions"])):
        assert problem.path
        assert problem.message
