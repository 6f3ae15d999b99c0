"""Answers are written strictly: what the engine made is there, and nothing that is empty."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cds.engine.card import Card, Suggestion
from cds.engine.rules import Level, OverrideReason
from cds.errors import FhirError, RequestError
from cds.fhir.r4b import validate_resource
from cds.hooks.suggestions import Desk
from cds.hooks.wire import NO_CARDS, Writing, write_cards, write_outcome
from tests.response_checker import outcome_violations, response_violations

RECORD = "0a2f6f60-6d0b-4a52-9d0e-6a3f6f0f9a11"
UUIDS = (
    "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "5e1c0bba-5d0f-4a43-8f7e-44a3cbf6a9d3",
    "7c9e6679-7425-40de-944b-e07fc1f90ae7",
)
BARE = Card("KETCRPS1I", ("KETCRPS1",), Level.INFO, "A reason to give it", "- **Pain**", "A guideline, 2018", "")
FULL = Card(
    topic="KETIOP1C",
    rules=("KETIOP1", "KETEYE2"),
    level=Level.CRITICAL,
    summary="A reason not to",
    detail="- **Pressure**: 31 mm\\[Hg\\]",
    source_label="A guideline, 2018",
    source_url="https://guideline.example/2018",
    topic_display="Raised eye pressure",
    override_reasons=(OverrideReason("urn:ketamine-cds:override", "emergency", "Emergency"),),
    suggestions=(Suggestion("Remove this draft order", delete="MedicationRequest/draft-1"),),
)


DESK = Desk("amara", "", lambda resource: not validate_resource(resource), {"MedicationRequest/draft-1": b"{}"})


def _link(topic: str) -> str:
    return f"https://cds.example/knowledge/{topic.lower()}/source-attributes"


def _written(*cards: Card) -> dict[str, list[dict[str, object]]]:
    minted: Iterator[str] = iter(UUIDS)
    writing = Writing(RECORD, lambda: next(minted), DESK, _link)
    answer: dict[str, list[dict[str, object]]] = json.loads(write_cards(cards, writing))
    return answer


def test_a_card_carries_everything_that_cds_hooks_and_epic_ask_for() -> None:
    answer = _written(FULL)

    assert [] == response_violations(answer)
    assert {
        "uuid": UUIDS[1],
        "summary": "A reason not to",
        "detail": "- **Pressure**: 31 mm\\[Hg\\]",
        "indicator": "critical",
        "source": {
            "label": "A guideline, 2018",
            "url": "https://guideline.example/2018",
            "topic": {"system": "urn:ketamine-cds:topic", "code": "KETIOP1C", "display": "Raised eye pressure"},
        },
        "suggestions": [
            {
                "label": "Remove this draft order",
                "uuid": UUIDS[0],
                "actions": [
                    {
                        "type": "delete",
                        "description": "Remove this draft order",
                        "resourceId": "MedicationRequest/draft-1",
                    }
                ],
            }
        ],
        "selectionBehavior": "any",
        "overrideReasons": [{"system": "urn:ketamine-cds:override", "code": "emergency", "display": "Emergency"}],
        "links": [{"label": "Source attributes", "url": _link("KETIOP1"), "type": "absolute"}],
        "extension": {"org.ketamine-cds": {"record": RECORD, "rules": ["KETIOP1", "KETEYE2"]}},
    } == answer["cards"][0]


def test_a_card_without_the_optional_parts_has_no_empty_member() -> None:
    answer = _written(BARE)

    assert [] == response_violations(answer)
    assert ["uuid", "summary", "detail", "indicator", "source", "links", "extension"] == list(answer["cards"][0])


def test_no_card_is_an_empty_list() -> None:
    assert NO_CARDS == write_cards((), Writing(RECORD, lambda: UUIDS[0], DESK, _link))


def test_a_service_that_does_not_know_its_address_writes_no_link() -> None:
    written = json.loads(write_cards([BARE], Writing(RECORD, lambda: UUIDS[0], DESK, lambda _: "")))["cards"][0]

    assert "links" not in written


@pytest.mark.parametrize("reference", ["MedicationRequest/", "MedicationRequest 1 of draftOrders", "urn:uuid:1", ""])
def test_an_order_that_cannot_be_named_is_not_offered_for_removal(reference: str) -> None:
    """An EHR could not find what a delete action without a reference means."""
    card = replace(FULL, suggestions=(Suggestion("Remove this draft order", reference),))

    written = _written(card)["cards"][0]

    assert {"suggestions", "selectionBehavior"}.isdisjoint(written)


@pytest.mark.parametrize(
    ("error", "status", "issue_type"),
    [
        (RequestError("CDS-201", "$", "The body is not JSON."), 400, "invalid"),
        (RequestError("CDS-217", "$", "Not R4.", "R4 only.", "Send R4."), 400, "not-supported"),
        (RequestError("CDS-220", "POST", "No such service."), 404, "not-found"),
        (FhirError("CDS-301", "prefetch 'patient'", "Not sent.", action="Send it."), 412, "required"),
        (FhirError("CDS-999", "somewhere", "Something."), 503, "transient"),
    ],
)
def test_an_error_is_a_valid_operation_outcome_with_a_code_to_look_up(
    error: RequestError | FhirError, status: int, issue_type: str
) -> None:
    outcome = json.loads(write_outcome(error, status, RECORD))
    issue = outcome["issue"][0]

    assert [] == outcome_violations(outcome)
    assert () == tuple(validate_resource(outcome))
    assert (issue_type, error.code) == (issue["code"], issue["details"]["coding"][0]["code"])
    assert issue["diagnostics"].endswith(f"Record {RECORD}.")
