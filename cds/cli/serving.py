"""``cds serve`` and ``cds demo``."""

import argparse
from contextlib import suppress

from cds.cli.options import Commands, add_command, read_settings
from cds.errors import CdsError


def add_commands(commands: Commands) -> None:
    """Add both commands."""
    serve = add_command(
        commands,
        "serve",
        _serve,
        "Run the service.\n\nEverything else is set by CDS_ variables: docs/settings.md.",
        {0: "ended by a signal", 2: "a setting, the knowledge or the record cannot be used", 3: "it could not listen"},
        "cds serve\ncds serve --port 8080",
    )
    serve.add_argument("--host", help="address to listen on (default: CDS_HOST or 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port (default: CDS_PORT or 8000)")
    add_command(
        commands,
        "demo",
        _demo,
        "Start the service on a free port, order ketamine for fixture patients, print the cards.\n\n"
        "The record lies in a new temporary folder, which is named at the end. Ends by itself.",
        {0: "every answer was as expected", 1: "one was not"},
        "cds demo",
    )


def _serve(options: argparse.Namespace) -> int:
    import uvicorn

    from cds.app import create_app
    from cds.app.events import configure_log

    settings = read_settings(host=options.host, port=options.port)
    configure_log(settings.log_level.value)
    app = create_app(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=30,
        )
    )
    print(f"Ketamine CDS: http://{settings.host}:{settings.port}/cds-services (to stop: Ctrl-C)", flush=True)
    with suppress(SystemExit):  # how uvicorn says that it could not start
        server.run()
    failure: CdsError | None = getattr(app.state, "failure", None)
    if failure:
        raise failure
    return 0 if server.started else 3


def _demo(_options: argparse.Namespace) -> int:
    from cds.demo import run_demo

    return run_demo()
