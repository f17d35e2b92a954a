"""Train the dictionary with which the store packs texts: `python -m scripts.train_dictionary`.

A dictionary holds pieces of what it was trained on to the letter, and is shipped: so it sees synthetic bundles and
nothing else. The same libraries give the same bytes. One that stores were written with stays for good: a better one
gets the next number.
"""

from __future__ import annotations

import importlib

import orjson
import zstandard

from app.store import bodies

SEED = 9001
OBJECTS = 6000
SIZE = 32 << 10


def trained() -> bytes:
    """The dictionary, from its beginning."""
    synthetic = importlib.import_module("tests.bench.synthetic")
    texts: list[bytes | bytearray | memoryview] = [
        orjson.dumps(value) for value in synthetic.values(OBJECTS, SEED)
    ]
    return zstandard.train_dictionary(SIZE, texts, level=bodies.LEVEL, dict_id=bodies.NUMBER).as_bytes()


if __name__ == "__main__":
    bodies.DICTIONARY.write_bytes(trained())
    print(bodies.DICTIONARY, bodies.DICTIONARY.stat().st_size, "bytes")
