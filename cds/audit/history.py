"""What a user was shown of a patient before and has overridden, from the record (rules.md D-SNOOZE).

Read while the service writes: SQLite in WAL mode never makes a reader wait for the writer.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cds.audit.feedback import CardSent, Said
from cds.audit.pseudonym import Pseudonym
from cds.audit.record import Subject
from cds.audit.sealed import utc
from cds.audit.sent_cards import card_of_suggestion, find_card
from cds.engine.quiet import EarlierCard
from cds.errors import AuditError

_SENT = (
    "SELECT topic, drug, route, fingerprint, max(at) FROM shown "
    "WHERE subject_key = ? AND user_key = ? AND at BETWEEN ? AND ? "
    "GROUP BY topic, drug, route, fingerprint ORDER BY max(at), topic, drug, route, fingerprint"
)
_OVERRIDDEN = (
    "SELECT topic, drug, route, fingerprint, max(at) FROM ("
    "SELECT *, row_number() OVER (PARTITION BY card ORDER BY at DESC, seq DESC) AS newness FROM feedback "
    "WHERE subject_key = ? AND user_key = ? AND topic IS NOT NULL) "
    "WHERE newness = 1 AND outcome = 'overridden' AND at BETWEEN ? AND ? "
    "GROUP BY topic, drug, route, fingerprint ORDER BY max(at), topic, drug, route, fingerprint"
)


class History:
    """The log, opened to look up earlier cards; the recorder has opened it before, and so has made its tables.

    Raises:
        AuditError: CDS-401 if the log cannot be read.
    """

    def __init__(self, database: Path, pseudonym: Pseudonym) -> None:
        self._where = str(database)
        self._pseudonym = pseudonym
        try:
            self._connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
            self._connection.execute("PRAGMA trusted_schema = OFF")
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def sent(self, client: str, subject: Subject, since: datetime, until: datetime) -> tuple[EarlierCard, ...]:
        """Return the cards that this user was sent about this patient from `since` to `until`.

        Each stands once, with the time when it was sent last; the earliest comes first.

        Args:
            client: the name under which the user's system is registered.
            subject: who the patient and the user are; without a user nothing is known.
            since: the earliest time of a decision, aware.
            until: the latest, aware.

        Raises:
            AuditError: CDS-401 if the log cannot be read.
        """
        return self._earlier(_SENT, client, subject, since, until)

    def overridden(self, client: str, subject: Subject, since: datetime, until: datetime) -> tuple[EarlierCard, ...]:
        """Return the cards about this patient that this user was sent and overrode, with the time of the override.

        Of several things said of one card the latest counts. Arguments and errors are those of `sent`.
        """
        return self._earlier(_OVERRIDDEN, client, subject, since, until)

    def card(self, uuid: str) -> CardSent | None:
        """Return the card with this UUID (in lower case); None if none was sent.

        Raises:
            AuditError: CDS-401 if the log cannot be read.
        """
        with self._reading():
            return find_card(self._connection, self._pseudonym, uuid)

    def card_of_suggestion(self, uuid: str) -> str:
        """Return the UUID of the card on which this suggestion stood, empty if there is none; errors as `card`."""
        with self._reading():
            return card_of_suggestion(self._connection, uuid)

    def key_of(self, client: str, said: Said) -> str:
        """Return the keyed digest under which it is known that this client said exactly this."""
        return self._pseudonym.of_feedback(client, said.content())

    def has_feedback(self, key: str) -> bool:
        """Say whether what `key_of` gave this key for was said before; errors as `card`."""
        with self._reading():
            return self._connection.execute("SELECT 1 FROM feedback WHERE said = ?", (key,)).fetchone() is not None

    def _earlier(
        self, query: str, client: str, subject: Subject, since: datetime, until: datetime
    ) -> tuple[EarlierCard, ...]:
        if not subject.user:
            return ()
        keys = (
            self._pseudonym.of(subject.fhir_server, subject.patient),
            self._pseudonym.of_user(client, subject.fhir_server, subject.user),
            utc(since),
            utc(until),
        )
        with self._reading():
            rows = self._connection.execute(query, keys).fetchall()
        return tuple(
            EarlierCard(topic, drug, route, fingerprint, datetime.fromisoformat(at))
            for topic, drug, route, fingerprint, at in rows
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: sqlite3.Error) -> AuditError:
        return AuditError("CDS-401", self._where, f"The log cannot be read: {error}.")
