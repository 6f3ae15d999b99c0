"""Indexes over redactable sections: they make a lookup fast, and nothing stands in them alone.

A row is written in the transaction of its entry, and deleted when a section of the entry is redacted.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import orjson

from cds.audit.members import Section, children, text


class Index(StrEnum):
    """The tables; the first column of each is the number of the entry."""

    SHOWN = "shown"
    CARD = "card"
    SUGGESTION = "suggestion"
    FEEDBACK = "feedback"


_RESTS_ON = {
    Index.SHOWN: {"subject", "rules"},
    Index.CARD: {"cards"},
    Index.SUGGESTION: {"cards"},
    Index.FEEDBACK: {"feedback"},
}
_OF_ITS_CARD = {"subject", "rules", "cards"}


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One row, without the number of its entry."""

    index: Index
    values: tuple[str | int | None, ...]


def insert(connection: sqlite3.Connection, seq: int, rows: tuple[IndexRow, ...]) -> None:
    """Write the rows of an entry; the caller's transaction is that of the entry."""
    for row in rows:
        places = ", ?" * len(row.values)
        connection.execute(f"INSERT INTO {row.index.value} VALUES (?{places})", (seq, *row.values))  # noqa: S608 - ours


def forget(connection: sqlite3.Connection, seq: int, sections: Collection[str]) -> None:
    """Delete the rows of an entry that rest on these sections; call it with every redaction.

    What feedback on its cards repeats of it goes too; the cards themselves are still known while they are there.
    """
    for index, basis in _RESTS_ON.items():
        if basis & set(sections):
            connection.execute(f"DELETE FROM {index.value} WHERE seq = ?", (seq,))  # noqa: S608 - a name of ours
    if _OF_ITS_CARD & set(sections):
        connection.execute("DELETE FROM feedback WHERE card_seq = ?", (seq,))


def rows_of_answer(answer: bytes) -> tuple[IndexRow, ...]:
    """Return the rows of the cards and suggestions in an answer's body, by their UUIDs."""
    sent = orjson.loads(answer)
    cards = children(sent, "cards") if isinstance(sent, dict) else []
    found = [(text(card, "uuid").lower(), position, card) for position, card in enumerate(cards)]
    named = [(uuid, position, card) for uuid, position, card in found if uuid]
    shown = [IndexRow(Index.CARD, (uuid, position)) for uuid, position, _ in named]
    offered = [IndexRow(Index.SUGGESTION, (taken, uuid)) for uuid, _, card in named for taken in _suggestions(card)]
    return (*shown, *offered)


def _suggestions(card: Section) -> list[str]:
    return [uuid for one in children(card, "suggestions") if (uuid := text(one, "uuid").lower())]
