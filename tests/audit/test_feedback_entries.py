"""Feedback in the log: what its envelope says, how its card is found, and what a redaction takes away."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.audit.feedback import CardSent, FeedbackRecord, Said
from cds.audit.feedback_entry import feedback_entry
from cds.audit.history import History
from cds.audit.indexes import Index
from cds.audit.pseudonym import load_or_create_key
from cds.audit.queries import Filters, LogReader
from cds.audit.record import Call, Caller, DecisionRecord
from cds.audit.redaction import redact
from cds.audit.schema import migrations
from cds.audit.seal import seal
from cds.audit.spreadsheet import neutral_cell
from cds.audit.writer import Recorder
from cds.engine.card import Card
from cds.engine.quiet import EarlierCard
from cds.engine.rules import Level
from tests.audit.records import (
    ANSWER,
    CARD_UUID,
    NO_CARDS,
    NOON,
    PSEUDONYM,
    STAMP,
    call,
    decision,
    failure,
    recorder_in,
)

CARD = Card(
    "KETRAIC", ("KETRAI",), Level.CRITICAL, "Eye pressure", "", "Cohen", "", drug="ketamine", route="intravenous",
    fingerprint="ab" * 16,
)  # fmt: skip
SAID = Said(CARD_UUID, "overridden", at=NOON)
SUGGESTION = "e56e1945-20b3-4393-8503-a1a20fd73152"


def shown() -> DecisionRecord:
    answer = orjson.loads(ANSWER)
    answer["cards"][0]["suggestions"] = [{"label": "Order a pressure", "uuid": SUGGESTION}]
    return replace(decision(answer=orjson.dumps(answer)), cards=(CARD,))


def given_feedback(history: History, said: Said = SAID) -> tuple[FeedbackRecord, str]:
    caller = Caller("development", token_id="jti-1")
    record = FeedbackRecord(str(uuid4()), NOON, "ketamine-order-select", caller, said, b"{}", history.card(CARD_UUID))
    return record, history.key_of("development", said)


def history_of(folder: Path) -> History:
    key = load_or_create_key(folder / "keys" / "pseudonym.key", may_create=False)
    return History(folder / "data" / "record.sqlite", key)


def rows(folder: Path, table: Index) -> int:
    with closing(sqlite3.connect(folder / "data" / "record.sqlite")) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table.value}").fetchone()  # noqa: S608 - our table
    return int(count)


def overridden(history: History) -> tuple[EarlierCard, ...]:
    subject = call().subject
    return history.overridden("development", subject, NOON - timedelta(days=90), NOON)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    """A log with one card, and its override."""
    recorder = recorder_in(tmp_path)
    recorder.append(shown())
    with closing(history_of(tmp_path)) as history:
        record, key = given_feedback(history)
        recorder.append_entry(feedback_entry(record, key))
    return recorder


def test_a_card_is_found_by_its_uuid_and_by_that_of_a_suggestion(recorder: Recorder, tmp_path: Path) -> None:
    with closing(recorder), closing(history_of(tmp_path)) as history:
        found = history.card(CARD_UUID)

        assert CARD_UUID == history.card_of_suggestion(SUGGESTION)
        assert "" == history.card_of_suggestion(CARD_UUID)
        assert isinstance(found, CardSent)
        assert ("development", "KETRAIC", "critical") == (found.client, found.topic, found.level)
        assert ("KETRAI",) == found.rules


def test_an_envelope_of_feedback_has_exactly_the_documented_members(recorder: Recorder, tmp_path: Path) -> None:
    recorder.close()
    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        (entry,) = log.list(Filters(types=("feedback",)))
        card = log.find("0").envelope

    assert set(entry.envelope) == {
        "v", "type", "id", "time", "at", "monoUs", "instance", "engine", "configSha256", "service", "hook", "client",
        "outcome", "about", "subjectKey", "subjectEpoch", "sections",
    }  # fmt: skip
    assert ("feedback", card["id"], card["subjectKey"]) == tuple(
        entry.envelope[name] for name in ("type", "about", "subjectKey")
    )


def test_the_override_is_known_to_the_next_call(recorder: Recorder, tmp_path: Path) -> None:
    with closing(recorder), closing(history_of(tmp_path)) as history:
        assert (EarlierCard("KETRAIC", "ketamine", "intravenous", "ab" * 16, NOON),) == overridden(history)


def test_the_same_said_twice_is_stored_once_even_by_two_workers(recorder: Recorder, tmp_path: Path) -> None:
    with closing(recorder), closing(history_of(tmp_path)) as history:
        again, key = given_feedback(history)
        with pytest.raises(Exception, match="CDS-407"):
            recorder.append_entry(feedback_entry(again, key))

        assert history.has_feedback(key)
        assert 1 == rows(tmp_path, Index.FEEDBACK)


@pytest.mark.parametrize(("number", "section"), [(0, "subject"), (1, "feedback")], ids=["the card", "the feedback"])
def test_a_redaction_takes_away_what_is_indexed_and_silences_nothing_more(
    recorder: Recorder, tmp_path: Path, number: int, section: str
) -> None:
    with LogReader(tmp_path / "data" / "record.sqlite") as log:
        record = log.find(str(number))
    redact(recorder, record, (section,), "asked for by the patient", "privacy officer")

    with closing(recorder), closing(history_of(tmp_path)) as history:
        assert () == overridden(history)
        assert history.card(CARD_UUID)  # it is still there, and can be answered
    assert 0 == rows(tmp_path, Index.FEEDBACK)


def test_cards_of_a_log_that_is_older_than_feedback_are_found(tmp_path: Path) -> None:
    """The migration indexes what is there; an altered section is left out."""
    script = dict(migrations())[4]
    with closing(sqlite3.connect(tmp_path / "old.sqlite")) as connection:
        connection.executescript(";".join(text for number, text in migrations() if number < 4))
        for seq, content in enumerate((shown().call.answer, NO_CARDS, b"altered")):
            connection.execute("INSERT INTO entry (seq, id, envelope) VALUES (?, ?, ?)", (seq, str(seq), b"{}"))
            connection.execute("INSERT INTO section VALUES (?, 'cards', x'00', ?)", (seq, content))
        connection.executescript(script)

        assert [(0, CARD_UUID, 0)] == connection.execute("SELECT * FROM card").fetchall()
        assert [(0, SUGGESTION, CARD_UUID)] == connection.execute("SELECT * FROM suggestion").fetchall()


def test_a_call_in_shadow_mode_is_in_no_index(tmp_path: Path) -> None:
    record = shown()
    in_shadow = replace(record, call=_in_shadow(record.call))
    with closing(recorder_in(tmp_path)) as recorder:
        recorder.append(in_shadow)

    assert [0, 0, 0] == [rows(tmp_path, index) for index in (Index.SHOWN, Index.CARD, Index.SUGGESTION)]


def test_a_refusal_in_shadow_mode_keeps_its_problem_and_what_would_have_been_sent() -> None:
    record = failure()
    sealed = seal(replace(record, call=_in_shadow(record.call)), STAMP, PSEUDONYM, bytes)
    envelope = orjson.loads(sealed.envelope)

    assert ("CDS-301", True, "shadow") == tuple(envelope[name] for name in ("problem", "shadow", "outcome"))
    assert {"subject", "request", "cards", "shadow"} == set(envelope["sections"])


def _in_shadow(live: Call) -> Call:
    return replace(live, status=200, answer=NO_CARDS, computed=live.answer)


@given(st.text())
def test_no_text_becomes_a_formula_or_a_second_line_in_a_spreadsheet(text: str) -> None:
    cell = neutral_cell(text)

    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert cell.isprintable()
