"""``cds log list`` and ``cds log show``: read the record."""

import argparse
from datetime import date

from cds.audit.queries import Filters, LogReader
from cds.audit.record import CallOutcome
from cds.audit.words import listing, show
from cds.cli.options import Commands, add_command, database_option, read_settings
from cds.engine.rules import Level

_FINDING = {0: "shown", 2: "there is no such record, or the record cannot be read"}
_LEVELS = tuple(level.value for level in Level)
_OUTCOMES = tuple(outcome.value for outcome in CallOutcome)
REFERENCE = "number, id (4 characters or more of it), or UUID of a card"
"""How a record is named on the command line."""


def add_commands(commands: Commands) -> None:
    """Add ``log`` with its two commands."""
    log = commands.add_parser("log", help="Read the record of all calls.", description="Read the record of all calls.")
    parts = log.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_list(parts)
    shown = add_command(parts, "show", _show, "Show one record as it is stored, as JSON.", _FINDING, "cds log show 17")
    shown.add_argument("record", metavar="RECORD", help=REFERENCE)
    database_option(shown)


def _add_list(commands: Commands) -> None:
    parser = add_command(
        commands,
        "list",
        _list,
        "List the newest calls.",
        {0: "listed", 2: "the record cannot be read"},
        "cds log list --outcome error\ncds log list --level critical --since 2026-02-01",
    )
    parser.add_argument("--since", metavar="DAY", type=date.fromisoformat, help="first day (UTC), such as 2026-02-01")
    parser.add_argument("--until", metavar="DAY", type=date.fromisoformat, help="last day (UTC)")
    parser.add_argument("--rule", default="", help="only calls in which this rule was present")
    parser.add_argument(
        "--level", default="", choices=("critical", "warning", "info"), help="of that rule, else any card"
    )
    parser.add_argument("--outcome", default="", choices=_OUTCOMES)
    parser.add_argument("--hook", default="", help="order-select or order-sign")
    parser.add_argument("--gaps", action="store_true", help="only calls in which something could not be known")
    parser.add_argument("--limit", type=int, default=50, help="at most so many (default: 50)")
    database_option(parser)


def _list(options: argparse.Namespace) -> int:
    filters = Filters(
        since=options.since,
        until=options.until,
        rule=options.rule,
        level=options.level,
        outcome=options.outcome,
        hook=options.hook,
        gaps=options.gaps,
    )
    with open_log(options) as log:
        print(listing(log.list(filters, options.limit)))
    return 0


def _show(options: argparse.Namespace) -> int:
    with open_log(options) as log:
        print(show(log.find(options.record)))
    return 0


def open_log(options: argparse.Namespace) -> LogReader:
    """Open the record that ``--database`` or the settings name."""
    return LogReader(read_settings(database=options.database).database)
