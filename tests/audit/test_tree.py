"""The log's tree is that of RFC 6962: an independent implementation of its definitions says the same."""

import hashlib
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.audit.offline.hashes import EMPTY_ROOT, Frontier, check_consistency, leaf_hash, root_by_inclusion
from cds.audit.offline.notes import Checkpoint, NotProvenError
from cds.audit.tree import consistency_proof, frontier_at, inclusion_path

MOST = 1_025
ENTRIES = [f"entry {number}".encode() for number in range(MOST)]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@cache
def naive_root(start: int, end: int) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if end == start:
        return sha(b"")
    if end - start == 1:
        return sha(b"\x00" + ENTRIES[start])
    half = naive_half(end - start)
    return sha(b"\x01" + naive_root(start, start + half) + naive_root(start + half, end))


def naive_half(size: int) -> int:
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def naive_path(index: int, start: int, end: int) -> list[bytes]:
    """PATH of section 2.1.1."""
    if end - start == 1:
        return []
    half = naive_half(end - start)
    if index < half:
        return [*naive_path(index, start, start + half), naive_root(start + half, end)]
    return [*naive_path(index - half, start + half, end), naive_root(start, start + half)]


def naive_proof(old: int, start: int, end: int, *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of section 2.1.2."""
    size = end - start
    if old == size:
        return [] if whole else [naive_root(start, end)]
    half = naive_half(size)
    if old <= half:
        return [*naive_proof(old, start, start + half, whole=whole), naive_root(start + half, end)]
    return [*naive_proof(old - half, start + half, end, whole=False), naive_root(start, start + half)]


def all_nodes() -> Iterator[tuple[tuple[int, int], bytes]]:
    frontier = Frontier()
    for entry in ENTRIES:
        frontier, grown = frontier.append(entry)
        yield from (((node.level, node.index), node.hash) for node in grown)


STORED = dict(all_nodes())


def nodes(level: int, index: int) -> bytes:
    return STORED[level, index]


def checkpoint(size: int, root: bytes | None = None) -> Checkpoint:
    return Checkpoint("test", size, root or naive_root(0, size), "")


def test_the_root_is_that_of_the_standard_for_every_size() -> None:
    frontier = Frontier()
    assert sha(b"") == EMPTY_ROOT == frontier.root
    for size, entry in enumerate(ENTRIES, start=1):
        frontier, _ = frontier.append(entry)
        assert naive_root(0, size) == frontier.root


def test_a_tree_goes_on_from_its_stored_nodes_as_if_it_had_never_stopped() -> None:
    assert [naive_root(0, size) for size in range(MOST + 1)] == [
        frontier_at(nodes, size).root for size in range(MOST + 1)
    ]


@pytest.mark.parametrize("size", [*range(1, 70), *range(70, MOST, 37), 1_024, MOST])
def test_inclusion_paths_are_those_of_the_standard_and_lead_to_the_root(size: int) -> None:
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        path = inclusion_path(nodes, index, size)

        assert naive_path(index, 0, size) == path
        assert naive_root(0, size) == root_by_inclusion(index, size, leaf_hash(ENTRIES[index]), path)


def test_consistency_proofs_are_those_of_the_standard_for_every_pair_of_small_sizes() -> None:
    for new in range(131):
        for old in range(new + 1):
            proof = consistency_proof(nodes, old, new)

            assert (naive_proof(old, 0, new) if old else []) == proof
            check_consistency(checkpoint(old), checkpoint(new), proof)


@given(st.integers(1, MOST), st.data())
def test_consistency_proofs_are_those_of_the_standard_for_larger_sizes(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(nodes, old, new)

    assert naive_proof(old, 0, new) == proof
    check_consistency(checkpoint(old), checkpoint(new), proof)


@given(st.integers(2, MOST), st.data())
def test_a_consistency_proof_fits_no_other_pair_of_trees(new: int, data: st.DataObject) -> None:
    """Nothing in it may be changed, left out, added or moved, and neither may a root or a size."""
    old = data.draw(st.integers(1, new - 1))
    proof = consistency_proof(nodes, old, new)
    other = naive_root(0, old - 1)
    wrong = [
        (checkpoint(old, other), checkpoint(new), proof),
        (checkpoint(old), checkpoint(new, other), proof),
        (checkpoint(old), checkpoint(new), [*proof, other]),
        (checkpoint(old), checkpoint(new), proof[:-1]),
        (checkpoint(old), checkpoint(new), [other, *proof[1:]]),
        (checkpoint(new), checkpoint(old), proof),
    ]
    for older, newer, changed in wrong:
        with pytest.raises(NotProvenError):
            check_consistency(older, newer, changed)


@given(st.integers(1, MOST), st.data())
def test_an_inclusion_path_proves_one_entry_at_one_place(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    another = data.draw(st.integers(0, MOST - 1).filter(lambda number: number != index))
    path = inclusion_path(nodes, index, size)

    assert proves(index, size, ENTRIES[index], path)
    assert not proves(index, size, ENTRIES[another], path)
    assert not proves(another, size, ENTRIES[index], path)
    assert not proves(index, size, ENTRIES[index], [*path, EMPTY_ROOT])
    assert not proves(index, size, ENTRIES[index], path[1:]) or not path


def proves(index: int, size: int, entry: bytes, path: list[bytes]) -> bool:
    try:
        return naive_root(0, size) == root_by_inclusion(index, size, leaf_hash(entry), path)
    except NotProvenError:
        return False


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_there_is_no_path_for_an_entry_that_is_not_in_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_path(nodes, index, size)


def test_there_is_no_proof_that_a_tree_begins_with_a_larger_one() -> None:
    with pytest.raises(ValueError, match="do not come before"):
        consistency_proof(nodes, 6, 5)
