"""Take feedback on cards: read it, find the cards it is about, record each item, answer.

What cannot be recorded is not acknowledged (HTTP 503): the client may send it again, and an exact repeat adds nothing.

Source: CDS Hooks 2.0.1 "Feedback"; trust/design.md 0a.12.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cds.audit.feedback import CardSent, Coded, FeedbackRecord, Said
from cds.audit.feedback_entry import HOOK, feedback_entry
from cds.audit.record import Call, ErrorRecord, KnowledgeVersion, LogEntry, Record
from cds.errors import AuditError, RequestError
from cds.hooks.feedback import Feedback, FeedbackRead, read_click, read_feedback
from cds.hooks.services import Service
from cds.hooks.wire import write_outcome, write_outcomes
from cds.service.ports import Answer
from cds.service.visit import caller_on_record
from cds.trust.client import Caller

DONE = b"{}"
"""The body of a success: CDS Hooks asks for none, and some clients read JSON from every answer."""


class FeedbackRecorder(Protocol):
    """What makes records durable; `cds.audit.writer.Recorder` is one."""

    async def append_async(self, record: Record) -> None:
        """Return when the record is durable; raises an AuditError if it is not."""

    async def append_entry_async(self, entry: LogEntry) -> None:
        """Return when the entry is durable; raises an AuditError if it is not."""


class SentCards(Protocol):
    """Where cards that were sent are found; `cds.audit.history.History` is one. All may raise an AuditError."""

    def card(self, uuid: str) -> CardSent | None:
        """Return the card with this UUID."""

    def card_of_suggestion(self, uuid: str) -> str:
        """Return the UUID of the card on which a suggestion stood, or an empty string."""

    def key_of(self, client: str, said: Said) -> str:
        """Return the key under which it is known that a client said exactly this."""

    def has_feedback(self, key: str) -> bool:
        """Say whether it was said before."""


@dataclass(frozen=True, slots=True)
class FeedbackPorts:
    """Everything that taking feedback depends on besides the call itself; `knowledge` is what is loaded."""

    recorder: FeedbackRecorder
    cards: SentCards
    clock: Callable[[], datetime]
    new_uuid: Callable[[], str]
    knowledge: KnowledgeVersion


@dataclass(frozen=True, slots=True)
class IncomingFeedback:
    """One call: its body as it came, or the suggestion that its address names (the form of before 1.0)."""

    service: Service
    caller: Caller
    body: bytes = field(default=b"", repr=False)
    suggestion: str = ""


@dataclass(slots=True)
class _Taking:
    """One call on its way; `figures` count what became of its items."""

    incoming: IncomingFeedback
    ports: FeedbackPorts
    at: datetime
    figures: dict[str, str | float] = field(default_factory=dict)
    started_ns: int = field(default_factory=time.perf_counter_ns)

    def count(self, **items: int) -> None:
        for name, number in items.items():
            self.figures[name] = float(self.figures.get(name, 0)) + number

    def answer(self, status: int, body: bytes, exception: Exception | None = None, **figures: str) -> Answer:
        spent_ms = round((time.perf_counter_ns() - self.started_ns) / 1_000_000, 1)
        common: dict[str, str | float] = {
            "service": self.incoming.service.id,
            "hook": HOOK,
            "status": status,
            "duration_ms": spent_ms,
        }
        return Answer(status, body, common | self.figures | figures, exception)


async def take_feedback(incoming: IncomingFeedback, ports: FeedbackPorts) -> Answer:
    """Return the answer to feedback, after all that could be read of it is durable. Nothing is raised.

    Returns:
        200 with an empty object; 400 with an OperationOutcome that has an issue for each bad item, while the good ones
        are stored; 503 if it cannot be recorded.
    """
    taking = _Taking(incoming, ports, ports.clock())
    try:
        found = _read(incoming)
        await _store(taking, found.feedback)
        return await _refuse(taking, found.errors) if found.errors else taking.answer(200, DONE)
    except AuditError as error:
        return taking.answer(503, write_outcome(_without_place(error), 503), problem=error.code)
    except Exception as error:  # noqa: BLE001 - whatever it was: what is not recorded is not acknowledged
        fault = AuditError("CDS-408", "record", "The feedback could not be recorded.")
        return taking.answer(503, write_outcome(fault, 503), error, problem=fault.code)


def _read(incoming: IncomingFeedback) -> FeedbackRead:
    try:
        if incoming.suggestion:
            return FeedbackRead((read_click(incoming.suggestion),))
        return read_feedback(incoming.body)
    except RequestError as error:
        return FeedbackRead((), (error,))


async def _store(taking: _Taking, items: Iterable[Feedback]) -> None:
    """Append what is new, all of it at once so that the disk is asked once.

    Raises:
        AuditError: an item could not be looked up or recorded; others may have been.
    """
    new: dict[str, FeedbackRecord] = {}
    for item in items:
        record = _record(taking, item)
        key = taking.ports.cards.key_of(record.caller.client, record.said)
        is_repeated = key in new or taking.ports.cards.has_feedback(key)
        taking.count(items=1, repeated=is_repeated)
        if not is_repeated:
            new[key] = record
        await asyncio.sleep(0)  # a long list holds up nobody else
    await asyncio.gather(*(_append(taking, key, record) for key, record in new.items()))


async def _append(taking: _Taking, key: str, record: FeedbackRecord) -> None:
    try:
        await taking.ports.recorder.append_entry_async(feedback_entry(record, key))
    except AuditError as error:
        if error.code != "CDS-407" or not taking.ports.cards.has_feedback(key):
            raise
        taking.count(repeated=1)  # another worker stored the same in the meantime
    else:
        taking.count(stored=1, orphans=record.card is None)


def _record(taking: _Taking, item: Feedback) -> FeedbackRecord:
    incoming, ports = taking.incoming, taking.ports
    return FeedbackRecord(
        ports.new_uuid(),
        taking.at,
        incoming.service.id,
        caller_on_record(incoming.caller),
        _said(item),
        incoming.body,
        _own_card(item, incoming.caller.client.name, ports.cards),
    )


def _own_card(item: Feedback, client: str, cards: SentCards) -> CardSent | None:
    """Return the card that an item is about, by its UUID or by what was taken of it; none of another client."""
    found = cards.card(item.card) if item.card else None
    if found is None:
        uuids = filter(None, map(cards.card_of_suggestion, item.suggestions))
        found = next(filter(None, map(cards.card, uuids)), None)
    return found if found and found.client == client else None


def _said(item: Feedback) -> Said:
    reasons = tuple(Coded(reason.system, reason.code, reason.display) for reason in item.reasons)
    return Said(
        item.card,
        item.outcome.value,
        item.suggestions,
        reasons,
        item.comment,
        item.at,
        item.extensions,
        item.remarks,
    )


async def _refuse(taking: _Taking, errors: tuple[RequestError, ...]) -> Answer:
    """Record that something could not be read, and say what."""
    incoming, ports = taking.incoming, taking.ports
    record_id, status = ports.new_uuid(), errors[0].status
    body = write_outcomes(errors, status, record_id)
    call = Call(
        record_id=record_id,
        at=taking.at,
        service=incoming.service.id,
        hook=HOOK,
        caller=caller_on_record(incoming.caller),
        status=status,
        knowledge=ports.knowledge,
        body=incoming.body,
        answer=body,
    )
    await ports.recorder.append_async(ErrorRecord(call, errors[0].code))
    return taking.answer(status, body, record=record_id, problem=errors[0].code)


def _without_place(error: AuditError) -> AuditError:
    """Return the error without where it happened, which is a path on our disk."""
    return AuditError(error.code, "record", "The feedback could not be recorded.", action="Send it again later.")
