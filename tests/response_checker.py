"""An independent reading of CDS Hooks 2.0.1: what is wrong with an answer, a discovery or an OperationOutcome.

It imports nothing of the service, so that a mistake in the service's models cannot hide itself; FHIR resources are
validated with the library fhir.resources. Every function returns the violations in words; none is an empty list.

Sources: CDS Hooks 2.0.1 (discovery, response), the invariants cds-resp-1 to cds-resp-6 of the 3.0 logical models, what
Inferno and Epic ask besides, FHIR R4 OperationOutcome, and clinical/rules.md D-MERGE and D-TOPIC.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from fhir.resources.R4B import get_fhir_model_class

CARD = {"uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons"}
CARD |= {"links", "extension"}
SOURCE = {"label", "url", "icon", "topic"}
SUGGESTION = {"label", "uuid", "isRecommended", "actions"}
ACTION = {"type", "description", "resource", "resourceId"}
LINK = {"label", "url", "type", "appContext", "autolaunchable"}
CODING = {"system", "code", "display", "version", "userSelected"}
SERVICE = {"hook", "title", "description", "id", "prefetch", "usageRequirements", "extension"}
INDICATORS = ["critical", "warning", "info"]
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
MOST_CARDS = 8
LONGEST_SUMMARY = 139
LONGEST_URL = 2000
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
TOPIC = re.compile(r"[A-Za-z0-9]{1,100}")
HTML = re.compile(r"(?<!\\)<[A-Za-z/!?]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
TOKEN = re.compile(r"\{\{context\.(patientId|encounterId|userId)\}\}")
PARAMETERS = {"patient", "subject", "code", "category", "status", "date", "_sort", "_count"}
ISSUE_TYPE_CODES = (
    "invalid structure required value invariant security login unknown expired forbidden suppressed processing "
    "not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly "
    "business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational"
)
ISSUE_TYPES = frozenset(ISSUE_TYPE_CODES.split())


def response_violations(answer: Any) -> list[str]:  # noqa: ANN401 - whatever was decoded
    """Return what is wrong with the body of a 200 to a hook call."""
    if not isinstance(answer, dict):
        return ["the answer is no object"]
    if not isinstance(answer.get("cards"), list):
        return ["'cards' is no array"]
    found = [f"unexpected member {name!r}" for name in answer if name != "cards"]
    found += _empty_members({**answer, "cards": answer["cards"] or ["-"]}, "$")
    for number, card in enumerate(answer["cards"]):
        found += [f"cards[{number}]: {words}" for words in _card(card)]
    return found + _across_cards([card for card in answer["cards"] if isinstance(card, dict)])


def discovery_violations(answer: Any) -> list[str]:  # noqa: ANN401
    """Return what is wrong with the body of ``GET /cds-services``."""
    if not isinstance(answer, dict) or not isinstance(answer.get("services"), list):
        return ["'services' is no array"]
    found = _empty_members(answer, "$")
    for number, service in enumerate(answer["services"]):
        found += [f"services[{number}]: {words}" for words in _service(service)]
    ids = [service.get("id") for service in answer["services"]]
    return found + [f"the id {name!r} is used twice" for name in {name for name in ids if ids.count(name) > 1}]


def outcome_violations(answer: Any) -> list[str]:  # noqa: ANN401
    """Return what is wrong with the body of an answer that is no success."""
    if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome":
        return ["the body is no OperationOutcome"]
    issues = answer.get("issue")
    if not isinstance(issues, list) or not issues:
        return ["there is no issue"]
    found = _empty_members(answer, "$")
    for issue in issues:
        found += [] if issue.get("severity") in {"fatal", "error"} else ["severity is no error"]
        found += [] if issue.get("code") in ISSUE_TYPES else [f"{issue.get('code')!r} is no issue type"]
        found += _text(issue.get("details", {}), "text") + _text(issue, "diagnostics")
        found += [words for coding in issue.get("details", {}).get("coding", []) for words in _coding(coding)]
    return found


def _card(card: Any) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(card, dict):
        yield "is no object"
        return
    yield from _unknown(card, CARD)
    yield from _uuid(card)
    yield from _text(card, "summary")
    if len(str(card.get("summary", ""))) > LONGEST_SUMMARY:
        yield f"the summary has {len(card['summary'])} characters"
    if "\n" in str(card.get("summary", "")):
        yield "the summary is more than one line"
    if card.get("indicator") not in INDICATORS:
        yield f"{card.get('indicator')!r} is no indicator"
    if "detail" in card:
        yield from _detail(card["detail"])
    yield from _source(card.get("source"), str(card.get("indicator")))
    yield from _suggestions(card)
    for reason in card.get("overrideReasons", []):
        yield from (f"overrideReasons: {words}" for words in (*_coding(reason), *_text(reason, "display")))
    yield from _links(card.get("links", []))
    yield from _extension(card.get("extension"))


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
    yield from _unknown(source, SOURCE)
    yield from _text(source, "label")
    for name in ("url", "icon"):
        if name in source and not _is_absolute(source[name]):
            yield f"source.{name} is no absolute address"
    topic = source.get("topic")
    if not isinstance(topic, dict):
        yield "there is no source.topic"
        return
    yield from (f"source.topic: {words}" for words in _coding(topic))
    code = str(topic.get("code"))
    if not TOPIC.fullmatch(code):
        yield f"source.topic.code {code!r} is not alphanumeric"
    if code[-1:] != indicator[:1].upper():
        yield f"source.topic.code {code!r} does not name the level {indicator!r}"


def _suggestions(card: dict[str, Any]) -> Iterator[str]:
    suggestions = card.get("suggestions", [])
    behaviour = card.get("selectionBehavior")
    if suggestions and behaviour not in {"any", "at-most-one"}:
        yield f"selectionBehavior is {behaviour!r}"
    if suggestions and behaviour != "any":
        yield "Epic takes only selectionBehavior 'any'"
    if not suggestions and behaviour is not None:
        yield "selectionBehavior without suggestions"
    recommended = [suggestion for suggestion in suggestions if suggestion.get("isRecommended")]
    if len(recommended) > 1 and behaviour == "at-most-one":
        yield "more than one recommended suggestion with at-most-one"
    for suggestion in suggestions:
        yield from (f"suggestions: {words}" for words in _suggestion(suggestion))


def _suggestion(suggestion: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(suggestion, SUGGESTION)
    yield from _uuid(suggestion)
    yield from _text(suggestion, "label")
    actions = suggestion.get("actions", [])
    if len(actions) != 1:
        yield f"{len(actions)} actions, where Epic takes one"
    for action in actions:
        yield from _unknown(action, ACTION)
        yield from _text(action, "description")
        if action.get("type") not in {"create", "update", "delete"}:
            yield f"{action.get('type')!r} is no action type"
        elif action["type"] == "delete":
            if not REFERENCE.fullmatch(str(action.get("resourceId"))) or "resource" in action:
                yield "a delete action has no resourceId, or a resource"
        elif not isinstance(action.get("resource"), dict) or "resourceType" not in action["resource"]:
            yield f"a {action['type']} action has no resource"
        else:
            yield from _resource(action["type"], action["resource"])


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


def _links(links: list[dict[str, Any]]) -> Iterator[str]:
    for link in links:
        yield from _link(link)
    if "Source attributes" not in [link.get("label") for link in links]:
        yield "there is no link to the source attributes"


def _link(link: dict[str, Any]) -> Iterator[str]:
    yield from (f"links: {words}" for words in (*_unknown(link, LINK), *_text(link, "label"), *_text(link, "url")))
    if not _is_safe(link.get("url")):
        yield "links: neither https nor http on loopback"
    if link.get("type") not in {"absolute", "smart"}:
        yield f"links: {link.get('type')!r} is no link type"
    if "appContext" in link and link.get("type") != "smart":
        yield "links: appContext on a link that is not smart"


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


def _across_cards(cards: list[dict[str, Any]]) -> list[str]:
    found = []
    suggestions = [suggestion for card in cards for suggestion in card.get("suggestions", [])]
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


def _service(service: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(service, SERVICE)
    for name in ("hook", "id", "title", "description"):
        yield from _text(service, name)
    if not re.fullmatch(r"[A-Za-z0-9\-]+", str(service.get("id"))):
        yield "the id is no part of an address"
    for key, template in service.get("prefetch", {}).items():
        yield from (f"prefetch {key!r}: {words}" for words in _template(template))


def _template(template: str) -> Iterator[str]:
    if "{{" in TOKEN.sub("", template):
        yield "an unknown token"
    if len(TOKEN.sub("x" * 64, template)) > LONGEST_URL:
        yield "too long"
    path, _, query = template.partition("?")
    names = [part.partition("=")[0] for part in query.split("&")] if query else []
    if len(set(names)) < len(names):
        yield "a parameter stands twice"
    yield from (f"{name!r} is not of the recommended subset" for name in names if name not in PARAMETERS)
    if not re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\})?", path):
        yield "neither a read nor a search"


def _coding(coding: Any) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(coding, dict):
        yield "is no Coding"
        return
    yield from (*_unknown(coding, CODING), *_text(coding, "system"), *_text(coding, "code"))


def _uuid(thing: dict[str, Any]) -> list[str]:
    uuid = thing.get("uuid")
    return [] if isinstance(uuid, str) and UUID4.fullmatch(uuid) else [f"uuid {uuid!r} is no lower-case UUID 4"]


def _text(thing: dict[str, Any], name: str) -> list[str]:
    text = thing.get(name)
    if not isinstance(text, str) or not text.strip():
        return [f"{name!r} is missing"]
    return [f"{name!r} holds control characters"] if CONTROL.search(text) else []


def _unknown(thing: dict[str, Any], known: set[str]) -> list[str]:
    return [f"unknown member {name!r}" for name in thing if name not in known]


def _empty_members(value: Any, path: str) -> list[str]:  # noqa: ANN401
    if value is None or value in ("", [], {}):
        return [f"{path} is empty"]
    if isinstance(value, dict):
        return [words for name, part in value.items() for words in _empty_members(part, f"{path}.{name}")]
    if isinstance(value, list):
        return [words for number, part in enumerate(value) for words in _empty_members(part, f"{path}[{number}]")]
    return []


def _is_safe(address: Any) -> bool:  # noqa: ANN401
    parts = urlsplit(address) if isinstance(address, str) else None
    return bool(parts and (parts.scheme == "https" or parts.hostname in LOOPBACK) and parts.netloc)


def _is_absolute(address: Any) -> bool:  # noqa: ANN401
    parts = urlsplit(address) if isinstance(address, str) else None
    return bool(parts and parts.scheme in {"http", "https"} and parts.netloc)
