"""What a worker process runs: ``uvicorn --factory cds.app.main:worker``, with the settings of its environment."""

import signal
from functools import partial

from fastapi import FastAPI

from cds.app.create import create_app
from cds.app.events import configure_log
from cds.settings import Settings


def worker() -> FastAPI:
    """Return the application of the environment's settings, with its log set up."""
    settings = Settings()
    configure_log(settings.log_level.value)
    app = create_app(settings)
    app.state.stop = partial(signal.raise_signal, signal.SIGTERM)  # whoever supervises the workers starts another
    return app
