"""``cds log rotate``: let another key sign the log from now on."""

import argparse

import cds
from cds.audit.keys import read_signer
from cds.audit.record import Software
from cds.audit.writer import open_recorder
from cds.cli.log import keys_of, open_log
from cds.cli.options import Commands, add_command, database_option, read_settings


def add_rotating(commands: Commands) -> None:
    """Add ``rotate`` to ``cds log``."""
    parser = add_command(
        commands,
        "rotate",
        _rotate,
        "Make another signing key, let the log say so, and print the new verification key.\n\n"
        "Stop the service before, and start it afterwards: one that still runs writes nothing more (CDS-409).\n"
        "The old key signs the entry that names the new one, both sign that checkpoint, and the old key's file\n"
        "is replaced. Hand the new verification key to your auditors by another way than the log: they need\n"
        "both from now on, and trust no key because the log names it. Back the new key up.\n"
        "The key of pseudonyms stays.",
        {0: "changed", 2: "nothing was changed, or an earlier change could not be finished"},
        "cds log rotate > 2026-02.vkey",
    )
    database_option(parser)


def _rotate(options: argparse.Namespace) -> int:
    settings, files = read_settings(database=options.database), keys_of(read_settings())
    open_log(options).close()  # which says in words why a file is no log
    is_interrupted = files.next_path.exists()
    before = str(read_signer(files.signing_path).verification_key)
    recorder = open_recorder(settings.database, files, Software(cds.__version__), settings.checkpoint_copy)
    try:
        is_finished = is_interrupted and recorder.verification_key != before
        print(recorder.verification_key if is_finished else recorder.change_key(files))
    finally:
        recorder.close()
    return 0
