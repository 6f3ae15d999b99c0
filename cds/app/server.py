"""Run the service until a signal ends it, in one process or in several."""

import asyncio
import os
import signal
from contextlib import suppress
from functools import partial

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from cds.app.create import create_app
from cds.app.opening import opened
from cds.errors import CdsError
from cds.settings import Settings

COULD_NOT_LISTEN = 3
"""The exit status of a service that could not start for another reason than its own settings and files."""

_WORKER = "cds.app.main:worker"
_KEEP_ALIVE_SECONDS = 30
_STOP_SECONDS = 8


def serve(settings: Settings) -> int:
    """Run the service and return the exit status: 0 when a signal ended it, else `COULD_NOT_LISTEN`.

    Raises:
        CdsError: the knowledge, the record or the clients cannot be used, or the record broke while it ran. Of several
            workers the one whose record broke is replaced; all end if the new one cannot use the record either.
    """
    with suppress(SystemExit):  # how uvicorn says that it could not start
        return _serve_in_one(settings) if settings.workers == 1 else _serve_in_several(settings)
    return COULD_NOT_LISTEN


def server_config(app: ASGIApp | str, settings: Settings) -> uvicorn.Config:
    """Return how the server runs an application, or in several processes what makes it.

    h11 bounds the length of headers; callers behind a trusted proxy are told apart by ``X-Forwarded-For``.
    """
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http="h11",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def _serve_in_one(settings: Settings) -> int:
    app: FastAPI = create_app(settings)
    server = uvicorn.Server(server_config(app, settings))
    app.state.stop = partial(setattr, server, "should_exit", True)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(
            ending, signal.SIG_IGN
        )  # the server has its own while it runs, and sends the signal on at its end
    with suppress(SystemExit):
        server.run()
    failure: CdsError | None = getattr(app.state, "failure", None)
    if failure:
        raise failure
    return 0 if server.started else COULD_NOT_LISTEN


def _serve_in_several(settings: Settings) -> int:
    """Run workers that read the same settings from the environment; what cannot be used is found before they start."""
    asyncio.run(_try(settings))
    os.environ |= {"CDS_HOST": settings.host, "CDS_PORT": str(settings.port), "CDS_WORKERS": str(settings.workers)}
    config = server_config(_WORKER, settings)
    socket = config.bind_socket()
    try:
        supervisor = Multiprocess(config, sockets=[socket])
        supervisor.run()
    finally:
        socket.close()
    return COULD_NOT_LISTEN if any(each.exitcode == COULD_NOT_LISTEN for each in supervisor.processes) else 0


async def _try(settings: Settings) -> None:
    async with opened(settings):
        pass
