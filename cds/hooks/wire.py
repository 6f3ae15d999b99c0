"""Write answers as CDS Hooks 2.0.1 JSON, strictly: no null, no empty member, the members in one order.

Source: CDS Hooks 2.0.1, "CDS Service Response"; clinical/rules.md D-TOPIC.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from cds.engine.card import Card
from cds.engine.rules import OverrideReason
from cds.engine.wording import visible
from cds.errors import CdsError
from cds.hooks.services import EXTENSION
from cds.hooks.suggestions import Desk

TOPICS = "urn:ketamine-cds:topic"
"""The code system of `source.topic`."""
PROBLEMS = "urn:ketamine-cds:problem"
"""The code system of error codes, explained in docs/problems.md."""

NO_CARDS = b'{"cards":[]}'
"""The body of a successful answer that says nothing."""

_Json = dict[str, Any]

# HTTP status to the FHIR issue type that says the same.
_ISSUE_TYPES = {404: "not-found", 405: "not-supported", 412: "required", 413: "too-long", 415: "not-supported"}
_ISSUE_TYPES |= {500: "exception", 503: "transient"}
_ISSUE_TYPE_OF_CODE = {"CDS-214": "required", "CDS-217": "not-supported", "CDS-218": "security", "CDS-216": "value"}


@dataclass(frozen=True, slots=True)
class Writing:
    """What writing cards takes besides the cards.

    Attributes:
        record_id: the random id under which the call is recorded.
        mint: returns a new UUID in lower case; called once for every card and once for every suggestion.
        desk: what suggestions are written for.
        link: returns the address of a rule's source attributes by the rule's topic; empty if it is not known.
    """

    record_id: str
    mint: Callable[[], str]
    desk: Desk
    link: Callable[[str], str]


def write_cards(cards: Sequence[Card], writing: Writing) -> bytes:
    """Return the body of a successful answer, with the cards in the order in which they are shown."""
    return orjson.dumps({"cards": [_card(card, writing) for card in cards]})


def write_outcome(error: CdsError, status: int, record_id: str = "") -> bytes:
    """Return an error as an OperationOutcome: what happened in `text`, where and what to do in `diagnostics`.

    Args:
        error: the error that was met.
        status: the HTTP status that is sent with it.
        record_id: the id under which the call is recorded, if it is.
    """
    return write_outcomes((error,), status, record_id)


def write_outcomes(errors: Sequence[CdsError], status: int, record_id: str = "") -> bytes:
    """Return several errors as one OperationOutcome with an issue for each; arguments as `write_outcome`."""
    issues = [_issue(error, status, record_id) for error in errors]
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": issues})


def _issue(error: CdsError, status: int, record_id: str) -> _Json:
    issue_type = _ISSUE_TYPE_OF_CODE.get(error.code) or _ISSUE_TYPES.get(status, "invalid")
    what = visible(error.what)
    rest = " ".join(part for part in (error.expected, error.action) if part)
    record = f" Record {record_id}." if record_id else ""
    return {
        "severity": "error",
        "code": issue_type,
        "details": {"coding": [{"system": PROBLEMS, "code": error.code}], "text": what},
        "diagnostics": visible(f"{error.where}: {what} {rest}".rstrip()) + record,
    }


def _card(card: Card, writing: Writing) -> _Json:
    offered = writing.desk.write(card.suggestions, writing.mint)
    written = {
        "uuid": writing.mint(),
        "summary": card.summary,
        "detail": "\n\n".join(part for part in (card.detail, *offered.left_out) if part),
        "indicator": card.level.value,
        "source": _present(
            label=card.source_label,
            url=card.source_url,
            topic=_present(system=TOPICS, code=card.topic, display=card.topic_display),
        ),
        "suggestions": list(offered.suggestions),
        "selectionBehavior": "any" if offered.suggestions else "",
        "overrideReasons": [_reason(reason) for reason in card.override_reasons],
        "links": _links(card, writing),
        "extension": {EXTENSION: _present(record=writing.record_id, rules=list(card.rules))},
    }
    return _present(**written)


def _links(card: Card, writing: Writing) -> list[_Json]:
    """Return the link to the source attributes of the rule that leads the card."""
    address = writing.link(card.rules[0])
    return [{"label": "Source attributes", "url": address, "type": "absolute"}] if address else []


def _reason(reason: OverrideReason) -> _Json:
    return {"system": reason.system, "code": reason.code, "display": reason.display}


def _present(**members: object) -> _Json:
    """Return the members that hold something: CDS Hooks forbids null, empty strings, lists and objects."""
    return {name: value for name, value in members.items() if value}
