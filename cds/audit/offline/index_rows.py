"""What the indexes of a log must say of an entry: everything in them repeats what stands in its sections.

Two columns repeat nothing that can be checked without the secret behind pseudonyms: `user_key` and `said`.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

Row = tuple[Any, ...]
CARD = "SELECT seq, uuid, position FROM card ORDER BY seq, position"
SUGGESTION = "SELECT seq, uuid, card FROM suggestion ORDER BY seq, rowid"
FEEDBACK = (
    "SELECT seq, card_seq, card, subject_key, outcome, at, topic, drug, route, fingerprint FROM feedback ORDER BY seq"
)
_CARDS_RECORD = (
    "SELECT id, content FROM entry LEFT JOIN section ON section.seq = entry.seq AND name = 'rules' WHERE entry.seq = ?"
)


def rows_of_cards(seq: int, content: bytes | None) -> tuple[list[Row], list[Row]]:
    """Return the rows of `card` and `suggestion` that belong to a section ``cards``."""
    if content is None or b'"uuid"' not in content:
        return [], []
    cards: list[Row] = []
    suggestions: list[Row] = []
    for position, card in enumerate(json.loads(content).get("cards", [])):
        if uuid := _uuid(card):
            cards.append((seq, uuid, position))
            suggestions += [(seq, taken, uuid) for one in card.get("suggestions", []) if (taken := _uuid(one))]
    return cards, suggestions


def has_row(envelope: Mapping[str, Any], sections: Mapping[str, bytes]) -> bool:
    """Say whether an entry is feedback on a card, known or not."""
    return envelope.get("type") == "feedback" and "card" in json.loads(sections.get("feedback", b"{}"))


def fits_feedback(
    connection: sqlite3.Connection, rows: Sequence[Row], envelope: Mapping[str, Any], content: bytes | None
) -> bool:
    """Say whether the rows of `feedback` of one entry say what the entry says, and that of its card."""
    if not rows:
        return True
    if len(rows) > 1 or envelope.get("type") != "feedback" or content is None:
        return False
    said = json.loads(content)
    _, card_seq, card, subject_key, outcome, at, topic, *which = rows[0]
    about = said.get("about", {})
    if (outcome, at) != (envelope["outcome"], said.get("at")):
        return False
    if (card, subject_key, topic) != (about.get("uuid"), envelope.get("subjectKey"), about.get("topic")):
        return False
    if card_seq is None:
        return "about" not in envelope and which == [None] * 3
    record_id, rules = connection.execute(_CARDS_RECORD, (card_seq,)).fetchone() or (None, None)
    return record_id == envelope.get("about") and _is_among(which, topic, rules)


def _is_among(which: list[Any], topic: str | None, rules: bytes | None) -> bool:
    """Say whether these are drug, route and digest of facts of a card with this topic."""
    if topic is None:
        return which == [None] * 3
    cards = json.loads(rules)["cards"] if rules else []
    return [topic, *which] in [[card[name] for name in ("topic", "drug", "route", "fingerprint")] for card in cards]


def _uuid(member: Mapping[str, Any]) -> str:
    uuid = member.get("uuid")
    return uuid.lower() if isinstance(uuid, str) else ""
