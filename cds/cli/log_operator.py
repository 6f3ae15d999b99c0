"""``cds log`` for the operator: make the keys of a new log, print the verification key, redact."""

import argparse

import cds
from cds.audit.keys import read_signer
from cds.audit.record import Software
from cds.audit.redaction import redact
from cds.audit.writer import open_recorder
from cds.cli.log import REFERENCE, keys_of, open_log
from cds.cli.options import Commands, add_command, database_option, read_settings

_INCOMPLETE = (
    "Incomplete: somebody is reading the log, so traces may be left in its write-ahead log. "
    "Run the same command again when they have finished."
)


def add_operating(commands: Commands) -> None:
    """Add the commands of the operator to ``cds log``."""
    init = add_command(
        commands,
        "init",
        _init,
        "Make the two keys of a new log, once, and print the verification key.\n\n"
        "Hand the verification key to your auditors, and back both keys up apart from the log.",
        {0: "made, or there already with --if-missing", 2: "there is a key already, or it cannot be made"},
        "cds log init --origin cds.hospital.example/audit/1",
    )
    init.add_argument("--if-missing", action="store_true", help="end well, too, if both keys of that log are there")
    init.add_argument("--origin", required=True, metavar="NAME", help="the log's name, for ever; yours alone")
    add_command(
        commands, "key", _key, "Print the verification key that belongs to the signing key.",
        {0: "printed", 2: "there is no signing key that you may read"}, "cds log key > log.vkey",
    )  # fmt: skip
    _add_redact(commands)


def _add_redact(commands: Commands) -> None:
    parser = add_command(
        commands,
        "redact",
        _redact,
        "Take sections away from a record for good. The log says that, when, why and by whom; every proof stays valid.",
        {0: "gone", 1: "gone from the record, but traces may be left in a file", 2: "nothing was changed"},
        "cds log redact 17 --sections subject,request --reason 'request under GDPR Art. 17' --by 'A. Officer'",
    )
    parser.add_argument("record", metavar="RECORD", help=REFERENCE)
    parser.add_argument("--sections", required=True, metavar="NAMES", help="such as subject,request,facts,rules,cards")
    parser.add_argument("--reason", required=True, help="why, in words, without naming the patient")
    parser.add_argument("--by", required=True, help="who decided so")
    database_option(parser)


def _init(options: argparse.Namespace) -> int:
    print(keys_of(read_settings()).make(options.origin, if_missing=options.if_missing).verification_key)
    return 0


def _key(_options: argparse.Namespace) -> int:
    print(read_signer(keys_of(read_settings()).signing_path).verification_key)
    return 0


def _redact(options: argparse.Namespace) -> int:
    settings = read_settings(database=options.database)
    names = [name for name in options.sections.split(",") if name]
    with open_log(options) as log:
        record = log.find(options.record)
    recorder = open_recorder(settings.database, keys_of(settings), Software(cds.__version__), settings.checkpoint_copy)
    try:
        done = redact(recorder, record, names, options.reason, options.by)
    finally:
        recorder.close()
    print(f"Taken away from record {record.seq}: {', '.join(done.sections) or 'nothing that was still there'}.")
    if not done.is_complete:
        print(_INCOMPLETE)
    return 0 if done.is_complete else 1
