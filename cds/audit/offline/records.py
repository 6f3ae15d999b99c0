"""One record on its way to an auditor: the text of its proof, the text of the record, and what both prove.

Source: C2SP tlog-proof (``.tlog-proof`` files).
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds.audit.offline.hashes import commitment, leaf_hash, root_by_inclusion
from cds.audit.offline.notes import NotProvenError, VerificationKey, hash_of, is_number

PROOF_HEAD = "c2sp.org/tlog-proof@v1"
"""The first line of a proof that a record stands in a log."""
CONSISTENCY_HEAD = "ketamine-cds/consistency-proof@v1"
"""The first line of a proof that a log begins with an older state of it."""
_MEMBERS = {"envelope", "sections"}


@dataclass(frozen=True, slots=True)
class ProvenRecord:
    """What is proven of a record.

    Attributes:
        index, size, origin: its number, among how many entries, of which log.
        envelope: its envelope.
        shown, withheld: the names of the sections that were checked, and of those that are not in the file.
    """

    index: int
    size: int
    origin: str
    envelope: Mapping[str, Any]
    shown: tuple[str, ...]
    withheld: tuple[str, ...]


def proof_text(index: int, path: Sequence[bytes], note: str) -> str:
    """Return the text of a proof that entry `index` stands in the tree of a checkpoint."""
    return "\n".join([PROOF_HEAD, f"index {index}", *(b64encode(one).decode() for one in path), "", note])


def record_text(envelope: str, sections: Mapping[str, tuple[bytes, bytes]]) -> str:
    """Return the text of a record's file; each section is given as salt and content.

    Raises:
        UnicodeDecodeError: if a section is not UTF-8.
    """
    written = {name: {"content": content.decode(), "salt": salt.hex()} for name, (salt, content) in sections.items()}
    return json.dumps({"envelope": envelope, "sections": written}, sort_keys=True, ensure_ascii=False) + "\n"


def consistency_text(proof: Sequence[bytes]) -> str:
    """Return the text of a consistency proof: a head, then one hash a line."""
    return "\n".join([CONSISTENCY_HEAD, *(b64encode(one).decode() for one in proof), ""])


def read_consistency(text: str) -> list[bytes]:
    """Return the hashes of a consistency proof.

    Raises:
        NotProvenError: if the text is none.
    """
    head, *lines = text.split("\n")
    if head != CONSISTENCY_HEAD or not lines or lines.pop():
        raise NotProvenError("This is no consistency proof of this form.")
    return [hash_of(line) for line in lines]


def check_record(proof: str, record: str, key: VerificationKey) -> ProvenRecord:
    """Check that a record stands in the log, and that its sections are those that its envelope commits to.

    Args:
        proof: the text of the proof's file.
        record: the text of the record's file.
        key: the log's verification key that is in force, which came by another way than the proof.

    Raises:
        NotProvenError: if that does not follow.
    """
    index, path, note = _read_proof(proof)
    checkpoint = key.checkpoint(note)
    text, sections = _read_record(record)
    if root_by_inclusion(index, checkpoint.size, leaf_hash(text.encode()), path) != checkpoint.root:
        raise NotProvenError("The record is not the one that stands in the log.")
    envelope = json.loads(text)
    committed = envelope["sections"]
    for name, (salt, content) in sections.items():
        if commitment(name, salt, content) != committed.get(name):
            raise NotProvenError(f"Section {name} is not what was recorded.")
    withheld = tuple(sorted(committed.keys() - sections.keys()))
    return ProvenRecord(index, checkpoint.size, checkpoint.origin, envelope, tuple(sorted(sections)), withheld)


def _read_proof(text: str) -> tuple[int, list[bytes], str]:
    head, _, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    word, _, number = (lines.pop(0) if lines else "").partition(" ")
    if first != PROOF_HEAD or word != "index" or not is_number(number):
        raise NotProvenError("This is no proof of this form.")
    return int(number), [hash_of(line) for line in lines], note


def _read_record(text: str) -> tuple[str, dict[str, tuple[bytes, bytes]]]:
    try:
        read = json.loads(text)
        sections = {
            name: (bytes.fromhex(one["salt"]), one["content"].encode()) for name, one in read["sections"].items()
        }
        envelope, written = str(read["envelope"]), record_text(str(read["envelope"]), sections)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotProvenError("This is no record's file.") from None
    if text != written:
        raise NotProvenError("The record's file was changed: it is not in the form in which it was written.")
    return envelope, sections
