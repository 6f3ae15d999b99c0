"""One call on its way: what is known of it so far, and the answer and record that come of it."""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from cds.audit.record import (
    Call,
    Caller,
    DecisionRecord,
    ErrorRecord,
    KnowledgeVersion,
    NotApplicableRecord,
    Record,
    Subject,
)
from cds.engine.assessment import Assessment
from cds.engine.facts import Concept, Gap, HookContext, PatientFacts
from cds.engine.logic import Verdict
from cds.engine.quiet import NOTHING_EARLIER, Earlier
from cds.engine.render import Rendered
from cds.engine.scene import local_day
from cds.errors import AuditError, CdsError
from cds.fhir.context import ReadContext
from cds.hooks.request import HookRequest
from cds.hooks.services import SOURCE_ATTRIBUTES, Service
from cds.hooks.suggestions import desk_for, drafts_used
from cds.hooks.wire import NO_CARDS, Writing, write_cards, write_outcome
from cds.network.address import parse_address, without_secrets
from cds.network.failure import NetworkError
from cds.service.completing import Completion, completion_of
from cds.service.ports import Answer, Incoming, Ports
from cds.trust import client as trust
from cds.trust.client import Client

RESERVED_MS = 300
"""How much of the deadline is kept for assessing and recording: reading ends so long before it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer, and the record that must be durable before it goes out."""

    answer: Answer
    record: Record


@dataclass(frozen=True, slots=True)
class Considered:
    """What the cards were made from."""

    request: HookRequest
    context: HookContext
    facts: PatientFacts
    assessments: tuple[Assessment, ...]
    earlier: Earlier


