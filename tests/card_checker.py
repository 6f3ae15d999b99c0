"""What is wrong with a card, in words: CDS Hooks 2.0.1 and what Inferno, Epic and this service ask besides.

It imports nothing of the service; `tests.response_checker` says why.
"""

import re
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from tests.json_shape import (
    CONTROL,
    UUID4,
    boolean,
    coding,
    is_absolute,
    is_safe,
    objects,
    text,
    unknown_members,
    uuid,
)

CARD = {"uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons"}
CARD |= {"links", "extension"}
SOURCE = {"label", "url", "icon", "topic"}
SUGGESTION = {"label", "uuid", "isRecommended", "actions"}
ACTION = {"type", "description", "resource", "resourceId"}
LINK = {"label", "url", "type", "appContext", "autolaunchable"}
INDICATORS = ["critical", "warning", "info"]
MOST_CARDS = 8
LONGEST_SUMMARY = 139
REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
TOPIC = re.compile(r"[A-Za-z0-9]{1,100}")
HTML = re.compile(r"(?<!\\)<[A-Za-z/!?]")


def card_violations(card: Any) -> Iterator[str]:  # noqa: ANN401 - whatever was decoded
    """Yield what is wrong with one card."""
    if not isinstance(card, dict):
        yield "is no object"
        return
    yield from unknown_members(card, CARD)
    yield from uuid(card)
    yield from _summary(card)
    if card.get("indicator") not in INDICATORS:
        yield f"{card.get('indicator')!r} is no indicator"
    if "detail" in card:
        yield from _detail(card["detail"])
    yield from _source(card.get("source"), str(card.get("indicator")))
    yield from _suggestions(card)
    reasons, wrong = objects(card, "overrideReasons")
    yield from wrong
    for reason in reasons:
        yield from (f"overrideReasons: {words}" for words in (*coding(reason), *text(reason, "display")))
    if _rests_on_a_rule(card):
        yield from _links(card)
        yield from _extension(card.get("extension"))


def _rests_on_a_rule(card: dict[str, Any]) -> bool:
    """Say whether it is a card of the knowledge: that of the service for trying out (development only) is not."""
    source = card.get("source")
    topic = source.get("topic") if isinstance(source, dict) else None
    return not isinstance(topic, dict) or topic.get("code") != "TESTORDER1I"


