"""What an answer needs, from the settings."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import cds
from cds import service
from cds.audit.history import History
from cds.audit.keys import KeyFiles
from cds.audit.pseudonym import load_or_create_key
from cds.audit.record import KnowledgeVersion, Software
from cds.audit.writer import Recorder
from cds.engine.rules import Knowledge
from cds.hooks.prefetch import sources, templates
from cds.knowledge.code_systems import load_code_systems
from cds.knowledge.load import load_knowledge
from cds.knowledge.package import package_bytes
from cds.knowledge.value_sets import CODE_SYSTEMS
from cds.service import Ports
from cds.service.earlier import EarlierCards
from cds.service.feedback import FeedbackPorts
from cds.settings import Settings, Stated


def compose(settings: Settings, recorder: Recorder, history: History) -> Ports:
    """Return what an answer needs, with knowledge loaded from the settings' folder and kept in the record."""
    ports = read_knowledge(settings, recorder)
    recorder.keep_knowledge(ports.knowledge.digest, package_bytes(settings.knowledge_dir, settings.site_policy))
    return replace(ports, history=EarlierCards(history, ports.knowledge.definitions.snooze))


def feedback_ports(ports: Ports, recorder: Recorder, history: History) -> FeedbackPorts:
    """Return what taking feedback needs."""
    return FeedbackPorts(recorder, history, ports.clock, ports.new_uuid, version_of(ports.knowledge))


def version_of(knowledge: Knowledge) -> KnowledgeVersion:
    """Return what the record calls the knowledge that is loaded."""
    return KnowledgeVersion(knowledge.version, knowledge.digest)


def read_knowledge(settings: Stated, recorder: service.Recorder) -> Ports:
    """Return what an answer needs, with knowledge loaded and nothing known of earlier calls."""
    knowledge = load_knowledge(settings.knowledge_dir, settings.site_policy)
    queries = templates(knowledge)
    return Ports(
        knowledge=knowledge,
        recorder=recorder,
        clock=_clock(settings),
        new_uuid=lambda: str(uuid4()),
        canonical=load_code_systems(settings.knowledge_dir / CODE_SYSTEMS).canonical,
        offered=sources(queries),
        templates=queries,
        zone=ZoneInfo(settings.time_zone),
        country=settings.country,
        deadline_ms=settings.deadline_ms,
        any_loopback=not settings.authenticated,
    )


def key_files(settings: Stated) -> KeyFiles:
    """Return where the record's keys lie, and whether they may be made at the first start."""
    return KeyFiles(settings.pseudonym_key, settings.signing_key, not settings.authenticated)


def open_history(settings: Settings) -> History:
    """Open the record for looking up; the recorder has made it and its key before."""
    return History(settings.database, load_or_create_key(settings.pseudonym_key, may_create=False))


def software(settings: Settings) -> Software:
    """Return which software with which settings decides, for the record."""
    digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
    return Software(version=cds.__version__, build="", config_sha256=digest)


def _clock(settings: Stated) -> Callable[[], datetime]:
    moment = settings.clock
    return (lambda: moment) if moment else (lambda: datetime.now(UTC))
