"""``cds log``: list and show what is recorded."""

import argparse
from datetime import date
from pathlib import Path

from cds.audit.filters import CALLS, Filters
from cds.audit.keys import KeyFiles, read_signer
from cds.audit.offline.notes import VerificationKey, read_key
from cds.audit.queries import LogReader
from cds.audit.record import CallOutcome, RecordType
from cds.audit.words_list import listing
from cds.audit.words_seal import with_seal
from cds.cli.options import Commands, add_command, database_option, read_settings
from cds.engine.rules import Level
from cds.errors import AuditError
from cds.settings import Stated

_FINDING = {0: "shown", 2: "there is no such record, or the record cannot be read"}
_LEVELS = tuple(level.value for level in Level)
_OUTCOMES = tuple(outcome.value for outcome in CallOutcome)
_TYPES = tuple(kind.value for kind in RecordType)
REFERENCE = "number, id (4 characters or more of it), or UUID of a card"
"""How a record is named on the command line."""


def add_reading(commands: Commands) -> None:
    """Add ``list`` and ``show`` to ``cds log``."""
    _add_list(commands)
    about = "Show one record as it is stored, as JSON, with its seal and what was added about it later."
    shown = add_command(commands, "show", _show, about, _FINDING, "cds log show 17\ncds log show 17 --key log.vkey")
    shown.add_argument("record", metavar="RECORD", help=REFERENCE)
    shown.add_argument("--json", action="store_true", help="JSON, which is what it shows anyway")
    key_option(shown)
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
    parser.add_argument("--level", default="", choices=_LEVELS, help="of that rule, else any card")
    parser.add_argument("--outcome", default="", choices=_OUTCOMES)
    parser.add_argument("--hook", default="", help="order-select, order-sign or patient-view")
    parser.add_argument("--client", default="", help="the name under which it is registered")
    parser.add_argument("--knowledge", default="", help="its version, or the beginning of its SHA-256")
    parser.add_argument("--overridden", action="store_true", help="only calls of which a card was overridden")
    parser.add_argument("--gaps", action="store_true", help="only calls in which something could not be known")
    parser.add_argument("--type", action="append", choices=_TYPES, help="entries of this type instead of calls")
    parser.add_argument("--limit", type=int, default=50, help="at most so many (default: 50)")
    database_option(parser)


def _list(options: argparse.Namespace) -> int:
    filters = Filters(
        since=options.since,
        until=options.until,
        rule=options.rule,
        level=options.level,
        outcome=options.outcome,
        client=options.client,
        hook=options.hook,
        knowledge=options.knowledge,
        gaps=options.gaps,
        overridden=options.overridden,
        types=tuple(options.type or CALLS),
    )
    with open_log(options) as log:
        print(listing(log.list(filters, options.limit)))
    return 0


def _show(options: argparse.Namespace) -> int:
    with open_log(options) as log:
        print(with_seal(log, log.find(options.record), own_key(options)).json())
    return 0


def open_log(options: argparse.Namespace) -> LogReader:
    """Open the record that ``--database`` or the settings name."""
    return LogReader(read_settings(database=options.database).database)


def key_option(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add ``--key``."""
    words = "the log's verification key, or a file that holds it"
    instead = "" if required else " (default: that of CDS_SIGNING_KEY, if you may read it)"
    parser.add_argument("--key", metavar="KEY", required=required, help=words + instead)


def own_key(options: argparse.Namespace) -> VerificationKey | None:
    """Return the key that was given, else that of the operator's own signing key; None where there is neither."""
    if options.key:
        return given_key(options.key)
    try:
        return read_signer(keys_of(read_settings()).signing_path).verification_key
    except AuditError:
        return None


def given_key(text: str) -> VerificationKey:
    """Return the verification key that was given, as text or as a file.

    Raises:
        AuditError: CDS-410 if it is none.
    """
    try:
        return read_key(text)
    except (OSError, ValueError) as error:
        raise no_key(error) from None


def no_key(error: Exception) -> AuditError:
    """Return CDS-410 for a key that cannot be used."""
    expected = "A text like name+1a2b3c4d+AQID..., or a file that holds it; several are of one log."
    return AuditError("CDS-410", "--key", f"This is no verification key ({type(error).__name__}).", expected)


def keys_of(settings: Stated) -> KeyFiles:
    """Return where the log's keys lie."""
    return KeyFiles(settings.pseudonym_key, settings.signing_key)


def write_new(path: Path, text: str) -> None:
    """Write a file for the caller.

    Raises:
        AuditError: CDS-410 if it cannot be written.
    """
    try:
        path.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise AuditError("CDS-410", str(path), f"The file cannot be written ({type(error).__name__}).") from None