def violations_across(cards: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with cards that are each right: their order, number, UUIDs and record."""
    found = []
    suggestions = [suggestion for card in cards for suggestion in objects(card, "suggestions")[0]]
    uuids = [str(thing.get("uuid")) for thing in (*cards, *suggestions)]
    if len(set(uuids)) < len(uuids):
        found.append("a uuid stands twice")
    order = [INDICATORS.index(card["indicator"]) for card in cards if card.get("indicator") in INDICATORS]
    if order != sorted(order):
        found.append("the cards are not sorted critical, warning, info")
    if len(cards) > max(MOST_CARDS, order.count(0)):
        found.append(f"{len(cards)} cards")
    records = {str(_ours(card.get("extension")).get("record")) for card in cards}
    if len(records) > 1:
        found.append("the cards name different records")
    return found


def _summary(card: dict[str, Any]) -> Iterator[str]:
    yield from text(card, "summary")
    summary = str(card.get("summary", ""))
    if len(summary) > LONGEST_SUMMARY:
        yield f"the summary has {len(summary)} characters"
    if "\n" in summary:
        yield "the summary is more than one line"


def _detail(detail: Any) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(detail, str):
        yield "the detail is no string"
    elif HTML.search(detail):
        yield "the detail holds HTML"
    elif CONTROL.search(detail):
        yield "the detail holds control characters"


def _source(source: Any, indicator: str) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(source, dict):
        yield "there is no source"
        return
    yield from (f"source: {words}" for words in (*unknown_members(source, SOURCE), *text(source, "label")))
    for name in ("url", "icon"):
        if name in source and not is_absolute(source[name]):
            yield f"source.{name} is no absolute address"
    topic = source.get("topic")
    if not isinstance(topic, dict):
        yield "there is no source.topic"
        return
    yield from (f"source.topic: {words}" for words in coding(topic))
    code = str(topic.get("code"))
    if not TOPIC.fullmatch(code):
        yield f"source.topic.code {code!r} is not alphanumeric"
    if code[-1:] != indicator[:1].upper():
        yield f"source.topic.code {code!r} does not name the level {indicator!r}"


def _suggestions(card: dict[str, Any]) -> Iterator[str]:
    suggestions, wrong = objects(card, "suggestions")
    yield from wrong
    behaviour = card.get("selectionBehavior")
    if suggestions and behaviour not in {"any", "at-most-one"}:
        yield f"selectionBehavior is {behaviour!r}"
    if suggestions and behaviour != "any":
        yield "Epic takes only selectionBehavior 'any'"
    if not suggestions and behaviour is not None:
        yield "selectionBehavior without suggestions"
    if len([one for one in suggestions if one.get("isRecommended")]) > 1 and behaviour == "at-most-one":
        yield "more than one recommended suggestion with at-most-one"
    for suggestion in suggestions:
        yield from (f"suggestions: {words}" for words in _suggestion(suggestion))


def _suggestion(suggestion: dict[str, Any]) -> Iterator[str]:
    yield from unknown_members(suggestion, SUGGESTION)
    yield from uuid(suggestion)
    yield from text(suggestion, "label")
    yield from boolean(suggestion, "isRecommended")
    actions, wrong = objects(suggestion, "actions")
    yield from wrong
    if len(actions) != 1:
        yield f"{len(actions)} actions, where Epic takes one"
    for action in actions:
        yield from (f"actions: {words}" for words in _action(action))


def _action(action: dict[str, Any]) -> Iterator[str]:
    yield from unknown_members(action, ACTION)
    yield from text(action, "description")
    resource = action.get("resource")
    if action.get("type") not in {"create", "update", "delete"}:
        yield f"{action.get('type')!r} is no action type"
    elif action["type"] == "delete":
        if not REFERENCE.fullmatch(str(action.get("resourceId"))) or "resource" in action:
            yield "a delete action has no resourceId, or a resource"
    elif not isinstance(resource, dict) or "resourceType" not in resource:
        yield f"a {action['type']} action has no resource"
    else:
        yield from _resource(action["type"], resource)


def _resource(kind: str, resource: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a resource that is to be made or changed."""
    try:
        get_fhir_model_class(str(resource["resourceType"])).model_validate(resource)
    except (KeyError, ValueError) as error:
        yield f"a {kind} action's resource is not valid R4B: {error}"
    if kind == "update" and not resource.get("id"):
        yield "an update action's resource has no id"
    if kind == "create" and (resource.get("status"), resource.get("intent")) != ("draft", "proposal"):
        yield "what is to be ordered is no draft of a proposal"


def _links(card: dict[str, Any]) -> Iterator[str]:
    links, wrong = objects(card, "links")
    yield from wrong
    for link in links:
        yield from (f"links: {words}" for words in _link(link))
    if "Source attributes" not in [link.get("label") for link in links]:
        yield "there is no link to the source attributes"


def _link(link: dict[str, Any]) -> Iterator[str]:
    yield from (*unknown_members(link, LINK), *text(link, "label"), *text(link, "url"))
    yield from boolean(link, "autolaunchable")
    if not is_safe(link.get("url")):
        yield "neither https nor http on loopback"
    if link.get("type") not in {"absolute", "smart"}:
        yield f"{link.get('type')!r} is no link type"
    if "appContext" in link and link.get("type") != "smart":
        yield "appContext on a link that is not smart"


def _extension(extension: Any) -> Iterator[str]:  # noqa: ANN401
    ours = _ours(extension)
    if not ours:
        yield "the extension org.ketamine-cds is missing"
        return
    if not UUID4.fullmatch(str(ours.get("record"))):
        yield "the extension names no record"
    rules = ours.get("rules")
    if not isinstance(rules, list) or not all(isinstance(rule, str) and TOPIC.fullmatch(rule) for rule in rules):
        yield "the extension names no rules"


def _ours(extension: Any) -> dict[str, Any]:  # noqa: ANN401
    ours = extension.get("org.ketamine-cds") if isinstance(extension, dict) else None
    return ours if isinstance(ours, dict) else {}
