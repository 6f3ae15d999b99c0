"""What is recorded of one call, before it is sealed: three kinds of record, each around the same `Call`.

An envelope is kept for ever and holds no health data and no text of the caller. So every field below says where it
goes: *envelope* (our own words and numbers only) or a *section*, which can be redacted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from cds.audit.canonical import JsonValue
from cds.audit.indexes import IndexRow
from cds.engine.assessment import Assessment
from cds.engine.card import Card
from cds.engine.facts import Concept, Gap, HookContext, PatientFacts
from cds.engine.quiet import NOTHING_EARLIER, Earlier, Silenced
from cds.engine.rules import Rule


class RecordType(StrEnum):
    """What an entry is about."""

    DECISION = "decision"
    ERROR = "error"
    START = "start"
    KEY = "key"
    REDACTION = "redaction"
    FEEDBACK = "feedback"
    COUNTED = "counted"


class CallOutcome(StrEnum):
    """What became of a call, in one word: for lists and filters."""

    CARDS = "cards"
    NO_CARDS = "no-cards"
    NOT_APPLICABLE = "not-applicable"
    ERROR = "error"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class KnowledgeVersion:
    """Which knowledge decided: `digest` is ``sha256:`` and hex over the whole package (envelope)."""

    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Software:
    """Which program and configuration answered (envelope); `build` is the git revision if known."""

    version: str
    build: str = ""
    config_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called.

    Attributes:
        client: the name under which the client is registered with us, ``development`` without JWT (envelope).
        issuer, tenant, subject, token_id: iss, tenant, sub and jti of its JWT (section request). Never the JWT.
    """

    client: str
    issuer: str = ""
    tenant: str = ""
    subject: str = ""
    token_id: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the call is about and who the user is (section subject); empty where the call does not say.

    Attributes:
        fhir_server: base URL as the call gives it, else the base configured for the client.
        patient: the patient's id, without ``Patient/``.
        encounter, user: FHIR references, ``Practitioner/7``.
        location, organization: FHIR references where known.
    """

    fhir_server: str = ""
    patient: str = ""
    encounter: str = ""
    user: str = ""
    location: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class SourceRead:
    """One prefetch key: where its data came from and how many resources it brought (section request).

    Attributes:
        key: the prefetch key, ``conditions``.
        origin: in our own words: ``prefetch``, ``read from the FHIR server: 2 pages in 886 ms``, both joined by a
            comma, or ``none``; a reason at the end where something failed.
        resources: how many resources were read from it.
        sha256: hex digest of the bytes as received; empty if not taken.
    """

    key: str
    origin: str
    resources: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What every record holds, whatever became of the call.

    Attributes:
        record_id: a random UUID minted by the service, never derived from content (envelope).
        at: the time for which the decision was made; aware (envelope).
        service, hook: from our table of services, never as the caller wrote them (envelope).
        hook_instance: as sent; a UUID goes to the envelope, anything else to section request.
        status: the HTTP status of the answer (envelope).
        knowledge: see `KnowledgeVersion`.
        body: the request body as received. Only its SHA-256 and size are kept (section request).
        answer: the answer's body exactly as it is sent (section cards, or outcome for an error).
        computed: in shadow mode the body that would have been sent; empty otherwise (section shadow).
        durations_us: microseconds by our own names: ``fetch``, ``evaluate``, ``beforeAppend`` (envelope).
        sources: where each part of the data came from (section request).
        gaps: what could not be had, where no `PatientFacts` carries it (an answer 412) (section request).
        uuids: the UUIDs minted for cards and suggestions, in order; inputs of a replay (section request).
        drafts: the draft orders that suggestions were written for, as sent, by reference; empty text where only the
            reference counts; inputs of a replay (section request).
        settings: the client's settings that shape a decision (section request).
        extensions: allow-listed request extensions as JSON text, by name (section request).
        notes: remarks of the service: ``selections match no draft order`` (section request).
    """

    record_id: str
    at: datetime
    service: str
    hook: str
    caller: Caller
    status: int
    knowledge: KnowledgeVersion
    hook_instance: str = ""
    subject: Subject = Subject()
    body: bytes = field(default=b"", repr=False)
    answer: bytes = field(default=b"", repr=False)
    computed: bytes = field(default=b"", repr=False)
    durations_us: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[SourceRead, ...] = ()
    gaps: tuple[Gap, ...] = ()
    uuids: tuple[str, ...] = ()
    drafts: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """An order was assessed: answer 200, with or without cards.

    Attributes:
        rules: those of the knowledge, in its order: they say of each finding its kind, topic and local policy.
        cards: what was sent, as far as it must be known again: topic, level, drug, route, facts (section rules).
        silenced: the cards that stayed silent, each with its reason (section rules).
        earlier: what the same user was shown before, and has overridden: an input of the decision (section request).
    """

    call: Call
    context: HookContext
    facts: PatientFacts = field(repr=False)
    assessments: tuple[Assessment, ...] = field(repr=False)
    rules: tuple[Rule, ...] = field(repr=False)
    cards: tuple[Card, ...] = ()
    silenced: tuple[Silenced, ...] = ()
    earlier: Earlier = NOTHING_EARLIER


@dataclass(frozen=True, slots=True)
class NotApplicableRecord:
    """No order is about ketamine or esketamine: answer 200 with no cards.

    Of a draft order this is known before any data of the patient are looked at; in patient-view the orders on record
    were, and the call's notes and gaps say what could not be read of them.

    `drugs` are what was ordered instead (section request), so that a drug we failed to recognise can be found.
    """

    call: Call
    drugs: tuple[Concept, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """The call could not be answered with cards: 400, 412 and the like.

    `problem` is the code of the error, ``CDS-301`` (envelope); its words are in the answer (section outcome).
    """

    call: Call
    problem: str


Record = DecisionRecord | NotApplicableRecord | ErrorRecord


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry that is no call: a start, a key, a redaction, feedback, a count.

    Attributes:
        type: what it is about.
        envelope: what is kept for ever: our own words and numbers only.
        sections: everything else, by name; each can be redacted.
        about: the id of the record that it is about, if there is one.
        entry_id: its own random UUID.
        rows: what is indexed of it.
    """

    type: RecordType
    envelope: Mapping[str, JsonValue]
    sections: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    about: str = ""
    entry_id: str = field(default_factory=lambda: str(uuid4()))
    rows: tuple[IndexRow, ...] = field(default=(), repr=False)
