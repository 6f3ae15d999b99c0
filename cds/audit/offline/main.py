"""Check what a log of Ketamine CDS proves, on any machine that has Python 3.11 and its package `cryptography`.

    verify LOG --key KEY --checkpoint KEPT      everything that is stored in a copy of the log
    check PROOF RECORD --key KEY                that one record stands in the log
    consistency OLD NEW PROOF --key KEY         that a log begins with what an older checkpoint covers

KEY is the log's verification key (name+hash+key) or a file that holds it. It must have reached you by another way than
the log and the proofs: whoever signs with a key of their own can prove anything under it. Where the log's key was
changed, `verify` takes --key once for each of its keys, `consistency` too (the newest last), `check` the newest alone.

Exit status: 0 proven, 1 not proven, 2 something cannot be read. Nothing is written, and no network is used.
"""

import argparse
import json
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cds.audit.offline.hashes import check_consistency
from cds.audit.offline.notes import NotProvenError, VerificationKey, checkpoint_by, read_keys
from cds.audit.offline.records import check_record, read_consistency
from cds.audit.offline.stored import open_stored, verify_stored

_Result = tuple[int, str, dict[str, object]]
_KEY = "the verification key, or a file that holds it"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    parts = {
        "verify": (run_verify, ("log",)),
        "check": (run_check, ("proof", "record")),
        "consistency": (run_consistency, ("old", "new", "proof")),
    }
    for name, (run, files) in parts.items():
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        for file in files:
            command.add_argument(file, metavar=file.upper())
        command.add_argument("--key", required=True, action="append", help=_KEY)
        command.add_argument("--json", action="store_true", help="the same for programs")
        if name == "verify":
            command.add_argument("--checkpoint", action="append", default=[], help="one that was kept elsewhere")
    options = parser.parse_args(arguments)
    status, words, found = _run(options)
    print(json.dumps({"status": status} | found) if options.json else words)
    return status


def _run(options: argparse.Namespace) -> _Result:
    try:
        result: _Result = options.run(options)
    except NotProvenError as error:
        return 1, f"NOT PROVEN: {error}", {"problems": [str(error)]}
    except (OSError, ValueError, RecursionError, sqlite3.Error) as error:
        return 2, f"Cannot be read: {error}", {"problems": [str(error)]}
    return result


def run_verify(options: argparse.Namespace) -> _Result:
    """Check a whole log against checkpoints that were kept elsewhere."""
    keys = read_keys(options.key)
    anchors = [checkpoint_by(keys, _text(path)) for path in options.checkpoint]
    verdict = verify_stored(open_stored(Path(options.log)), keys, anchors)
    return verdict.status, verdict.words(), verdict.json()


def run_check(options: argparse.Namespace) -> _Result:
    """Check one record and its proof."""
    found = check_record(_text(options.proof), _text(options.record), key_in_force(options.key))
    withheld = f"; not shown: {', '.join(found.withheld)}" if found.withheld else ""
    words = (
        f"Proven: entry {found.index} ({found.envelope.get('id')}) stands in {found.origin}, signed at {found.size} "
        f"entries. Sections as recorded: {', '.join(found.shown) or 'none'}{withheld}"
    )
    return 0, words, asdict(found)


def run_consistency(options: argparse.Namespace) -> _Result:
    """Check that a newer checkpoint covers everything that an older one covers, unchanged.

    The newer one must be signed with the last key that is given; the older one was kept by who asks.
    """
    keys = read_keys(options.key)
    old, new = checkpoint_by(keys, _text(options.old)), keys[-1].checkpoint(_text(options.new))
    check_consistency(old, new, read_consistency(_text(options.proof)))
    words = f"Proven: the first {old.size} of {new.size} entries of {new.origin} are unchanged."
    return 0, words, {"origin": new.origin, "old": old.size, "new": new.size}


def key_in_force(texts: Sequence[str]) -> VerificationKey:
    """Return the one key that is given: whoever comes by a key that was replaced could prove anything with it.

    Raises:
        ValueError, OSError: if it is none, or there are several.
    """
    if len(texts) != 1:
        raise ValueError("Give check one key, the one in force. A record from before it is proven anew under it.")
    return read_keys(texts)[0]


def _text(path: str) -> str:
    return Path(path).read_bytes().decode("utf-8")


if __name__ == "__main__":
    sys.exit(main())
