"""``cds log replay``: decide recorded calls again."""

import argparse
import json

import cds
from cds.audit.members import child, text
from cds.audit.stored_record import StoredRecord
from cds.audit.visible import visible
from cds.cli.log import REFERENCE, open_log
from cds.cli.options import Commands, add_command, database_option
from cds.service.replay import Replay, ReplayOutcome, replay

_STATUS = {ReplayOutcome.IDENTICAL: 0, ReplayOutcome.DIFFERENT: 1, ReplayOutcome.CANNOT_TELL: 3}


def add_replay(commands: Commands) -> None:
    """Add ``replay`` to ``cds log``."""
    parser = add_command(
        commands,
        "replay",
        _replay,
        "Decide a recorded call again: the recorded facts, with the recorded knowledge.\n\n"
        "What the rules say and the cards must come out byte for byte as they were recorded.",
        {0: "identical", 1: "different", 2: "there is no such record", 3: "cannot tell"},
        "cds log replay 17",
    )
    parser.add_argument("record", metavar="RECORD", help=REFERENCE)
    parser.add_argument("--json", action="store_true", help="the same for programs")
    database_option(parser)


def _replay(options: argparse.Namespace) -> int:
    with open_log(options) as log:
        record = log.find(options.record)
        done = replay(record, log.knowledge)
    if options.json:
        found = {"number": record.seq, "outcome": done.outcome.value, "why": done.why, "difference": done.difference}
        print(json.dumps(found | _versions(record)))
    else:
        print("\n".join(visible(line) for line in _words(record, done)))
    return _STATUS[done.outcome]


def _words(record: StoredRecord, done: Replay) -> list[str]:
    versions = _versions(record)
    lines = [f"Record {record.seq}: {done.outcome.value}. {done.why}".rstrip()]
    if versions["recordedBy"] != versions["replayedBy"]:
        lines.append(f"Decided by version {versions['recordedBy']}, replayed by version {versions['replayedBy']}.")
    return [*lines, *done.difference]


def _versions(record: StoredRecord) -> dict[str, str]:
    return {"recordedBy": text(child(record.envelope, "engine"), "version"), "replayedBy": cds.__version__}
