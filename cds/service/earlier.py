"""What a user was shown before, as an input of a decision (rules.md D-SNOOZE). Overrides come with feedback, later."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cds.audit.history import History
from cds.audit.record import Subject
from cds.engine.quiet import Earlier


@dataclass(frozen=True, slots=True)
class EarlierCards:
    """Asks the record; `minutes` is how long a card that was sent matters."""

    log: History
    minutes: int

    def __call__(self, client: str, subject: Subject, at: datetime) -> Earlier:
        """Return what was sent to the user that `subject` names.

        Raises:
            AuditError: CDS-401 if the record cannot be read.
        """
        since = at - timedelta(minutes=self.minutes)
        return Earlier(sent=self.log.sent(client, subject, since, at))
