"""What a user was shown before and has overridden, as an input of a decision (rules.md D-SNOOZE)."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from cds.audit.history import History
from cds.audit.record import Subject
from cds.engine.definitions import SnoozeDefinition
from cds.engine.quiet import Earlier

_ANY_ZONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EarlierCards:
    """Asks the record; `snooze` says for how long a card that was sent or overridden matters."""

    log: History
    snooze: SnoozeDefinition

    def __call__(self, client: str, subject: Subject, at: datetime) -> Earlier:
        """Return what the user that `subject` names was sent, and has overridden.

        Raises:
            AuditError: CDS-401 if the record cannot be read.
        """
        since = at - timedelta(minutes=self.snooze.repeat_info_after_minutes)
        first_day = self.snooze.override_for.first_day(at.date())
        overridden_since = datetime.combine(first_day, time(), at.tzinfo) - _ANY_ZONE  # the engine counts local days
        return Earlier(
            sent=self.log.sent(client, subject, since, at),
            overridden=self.log.overridden(client, subject, overridden_since, at),
        )
