"""In order-select an order that was selected and never seen is not called harmless (clinical/rules.md D-ORDER)."""

import pytest

from tests.fetch.calls import call
from tests.fetch.fault_server import FaultServer
from tests.hooks.bodies import bundle, draft
from tests.running import Json, Running

PHYSIOTHERAPY = draft(resourceType="ServiceRequest", id="service", code={"text": "physiotherapy"})
SERTRALINE = draft(id="sertraline", medicationCodeableConcept={"text": "sertraline 50 mg tablet"})
UNSEEN = ["MedicationRequest/unseen"]


@pytest.mark.parametrize("drafts", [[PHYSIOTHERAPY], [SERTRALINE], [PHYSIOTHERAPY, SERTRALINE]], ids=len)
def test_an_order_that_is_selected_and_not_sent_is_not_called_harmless(
    service: Running, server: FaultServer, drafts: list[Json]
) -> None:
    """An EHR whose client lacks the scope for unsigned MedicationRequests sends the other drafts alone."""
    found = call(service, server.base, context=_context(UNSEEN, drafts))

    assert (412, "CDS-302") == (found.response.status_code, found.problem)
    assert "The orders that are selected are not among the draft orders." in found.response.text
    assert [] == server.asked


def test_selections_that_match_nothing_still_mean_all_drafts_where_one_is_for_the_drug(
    service: Running, server: FaultServer
) -> None:
    found = call(service, server.base, context=_context(UNSEEN, [PHYSIOTHERAPY, draft()]))

    assert found.topics


@pytest.mark.parametrize("selections", [["ServiceRequest/service"], ["service"], [], None], ids=str)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_an_order_for_something_else_that_was_seen_needs_no_card(
    service: Running, server: FaultServer, selections: list[str] | None, hook: str
) -> None:
    found = call(service, server.base, hook, context=_context(selections, [PHYSIOTHERAPY]))

    assert (200, []) == (found.response.status_code, found.topics)


def _context(selections: list[str] | None, drafts: list[Json]) -> Json:
    given = {} if selections is None else {"selections": selections}
    return {"userId": "Practitioner/nadia", "patientId": "amara", "draftOrders": bundle(*drafts)} | given
