"""``cds serve`` and ``cds demo``."""

import argparse

from cds.cli.options import Commands, add_command, serving_settings


def add_commands(commands: Commands) -> None:
    """Add both commands."""
    serve = add_command(
        commands,
        "serve",
        _serve,
        "Run the service.\n\nEverything else is set by CDS_ variables: docs/settings.md.",
        {
            0: "ended by a signal",
            2: "a setting, the knowledge, the record or the clients cannot be used",
            3: "it could not listen",
        },
        "cds serve\ncds serve --port 8080\ncds serve --workers 4",
    )
    serve.add_argument("--host", help="address to listen on (default: CDS_HOST or 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port (default: CDS_PORT or 8000)")
    serve.add_argument("--workers", type=int, help="processes that answer (default: CDS_WORKERS or 1)")
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
    from cds.app.events import configure_log
    from cds.app.server import serve

    settings = serving_settings(host=options.host, port=options.port, workers=options.workers)
    configure_log(settings.log_level.value)
    print(f"Ketamine CDS: http://{settings.host}:{settings.port}/cds-services (to stop: Ctrl-C)", flush=True)
    return serve(settings)


def _demo(_options: argparse.Namespace) -> int:
    from cds.demo import run_demo

    return run_demo()
