"""Which key must have signed which checkpoint: the one that was in force, and both where it was changed.

A key counts only if it was given: that the log names a key, even under a good signature, is no reason to trust it.
A key that was replaced signs nothing more, so whoever comes by it later cannot add to the log.
"""

import sqlite3
from collections.abc import Mapping, Sequence

from cds.audit.offline.notes import Checkpoint, NotProvenError, VerificationKey, hash_of, is_number
from cds.audit.offline.verdict import Verdict


def stored_checkpoints(connection: sqlite3.Connection, verdict: Verdict) -> dict[int, Checkpoint]:
    """Return by minute what the stored checkpoints say, whoever has signed them."""
    found: dict[int, Checkpoint] = {}
    newest = -1
    for minute, size, note in connection.execute("SELECT minute, size, note FROM checkpoint ORDER BY minute"):
        verdict.checkpoints += 1
        try:
            origin, number, root, *_ = note.split("\n")
            if not is_number(number):
                raise NotProvenError("It is no checkpoint.")
            checkpoint = Checkpoint(origin, int(number), hash_of(root), note)
            if checkpoint.size != size or newest >= size:
                raise NotProvenError("Its size does not fit those beside it.")
            found[minute], newest = checkpoint, size
        except (NotProvenError, ValueError) as error:
            verdict.problem(f"The checkpoint of minute {minute} does not verify: {error}")
    return found


def check_signatures(
    stored: Mapping[int, Checkpoint], keys: Sequence[VerificationKey], verdict: Verdict
) -> list[Checkpoint]:
    """Check each checkpoint with the key that was in force, now that the changes of keys are known.

    Returns:
        Those that verify, in order.
    """
    _check_changes(stored, keys, verdict)
    signed = []
    for minute, checkpoint in stored.items():
        try:
            _check(checkpoint, keys, verdict)
        except NotProvenError as error:
            verdict.problem(f"The checkpoint of minute {minute} does not verify: {error}")
        else:
            signed.append(checkpoint)
    return signed


def check_anchors(anchors: Sequence[Checkpoint], keys: Sequence[VerificationKey], verdict: Verdict) -> None:
    """Check that the checkpoints that were kept elsewhere are signed with the keys that were in force, too."""
    for anchor in anchors:
        try:
            _check(anchor, keys, verdict)
        except NotProvenError as error:
            verdict.problem(f"The checkpoint over {anchor.size} entries that was kept does not verify: {error}")


def _check(checkpoint: Checkpoint, keys: Sequence[VerificationKey], verdict: Verdict) -> None:
    given = {str(key): key for key in keys}
    for text in _in_force(checkpoint, keys, verdict):
        if text in given:
            given[text].checkpoint(checkpoint.note)


def _in_force(checkpoint: Checkpoint, keys: Sequence[VerificationKey], verdict: Verdict) -> tuple[str, ...]:
    if not verdict.changes:
        return (str(next((key for key in keys if key.signs_last(checkpoint.note)), keys[0])),)
    needed: tuple[str, ...] = (verdict.changes[0][1],)
    for seq, before, after in verdict.changes:
        if checkpoint.size > seq:
            needed = (before, after) if checkpoint.size == seq + 1 else (after,)
    return needed


def _check_changes(stored: Mapping[int, Checkpoint], keys: Sequence[VerificationKey], verdict: Verdict) -> None:
    sizes = {checkpoint.size for checkpoint in stored.values()}
    used = {text for _, *both in verdict.changes for text in both}
    in_force = verdict.changes[0][1] if verdict.changes else ""
    for seq, before, after in verdict.changes:
        if before != in_force or seq + 1 not in sizes:
            verdict.problem(f"Entry {seq} changes the key, and the key before it has not signed that.")
        in_force = after
    for text in sorted(used - set(map(str, keys))):
        verdict.problem(
            f"A part of the log is signed with the key {_short(text)}, which was not given. "
            "Give it with --key too, if it reached you by another way than this log."
        )
    if not verdict.changes:
        used = {str(key) for key in keys if any(key.signs(checkpoint.note) for checkpoint in stored.values())}
        used |= {str(keys[0])} if len(keys) == 1 else set()
    for text in sorted(set(map(str, keys)) - used):
        verdict.problem(
            f"Nothing is signed with the key {_short(text)}, which was given: "
            "the log was cut back to before that key, or the key is of another log."
        )
    if not verdict.changes and len(used) > 1:
        verdict.problem("The log is signed with more than one key, and no entry says that the key was changed.")


def _short(text: str) -> str:
    """Return name and hash of a key as it stands in the log, or whatever stands there."""
    return "+".join(text.split("+")[:2])[:100]
