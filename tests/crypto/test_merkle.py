"""The laws of RFC 6962's tree: against its definition, its published example, and every proof of small trees."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import merkle

SIZES = 64
LEAVES = [merkle.leaf(str(n).encode()) for n in range(SIZES)]
LEVELS = merkle.levels(LEAVES)


def defined(leaves):
    """The root as RFC 6962, 2.1 defines it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + defined(leaves[:k]) + defined(leaves[k:])).digest()


ROOTS = [defined(LEAVES[:n]) for n in range(SIZES + 1)]


def test_the_roots_of_certificate_transparency():
    # The known roots of the trees over the eight inputs with which implementations of RFC 6962 are tested.
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [merkle.leaf(bytes.fromhex(text)) for text in inputs]
    node = merkle.of(merkle.levels(leaves))
    assert [merkle.root(n, node).hex() for n in (0, 1, 2, 3, 8)] == [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]


def test_a_tree_grown_leaf_by_leaf_has_the_defined_roots():
    nodes = {}

    def node(level, position):
        return nodes[level, position]

    for size, leaf in enumerate(LEAVES):
        made = merkle.appended(size, leaf, node)
        assert len(made) <= size.bit_length() + 1
        assert not {(level, position) for level, position, _ in made} & nodes.keys()
        nodes |= {(level, position): hash_ for level, position, hash_ in made}
        assert merkle.root(size + 1, node) == ROOTS[size + 1]
    assert nodes == {(i, j): h for i, row in enumerate(LEVELS) for j, h in enumerate(row)}


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_every_leaf_is_proved_in_every_tree_and_nothing_else_is(size):
    node, root = merkle.of(LEVELS), ROOTS[size]
    for index in range(size):
        proof = merkle.inclusion(index, size, node)
        assert merkle.includes(LEAVES[index], index, size, proof, root)
        other = LEAVES[(index + 1) % SIZES]
        assert not merkle.includes(other, index, size, proof, root)
        assert not merkle.includes(LEAVES[index], index, size, [*proof, other], root)
        assert not merkle.includes(LEAVES[index], index, size, proof, ROOTS[size - 1])
        if proof:
            assert not merkle.includes(LEAVES[index], index, size, proof[1:], root)
            assert not merkle.includes(LEAVES[index], index, size, proof[:-1], root)
        wrong = (index + 1) % size
        assert size == 1 or not merkle.includes(LEAVES[index], wrong, size, proof, root)
    assert not merkle.includes(LEAVES[0], size, size, [], root)
    assert not merkle.includes(LEAVES[0], -1, size, [], root)


@pytest.mark.parametrize("second", range(1, SIZES + 1))
def test_every_tree_is_proved_to_have_grown_from_every_smaller_one(second):
    node = merkle.of(LEVELS)
    for first in range(1, second + 1):
        proof = merkle.consistency(first, second, node)
        assert merkle.consistent(first, second, ROOTS[first], ROOTS[second], proof)
        assert not merkle.consistent(first, second, ROOTS[first - 1], ROOTS[second], proof)
        assert not merkle.consistent(first, second, ROOTS[first], ROOTS[second - 1], proof)
        assert not merkle.consistent(first, second, ROOTS[first], ROOTS[second], [*proof, LEAVES[0]])
        if proof:
            assert not merkle.consistent(first, second, ROOTS[first], ROOTS[second], proof[:-1])
            assert not merkle.consistent(first, second, ROOTS[first], ROOTS[second], proof[1:])
    assert not merkle.consistent(0, second, ROOTS[0], ROOTS[second], [])


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=200), st.data())
def test_a_history_that_was_rewritten_has_no_proof(leaves, data):
    hashes = [merkle.leaf(one) for one in leaves]
    first = data.draw(st.integers(1, len(hashes)))
    where = data.draw(st.integers(0, first - 1))
    before = merkle.root(first, merkle.of(merkle.levels(hashes)))
    changed = [*hashes]
    changed[where] = merkle.leaf(b"something else")
    node = merkle.of(merkle.levels(changed))
    after = merkle.root(len(changed), node)
    assert not merkle.consistent(
        first, len(changed), before, after, merkle.consistency(first, len(changed), node)
    )


def test_what_has_no_proof_is_refused():
    node = merkle.of(LEVELS)
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion(4, 4, node)
    for first in (0, 5):
        with pytest.raises(ValueError, match="sizes"):
            merkle.consistency(first, 4, node)
