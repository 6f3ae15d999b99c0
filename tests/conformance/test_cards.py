"""A7: The answer and its cards."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from cds.engine import wording
from tests.conformance.calls import much_found, nothing_to_say, without_patient
from tests.conformance.exchange import ORDER_SIGN, Exchange
from tests.conformance.mutations import (
    Break,
    cards,
    drop,
    having,
    inside,
    put,
    replied,
    text,
    turned_red_by,
    where,
    whole,
)
from tests.hooks.bodies import request
from tests.running import Json

MARKS = {"p", "ul", "ol", "li", "strong", "em", "code"}
"""The elements that the Markdown of a detail may make."""


def _cards(exchange: Exchange) -> list[Json]:
    """Return cards of all levels, for a record in which one diagnosis is called what an attacker would call it."""
    answered = exchange.post(much_found(exchange, "order-sign"), ORDER_SIGN).cards()
    assert len(answered) >= 4
    return answered


def _source(**members: object) -> Break:
    return cards(lambda card: card["source"].update(members))


@pytest.mark.requirement(40)
@turned_red_by("201 Created", where(200, status=201))
@turned_red_by("no cards member", whole(drop("cards")))
@turned_red_by("cards is null", whole(put(cards=None)))
@turned_red_by("one card instead of a list", whole(put(cards={"summary": "x"})))
@turned_red_by("a bare list", replied(content=b"[]"))
def test_a_success_is_200_with_a_list_of_cards(exchange: Exchange) -> None:
    assert _cards(exchange)


@pytest.mark.requirement(41)
@turned_red_by("204 without a body", where(200, status=204, content=b""))
@turned_red_by("an object without cards", whole(drop("cards")))
@turned_red_by("404 for nothing", where(200, status=404))
def test_nothing_to_say_is_an_empty_list_of_cards(exchange: Exchange) -> None:
    reply = exchange.post(nothing_to_say())

    assert (200, b'{"cards":[]}') == (reply.status, reply.content)


@pytest.mark.requirement(42)
@turned_red_by("errors as the framework writes them", where(400, content=b'{"detail":"Bad Request"}'))
@turned_red_by("412 without a body", where(412, content=b""))
@turned_red_by("an issue without a severity", text(b'"severity":"error",', b""))
@turned_red_by("another media type", where(404, headers={"content-type": "text/plain"}))
def test_what_is_no_success_holds_an_operation_outcome(exchange: Exchange) -> None:
    replies = [
        exchange.post(b"{"),
        exchange.post(without_patient()),
        exchange.post(request(), "nothing"),
        exchange.post(request(), content_type="text/plain"),
    ]

    assert [400, 412, 404, 415] == [reply.status for reply in replies]
    for reply in replies:
        assert reply.problem().startswith("CDS-")
        assert "application/fhir+json" == reply.media_type
        assert [{"fatal", "error"}] == [{"fatal", "error"} | {one.get("severity")} for one in reply.json()["issue"]]


@pytest.mark.requirement(43)
@turned_red_by("a summary of 140 characters", cards(put(summary="x" * 140)))
@turned_red_by("no summary", cards(drop("summary")))
@turned_red_by("a summary of blanks", cards(put(summary="  ")))
@turned_red_by("a summary of two lines", cards(put(summary="a\nb")))
@turned_red_by("a summary that is no text", cards(put(summary={"text": "x"})))
def test_every_card_has_a_summary_of_one_line_and_fewer_than_140_characters(exchange: Exchange) -> None:
    for card in _cards(exchange):
        summary = card.get("summary")

        assert isinstance(summary, str)
        assert summary.strip()
        assert len(summary) < 140
        assert 1 == len(summary.splitlines())


@pytest.mark.requirement(44)
@turned_red_by("hard-stop", cards(put(indicator="hard-stop")))
@turned_red_by("no indicator", cards(drop("indicator")))
@turned_red_by("in capitals", cards(put(indicator="CRITICAL")))
def test_every_card_is_info_warning_or_critical(exchange: Exchange) -> None:
    assert {"info", "warning", "critical"} == {card.get("indicator") for card in _cards(exchange)}


@pytest.mark.requirement(45)
@turned_red_by("no source", cards(drop("source")))
@turned_red_by("a source that is text", cards(put(source="Cohen 2018")))
@turned_red_by("no label", cards(lambda card: card["source"].pop("label")))
@turned_red_by("a relative address", _source(url="/sources/1"))
@turned_red_by("a topic that is text", _source(topic="psychosis"))
@turned_red_by("a topic without a code", _source(topic={"system": "urn:x"}))
def test_every_card_names_its_source(exchange: Exchange) -> None:
    for card in _cards(exchange):
        source = card.get("source")

        assert isinstance(source, dict)
        assert isinstance(source.get("label"), str)
        assert source["label"].strip()
        assert _is_absolute(source.get("url", "https://not.given.example"))
        assert isinstance(source.get("topic"), dict)
        assert source["topic"].get("code")
        assert source["topic"].get("system")


@pytest.mark.requirement(46)
@turned_red_by("a tag", cards(put(detail="<b>critical</b>")))
@turned_red_by("an image", cards(put(detail="![x](https://evil.example/x.png)")))
@turned_red_by("a link", cards(put(detail="[a](https://evil.example)")))
@turned_red_by("a bare address that becomes a link", cards(put(detail="see https://evil.example")))
@turned_red_by("a heading", cards(put(detail="# Critical")))
@turned_red_by("no text", cards(put(detail=7)))
@turned_red_by("a service that does not escape", having(wording, "escaped", lambda words: words))
def test_the_detail_is_markdown_that_makes_no_tag_link_image_or_heading(exchange: Exchange) -> None:
    """Rendered as the worst client would: raw HTML let through, and addresses made into links."""
    for card in _cards(exchange):
        detail = card.get("detail")
        assert isinstance(detail, str)

        elements = _Elements()
        elements.feed(cmarkgfm.github_flavored_markdown_to_html(detail, options=Options.CMARK_OPT_UNSAFE))

        assert elements.seen <= MARKS


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as it is called
        self.seen.add(tag)


@pytest.mark.requirement(47)
@turned_red_by("no uuid", cards(drop("uuid")))
@turned_red_by("a number", cards(put(uuid="1")))
@turned_red_by("one uuid for all", cards(put(uuid="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")))
@turned_red_by("in capitals", cards(lambda card: card.update(uuid=card["uuid"].upper())))
def test_every_card_has_a_uuid_of_its_own_also_from_call_to_call(exchange: Exchange) -> None:
    uuids = [card.get("uuid") for _ in range(2) for card in _cards(exchange)]

    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(uuid)) for uuid in uuids)
    assert len(uuids) == len(set(uuids))


@pytest.mark.requirement(51)
@turned_red_by("no display", inside("overrideReasons", drop("display")))
@turned_red_by("no code", inside("overrideReasons", drop("code")))
@turned_red_by("no system", inside("overrideReasons", drop("system")))
@turned_red_by("reasons as text", cards(put(overrideReasons=["refused"])))
@turned_red_by("no reasons at all", cards(drop("overrideReasons")))
def test_every_reason_to_override_has_code_system_and_words(exchange: Exchange) -> None:
    reasons = [reason for card in _cards(exchange) for reason in card.get("overrideReasons", [])]

    assert reasons
    for reason in reasons:
        assert isinstance(reason, dict)
        assert [] == [name for name in ("code", "system", "display") if not str(reason.get(name, "")).strip()]


@pytest.mark.requirement(52)
@turned_red_by("appContext on an absolute link", inside("links", put(appContext="x")))
@turned_red_by("no label", inside("links", drop("label")))
@turned_red_by("no type", inside("links", drop("type")))
@turned_red_by("another type", inside("links", put(type="relative")))
@turned_red_by("a relative address", inside("links", put(url="/knowledge")))
@turned_red_by("no links", cards(drop("links")))
def test_every_link_has_label_type_and_absolute_address(exchange: Exchange) -> None:
    links = [link for card in _cards(exchange) for link in card.get("links", [])]

    assert links
    for link in links:
        assert str(link.get("label", "")).strip()
        assert link.get("type") in {"absolute", "smart"}
        assert _is_absolute(link.get("url"))
        assert "smart" == link["type"] or "appContext" not in link


@pytest.mark.requirement(53)
@turned_red_by("a topic without a system", cards(lambda card: card["source"]["topic"].pop("system")))
@turned_red_by("a reason without a code", inside("overrideReasons", drop("code")))
def test_every_coding_has_code_and_system(exchange: Exchange) -> None:
    codings = [
        coding for card in _cards(exchange) for coding in (card["source"]["topic"], *card.get("overrideReasons", []))
    ]

    assert [] == [coding for coding in codings if not (coding.get("code") and coding.get("system"))]


@pytest.mark.requirement(54)
@turned_red_by("system actions", whole(put(systemActions=[{"type": "create"}])))
@turned_red_by("an empty list of them", whole(put(systemActions=[])))
def test_there_are_no_system_actions(exchange: Exchange) -> None:
    reply = exchange.post(much_found(exchange, "order-sign"), ORDER_SIGN)

    assert ["cards"] == list(reply.json())


def _is_absolute(address: object) -> bool:
    parts = urlsplit(str(address))
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
