"""A service whose record is broken for good answers what is under way, and ends: only a restart can help."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from cds.app.events import log_event
from cds.audit.writer import Recorder

_LOOK_SECONDS = 0.25


@asynccontextmanager
async def ends_when_broken(app: FastAPI, recorder: Recorder) -> AsyncIterator[None]:
    """Let the server stop within the block once nothing can be recorded any more; ``app.state.failure`` says why.

    ``app.state.stop`` is how whoever runs the server stops it; without it nobody is asked.
    """
    stop: Callable[[], None] | None = getattr(app.state, "stop", None)
    watch = asyncio.create_task(_stop_when_broken(recorder, stop)) if stop else None
    try:
        yield
    finally:
        if watch:
            watch.cancel()
    if recorder.broken and stop:
        app.state.failure = recorder.broken


async def _stop_when_broken(recorder: Recorder, stop: Callable[[], None]) -> None:
    while not recorder.broken:  # noqa: ASYNC110 - it breaks in another thread
        await asyncio.sleep(_LOOK_SECONDS)
    log_event("record.broken", {"problem": recorder.broken.code}, logging.ERROR)
    stop()
