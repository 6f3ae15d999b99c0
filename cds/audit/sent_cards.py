"""Find a card that was sent by its UUID, or by that of a suggestion on it."""

import sqlite3

import orjson

from cds.audit.feedback import CardSent
from cds.audit.members import Section, child, children, text, texts
from cds.audit.pseudonym import Pseudonym

_CARD = "SELECT seq, position, envelope FROM card JOIN entry USING (seq) WHERE uuid = ? ORDER BY seq DESC LIMIT 1"
_SUGGESTION = "SELECT card FROM suggestion WHERE uuid = ? ORDER BY seq DESC LIMIT 1"
_SECTION = "SELECT content FROM section WHERE seq = ? AND name = ?"


def find_card(connection: sqlite3.Connection, pseudonym: Pseudonym, uuid: str) -> CardSent | None:
    """Return the card with this UUID (lower case); None if none was sent, or its record is redacted."""
    row = connection.execute(_CARD, (uuid,)).fetchone()
    if row is None:
        return None
    seq, position, content = row
    envelope: Section = orjson.loads(content)
    client = text(child(envelope, "client"), "id")
    subject = _section(connection, seq, "subject")
    server, user = text(subject, "fhirServer"), text(subject, "user")
    cards = children(_section(connection, seq, "rules"), "cards")
    card = cards[position] if position < len(cards) else {}
    return CardSent(
        uuid=uuid,
        seq=seq,
        record_id=text(envelope, "id"),
        client=client,
        subject_key=text(envelope, "subjectKey"),
        user_key=pseudonym.of_user(client, server, user) if user else "",
        topic=text(card, "topic"),
        level=text(card, "level"),
        drug=text(card, "drug"),
        route=text(card, "route"),
        fingerprint=text(card, "fingerprint"),
        rules=tuple(texts(card, "rules")),
    )


def card_of_suggestion(connection: sqlite3.Connection, uuid: str) -> str:
    """Return the UUID of the card on which a suggestion stood; empty if there is none."""
    row = connection.execute(_SUGGESTION, (uuid,)).fetchone()
    return str(row[0]) if row else ""


def _section(connection: sqlite3.Connection, seq: int, name: str) -> Section:
    row = connection.execute(_SECTION, (seq, name)).fetchone()
    found = orjson.loads(row[0]) if row else {}
    return found if isinstance(found, dict) else {}
