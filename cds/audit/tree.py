"""The Merkle tree over the entries of the log: how it goes on, and what proves something of it. Pure.

Stored is the hash of every complete subtree of 1, 2, 4 ... leaves, by its level (0: leaves) and its index there. Such a
hash never changes.

Source: RFC 6962, section 2.1.
"""

from collections.abc import Callable, Iterator

from cds.audit.offline.hashes import Frontier

Nodes = Callable[[int, int], bytes]
"""Returns the stored hash at a level and an index."""


def frontier_at(nodes: Nodes, size: int) -> Frontier:
    """Return the frontier of the tree of the first `size` leaves."""
    return Frontier(size, tuple(nodes(level, index) for level, index in frontier_places(size)))


def frontier_places(size: int) -> Iterator[tuple[int, int]]:
    """Yield level and index of the nodes that make up a tree of `size` leaves, the largest first.

    >>> list(frontier_places(6))
    [(2, 0), (1, 2)]
    """
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, start >> level
            start += 1 << level


def inclusion_path(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """Return the hashes that lead from leaf `index` to the root of the first `size` leaves, the lowest first.

    Raises:
        ValueError: if the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} among {size}.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            path.append(_range_root(nodes, middle, end))
            end = middle
        else:
            path.append(_range_root(nodes, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """Return the hashes that show that a tree of `new` leaves begins with that of `old` leaves.

    Raises:
        ValueError: if the older tree is larger.
    """
    if not 0 <= old <= new:
        raise ValueError(f"{old} leaves do not come before {new}.")
    if old in {0, new}:
        return []
    proof: list[bytes] = []
    start, end = 0, new
    while old != end:
        middle = start + _left(end - start)
        if old <= middle:
            proof.append(_range_root(nodes, middle, end))
            end = middle
        else:
            proof.append(_range_root(nodes, start, middle))
            start = middle
    if start:
        proof.append(_range_root(nodes, start, end))
    return proof[::-1]


def _left(size: int) -> int:
    """Return how many of `size` leaves stand on the left: the largest power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(nodes: Nodes, start: int, end: int) -> bytes:
    """Return the root of the leaves from `start` to before `end`; `start` is a multiple of the left part's size."""
    places = [(level, (start >> level) + index) for level, index in frontier_places(end - start)]
    return Frontier(end - start, tuple(nodes(level, index) for level, index in places)).root
