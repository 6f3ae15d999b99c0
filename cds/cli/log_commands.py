"""``cds log``: everything about the record of all calls."""

from cds.cli.log import add_reading
from cds.cli.log_auditor import add_proving
from cds.cli.log_operator import add_operating
from cds.cli.log_replay import add_replay
from cds.cli.log_rotate import add_rotating
from cds.cli.options import Commands


def add_commands(commands: Commands) -> None:
    """Add ``log`` with its commands."""
    about = "Read, verify and prove the record of all calls."
    log = commands.add_parser("log", help=about, description=about)
    parts = log.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_reading(parts)
    add_proving(parts)
    add_replay(parts)
    add_operating(parts)
    add_rotating(parts)
