"""The Merkle tree of RFC 6962 over SHA-256: hashes, proofs, and which hashes to keep. Pure; knows no storage.

A tree of n leaves is described by its *complete nodes*: the node at (level, position) covers the 2^level leaves from
position * 2^level on. Each is made once, when its last leaf arrives, and never changes: appending makes one or two on
average and log2(n) at most, and every root and every proof is put together from log2(n) of them. Whoever keeps them
gives them back through a function `node(level, position) -> 32 bytes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY = sha256(b"").digest()
"""The root of no leaves (RFC 6962, 2.1)."""

Node = Callable[[int, int], bytes]


def leaf(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || data)."""
    return sha256(b"\0" + data).digest()


def parent(left: bytes, right: bytes) -> bytes:
    """The hash over two nodes: SHA-256(0x01 || left || right)."""
    return sha256(b"\1" + left + right).digest()


def appended(size: int, leaf_hash: bytes, node: Node) -> list[tuple[int, int, bytes]]:
    """(level, position, hash) of the nodes that become complete when a leaf joins a tree of `size` leaves."""
    made = [(0, size, leaf_hash)]
    level, position, hash_ = made[0]
    while position & 1:
        hash_ = parent(node(level, position - 1), hash_)
        level, position = level + 1, position >> 1
        made.append((level, position, hash_))
    return made


def levels(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Every complete node of the tree over these leaves: `levels(...)[level][position]`."""
    found = [list(leaf_hashes)]
    while len(below := found[-1]) > 1:
        found.append([sha256(b"\1" + below[i] + below[i + 1]).digest() for i in range(0, len(below) - 1, 2)])
    return found


def of(levels_: Sequence[Sequence[bytes]]) -> Node:
    """The nodes of `levels` as a function."""
    return lambda level, position: levels_[level][position]


def root(size: int, node: Node) -> bytes:
    """The root of the first `size` leaves (RFC 6962, 2.1)."""
    return _over(0, size, node) if size else EMPTY


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """The path of leaf `index` in the tree of the first `size` leaves, its sibling first (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_over(middle, end, node))
            end = middle
        else:
            path.append(_over(start, middle, node))
            start = middle
    return path[::-1]


def consistency(first: int, second: int, node: Node) -> list[bytes]:
    """The proof that the tree of `first` leaves is how that of `second` leaves began (2.1.2). Neither may be empty."""
    if not 0 < first <= second:
        raise ValueError("sizes")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_over(middle, end, node))
            end = middle
        else:
            path.append(_over(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(_over(start, end, node))
    return path[::-1]


def includes(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root_: bytes) -> bool:
    """Whether `proof` shows `leaf_hash` to be leaf `index` of the tree of that size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, hash_ = index, size - 1, leaf_hash
    for other in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            hash_ = parent(other, hash_)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            hash_ = parent(hash_, other)
        here, last = here >> 1, last >> 1
    return last == 0 and hash_ == root_


def consistent(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the second tree began as the first (RFC 9162, 2.1.4.2). Neither may be empty."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = parent(other, old), parent(other, new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = parent(new, other)
        here, last = here >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _over(start: int, end: int, node: Node) -> bytes:
    """The hash over leaves start..end-1; `start` is a multiple of a power of two not below their number."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return parent(_over(start, middle, node), _over(middle, end, node))


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
