"""Which draft orders a hook asks about (clinical/rules.md D-ORDER)."""

import pytest

from cds.errors import FhirError, RequestError
from cds.hooks.decode import decode
from cds.hooks.drafts import MOST_DRAFTS, Selection, select
from tests.hooks.bodies import Json, body, bundle, draft, request


def _selected(sent: Json) -> Selection:
    return select(decode(body(sent), sent["hook"]))


def _references(sent: Json) -> list[str]:
    return [order.reference for order in _selected(sent).drafts]


TWO = bundle(draft(id="a"), draft(id="b"))


@pytest.mark.parametrize("selected", ["MedicationRequest/b", "b", "urn:uuid:5e1c0bba-5d0f-4a43-8f7e-44a3cbf6a9d3"])
def test_an_order_is_selected_by_reference_id_or_full_url(selected: str) -> None:
    drafts = bundle(draft(id="a"), draft(id="b"))
    drafts["entry"][1]["fullUrl"] = "urn:uuid:5e1c0bba-5d0f-4a43-8f7e-44a3cbf6a9d3"

    selection = _selected(request(draftOrders=drafts, selections=[selected]))

    assert (["MedicationRequest/b"], ()) == ([order.reference for order in selection.drafts], selection.remarks)


@pytest.mark.parametrize(
    ("selections", "remark"),
    [
        (None, "selections are missing or empty: all draft orders are looked at"),
        ([], "selections are missing or empty: all draft orders are looked at"),
        (["MedicationRequest/c"], "selections name no draft order: all draft orders are looked at"),
    ],
)
def test_selections_that_name_no_draft_stand_for_all_drafts_and_are_noted(
    selections: list[str] | None, remark: str
) -> None:
    selection = _selected(request(draftOrders=TWO, selections=selections))

    assert ["MedicationRequest/a", "MedicationRequest/b"] == [order.reference for order in selection.drafts]
    assert (remark,) == selection.remarks


@pytest.mark.parametrize(
    "drafts", [bundle(), {"resourceType": "Bundle"}, {**bundle(), "entry": [{"fullUrl": "urn:x"}]}]
)
def test_selected_orders_that_an_ehr_withholds_are_missing_and_no_silence(drafts: Json) -> None:
    """An EHR that drops what its client has no scope for may leave an empty Bundle behind."""
    with pytest.raises(FhirError) as caught:
        _selected(request(draftOrders=drafts))

    assert ("CDS-302", "$.context.draftOrders") == (caught.value.code, caught.value.where)
    assert [] == _references(request(draftOrders=drafts, selections=[]))


def test_all_drafts_are_looked_at_when_they_are_signed() -> None:
    selection = _selected(request("order-sign", draftOrders=TWO))

    assert (2, ()) == (len(selection.drafts), selection.remarks)


@pytest.mark.parametrize("status", ["cancelled", "stopped", "completed", "entered-in-error", "on-hold", "revoked"])
def test_an_order_that_has_ended_is_not_looked_at(status: str) -> None:
    assert [] == _references(request(draftOrders=bundle(draft(status=status))))


def test_an_order_that_forbids_the_drug_is_not_looked_at() -> None:
    assert [] == _references(request(draftOrders=bundle(draft(doNotPerform=True))))


@pytest.mark.parametrize("intent", ["option", "proposal"])
def test_a_proposal_counts_only_if_it_is_selected(intent: str) -> None:
    drafts = bundle(draft(intent=intent))

    assert ["MedicationRequest/draft-1"] == _references(request(draftOrders=drafts))
    assert [] == _references(request(draftOrders=drafts, selections=None))
    assert [] == _references(request("order-sign", draftOrders=drafts))


@pytest.mark.parametrize("resource_type", ["MedicationStatement", "Task", "NutritionOrder"])
def test_what_is_no_order_for_a_drug_or_a_treatment_is_not_looked_at(resource_type: str) -> None:
    drafts = bundle(draft(resourceType=resource_type))

    assert [] == _references(request(draftOrders=drafts, selections=[f"{resource_type}/draft-1"]))


@pytest.mark.parametrize(
    ("entries", "code", "where"),
    [
        (["text"], "CDS-215", "entry[0]"),
        ([{"resource": draft()}, [{"resource": draft()}]], "CDS-215", "entry[1]"),
        ([{"resource": [draft()]}], "CDS-215", "entry[0].resource"),
        ([{"resource": draft(resourceType=None)}], "CDS-214", "entry[0].resource.resourceType"),
        ([{"resource": draft(resourceType=7)}], "CDS-215", "entry[0].resource.resourceType"),
    ],
)
def test_a_draft_that_cannot_be_read_is_refused_because_it_might_be_ketamine(
    entries: list[object], code: str, where: str
) -> None:
    """To leave it out would answer "nothing found" about an order that nobody looked at."""
    with pytest.raises(RequestError) as caught:
        _selected(request(draftOrders={"resourceType": "Bundle", "entry": entries}))

    assert (code, f"$.context.draftOrders.{where}") == (caught.value.code, caught.value.where)


@pytest.mark.parametrize("entry", [None, {}, {"fullUrl": "urn:x:1"}, {"resource": None}])
def test_an_entry_that_holds_nothing_costs_nothing(entry: Json | None) -> None:
    drafts = {"resourceType": "Bundle", "entry": [entry, {"resource": draft()}]}

    assert ["MedicationRequest/draft-1"] == _references(request(draftOrders=drafts))


def test_an_order_without_an_id_is_found_by_its_full_url_or_when_nothing_is_selected() -> None:
    nameless = draft()
    del nameless["id"]
    drafts: Json = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:x:1", "resource": nameless}]}

    assert ["MedicationRequest/"] == _references(request(draftOrders=drafts, selections=["urn:x:1"]))
    assert ["MedicationRequest/"] == _references(request(draftOrders=drafts, selections=None))


def test_more_draft_orders_than_can_be_assessed_in_time_are_refused() -> None:
    many = bundle(*(draft(id=f"d{number}") for number in range(MOST_DRAFTS + 1)))

    with pytest.raises(RequestError) as caught:
        _selected(request(draftOrders=many))

    assert ("CDS-209", "$.context.draftOrders", 400) == (caught.value.code, caught.value.where, caught.value.status)
