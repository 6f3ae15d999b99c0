"""A2: Discovery."""

import re
from dataclasses import replace
from unittest import mock
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from cds.hooks.prefetch import templates
from cds.hooks.services import SERVICES, discovery
from tests.conformance.calls import much_found
from tests.conformance.exchange import Exchange
from tests.conformance.mutations import answering, drop, put, replied, services, text, turned_red_by, where, whole


@pytest.mark.requirement(5)
@turned_red_by("201 Created", replied(status=201))
@turned_red_by("a bare list", replied(content=b"[]"))
@turned_red_by("services under another name", whole(drop("services")))
@turned_red_by("an object of services", whole(put(services={"ketamine": {}})))
def test_discovery_is_there_and_lists_the_services(exchange: Exchange) -> None:
    assert 3 == len(exchange.services())


@pytest.mark.requirement(6)
@turned_red_by("404 where nothing is offered", replied(status=404))
@turned_red_by("no list where nothing is offered", replied(content=b"{}"))
def test_who_offers_nothing_answers_an_empty_list(exchange: Exchange) -> None:
    state = exchange.running.app.state
    with mock.patch.dict(SERVICES, clear=True):
        nothing = discovery(state.ports.knowledge, templates(state.ports.knowledge))

    with mock.patch.object(state, "discovery", nothing):
        reply = exchange.get()

    assert (200, {"services": []}) == (reply.status, reply.json())


@pytest.mark.requirement(7)
@turned_red_by("no hook", services(drop("hook")))
@turned_red_by("no description", services(drop("description")))
@turned_red_by("no id", services(drop("id")))
@turned_red_by("a number as id", services(put(id=7)))
@turned_red_by("an id of two path parts", services(put(id="ketamine/order-select")))
def test_every_service_has_a_hook_a_description_and_an_id_for_an_address(exchange: Exchange) -> None:
    for service in exchange.services():
        for name in ("hook", "description", "id"):
            assert isinstance(service.get(name), str), name
            assert service[name].strip()
        assert re.fullmatch(r"[A-Za-z0-9\-._~]+", service["id"])


@pytest.mark.requirement(8)
@turned_red_by("no title", services(drop("title")))
def test_every_service_has_a_title_for_people(exchange: Exchange) -> None:
    titles = [service.get("title") for service in exchange.services()]

    assert all(isinstance(title, str) and title.strip() for title in titles)
    assert len(titles) == len(set(titles))


@pytest.mark.requirement(9)
@turned_red_by("a list of templates", services(put(prefetch=["Patient/{{context.patientId}}"])))
@turned_red_by("a template that is no text", services(put(prefetch={"patient": {"query": "Patient"}})))
@turned_red_by("no templates", services(drop("prefetch")))
@turned_red_by("requirements that are no text", services(put(usageRequirements=["R4"])))
def test_prefetch_is_an_object_of_queries_and_usage_requirements_are_text(exchange: Exchange) -> None:
    for service in exchange.services():
        assert isinstance(service.get("prefetch"), dict)
        assert service["prefetch"]
        assert all(isinstance(query, str) and query for query in service["prefetch"].values())
        assert isinstance(service.get("usageRequirements"), str)


@pytest.mark.requirement(11)
@turned_red_by("one id for all hooks", services(put(id="ketamine")))
def test_no_id_serves_two_hooks(exchange: Exchange) -> None:
    """The CDS Hooks Sandbox keeps services by address: of two with one id it would forget one."""
    ids = [service["id"] for service in exchange.services()]

    assert len(ids) == len(set(ids))


@pytest.mark.requirement(12)
@turned_red_by("404 without a body", where(404, content=b""))
@turned_red_by("405 as success", where(405, status=200))
@turned_red_by("404 in HTML", where(404, content=b"<h1>Not Found</h1>"))
def test_what_is_not_offered_is_refused_in_words(exchange: Exchange) -> None:
    nowhere, wrong_way = exchange.post({}, "nothing"), exchange.get("/cds-services/ketamine-order-select")

    assert [(404, "CDS-220"), (405, "CDS-221")] == [(one.status, one.problem()) for one in (nowhere, wrong_way)]


@pytest.mark.requirement(13)
@turned_red_by(
    "another description each time",
    answering(lambda _, reply: replace(reply, content=reply.content.replace(b"While", uuid4().hex.encode()))),
)
@turned_red_by("no description", services(drop("description")))
def test_discovery_is_the_same_each_time_and_describes_what_is_done(exchange: Exchange) -> None:
    first, second = exchange.services(), exchange.services()

    assert first == second
    assert [] == [one["id"] for one in first if len(one.get("description", "").split()) < 10]


@pytest.mark.requirement(13)
@turned_red_by("a link to nowhere", text(b"/source-attributes", b"/nowhere"))
@turned_red_by(
    "a page that is gone", answering(lambda asked, reply: replace(reply, status=410) if "GET /k" in asked else reply)
)
def test_every_card_links_to_a_page_that_people_can_read(exchange: Exchange) -> None:
    answered = exchange.post(much_found(exchange)).cards()
    pages = [exchange.get(urlsplit(card["links"][0]["url"]).path, accept="text/html") for card in answered]

    assert pages
    assert {(200, "text/html")} == {(page.status, page.media_type) for page in pages}
