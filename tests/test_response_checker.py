"""The checker finds what is wrong with cards: each mutation of a good answer must be named."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.response_checker import response_violations

Json = dict[str, Any]

RECORD = "0a2f6f60-6d0b-4a52-9d0e-6a3f6f0f9a11"
LINK = {"label": "Source attributes", "url": "https://cds.example/knowledge/a/source-attributes", "type": "absolute"}
ORDER = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "code": {"text": "Blood pressure"},
    "subject": {"reference": "Patient/1"},
}
GOOD: Json = {
    "cards": [
        {
            "uuid": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "summary": "Eye pressure 31 mm[Hg]: relative contraindication (grade C)",
            "detail": "- Intraocular pressure 31 mm\\[Hg\\]",
            "indicator": "critical",
            "source": {
                "label": "A guideline, 2018",
                "url": "https://guideline.example/2018",
                "topic": {"system": "urn:ketamine-cds:topic", "code": "KETIOP1C", "display": "Raised eye pressure"},
            },
            "suggestions": [
                {
                    "label": "Remove the order",
                    "uuid": "5e1c0bba-5d0f-4a43-8f7e-44a3cbf6a9d3",
                    "actions": [{"type": "delete", "description": "Remove it", "resourceId": "MedicationRequest/1"}],
                }
            ],
            "selectionBehavior": "any",
            "overrideReasons": [{"system": "urn:ketamine-cds:override", "code": "emergency", "display": "Emergency"}],
            "links": [LINK],
            "extension": {"org.ketamine-cds": {"record": RECORD, "rules": ["KETIOP1"]}},
        },
        {
            "uuid": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "summary": "Documented indication",
            "indicator": "info",
            "source": {"label": "A guideline", "topic": {"system": "urn:ketamine-cds:topic", "code": "KETCRPS1I"}},
            "links": [LINK],
            "extension": {"org.ketamine-cds": {"record": RECORD, "rules": ["KETCRPS1"]}},
        },
    ]
}


def _set(*path: str | int, to: Any) -> Callable[[Json], None]:  # noqa: ANN401
    def mutate(answer: Json) -> None:
        place: Any = answer
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return mutate


def _drop(*path: str | int) -> Callable[[Json], None]:
    def mutate(answer: Json) -> None:
        place: Any = answer
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return mutate


def _action(kind: str, resource: Json) -> Callable[[Json], None]:
    return _set(*ACTION, to={"type": kind, "description": "Order it", "resource": resource})


CARD = ("cards", 0)
SUGGESTION = (*CARD, "suggestions", 0)
ACTION = (*SUGGESTION, "actions", 0)
MUTATIONS = {
    "no cards": (_drop("cards"), "'cards' is no array"),
    "cards is null": (_set("cards", to=None), "'cards' is no array"),
    "system actions": (_set("systemActions", to=[]), "unexpected member"),
    "summary of 140 characters": (_set(*CARD, "summary", to="x" * 140), "140 characters"),
    "no summary": (_drop(*CARD, "summary"), "'summary' is missing"),
    "summary of two lines": (_set(*CARD, "summary", to="a\nb"), "more than one line"),
    "bidi override in the summary": (_set(*CARD, "summary", to="a\u202eb"), "control characters"),
    "hard-stop": (_set(*CARD, "indicator", to="hard-stop"), "no indicator"),
    "level of the topic is another": (_set(*CARD, "source", "topic", "code", to="KETIOP1I"), "does not name the level"),
    "topic with a dash": (_set(*CARD, "source", "topic", "code", to="KET-IOPC"), "not alphanumeric"),
    "no topic": (_drop(*CARD, "source", "topic"), "no source.topic"),
    "no source": (_drop(*CARD, "source"), "no source"),
    "no source label": (_drop(*CARD, "source", "label"), "'label' is missing"),
    "relative source url": (_set(*CARD, "source", "url", to="/2018"), "absolute"),
    "null detail": (_set(*CARD, "detail", to=None), "is empty"),
    "HTML in the detail": (_set(*CARD, "detail", to="<b>x</b>"), "HTML"),
    "uuid that is none": (_set(*CARD, "uuid", to="1"), "UUID"),
    "upper-case uuid": (_set(*CARD, "uuid", to="D1577C69-DFBE-44AD-BA6D-3E05E953B2EA"), "UUID"),
    "uuid twice": (_set(*CARD, "uuid", to="7c9e6679-7425-40de-944b-e07fc1f90ae7"), "stands twice"),
    "suggestions without behaviour": (_drop(*CARD, "selectionBehavior"), "selectionBehavior"),
    "unknown behaviour": (_set(*CARD, "selectionBehavior", to="all"), "selectionBehavior"),
    "behaviour without suggestions": (_set("cards", 1, "selectionBehavior", to="any"), "without suggestions"),
    "empty suggestions": (_set("cards", 1, "suggestions", to=[]), "is empty"),
    "suggestion without label": (_drop(*SUGGESTION, "label"), "'label' is missing"),
    "suggestion without uuid": (_drop(*SUGGESTION, "uuid"), "UUID"),
    "two actions": (lambda answer: answer["cards"][0]["suggestions"][0]["actions"].append({}), "2 actions"),
    "action without description": (_drop(*ACTION, "description"), "'description' is missing"),
    "unknown action": (_set(*ACTION, "type", to="remove"), "no action type"),
    "delete without resourceId": (_drop(*ACTION, "resourceId"), "no resourceId"),
    "create without resource": (_set(*ACTION, "type", to="create"), "no resource"),
    "create of what is not valid": (_action("create", ORDER | {"note": {"text": "x"}}), "not valid R4B"),
    "create of a signed order": (_action("create", ORDER | {"intent": "order"}), "no draft of a proposal"),
    "update of a resource without id": (_action("update", ORDER), "has no id"),
    "no link": (_drop(*CARD, "links"), "no link to the source attributes"),
    "link in clear": (_set(*CARD, "links", 0, "url", to="http://cds.example/a"), "neither https nor http on loopback"),
    "relative link": (_set(*CARD, "links", 0, "url", to="/knowledge/a"), "neither https nor http on loopback"),
    "override reason without display": (_drop(*CARD, "overrideReasons", 0, "display"), "'display' is missing"),
    "override reason without system": (_drop(*CARD, "overrideReasons", 0, "system"), "'system' is missing"),
    "appContext on an absolute link": (
        _set(*CARD, "links", to=[{"label": "a", "url": "https://a.example", "type": "absolute", "appContext": "x"}]),
        "appContext",
    ),
    "unknown member": (_set(*CARD, "priority", to=1), "unknown member"),
    "extension is a list": (_set(*CARD, "extension", to=[{"url": "x"}]), "extension"),
    "another record": (_set(*CARD, "extension", "org.ketamine-cds", "record", to=GOOD["cards"][0]["uuid"]), "records"),
    "two recommended of which one may be taken": (
        lambda answer: answer["cards"][0].update(
            selectionBehavior="at-most-one",
            suggestions=[{**one, "isRecommended": True} for one in answer["cards"][0]["suggestions"] * 2],
        ),
        "more than one recommended",
    ),
    "a card that is text": (_set("cards", 0, to="Stop"), "is no object"),
    "summary that is a number": (_set(*CARD, "summary", to=7), "'summary' is missing"),
    "detail that is a list": (_set(*CARD, "detail", to=["x"]), "no string"),
    "indicator in capitals": (_set(*CARD, "indicator", to="CRITICAL"), "no indicator"),
    "source that is text": (_set(*CARD, "source", to="A guideline"), "no source"),
    "relative icon": (_set(*CARD, "source", "icon", to="/icon.png"), "absolute"),
    "topic without a system": (_drop(*CARD, "source", "topic", "system"), "'system' is missing"),
    "unknown member of a source": (_set(*CARD, "source", "grade", to="C"), "unknown member"),
    "one suggestion without a list": (_set(*CARD, "suggestions", to={"label": "x"}), "no array"),
    "suggestion that is text": (_set(*CARD, "suggestions", to=["x"]), "no object"),
    "unknown member of a suggestion": (_set(*SUGGESTION, "actionSelectionBehavior", to="any"), "unknown member"),
    "isRecommended as text": (_set(*SUGGESTION, "isRecommended", to="true"), "neither true nor false"),
    "empty actions": (_set(*SUGGESTION, "actions", to=[]), "is empty"),
    "unknown member of an action": (_set(*ACTION, "priority", to=1), "unknown member"),
    "delete with a bare id": (_set(*ACTION, "resourceId", to="1"), "no resourceId"),
    "delete with a resource": (_set(*ACTION, "resource", to=ORDER), "or a resource"),
    "update without resource": (_set(*ACTION, "type", to="update"), "no resource"),
    "resource of no type": (_action("create", {"resourceType": "Order"}), "not valid R4B"),
    "empty override reasons": (_set(*CARD, "overrideReasons", to=[]), "is empty"),
    "override reason without code": (_drop(*CARD, "overrideReasons", 0, "code"), "'code' is missing"),
    "override reason that is text": (_set(*CARD, "overrideReasons", to=["x"]), "no object"),
    "link without label": (_drop(*CARD, "links", 0, "label"), "'label' is missing"),
    "link without type": (_drop(*CARD, "links", 0, "type"), "no link type"),
    "unknown member of a link": (_set(*CARD, "links", 0, "title", to="x"), "unknown member"),
    "script as a link": (_set(*CARD, "links", 0, "url", to="javascript:alert(1)"), "neither https"),
    "bidi override in a label": (_set(*SUGGESTION, "label", to="a\u202eb"), "control characters"),
    "extension without a record": (_drop(*CARD, "extension", "org.ketamine-cds", "record"), "no record"),
    "extension without rules": (_drop(*CARD, "extension", "org.ketamine-cds", "rules"), "no rules"),
    "nine cards of information": (lambda answer: answer["cards"].extend(answer["cards"][1:] * 8), "10 cards"),
    "wrong order": (lambda answer: answer["cards"].reverse(), "not sorted"),
}


def test_a_good_answer_has_no_violation() -> None:
    assert [] == response_violations(GOOD)
    assert [] == response_violations({"cards": []})


def test_an_order_that_is_valid_may_be_offered() -> None:
    answer = copy.deepcopy(GOOD)
    _action("create", ORDER)(answer)

    assert [] == response_violations(answer)


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_named(name: str) -> None:
    mutate, expected = MUTATIONS[name]
    answer = copy.deepcopy(GOOD)
    mutate(answer)

    violations = response_violations(answer)

    assert any(expected in violation for violation in violations), violations
