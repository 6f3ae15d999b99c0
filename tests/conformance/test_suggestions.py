"""A7: What a card offers to do."""

import re

import pytest

from tests.conformance.calls import ORDER, much_found
from tests.conformance.exchange import ORDER_SIGN, Exchange
from tests.conformance.mutations import actions, cards, drop, inside, put, turned_red_by
from tests.running import Json


def _offering(exchange: Exchange) -> list[Json]:
    """Return the cards that offer something; together they offer to create, to update and to delete."""
    answered = exchange.post(much_found(exchange, "order-sign"), ORDER_SIGN).cards()
    offering = [card for card in answered if "suggestions" in card]
    assert offering
    return offering


def _suggestions(exchange: Exchange) -> list[Json]:
    found = [suggestion for card in _offering(exchange) for suggestion in card["suggestions"]]
    assert found
    return found


def _two_recommended(card: Json) -> None:
    if "suggestions" in card:
        card["suggestions"] = [{**one, "isRecommended": True} for one in (*card["suggestions"], *card["suggestions"])]
        card["selectionBehavior"] = "at-most-one"


def _only_the_id(action: Json) -> None:
    if action["type"] == "update":
        action["resource"] = {name: action["resource"][name] for name in ("resourceType", "id")}


@pytest.mark.requirement(48)
@turned_red_by("no selectionBehavior", cards(drop("selectionBehavior")))
@turned_red_by("one that no client knows", cards(put(selectionBehavior="all")))
@turned_red_by("two recommended of which one may be taken", cards(_two_recommended))
@turned_red_by("an empty list of suggestions", cards(put(suggestions=[])))
def test_suggestions_come_with_a_behaviour_that_clients_know(exchange: Exchange) -> None:
    for card in _offering(exchange):
        assert card["suggestions"]
        assert card.get("selectionBehavior") in {"any", "at-most-one"}
        recommended = [one for one in card["suggestions"] if one.get("isRecommended")]
        assert "any" == card["selectionBehavior"] or len(recommended) <= 1


@pytest.mark.requirement(49)
@turned_red_by("no label", inside("suggestions", drop("label")))
@turned_red_by("no uuid", inside("suggestions", drop("uuid")))
@turned_red_by("one uuid for all", inside("suggestions", put(uuid="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")))
@turned_red_by("no action", inside("suggestions", put(actions=[])))
@turned_red_by("two actions", inside("suggestions", lambda one: one["actions"].extend(one["actions"])))
@turned_red_by("a behaviour of 3.0", inside("suggestions", put(actionSelectionBehavior="any")))
def test_every_suggestion_has_a_label_a_uuid_of_its_own_and_one_action(exchange: Exchange) -> None:
    suggestions = _suggestions(exchange)
    uuids = [one.get("uuid") for one in suggestions]

    assert all(str(one.get("label", "")).strip() for one in suggestions)
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(uuid)) for uuid in uuids)
    assert len(uuids) == len(set(uuids))
    assert {1} == {len(one.get("actions", [])) for one in suggestions}
    assert [] == [one for one in suggestions if "actionSelectionBehavior" in one]


@pytest.mark.requirement(50)
@turned_red_by("no type", actions(drop("type")))
@turned_red_by("a type that is none", actions(put(type="remove")))
@turned_red_by("no description", actions(drop("description")))
@turned_red_by("create without resource", actions(lambda one: one["type"] == "create" and one.pop("resource")))
@turned_red_by("update without resource", actions(lambda one: one["type"] == "update" and one.pop("resource")))
@turned_red_by("delete without resourceId", actions(drop("resourceId")))
@turned_red_by("an update that is not the whole order", actions(_only_the_id))
@turned_red_by("the id as resource", actions(lambda one: one.update(resource="x") if one["type"] == "delete" else None))
def test_every_action_says_what_it_does_and_to_what(exchange: Exchange) -> None:
    actions_found = [one for suggestion in _suggestions(exchange) for one in suggestion.get("actions", [])]

    assert {"create", "update", "delete"} == {one.get("type") for one in actions_found}
    for one in actions_found:
        assert str(one.get("description", "")).strip()
        if one["type"] == "delete":
            assert re.fullmatch(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}", str(one.get("resourceId")))
            assert "resource" not in one
        else:
            assert isinstance(one.get("resource"), dict)
            assert one["resource"].get("resourceType")
        if one["type"] == "update":
            assert ORDER == {name: value for name, value in one["resource"].items() if name != "reasonCode"}
