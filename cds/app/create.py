"""The composition root: settings in, the application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

import cds
from cds.app.composing import read_knowledge, version_of
from cds.app.ending import ends_when_broken
from cds.app.events import log_event
from cds.app.feedback import add_feedback_routes
from cds.app.front import Front
from cds.app.hosts import KnownHosts, host_of
from cds.app.openapi import Described
from cds.app.opening import opened
from cds.app.order_for_testing import add_order_for_testing
from cds.app.routes import add_routes, answer_http_error
from cds.errors import CdsError
from cds.hooks.services import discovery
from cds.service import Ports, warm_up
from cds.service.order_for_testing import with_order_for_testing
from cds.settings import Settings

__all__ = ["create_app", "read_knowledge"]

_PREFLIGHT_SECONDS = 600


def create_app(settings: Settings) -> FastAPI:
    """Return the application; knowledge is loaded and the record is opened when it starts.

    If the knowledge, the record or the clients cannot be used, the start fails and ``app.state.failure`` says why.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with opened(settings) as tools:
                app.state.gate = tools.gate
                app.state.ports = ports = tools.ports
                offered = discovery(ports.knowledge, ports.templates)
                app.state.discovery = with_order_for_testing(offered) if settings.order_for_testing else offered
                app.state.feedback = tools.feedback
                app.state.count = tools.recorder.count
                await warm_up(ports)
                tools.recorder.started(version_of(ports.knowledge))
                log_event("service.started", _figures(settings, ports, tools.recorder.verification_key))
                async with ends_when_broken(app, tools.recorder):
                    yield
        except CdsError as error:
            app.state.failure = error
            raise
        finally:
            log_event("service.stopped")

    app = Described(
        title="Ketamine CDS",
        version=cds.__version__,
        description="CDS Hooks 2.0.1: advisory cards for ketamine and esketamine orders.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    if settings.order_for_testing:
        add_order_for_testing(app)
    add_routes(app)
    add_feedback_routes(app)
    app.add_exception_handler(HTTPException, answer_http_error)
    _add_layers(app, settings)
    return app


def _add_layers(app: FastAPI, settings: Settings) -> None:
    """Put around the routes what every call passes first; the layer that is added last is the outermost."""
    own_host = host_of(settings.public_base_url)
    app.add_middleware(Front, most_at_once=settings.most_calls_at_once)
    app.add_middleware(KnownHosts, names=(*settings.allowed_hosts, *((own_host,) if own_host else ())))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "OPTIONS"],
            allow_headers=["authorization", "content-type"],
            allow_private_network=True,  # what some browsers ask before a public page calls a service on this machine
            expose_headers=["retry-after"],
            max_age=_PREFLIGHT_SECONDS,
        )


def _figures(settings: Settings, ports: Ports, verification_key: str) -> dict[str, str | float]:
    knowledge = ports.knowledge
    return {
        "version": cds.__version__,
        "verification_key": verification_key,
        "knowledge": knowledge.digest,
        "rules": len(knowledge.rules),
        "profile": settings.profile.value,
        "workers": settings.workers,
        "clock": settings.clock.isoformat() if settings.clock else "system",
    }
