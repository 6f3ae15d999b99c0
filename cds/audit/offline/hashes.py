"""The hashes of the tree over a log's entries, and what proofs about it must lead to.

Source: RFC 6962, section 2.1; the checks of proofs follow RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cds.audit.offline.notes import Checkpoint, NotProvenError

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry as a leaf of the tree."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def commitment(name: str, salt: bytes, content: bytes) -> str:
    """Return what an envelope says of a section: SHA-256(0x02, name, 0x00, salt, bytes) in base64.

    >>> commitment("subject", bytes(32), b"{}")
    'k/6Mvm1tBgax5nTkQKs4N3fhmGVDD+PRfxQ6paiLY5M='
    """
    return b64encode(hashlib.sha256(b"\x02" + name.encode() + b"\x00" + salt + content).digest()).decode()


@dataclass(frozen=True, slots=True)
class Node:
    """The hash of a complete subtree of ``2 ** level`` leaves, the `index`-th of its kind."""

    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree as far as its growth needs it: its size, and the hashes of its complete subtrees, the largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, entry: bytes) -> "tuple[Frontier, list[Node]]":
        """Return the tree with one entry more, and the nodes that are new in it."""
        found, hashes, index = leaf_hash(entry), list(self.hashes), self.size
        nodes = [Node(0, index, found)]
        while index % 2:
            found, index = node_hash(hashes.pop(), found), index >> 1
            nodes.append(Node(nodes[-1].level + 1, index, found))
        return Frontier(self.size + 1, (*hashes, found)), nodes

    @property
    def root(self) -> bytes:
        """Return the tree's root hash."""
        if not self.hashes:
            return EMPTY_ROOT
        *rest, found = self.hashes
        for left in reversed(rest):
            found = node_hash(left, found)
        return found


def root_by_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """Return the root that a leaf hash and its inclusion path lead to in a tree of `size` leaves.

    Raises:
        NotProvenError: if the path has not the length that it must have.
    """
    if not 0 <= index < size:
        raise NotProvenError("The entry lies outside of the tree.")
    found = leaf
    for sibling, is_left in _turns(index, size - 1, path):
        found = node_hash(sibling, found) if is_left else node_hash(found, sibling)
    return found


def check_consistency(old: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """Check that the tree of `new` begins with the whole tree of `old`.

    Raises:
        NotProvenError: if that does not follow from the proof.
    """
    if old.size > new.size:
        raise NotProvenError("The older checkpoint has more entries than the newer one.")
    if old.size in {0, new.size}:
        if proof or old.root != (new.root if old.size else EMPTY_ROOT):
            raise NotProvenError("The checkpoints do not belong to one log.")
        return
    node, last = old.size - 1, new.size - 1
    while node % 2:
        node, last = node >> 1, last >> 1
    first, *rest = proof if node else (old.root, *proof)
    older = newer = first
    for sibling, is_left in _turns(node, last, rest):
        older = node_hash(sibling, older) if is_left else older
        newer = node_hash(sibling, newer) if is_left else node_hash(newer, sibling)
    if (older, newer) != (old.root, new.root):
        raise NotProvenError("The newer log does not begin with the older one: entries before it were changed.")


def _turns(node: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each sibling on the way up, and whether it stands on the left."""
    for sibling in path:
        if last == 0:
            raise NotProvenError("The proof is too long.")
        is_left = bool(node % 2) or node == last
        yield sibling, is_left
        while is_left and node and not node % 2:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    if last:
        raise NotProvenError("The proof is too short.")
