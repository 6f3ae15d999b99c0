"""A3: Being called."""

import re
import time
from statistics import median

import pytest

from cds.hooks import decode
from tests.conformance.calls import asked, much_found
from tests.conformance.exchange import Exchange, Reply
from tests.conformance.mutations import answering, having, put, services, text, turned_red_by, where
from tests.hooks.bodies import request


@pytest.mark.requirement(14)
@turned_red_by("an id in discovery that is not the address", services(put(id="elsewhere")))
@turned_red_by("404 at the address", where(200, status=404))
def test_every_service_that_is_listed_is_called_by_post_at_its_id(exchange: Exchange) -> None:
    listed = exchange.services()
    replies = [exchange.post(asked(exchange, one["hook"]), one["id"]) for one in listed]

    assert {200} == {reply.status for reply in replies}


@pytest.mark.requirement(15)
@turned_red_by("200 without hook and context", where(400, status=200))
@turned_red_by("a refusal that names nothing", text(b"$.", b""))
def test_a_call_without_hook_or_context_is_refused_by_name(exchange: Exchange) -> None:
    for name in ("hook", "context"):
        sent = request()
        del sent[name]

        reply = exchange.post(sent)

        assert 400 == reply.status
        assert f"$.{name}" in reply.json()["issue"][0]["diagnostics"]


@pytest.mark.requirement(15)
@turned_red_by("a refusal of such calls", where(200, status=400))
@turned_red_by("a record that does not say so", having(decode, "_remarks", lambda *_: []))
def test_a_call_whose_instance_is_missing_or_no_uuid_is_answered_and_noted(exchange: Exchange) -> None:
    """One real request in ten is written so."""
    for instance in (None, "", "not-a-uuid", 7):
        reply = exchange.post(request() | {"hookInstance": instance})

        assert 200 == reply.status
        assert re.search("hookInstance is (missing|no UUID)", exchange.notes())


@pytest.mark.requirement(16)
@turned_red_by("an answer after 600 ms", answering(lambda _, reply: _late(reply)))
def test_an_answer_from_prefetch_takes_less_than_half_a_second(exchange: Exchange) -> None:
    """The median of five, of a record of an ordinary size."""
    sent = much_found(exchange)
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        exchange.post(sent).cards()
        seconds.append(time.perf_counter() - begun)

    assert median(seconds) < 0.5


def _late(reply: Reply) -> Reply:
    time.sleep(0.6)
    return reply


@pytest.mark.requirement(17)
@turned_red_by("whatever hook is named", having(decode, "_check_hook", lambda *_: None))
def test_a_call_of_another_hook_than_the_address_is_for_is_refused(exchange: Exchange) -> None:
    reply = exchange.post(request("order-sign"))

    assert (400, "CDS-213") == (reply.status, reply.problem())
