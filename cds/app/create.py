"""The composition root: settings in, the application out."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from starlette.exceptions import HTTPException

import cds
from cds import service
from cds.app.events import log_event
from cds.app.feedback import add_feedback_routes
from cds.app.hosts import KnownHosts, host_of
from cds.app.order_for_testing import add_order_for_testing
from cds.app.routes import add_routes, answer_http_error
from cds.audit.history import History
from cds.audit.keys import KeyFiles
from cds.audit.pseudonym import load_or_create_key
from cds.audit.record import KnowledgeVersion, Software
from cds.audit.writer import Recorder, open_recorder
from cds.errors import CdsError
from cds.hooks.prefetch import sources, templates
from cds.hooks.services import discovery
from cds.knowledge.code_systems import load_code_systems
from cds.knowledge.load import load_knowledge
from cds.knowledge.package import package_bytes
from cds.knowledge.value_sets import CODE_SYSTEMS
from cds.service import Ports, warm_up
from cds.service.earlier import EarlierCards
from cds.service.feedback import FeedbackPorts
from cds.service.order_for_testing import with_order_for_testing
from cds.settings import Profile, Settings


def create_app(settings: Settings) -> FastAPI:
    """Return the application; knowledge is loaded and the record is opened when it starts.

    If the knowledge or the record cannot be used, the start fails and ``app.state.failure`` says why.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            recorder = open_recorder(
                settings.database, key_files(settings), _software(settings), settings.checkpoint_copy
            )
            with closing(recorder), closing(_history(settings)) as history:
                app.state.ports = ports = compose(settings, recorder, history)
                knowledge = ports.knowledge
                recorder.started(KnowledgeVersion(knowledge.version, knowledge.digest))
                offered = discovery(ports.knowledge, templates(ports.knowledge))
                app.state.discovery = with_order_for_testing(offered) if settings.order_for_testing else offered
                app.state.feedback = feedback_ports(ports, recorder, history)
                warm_up(ports)
                log_event(
                    "service.started", _figures(settings, ports) | {"verification_key": recorder.verification_key}
                )
                yield
        except CdsError as error:
            app.state.failure = error
            raise
        finally:
            log_event("service.stopped")

    app = FastAPI(title="Ketamine CDS", version=cds.__version__, lifespan=lifespan)
    app.state.settings = settings
    if settings.order_for_testing:
        add_order_for_testing(app)
    add_routes(app)
    add_feedback_routes(app)
    app.add_exception_handler(HTTPException, answer_http_error)
    own_host = host_of(settings.public_base_url)
    app.add_middleware(KnownHosts, names=(*settings.allowed_hosts, *((own_host,) if own_host else ())))
    return app


def compose(settings: Settings, recorder: Recorder, history: History) -> Ports:
    """Return what an answer needs, with knowledge loaded from the settings' folder and kept in the record."""
    ports = read_knowledge(settings, recorder)
    recorder.keep_knowledge(ports.knowledge.digest, package_bytes(settings.knowledge_dir, settings.site_policy))
    return replace(ports, history=EarlierCards(history, ports.knowledge.definitions.snooze))


def feedback_ports(ports: Ports, recorder: Recorder, history: History) -> FeedbackPorts:
    """Return what taking feedback needs."""
    version = KnowledgeVersion(ports.knowledge.version, ports.knowledge.digest)
    return FeedbackPorts(recorder, history, ports.clock, ports.new_uuid, version)


def read_knowledge(settings: Settings, recorder: service.Recorder) -> Ports:
    """Return what an answer needs, with knowledge loaded and nothing known of earlier calls."""
    knowledge = load_knowledge(settings.knowledge_dir, settings.site_policy)
    return Ports(
        knowledge=knowledge,
        recorder=recorder,
        clock=_clock(settings),
        new_uuid=lambda: str(uuid4()),
        canonical=load_code_systems(settings.knowledge_dir / CODE_SYSTEMS).canonical,
        offered=sources(templates(knowledge)),
        zone=ZoneInfo(settings.time_zone),
        country=settings.country,
    )


def key_files(settings: Settings) -> KeyFiles:
    """Return where the record's keys lie, and whether they may be made at the first start."""
    may_make = settings.profile is Profile.DEVELOPMENT
    return KeyFiles(settings.pseudonym_key, settings.signing_key, may_make)


def _history(settings: Settings) -> History:
    """Open the record for looking up; the recorder has made it and its key before."""
    return History(settings.database, load_or_create_key(settings.pseudonym_key, may_create=False))


def _figures(settings: Settings, ports: Ports) -> dict[str, str | float]:
    knowledge = ports.knowledge
    return {
        "version": cds.__version__,
        "knowledge": knowledge.digest,
        "rules": len(knowledge.rules),
        "profile": settings.profile.value,
        "clock": settings.clock.isoformat() if settings.clock else "system",
    }


def _clock(settings: Settings) -> Callable[[], datetime]:
    moment = settings.clock
    return (lambda: moment) if moment else (lambda: datetime.now(UTC))


def _software(settings: Settings) -> Software:
    digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
    return Software(version=cds.__version__, build="", config_sha256=digest)
