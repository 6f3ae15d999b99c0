"""A1: JSON and transport."""

from collections.abc import Iterator

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds.hooks import wire
from tests.conformance.calls import much_found, nothing_to_say, without_patient
from tests.conformance.exchange import ORDER_SIGN, Exchange, Reply
from tests.conformance.mutations import actions, answering, having, put, replied, services, text, turned_red_by, where


def _answers(exchange: Exchange) -> list[Reply]:
    """Return one answer of every kind: discovery, cards, nothing to say, missing data, no request."""
    return [
        exchange.get(),
        exchange.post(much_found(exchange, "order-sign"), ORDER_SIGN),
        exchange.post(nothing_to_say()),
        exchange.post(without_patient()),
        exchange.post({"hook": "order-select"}),
    ]


@pytest.mark.requirement(1)
@turned_red_by("answers as text/plain", where(200, headers={"content-type": "text/plain"}))
@turned_red_by("errors as text/html", where(412, headers={"content-type": "text/html"}))
@turned_red_by("a number that JSON does not have", text(b'"critical"', b"NaN"))
@turned_red_by("a body in Latin-1", replied(content='{"cards": ["é"]}'.encode("latin-1")))
def test_every_answer_is_json_and_says_so(exchange: Exchange) -> None:
    for reply in _answers(exchange):
        expected = {200: "application/json"}.get(reply.status, "application/fhir+json")

        assert reply.json()
        assert expected == reply.media_type


@pytest.mark.requirement(1)
@turned_red_by(
    "an object where FHIR has a list", actions(lambda one: one.get("resource", {}).update(note={"text": "x"}))
)
@turned_red_by("no resource at all", actions(lambda one: one.pop("resource", None)))
def test_fhir_in_an_answer_is_standard_fhir(exchange: Exchange) -> None:
    answered = exchange.post(much_found(exchange, "order-sign"), ORDER_SIGN).cards()
    resources = [
        action["resource"]
        for card in answered
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
        if "resource" in action
    ]

    assert resources
    for resource in resources:
        model = get_fhir_model_class(resource["resourceType"])
        try:
            model.model_validate(resource)
        except ValueError as error:
            raise AssertionError(str(error)) from error


@pytest.mark.requirement(3)
@turned_red_by("a detail that is null", text(b'"detail":', b'"icon":null,"detail":'))
@turned_red_by("an empty list of links", text(b'"links":', b'"more":[],"links":'))
@turned_red_by("an empty title", services(put(title="")))
@turned_red_by("an empty object in an error", where(412, content=b'{"resourceType":"OperationOutcome","meta":{}}'))
@turned_red_by("a service that writes what it does not have", having(wire, "_present", lambda **members: members))
def test_nothing_in_an_answer_is_null_or_empty(exchange: Exchange) -> None:
    empty = {place for reply in _answers(exchange) for place in _empty(reply.json(), "$")}

    assert {"$.cards"} == empty


@pytest.mark.requirement(4)
@turned_red_by("a comment", answering(lambda _, reply: Reply(reply.status, reply.headers, b"/* */" + reply.content)))
@turned_red_by("a trailing comma", text(b"]}", b",]}"))
@turned_red_by("a member twice", text(b'{"cards":', b'{"cards":[],"cards":'))
def test_json_is_strict_without_comments_and_trailing_commas(exchange: Exchange) -> None:
    for reply in _answers(exchange):
        assert reply.json()


def _empty(value: object, place: str) -> Iterator[str]:
    if value is None or value in ("", [], {}):
        yield place
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _empty(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _empty(inner, f"{place}[]")
