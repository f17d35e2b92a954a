"""Mutations that keep JSON being JSON, so that the readers behind the parser are reached too."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    2**53 - 1,
    2**53,
    -1,
    1.5,
    "",
    "0" * 64,
    "AB" * 16,
    "x" * 300,
    "a\u202eb",
    "\ud800",
    "e\u0301",
    [],
    {},
    [[1, 2], [2, 3]],
    [[1, 2**53]],
)


def json_mutation(data: bytes, seed: int) -> bytes | None:
    """One value replaced, removed, renamed, doubled or moved; None if `data` is not JSON."""
    rng = random.Random(seed)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    for _ in range(rng.randrange(1, 4)):
        _change(value, rng)
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _change(value: Any, rng: random.Random) -> None:
    """Walk down a random way and change something there."""
    while isinstance(value, dict | list) and value:
        key: Any = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        if isinstance(value[key], dict | list) and value[key] and rng.random() < 0.7:
            value = value[key]
            continue
        match rng.randrange(5):
            case 0:
                value[key] = copy.deepcopy(rng.choice(VALUES))
            case 1:
                del value[key]
            case 2 if isinstance(value, list):
                value.append(copy.deepcopy(value[key]))
            case 2:
                value[key + "x"] = value.pop(key)
            case 3 if isinstance(value[key], int):
                value[key] += rng.choice((-1, 1))
            case 4 if isinstance(value[key], str) and value[key]:
                at = rng.randrange(len(value[key]))
                value[key] = value[key][:at] + rng.choice("0aF \n\u0660") + value[key][at + 1 :]
            case _:
                value[key] = copy.deepcopy(rng.choice(VALUES))
        return
