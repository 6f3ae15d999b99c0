"""A8: Feedback."""

import json
from typing import Any
from uuid import uuid4

import pytest

from cds.audit.feedback_log import FeedbackLog, Lost, Period
from cds.audit.history import History
from cds.audit.queries import Filters, LogReader, StoredRecord
from cds.hooks import feedback, override_reasons
from cds.hooks.members import items
from cds.hooks.override_reasons import Reason, reasons_of
from cds.trust import gatekeeper
from tests.conformance.calls import much_found
from tests.conformance.exchange import ORDER_SELECT, ORDER_SIGN, PATIENT_VIEW, Exchange, Reply
from tests.conformance.mutations import cards, drop, having, turned_red_by, where
from tests.conformance.trusted import Trusted
from tests.running import Json

WHEN = "2026-02-01T12:00:00Z"
WHY = {"code": "data-outdated-or-wrong", "system": "urn:ketamine-cds:override"}
EPIC_REASON = "com.epic.cdshooks.feedback.overrideReason.reasonTitle"


def overridden(card: str | None = None, **changed: Any) -> Json:  # noqa: ANN401 - any JSON
    item = {"card": card or str(uuid4()), "outcome": "overridden", "outcomeTimestamp": WHEN} | changed
    return {name: value for name, value in item.items() if value is not None}


def say(exchange: Exchange, *said: Any, service: str = ORDER_SELECT) -> Reply:  # noqa: ANN401
    return exchange.post({"feedback": list(said)}, f"{service}/feedback")


def _of_the_standard_only(overriding: bytes) -> list[Reason]:
    return reasons_of(overriding) if b'"reason"' in overriding else []


def _only_the_first(raw: bytes) -> list[bytes]:
    return items(raw)[:1]


def recorded(exchange: Exchange) -> list[StoredRecord]:
    with LogReader(exchange.running.database) as log:
        return [log.find(str(entry.seq)) for entry in log.list(Filters(types=("feedback",)), 10_000)]


@pytest.mark.requirement(56)
@turned_red_by("no such address", where(200, status=404))
@turned_red_by("an answer that is no JSON", where(200, content=b"OK"))
def test_every_service_takes_feedback_at_its_own_address(exchange: Exchange) -> None:
    for service in (ORDER_SELECT, ORDER_SIGN, PATIENT_VIEW):
        reply = say(exchange, overridden(), service=service)
        assert (200, {}) == (reply.status, reply.json())


@pytest.mark.requirement(57)
@turned_red_by("every outcome is one", having(feedback, "_outcome", lambda *_: feedback.Outcome.ACCEPTED))
@turned_red_by("every id is one", having(feedback, "_identifier", lambda *_: "id"))
@turned_red_by("bad items are silent", where(400, status=200))
@turned_red_by("another problem", where(400, content=b'{"resourceType": "OperationOutcome", "issue": []}'))
def test_an_item_needs_its_card_and_outcome_and_a_bad_one_is_named(exchange: Exchange) -> None:
    bad = [overridden(outcome="ignored"), overridden(card="x" * 300), overridden(outcomeTimestamp="today"), 17]
    bad += [{"outcome": "accepted"}, {"card": "a"}]
    good = overridden()
    reply = say(exchange, *bad, good)
    where_wrong = [issue["diagnostics"].partition(":")[0] for issue in reply.json()["issue"]]

    assert 400 == reply.status
    assert [f"$.feedback[{number}]" for number in range(6)] == [path[:13] for path in where_wrong]
    assert [good["card"]] == [recorded(exchange)[0].section("feedback")["card"]]


