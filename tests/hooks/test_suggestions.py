"""What a card offers with one click is one valid action, and what the EHR sent of an order is never lost."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.engine.card import Suggestion
from cds.engine.facts import Coding, Concept
from cds.fhir.r4b import validate_resource
from cds.hooks.decode import decode
from cds.hooks.suggestions import Desk, Json, Offered, desk_for, with_reason
from tests.hooks.bodies import body, bundle, draft, request

SNOMED = "http://snomed.info/sct"
CRPS = Concept((Coding("http://hl7.org/fhir/sid/icd-10-cm", "G90.511", "CRPS I of right arm"),), "CRPS")
WRITTEN_CRPS = {
    "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G90.511", "display": "CRPS I of right arm"}],
    "text": "CRPS",
}
ECG = Suggestion("Order a 12-lead ECG", order=Coding(SNOMED, "29303009", "Electrocardiographic procedure"))
DELETE = Suggestion("Remove this draft order", delete="MedicationRequest/draft-1")
ADD = Suggestion("Add the indication to the order's reason", update="MedicationRequest/draft-1", reason=CRPS)
LEFT_OUT = (
    "Add the indication to the order's reason: not offered as a click, because the draft order as sent is not valid "
    "FHIR R4."
)
RICH = draft(
    extension=[{"url": "https://ehr.example/priority-reason", "valueString": "asked for by the clinic"}],
    _status={"extension": [{"url": "https://ehr.example/entered", "valueDateTime": "2026-02-01T09:00:00+01:00"}]},
    contained=[{"resourceType": "Medication", "id": "m", "code": {"text": "ketamine"}}],
    dosageInstruction=[{"text": "0.50 mg/kg/h", "doseAndRate": [{"doseQuantity": {"value": 0.5, "unit": "mg"}}]}],
    note=[{"text": "Second cycle; the first was tolerated."}],
    reasonReference=[{"reference": "Condition/crps"}],
)


def _is_valid(resource: Json) -> bool:
    return not validate_resource(resource)


def _desk(*drafts: Json, valid: Callable[[Json], bool] = _is_valid, **context: Any) -> Desk:  # noqa: ANN401
    sent = request(draftOrders=bundle(*drafts), **context)
    return desk_for(decode(body(sent), "order-select"), valid)


def _written(desk: Desk, *suggestions: Suggestion) -> tuple[list[Json], Offered]:
    numbers = count(1)
    offered = desk.write(suggestions, lambda: f"uuid-{next(numbers)}")
    read = json.loads(orjson.dumps(offered.suggestions))
    return read, offered


def test_a_test_that_is_missing_is_offered_as_a_draft_proposal_for_this_patient_and_encounter() -> None:
    written, offered = _written(_desk(draft(), encounterId="visit-7"), ECG)
    resource = written[0]["actions"][0]["resource"]

    assert () == offered.left_out
    assert {"label": ECG.label, "uuid": "uuid-1"} == {name: written[0][name] for name in ("label", "uuid")}
    assert ["create"] == [action["type"] for action in written[0]["actions"]]
    assert resource == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {
            "coding": [{"system": SNOMED, "code": "29303009", "display": "Electrocardiographic procedure"}],
            "text": "Electrocardiographic procedure",
        },
        "subject": {"reference": "Patient/amara"},
        "encounter": {"reference": "Encounter/visit-7"},
    }
    assert _is_valid(resource)


def test_without_an_encounter_the_proposal_names_none() -> None:
    written, _ = _written(_desk(draft()), ECG)

    assert "encounter" not in written[0]["actions"][0]["resource"]


def test_the_draft_is_offered_for_removal_by_its_reference() -> None:
    written, _ = _written(_desk(draft()), DELETE)

    assert [
        {"type": "delete", "description": "Remove this draft order", "resourceId": "MedicationRequest/draft-1"}
    ] == written[0]["actions"]


def test_adding_the_reason_changes_nothing_else_of_the_order() -> None:
    """Extensions, dose, notes and contained resources are those of the EHR; only the reason is new."""
    written, _ = _written(_desk(RICH), ADD)
    (action,) = written[0]["actions"]

    assert ("update", ADD.label) == (action["type"], action["description"])
    assert action["resource"] == RICH | {"reasonCode": [WRITTEN_CRPS]}
    assert _is_valid(action["resource"])


def test_a_dose_keeps_the_digits_in_which_it_was_written() -> None:
    """In FHIR 0.50 says more than 0.5; reading and writing it as a number would lose that."""
    sent = json.dumps(RICH).replace('"value": 0.5,', '"value": 0.50,').encode()

    changed = with_reason(sent, CRPS)

    assert b'"value": 0.50,' in orjson.dumps(changed)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, [WRITTEN_CRPS]),
        ({"reasonCode": [{"text": "pain"}]}, [{"text": "pain"}, WRITTEN_CRPS]),
        ({"reasonCode": {"text": "pain"}}, [{"text": "pain"}, WRITTEN_CRPS]),
    ],
)
def test_the_reason_is_added_to_those_that_are_there(sent: Json, expected: list[Json]) -> None:
    """Some EHRs send an object where a list belongs: that alone is mended, because the whole member is written anew."""
    written, _ = _written(_desk(draft(**sent)), ADD)

    assert expected == written[0]["actions"][0]["resource"]["reasonCode"]


@pytest.mark.parametrize(
    "sent",
    [
        {"category": {"text": "outpatient"}},
        {"reasonCode": "pain"},
        {"ourOwnMember": 1},
        {"note": None},
        {"note": []},
        {"authoredOn": "yesterday"},
    ],
    ids=str,
)
def test_an_order_that_is_not_valid_is_not_changed_by_a_click_and_the_card_says_so(sent: Json) -> None:
    """An EHR would refuse the whole update, or worse, store half of it."""
    written, offered = _written(_desk(draft(**sent)), ADD, DELETE)

    assert ["delete"] == [action["type"] for one in written for action in one["actions"]]
    assert (LEFT_OUT,) == offered.left_out


def test_a_member_that_stands_twice_is_not_halved() -> None:
    sent = body(request()).replace(b'"status": "draft"', b'"status": "draft", "note": [], "note": [{"text": "x"}]')
    desk = desk_for(decode(sent, "order-select"), _is_valid)

    written, offered = _written(desk, ADD)

    assert ([], (LEFT_OUT,)) == (written, offered.left_out)


@pytest.mark.parametrize("identifier", ["", "a b", "x" * 65])
def test_an_order_without_a_usable_id_is_neither_removed_nor_changed(identifier: str) -> None:
    written, offered = _written(_desk(draft(id=identifier)), DELETE, ADD, ECG)

    assert ([ECG.label], ()) == ([one["label"] for one in written], offered.left_out)


def test_two_drafts_with_one_id_are_not_mixed_up() -> None:
    written, _ = _written(_desk(draft(), draft(note=[{"text": "the other"}])), DELETE, ADD)

    assert [] == written


def test_what_is_not_a_draft_of_this_call_is_not_removed() -> None:
    """In patient-view the order is signed and running: taking it away is nothing for one click."""
    written, _ = _written(_desk(draft(id="another")), DELETE, ADD)

    assert [] == written


def test_validity_is_asked_only_of_what_holds_a_resource() -> None:
    asked: list[Json] = []

    def ask(resource: Json) -> bool:
        asked.append(resource)
        return True

    desk = _desk(draft(), valid=ask)

    _written(desk, DELETE)
    after_delete = len(asked)
    _written(desk, ECG, ADD)

    assert (0, 2) == (after_delete, len(asked))


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _JSON, max_size=6))
def test_whatever_an_order_holds_is_in_the_changed_order(members: dict[str, Any]) -> None:
    """Members that no rule reads and no library knows are carried over as they are."""
    sent = {name: value for name, value in members.items() if name != "reasonCode"}

    changed = with_reason(json.dumps(sent).encode(), CRPS)

    assert json.loads(orjson.dumps(changed)) == sent | {"reasonCode": [WRITTEN_CRPS]}
