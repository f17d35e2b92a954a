"""The fuzz targets themselves: they hold on every vector and on a few mutations of each, without a fuzzer."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.mutate import json_mutation
from tests.fuzz.targets import JSON_TARGETS, TARGETS

ROUNDS = 3
SIZE = 8192


def mutated(rng: random.Random, data: bytes) -> bytes:
    """One of the mutations that find the most."""
    raw = bytearray(data)
    at = rng.randrange(len(raw) + 1)
    match rng.randrange(5):
        case 0:
            raw[at : at + 1] = bytes([rng.randrange(256)])
        case 1:
            del raw[at : at + rng.randrange(1, 40)]
        case 2:
            raw[at:at] = raw[: rng.randrange(1, 40)]
        case 3:
            raw[at:at] = rng.choice([b"\0", b"\n", b" ", b"=", b'"', b"-", b"0", b"\xff\xff\xff\xff"])
        case _:
            del raw[at:]
    return bytes(raw)


@pytest.mark.parametrize("name", TARGETS)
def test_target(name: str) -> None:
    target, seeds = TARGETS[name]
    rng = random.Random(name)
    target(b"")
    for seed in seeds():
        start = seed if name == "inside" else seed[:SIZE]
        target(start)
        for _ in range(ROUNDS):
            target(mutated(rng, start))


@pytest.mark.parametrize("name", JSON_TARGETS)
def test_target_on_json(name: str) -> None:
    target, seeds = TARGETS[name]
    tried = 0
    for seed in seeds()[:60]:
        for number in range(10):
            changed = json_mutation(seed, number)
            if changed is not None:
                tried += 1
                target(changed)
    assert tried