@dataclass(slots=True)
class Visit:
    """One call on its way.

    Attributes:
        incoming: the call as it came.
        record_id, at: minted and read once, when the call came.
        request: None until it could be read.
        completion: its data; None until it could be read.
        notes: what was odd, for the record.
        gaps: what could not be had, if that is why nothing was assessed.
    """

    incoming: Incoming
    ports: Ports
    record_id: str
    at: datetime
    started_ns: int
    request: HookRequest | None = None
    completion: Completion | None = None
    notes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    uuids: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, incoming: Incoming, ports: Ports) -> Self:
        """Return the visit of a call that has just come."""
        return cls(incoming, ports, ports.new_uuid(), ports.clock(), time.perf_counter_ns())

    @property
    def service(self) -> Service:
        """Return the service that was called."""
        return self.incoming.service

    @property
    def client(self) -> Client:
        """Return the EHR that called."""
        return self.incoming.caller.client

    def open(self, request: HookRequest) -> Completion:
        """Keep the request, now that it could be read, and return its data as they were sent."""
        self.request = request
        reserved_ms = (self.client.deadline_ms or self.ports.deadline_ms) - RESERVED_MS
        until = self.incoming.received + reserved_ms / 1000
        context = self.read_context(request)
        self.completion = completion_of(request, context, self.client, self.ports, until)
        return self.completion

    def mint(self) -> str:
        """Return a new UUID and keep it: it is an input of a replay."""
        self.uuids.append(self.ports.new_uuid())
        return self.uuids[-1]

    def read_context(self, request: HookRequest) -> ReadContext:
        """Return how the FHIR content of the request is read."""
        encounter = bool(request.encounter_id)
        expected = {key: source for key, source in self.ports.offered.items() if key != "encounter" or encounter}
        base = self._base(request)
        return ReadContext(expected, request.patient_id, base, self.at, self.ports.zone, self.ports.canonical)

    def earlier(self, request: HookRequest, context: HookContext) -> Earlier:
        """Return what this user saw of this patient before; nothing where it is not known who asks."""
        subject, known = self._subject(request), NOTHING_EARLIER
        if subject.user:
            try:
                known = self.ports.history(self.client.name, subject, self.at)
            except AuditError as error:
                self.notes += (f"earlier cards could not be looked up ({error.code}): none stays silent",)
        return replace(known, at=self.at, today=local_day(self.at, context), hook=context.hook)

    def decided(self, considered: Considered, rendered: Rendered) -> Decision:
        """Return the answer with the cards that are shown, serialised once."""
        body = write_cards(rendered.cards, self._writing(considered.request))
        findings = [finding for assessment in considered.assessments for finding in assessment.findings]
        record = DecisionRecord(
            replace(self._call(200, body), drafts=drafts_used(considered.request, rendered.cards)),
            considered.context,
            considered.facts,
            considered.assessments,
            self.ports.knowledge.rules,
            rendered.cards,
            rendered.silenced,
            considered.earlier,
        )
        answer = self._answer(
            200,
            body,
            cards=len(rendered.cards),
            silent=len(rendered.silenced),
            orders=len(considered.assessments),
            unknown=sum(finding.verdict is Verdict.UNKNOWN for finding in findings),
        )
        return Decision(answer, record)

    def not_applicable(self, drugs: tuple[Concept, ...]) -> Decision:
        """Return the answer to a call that no rule is about."""
        record = NotApplicableRecord(self._call(200, NO_CARDS), drugs)
        return Decision(self._answer(200, NO_CARDS, cards=0, orders=0), record)

    def refused(self, error: CdsError, status: int, exception: Exception | None = None) -> Decision:
        """Return the answer to a call that cannot be answered with cards."""
        body = write_outcome(error, status, self.record_id)
        record = ErrorRecord(self._call(status, body), error.code)
        return Decision(self._answer(status, body, exception, problem=error.code), record)

    def unrecorded(self, error: AuditError, exception: Exception | None = None) -> Answer:
        """Return the answer where the record could not be written: no cards, and the request to try again.

        Where the record lies is nothing for a caller to know.
        """
        body = write_outcome(replace(error, where="record"), 503)
        return self._answer(503, body, exception, problem=error.code)

    def _writing(self, request: HookRequest) -> Writing:
        rules = {rule.topic: rule.id for rule in self.ports.knowledge.rules}
        base_url = self.incoming.base_url

        def link(topic: str) -> str:
            return f"{base_url}{SOURCE_ATTRIBUTES.format(rule_id=rules[topic])}" if base_url else ""

        return Writing(self.record_id, self.mint, desk_for(request, self.ports.valid), link)

    def _call(self, status: int, body: bytes) -> Call:
        knowledge, request, completion = self.ports.knowledge, self.request, self.completion
        return Call(
            record_id=self.record_id,
            at=self.at,
            service=self.service.id,
            hook=self.service.hook,
            caller=caller_on_record(self.incoming.caller),
            status=status,
            knowledge=KnowledgeVersion(knowledge.version, knowledge.digest),
            hook_instance=request.hook_instance if request else "",
            subject=self._subject(request) if request else Subject(),
            body=self.incoming.body,
            answer=body,
            durations_us=self._durations_us(),
            sources=completion.sources() if completion else (),
            gaps=self.gaps,
            uuids=tuple(self.uuids),
            settings={"timeZone": str(self.ports.zone), "baseUrl": self.incoming.base_url},
            notes=(*self.notes, *(completion.remarks() if completion else ())),
        )

    def _base(self, request: HookRequest) -> str:
        """Return the FHIR server that the call is about, in its normal form; if unsaid, the only one of the client."""
        asked = request.fhir_server or (self.client.fhir_bases[0] if len(self.client.fhir_bases) == 1 else "")
        try:
            return str(parse_address(asked))
        except NetworkError:
            return asked

    def _subject(self, request: HookRequest) -> Subject:
        encounter = f"Encounter/{request.encounter_id}" if request.encounter_id else ""
        return Subject(without_secrets(self._base(request)), request.patient_id, encounter, request.user_id)

    def _durations_us(self) -> dict[str, int]:
        elapsed = self._elapsed_us()
        fetch = round(self.completion.seconds * 1_000_000) if self.completion else 0
        return {"fetch": fetch, "evaluate": max(elapsed - fetch, 0), "beforeAppend": elapsed}

    def _answer(self, status: int, body: bytes, exception: Exception | None = None, **figures: str | float) -> Answer:
        instance = self.request.hook_instance[:8] if self.request else ""
        common: dict[str, str | float] = {
            "service": self.service.id,
            "hook": self.service.hook,
            "client": self.client.name,
            "hook_instance": instance,
            "record": self.record_id,
            "status": status,
            "knowledge": self.ports.knowledge.digest[:19],
            "request_bytes": len(self.incoming.body),
            "fhir_reads": len(self.completion.replies) if self.completion else 0,
            "fetch_ms": round(self.completion.seconds * 1000) if self.completion else 0,
            "duration_ms": round(self._elapsed_us() / 1000, 1),
        }
        return Answer(status, body, common | figures, exception)

    def _elapsed_us(self) -> int:
        return (time.perf_counter_ns() - self.started_ns) // 1000


def caller_on_record(caller: trust.Caller) -> Caller:
    """Return who called, as the record holds it."""
    client = caller.client
    return Caller(client.name, client.issuer, client.tenant, client.subject, caller.token_id)
