"""Write what a card offers to do with one click: one action each, and no resource that is not valid FHIR R4.

An order is changed member by member: what the EHR sent stays byte for byte, with one reason more. Where that would not
be valid, because the order as it was sent is not, the suggestion is left out and the card says so in words.

Source: CDS Hooks 2.0.1, "Suggestion" and "Action".
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from cds.engine.card import Card, Suggestion
from cds.engine.facts import Coding, Concept
from cds.engine.wording import escaped
from cds.errors import RequestError
from cds.hooks.members import items, members, text, unique_members
from cds.hooks.request import HookRequest

Json = dict[str, Any]
"""A JSON object."""

_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_DRAFT_NOT_VALID = "because the draft order as sent is not valid FHIR R4"
_ORDER_NOT_VALID = "because it cannot be written as valid FHIR R4"


@dataclass(frozen=True, slots=True)
class Offered:
    """What is offered, and in words what would have been: `left_out` are sentences for the card's detail, escaped."""

    suggestions: tuple[Json, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """What suggestions are written for.

    Attributes:
        patient, encounter: bare ids; no encounter is an empty string.
        valid: says whether a resource is valid FHIR R4; asked only where a suggestion holds one.
        drafts: the draft orders as they were sent, by reference; no other order can be taken out or changed.
        ordered: system and code of what is in the drafts already; it is not offered once more.
    """

    patient: str
    encounter: str
    valid: Callable[[Json], bool]
    drafts: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    ordered: frozenset[tuple[str, str]] = frozenset()

    def write(self, suggestions: Iterable[Suggestion], mint: Callable[[], str]) -> Offered:
        """Return the suggestions as JSON; `mint` returns a new UUID, and is called once for each that is offered."""
        written, left_out = [], []
        for one in suggestions:
            if one.order is None and (one.delete or one.update) not in self.drafts:
                continue
            if one.order and (one.order.system, one.order.code) in self.ordered:
                continue
            action = self._action(one)
            if action:
                described = {"type": action["type"], "description": one.label} | action
                written.append({"label": one.label, "uuid": mint(), "actions": [described]})
            else:
                why = _ORDER_NOT_VALID if one.order else _DRAFT_NOT_VALID
                left_out.append(f"{escaped(one.label)}: not offered as a click, {why}.")
        return Offered(tuple(written), tuple(left_out))

    def _action(self, suggestion: Suggestion) -> Json | None:
        """Return the action, or None if its resource would not be valid."""
        if suggestion.delete:
            return {"type": "delete", "resourceId": suggestion.delete}
        if suggestion.order:
            resource: Json | None = self._proposal(suggestion.order)
        else:
            resource = with_reason(self.drafts[suggestion.update], suggestion.reason or Concept())
        if resource is None or not self._is_valid(resource):
            return None
        return {"type": "create" if suggestion.order else "update", "resource": resource}

    def _proposal(self, coding: Coding) -> Json:
        resource = {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "proposal",
            "code": _concept(Concept((coding,), coding.display)),
            "subject": {"reference": f"Patient/{self.patient}"},
        }
        return resource | ({"encounter": {"reference": f"Encounter/{self.encounter}"}} if self.encounter else {})

    def _is_valid(self, resource: Json) -> bool:
        read = orjson.loads(orjson.dumps(resource))
        return _is_filled(read) and self.valid(read)


def desk_for(request: HookRequest, valid: Callable[[Json], bool]) -> Desk:
    """Return what the suggestions of an answer are written for; a reference that two drafts share names neither."""
    names = Counter(draft.reference for draft in request.drafts or ())
    drafts = {
        draft.reference: draft.raw
        for draft in request.drafts or ()
        if _REFERENCE.fullmatch(draft.reference) and names[draft.reference] == 1
    }
    ordered = frozenset(coded for draft in request.drafts or () for coded in _codes(draft.raw))
    return Desk(request.patient_id, request.encounter_id, valid, drafts, ordered)


def _codes(draft: bytes) -> list[tuple[str, str]]:
    """Return system and code of a draft's `code`, which a ServiceRequest has."""
    code = (members(draft) or {}).get("code", b"null")
    codings = items((members(code) or {}).get("coding", b"null"))
    return [(text(coding.get("system")), text(coding.get("code"))) for coding in map(members, codings) if coding]


def drafts_used(request: HookRequest, cards: Iterable[Card]) -> dict[str, str]:
    """Return the draft orders that the suggestions of cards were written for, by reference: inputs of a replay.

    An order that would only be taken out stands with an empty text, because its content does not matter.
    """
    drafts = desk_for(request, bool).drafts
    suggestions = [suggestion for card in cards for suggestion in card.suggestions if suggestion.order is None]
    taken = {one.delete: "" for one in suggestions if one.delete in drafts}
    return taken | {one.update: drafts[one.update].decode() for one in suggestions if one.update in drafts}


def with_reason(draft: bytes, reason: Concept) -> Json | None:
    """Return an order with one reason more; its members are those that were sent, as raw JSON.

    None if a member stands twice: one of the two would be lost. An object where a list belongs becomes a list.

    >>> orjson.dumps(with_reason(b'{"dose": 0.50, "reasonCode": {"text": "pain"}}', Concept(text="CRPS")))
    b'{"dose":0.50,"reasonCode":[{"text": "pain"},{"text":"CRPS"}]}'
    """
    try:
        found = unique_members(draft, "$")
    except RequestError:
        return None
    reasons = [*items(found.get("reasonCode", b"null")), orjson.dumps(_concept(reason))]
    found["reasonCode"] = b"[" + b",".join(reasons) + b"]"
    return {name: orjson.Fragment(raw) for name, raw in found.items()}


def _concept(concept: Concept) -> Json:
    codings = [
        _filled({"system": one.system, "code": one.code, "display": one.display})
        for one in concept.codings
        if one.system and one.code
    ]
    return _filled({"coding": codings, "text": concept.text})


def _filled(members: Json) -> Json:
    return {name: value for name, value in members.items() if value}


def _is_filled(value: object) -> bool:
    """Say whether nothing in a resource is null or empty: FHIR forbids it, and so does CDS Hooks."""
    if isinstance(value, dict):
        return bool(value) and all(map(_is_filled, value.values()))
    if isinstance(value, list):
        return bool(value) and all(map(_is_filled, value))
    return value is not None and value != ""
