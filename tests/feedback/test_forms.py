"""Clients write feedback in four forms, and not always well: whatever can be understood is."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.errors import RequestError
from cds.hooks.feedback import MOST_ITEMS, Feedback, Outcome, read_click, read_feedback
from cds.hooks.override_reasons import Reason

CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
TAKEN = "e56e1945-20b3-4393-8503-a1a20fd73152"
WHEN = "2026-02-01T12:00:00Z"
EPIC = "com.epic.cdshooks.feedback.overrideReason."
WHY = {"code": "data-outdated-or-wrong", "system": "urn:ketamine-cds:override"}


def read(**changed: Any) -> Feedback:  # noqa: ANN401 - any JSON
    item = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": WHEN} | changed
    found = read_feedback(json.dumps({"feedback": [{k: v for k, v in item.items() if v is not None}]}).encode())
    assert () == found.errors
    return found.feedback[0]


@pytest.mark.parametrize(
    ("said", "reason", "comment"),
    [
        ({"overrideReason": {"reason": WHY | {"display": "Old"}, "userComment": "no"}}, ("o", "c", "Old"), "no"),
        ({"overrideReason": {"userComment": "no"}}, None, "no"),
        ({"overrideReason": WHY}, ("o", "c", ""), ""),
        ({"overrideReasons": {"reason": WHY, "userComment": "no"}}, ("o", "c", ""), "no"),
        ({"overrideReasons": [{"reason": WHY}]}, ("o", "c", ""), ""),
        ({"overrideReasons": {"reason": {"code": 17, "display": "Old"}}}, ("", "17", "Old"), ""),
        ({"overrideReasons": {"extension": {EPIC + "reasonTitle": "Old", EPIC + "reasonCategory": "x"}}}, "Old", ""),
        ({"overrideReasons": {"reason": {"extension": {EPIC + "reasonDisplay": "Old"}}}}, "Old", ""),
        ({"overrideReason": {"extension": {"com.other": "Old"}}}, None, ""),
        ({"overrideReason": "Old"}, "Old", ""),
        ({"overrideReason": None}, None, ""),
        ({}, None, ""),
    ],
    ids=[
        "2.0", "a comment alone", "draft of 2020", "Epic", "Epic as a list", "a number", "Epic's words",
        "Epic's words in the reason", "somebody else's extension", "words", "null", "nothing",
    ],
)  # fmt: skip
def test_a_reason_is_read_in_whatever_form_it_is_written(said: Any, reason: Any, comment: str) -> None:  # noqa: ANN401 - any JSON
    if isinstance(reason, tuple):
        system, code, display = reason
        reason = Reason(WHY["system"] if system else "", WHY["code"] if code == "c" else code, display)
    elif reason:
        reason = Reason(display=reason)

    found = read(**said)

    assert ((reason,) if reason else ()) == found.reasons
    assert comment == found.comment


def test_of_an_extension_only_its_name_and_digest_are_kept() -> None:
    found = read(extension={"com.other": "canary"}, overrideReason={"extension": {EPIC + "reasonCategory": "canary"}})

    assert {"com.other", EPIC + "reasonCategory"} == set(found.extensions)
    assert {64} == {len(digest) for digest in found.extensions.values()}


def test_a_card_may_have_an_id_that_is_no_uuid_and_a_uuid_is_read_in_lower_case() -> None:
    assert ("Bpa 17", CARD) == (read(card="Bpa 17").card, read(card=CARD.upper()).card)


def test_what_was_accepted_is_named_by_the_suggestion() -> None:
    assert (TAKEN,) == read(outcome="accepted", acceptedSuggestions=[{"id": TAKEN}]).suggestions
    assert (TAKEN,) == read(outcome="accepted", acceptedSuggestions=[TAKEN.upper(), {"id": TAKEN}]).suggestions
    assert ("it is not said which suggestion was taken",) == read(outcome="accepted").remarks


def test_a_click_of_before_1_0_names_a_suggestion_and_no_card_and_no_time() -> None:
    found = read_click(TAKEN.upper())

    assert ("", Outcome.ACCEPTED, (TAKEN,), None) == (found.card, found.outcome, found.suggestions, found.at)


@pytest.mark.parametrize(
    ("sent", "remarks"),
    [
        (WHEN, ()),
        ("2026-02-01T13:00:00+01:00", ()),
        ("2026-02-01T12:00:00.000Z", ()),
        ("2026-02-01T12:00:00", ("the time has no offset: it is taken as UTC",)),
    ],
)
def test_a_time_is_a_moment_in_utc(sent: str, remarks: tuple[str, ...]) -> None:
    found = read(outcomeTimestamp=sent)

    assert datetime(2026, 2, 1, 12, tzinfo=UTC) == found.at
    assert remarks == found.remarks


def test_feedback_without_a_time_is_taken_and_noted() -> None:
    assert (None, ("it is not said when",)) == (read(outcomeTimestamp=None).at, read(outcomeTimestamp=None).remarks)


BAD_ITEMS = [
    (17, "CDS-215", "$.feedback[0]"),
    ({"outcome": "accepted"}, "CDS-214", "$.feedback[0].card"),
    ({"card": 17, "outcome": "accepted"}, "CDS-215", "$.feedback[0].card"),
    ({"card": "x" * 256, "outcome": "accepted"}, "CDS-251", "$.feedback[0].card"),
    ({"card": CARD}, "CDS-214", "$.feedback[0].outcome"),
    ({"card": CARD, "outcome": "ignored"}, "CDS-252", "$.feedback[0].outcome"),
    ({"card": CARD, "outcome": "overridden", "outcomeTimestamp": "today"}, "CDS-253", "$.feedback[0].outcomeTimestamp"),
    ({"card": CARD, "outcome": "overridden", "outcomeTimestamp": 17}, "CDS-253", "$.feedback[0].outcomeTimestamp"),
    (
        {"card": CARD, "outcome": "accepted", "acceptedSuggestions": [{"id": TAKEN}, {}]},
        "CDS-214",
        "$.feedback[0].acceptedSuggestions[1].id",
    ),
]


@pytest.mark.parametrize(("item", "code", "where"), BAD_ITEMS)
def test_a_bad_item_is_named_by_its_path_and_costs_only_itself(item: Any, code: str, where: str) -> None:  # noqa: ANN401 - any JSON
    good = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": WHEN}

    found = read_feedback(json.dumps({"feedback": [item, good]}).encode())

    assert [(code, where)] == [(error.code, error.where) for error in found.errors]
    assert [CARD] == [one.card for one in found.feedback]


def test_an_item_that_names_a_member_twice_is_refused() -> None:
    twice = '{"feedback": [{"card": "a", "card": "b", "outcome": "accepted"}]}'

    assert ["CDS-208"] == [error.code for error in read_feedback(twice.encode()).errors]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "CDS-201"),
        (b"[]", "CDS-202"),
        (b"{}", "CDS-214"),
        (b'{"feedback": null}', "CDS-214"),
        (b'{"feedback": [], "feedback": []}', "CDS-208"),
        (b'{"feedback": [' + b",".join([b"0"] * (MOST_ITEMS + 1)) + b"]}", "CDS-250"),
    ],
)
def test_a_body_that_is_no_feedback_is_refused_as_a_whole(body: bytes, code: str) -> None:
    with pytest.raises(RequestError) as refused:
        read_feedback(body)

    assert code == refused.value.code


def test_an_empty_list_says_nothing_and_one_object_is_a_list_of_one() -> None:
    assert () == read_feedback(b'{"feedback": []}').feedback
    assert 1 == len(read_feedback(b'{"feedback": {"card": "a", "outcome": "overridden"}}').feedback)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20) | st.sampled_from([CARD, WHEN]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ("card", "outcome", "outcomeTimestamp", "acceptedSuggestions", "overrideReason", "overrideReasons")
ITEMS = st.dictionaries(st.sampled_from(MEMBERS), VALUES | st.sampled_from(["accepted", "overridden"])) | VALUES


@given(st.lists(ITEMS, max_size=4))
def test_whatever_an_item_holds_it_is_read_or_named(items: list[Any]) -> None:
    found = read_feedback(json.dumps({"feedback": items}).encode())

    assert len(items) == len(found.feedback) + len(found.errors)
    assert all(one.card and len(one.card) <= 255 for one in found.feedback)
