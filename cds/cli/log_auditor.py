"""``cds log`` for auditors: verify the whole log, prove one record, check proofs, keep checkpoints."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from cds.audit.offline import main as offline
from cds.audit.offline.hashes import check_consistency
from cds.audit.offline.notes import Checkpoint, NotProvenError, VerificationKey, checkpoint_by, read_keys
from cds.audit.offline.records import read_consistency
from cds.audit.offline.stored import open_stored, verify_stored
from cds.audit.offline.verdict import Verdict
from cds.audit.proving import prove, prove_consistency
from cds.audit.single_file import single_file
from cds.audit.writer import default_copy
from cds.cli.log import REFERENCE, keys_of, no_key, open_log, write_new
from cds.cli.options import Commands, add_command, database_option, read_settings
from cds.errors import AuditError

_PROVEN = {0: "proven", 1: "not proven", 2: "something cannot be read"}
_DONE = {0: "done", 2: "something cannot be read or written"}


def add_proving(commands: Commands) -> None:
    """Add the commands that prove something to ``cds log``."""
    _add_verify(commands)
    _add_prove(commands)
    check = add_command(
        commands, "check", _check, "Check the proof of one record; the log itself is not needed.", _PROVEN,
        "cds log check 17.tlog-proof 17.record.json --key log.vkey",
    )  # fmt: skip
    check.add_argument("proof", metavar="PROOF")
    check.add_argument("record", metavar="RECORD")
    _common(check, "of several that the log has had the newest alone")
    _add_consistency(commands)
    checkpoint = add_command(
        commands, "checkpoint", _checkpoint, "Print the newest signed checkpoint, for keeping elsewhere.", _DONE,
        "cds log checkpoint > 2026-02-01.checkpoint",
    )  # fmt: skip
    database_option(checkpoint)
    verifier = add_command(
        commands, "verifier", _verifier,
        "Write the checks as one Python file that needs only `cryptography`, for another machine.", _DONE,
        "cds log verifier verify_log.py",
    )  # fmt: skip
    verifier.add_argument("file", metavar="FILE", type=Path)


def _add_verify(commands: Commands) -> None:
    parser = add_command(
        commands,
        "verify",
        _verify,
        "Hash everything in the log again, and compare it with what was signed.\n\n"
        "A log that was cut back to an earlier checkpoint is a valid log. So it is compared with the checkpoint that\n"
        "the service copies elsewhere (CDS_CHECKPOINT_COPY), and with those that are given. Nothing is written.",
        {0: "verified", 1: "it does not verify", 2: "something cannot be read"},
        "cds log verify --key log.vkey\ncds log verify --key log.vkey --since 2026-01-15.checkpoint\n"
        "cds log verify --key 2025.vkey --key 2026.vkey",
    )
    parser.add_argument("--since", metavar="CHECKPOINT", type=Path, action="append", default=[], help=_SINCE)
    parser.add_argument("--checkpoint", metavar="FILE", type=Path, help="instead of the copy that the settings name")
    _common(parser, "once for each that the log has had")
    database_option(parser)


_SINCE = "fail on any change to the entries before this checkpoint, which you kept; may be given more than once"


def _add_prove(commands: Commands) -> None:
    parser = add_command(
        commands,
        "prove",
        _prove,
        "Write the proof that a record stands in the log, and the record, for an auditor to check elsewhere.",
        {0: "written", 2: "there is no such record, or it cannot be proven"},
        "cds log prove 17\ncds log prove 17 --sections rules,cards --output /tmp",
    )
    parser.add_argument("record", metavar="RECORD", help=REFERENCE)
    parser.add_argument("--sections", metavar="NAMES", help="show only these (default: all); the others stay secret")
    parser.add_argument("--output", metavar="FOLDER", type=Path, default=Path(), help="where to write (default: here)")
    database_option(parser)


def _add_consistency(commands: Commands) -> None:
    parser = add_command(
        commands,
        "consistency",
        _consistency,
        "Prove that the log of a newer checkpoint begins with the whole log of an older one.",
        _PROVEN,
        "cds log consistency 2026-01-15.checkpoint 2026-02-01.checkpoint --key log.vkey --proof both.proof",
    )
    parser.add_argument("old", metavar="OLD", type=Path)
    parser.add_argument("new", metavar="NEW", type=Path)
    parser.add_argument("--proof", metavar="FILE", type=Path, help="write the proof, for checking elsewhere")
    _common(parser, "once for each that the log has had, the newest last")
    database_option(parser)


def _common(parser: argparse.ArgumentParser, several: str) -> None:
    words = "the log's verification key, or a file that holds it; " + several
    parser.add_argument("--key", metavar="KEY", required=True, action="append", help=words)
    parser.add_argument("--json", action="store_true", help="the same for programs")


def _verify(options: argparse.Namespace) -> int:
    keys, settings = _given(options), read_settings(database=options.database)
    default = settings.checkpoint_copy or default_copy(keys_of(settings))
    copy = options.checkpoint or (default if default.exists() else None)
    kept = [path for path in (copy, *options.since) if path]
    verdict = Verdict(keys[0].name)
    anchors = [anchor for anchor in (_anchor(path, keys, verdict) for path in kept) if anchor]
    if verdict.problems:
        return _say(options, 1, verdict.words(), verdict.json())
    open_log(options).close()  # which says in words why a file is no log
    verdict = verify_stored(open_stored(settings.database), keys, anchors)
    return _say(options, verdict.status, verdict.words(), verdict.json())


def _anchor(path: Path, keys: Sequence[VerificationKey], verdict: Verdict) -> Checkpoint | None:
    try:
        return _checkpoint_in(path, keys)
    except NotProvenError as error:
        verdict.problem(f"The checkpoint {path} does not verify: {error}")
        return None


def _prove(options: argparse.Namespace) -> int:
    names = [name for name in options.sections.split(",") if name] if options.sections is not None else None
    with open_log(options) as log:
        record = log.find(options.record)
        proof = prove(log, record, names)
    files = {f"{record.seq}.tlog-proof": proof.proof, f"{record.seq}.record.json": proof.record}
    for name, text in files.items():
        write_new(options.output / name, text)
        print(options.output / name)
    return 0


def _check(options: argparse.Namespace) -> int:
    keys = [part for key in _given(options) for part in ("--key", str(key))]  # of which it refuses more than one
    return offline.main(["check", options.proof, options.record, *keys, *(["--json"] * options.json)])


def _consistency(options: argparse.Namespace) -> int:
    keys = _given(options)
    try:
        old, new = _checkpoint_in(options.old, keys), _checkpoint_in(options.new, keys[-1:])
        with open_log(options) as log:
            proof = prove_consistency(log, old.size, new.size)
        check_consistency(old, new, read_consistency(proof))
    except NotProvenError as error:
        return _say(options, 1, f"NOT PROVEN: {error}", {"problems": [str(error)]})
    if options.proof:
        write_new(options.proof, proof)
    words = f"Proven: the first {old.size} of {new.size} entries of {new.origin} are unchanged."
    return _say(options, 0, words, {"origin": new.origin, "old": old.size, "new": new.size})


def _given(options: argparse.Namespace) -> Sequence[VerificationKey]:
    try:
        return read_keys(options.key)
    except (OSError, ValueError) as error:
        raise no_key(error) from None


def _checkpoint_in(path: Path, keys: Sequence[VerificationKey]) -> Checkpoint:
    try:
        return checkpoint_by(keys, path.read_bytes().decode("utf-8"))
    except (OSError, ValueError) as error:
        raise AuditError("CDS-410", str(path), f"The checkpoint cannot be read ({type(error).__name__}).") from error


def _checkpoint(options: argparse.Namespace) -> int:
    with open_log(options) as log:
        print(log.note(), end="")
    return 0


def _verifier(options: argparse.Namespace) -> int:
    write_new(options.file, single_file())
    return 0


def _say(options: argparse.Namespace, status: int, words: str, found: dict[str, object]) -> int:
    print(json.dumps({"status": status} | found) if options.json else words)
    return status
