"""What a user was shown of a patient before, from the record, so that a card need not be repeated (rules.md D-SNOOZE).

Read while the service writes: SQLite in WAL mode never makes a reader wait for the writer.
"""

import sqlite3
from datetime import datetime
from pathlib import Path

from cds.audit.pseudonym import Pseudonym
from cds.audit.record import Subject
from cds.audit.sealed import utc
from cds.engine.quiet import EarlierCard
from cds.errors import AuditError

_SENT = (
    "SELECT topic, drug, route, fingerprint, max(at) FROM shown "
    "WHERE subject_key = ? AND user_key = ? AND at BETWEEN ? AND ? "
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
        if not subject.user:
            return ()
        keys = (
            self._pseudonym.of(subject.fhir_server, subject.patient),
            self._pseudonym.of_user(client, subject.fhir_server, subject.user),
            utc(since),
            utc(until),
        )
        try:
            rows = self._connection.execute(_SENT, keys).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        return tuple(
            EarlierCard(topic, drug, route, fingerprint, datetime.fromisoformat(at))
            for topic, drug, route, fingerprint, at in rows
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _unreadable(self, error: sqlite3.Error) -> AuditError:
        return AuditError("CDS-401", self._where, f"The log cannot be read: {error}.")
