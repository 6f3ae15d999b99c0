"""Write answers as CDS Hooks 2.0.1 JSON, strictly: no null, no empty member, the members in one order.

Source: CDS Hooks 2.0.1, "CDS Service Response"; clinical/rules.md D-TOPIC.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from cds.engine.card import Card, Suggestion
from cds.engine.rules import OverrideReason
from cds.errors import CdsError
from cds.hooks.services import EXTENSION

TOPICS = "urn:ketamine-cds:topic"
"""The code system of `source.topic`."""
PROBLEMS = "urn:ketamine-cds:problem"
"""The code system of error codes, explained in docs/problems.md."""

_Json = dict[str, Any]
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")

# HTTP status to the FHIR issue type that says the same.
_ISSUE_TYPES = {404: "not-found", 405: "not-supported", 412: "required", 413: "too-long", 415: "not-supported"}
_ISSUE_TYPES |= {500: "exception", 503: "transient"}
_ISSUE_TYPE_OF_CODE = {"CDS-214": "required", "CDS-217": "not-supported", "CDS-218": "security", "CDS-216": "value"}


def write_cards(cards: Sequence[Card], record_id: str, mint: Callable[[], str]) -> bytes:
    """Return the body of a successful answer. A suggestion about an order that has no id of its own is left out.

    Args:
        cards: in the order in which they are shown.
        record_id: the random id under which this call is recorded.
        mint: returns a new UUID in lower case; called once for every card and once for every suggestion.
    """
    return orjson.dumps({"cards": [_card(card, record_id, mint) for card in cards]})


def write_outcome(error: CdsError, status: int, record_id: str = "") -> bytes:
    """Return an error as an OperationOutcome: what happened in `text`, where and what to do in `diagnostics`.

    Args:
        error: the error that was met.
        status: the HTTP status that is sent with it.
        record_id: the id under which the call is recorded, if it is.
    """
    issue_type = _ISSUE_TYPE_OF_CODE.get(error.code) or _ISSUE_TYPES.get(status, "invalid")
    rest = " ".join(part for part in (error.expected, error.action) if part)
    record = f" Record {record_id}." if record_id else ""
    issue = {
        "severity": "error",
        "code": issue_type,
        "details": {"coding": [{"system": PROBLEMS, "code": error.code}], "text": error.what},
        "diagnostics": f"{error.where}: {error.what} {rest}".rstrip() + record,
    }
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


def _card(card: Card, record_id: str, mint: Callable[[], str]) -> _Json:
    suggestions = [_suggestion(one, mint) for one in card.suggestions if _REFERENCE.fullmatch(one.delete)]
    written = {
        "uuid": mint(),
        "summary": card.summary,
        "detail": card.detail,
        "indicator": card.level.value,
        "source": _present(
            label=card.source_label,
            url=card.source_url,
            topic=_present(system=TOPICS, code=card.topic, display=card.topic_display),
        ),
        "suggestions": suggestions,
        "selectionBehavior": "any" if suggestions else "",
        "overrideReasons": [_reason(reason) for reason in card.override_reasons],
        "extension": {EXTENSION: _present(record=record_id, rules=list(card.rules))},
    }
    return _present(**written)


def _suggestion(suggestion: Suggestion, mint: Callable[[], str]) -> _Json:
    action = {"type": "delete", "description": suggestion.label, "resourceId": suggestion.delete}
    return {"label": suggestion.label, "uuid": mint(), "actions": [action]}


def _reason(reason: OverrideReason) -> _Json:
    return {"system": reason.system, "code": reason.code, "display": reason.display}


def _present(**members: object) -> _Json:
    """Return the members that hold something: CDS Hooks forbids null, empty strings, lists and objects."""
    return {name: value for name, value in members.items() if value}