@pytest.mark.requirement(57)
@turned_red_by("a comment that is lost", having(feedback, "reasons_of", lambda _: []))
@turned_red_by("suggestions that are lost", having(feedback, "_suggestions", lambda *_: ()))
def test_what_was_accepted_and_why_not_is_kept(exchange: Exchange) -> None:
    taken = str(uuid4())
    why = {"reason": WHY, "userComment": "seen"}
    accepted = overridden(outcome="accepted", acceptedSuggestions=[{"id": taken}])
    for item in (overridden(overrideReason=why), accepted):
        assert 200 == say(exchange, item).status
    second, first = recorded(exchange)[:2]

    assert ([WHY], "seen") == (first.section("feedback").get("reasons"), first.section("feedback").get("userComment"))
    assert [taken] == second.section("feedback").get("acceptedSuggestions")


@pytest.mark.requirement(58)
@turned_red_by("unknown cards are refused", where(200, status=404))
@turned_red_by("a repeat is not known", having(History, "has_feedback", lambda *_: False))
@turned_red_by("only one item is taken", having(feedback, "items", _only_the_first))
def test_feedback_comes_in_batches_again_late_and_on_unknown_cards(exchange: Exchange) -> None:
    before = len(recorded(exchange))
    late = overridden(outcomeTimestamp="2020-12-11T00:00:00Z")
    batch = (overridden(), late, overridden("Bpa 17", overrideReason={"reason": WHY, "userComment": str(uuid4())}))

    assert [200, 200] == [say(exchange, *batch).status for _ in range(2)]
    assert 3 == len(recorded(exchange)) - before


@pytest.mark.requirement(59)
@turned_red_by("cards that cannot be answered", cards(drop("uuid")))
def test_a_card_that_is_ignored_has_no_feedback_and_is_reported_as_ignored(exchange: Exchange) -> None:
    before = len(recorded(exchange))
    uuids = {card.get("uuid") for card in exchange.post(much_found(exchange)).cards()}
    with FeedbackLog(exchange.running.database) as log:
        actions = {card.action for card in log.shown(Period(), Lost()) if card.uuid in uuids}

    assert before == len(recorded(exchange))
    assert {"ignored"} == actions


@pytest.mark.requirement(60)
@turned_red_by("the draft of 2020 is not known", having(feedback, "reasons_of", _of_the_standard_only))
@turned_red_by("Epic's words are not known", having(override_reasons, "_EPIC", "com.other."))
@turned_red_by("a form is refused", where(200, status=400))
def test_all_four_forms_are_read(exchange: Exchange) -> None:
    forms = [
        overridden(overrideReason={"reason": WHY}),
        overridden(overrideReason=WHY),
        overridden(overrideReasons={"reason": WHY}),
        overridden("Bpa 17", overrideReasons={"extension": {EPIC_REASON: f"Words {uuid4()}"}}),
    ]
    for form in forms:
        assert 200 == say(exchange, form).status
        reasons = json.loads(recorded(exchange)[0].sections["feedback"]).get("reasons")
        assert reasons == [WHY] or (reasons and reasons[0].get("display", "").startswith("Words"))
    taken = str(uuid4())
    assert 200 == exchange.send("POST", f"/cds-services/{ORDER_SELECT}/analytics/{taken}", b"").status
    assert [taken] == recorded(exchange)[0].section("feedback")["acceptedSuggestions"]


@pytest.mark.requirement(61)
@turned_red_by("anybody may say anything", where(401, status=200))
@turned_red_by("a token for any address", having(gatekeeper, "check_audience", lambda *_: None))
@turned_red_by("nobody may", where(200, status=401))
def test_feedback_needs_a_token_for_its_own_address(trusted: Trusted) -> None:
    service, path = f"{ORDER_SELECT}/feedback", f"/cds-services/{ORDER_SELECT}"
    sent = {"feedback": [overridden()]}
    of_service = trusted.ehr.token(path)
    replies = [
        trusted.post(sent, service),
        trusted.exchange.post(sent, service),
        trusted.post(sent, service, authorization=f"Bearer {of_service}"),
    ]

    assert [200, 401, 401] == [reply.status for reply in replies]
    assert "test-ehr" == json.loads(json.dumps(recorded(trusted.exchange)[0].envelope))["client"]["id"]
