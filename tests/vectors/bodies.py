"""Vectors of statement bodies: recalls, their answers and withdrawals, requests for information.

`python -m tests.vectors.bodies` writes them all anew into `bodies/`, in the form of `format`: `expect` is success or
the code with which the statement does nothing, `kind` the statement's, `of` what reads it (recalls, enquiries).
Nothing in them is random: the bodies are RFC 8785 JSON, unsigned.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rfc8785

from tests.vectors.format import Vector

FOLDER = Path(__file__).parent / "bodies"
BY, AT = "ab" * 32, "2026-06-01T12:00:00.000Z"
ONE = "indicator--00000001-0000-4000-8000-000000000000"
TWO = "indicator--00000002-0000-4000-8000-000000000000"
HASH, OTHER = "0a" * 32, "0b" * 32


def every() -> Iterator[Vector]:
    """All vectors."""
    yield from _kind(
        "recall",
        "recall",
        "recalls",
        "recall-unreadable",
        {"objects": [{"id": ONE, "sha256": HASH}, {"id": ONE, "sha256": OTHER}], "reason": "wrong source"},
        {
            "no_objects": ("nothing is asked back", {"objects": []}),
            "no_reason": ("the reason is empty", {"reason": ""}),
            "long_reason": ("a reason of 1,001 characters", {"reason": "x" * 1001}),
            "order": (
                "objects out of order",
                {"objects": [{"id": TWO, "sha256": HASH}, {"id": ONE, "sha256": HASH}]},
            ),
            "twice": ("an object twice", {"objects": [{"id": ONE, "sha256": HASH}] * 2}),
            "capitals": ("a hash in capitals", {"objects": [{"id": ONE, "sha256": HASH.upper()}]}),
            "no_id": ("no STIX id", {"objects": [{"id": "x", "sha256": HASH}]}),
            "more_inside": (
                "a name too many in an object",
                {"objects": [{"id": ONE, "sha256": HASH, "x": 1}]},
            ),
        },
    )
    yield from _kind(
        "confirmation",
        "confirmation",
        "recalls",
        "recall-unreadable",
        {
            "recall": HASH,
            "answer": "deleted",
            "kept": [HASH],
            "never": [OTHER],
            "backups": "2026-12-31",
            "reason": "",
        },
        {
            "answer": ("another answer", {"answer": "maybe"}),
            "both": ("a hash that is kept and never came", {"never": [HASH]}),
            "order": ("hashes out of order", {"kept": [OTHER, HASH], "never": []}),
            "day": ("a day that does not exist", {"backups": "2026-02-30"}),
            "reason": ("deleted, with a reason", {"reason": "x"}),
            "refused": ("refused, and something kept", {"answer": "refused", "reason": "x", "backups": None}),
            "refused_silently": (
                "refused without a reason",
                {"answer": "refused", "kept": [], "never": [], "backups": None},
            ),
        },
    )
    yield from _kind(
        "withdrawal",
        "withdrawal",
        "recalls",
        "recall-unreadable",
        {"of": "recall", "subject": HASH, "reason": "a mistake"},
        {"subject": ("no hash", {"subject": "x"}), "long_reason": ("too long", {"reason": "x" * 1001})},
    )
    yield from _kind(
        "enquiry",
        "request",
        "enquiries",
        "enquiry-unreadable",
        {"of": "information", "text": "Who runs the relay?", "about": [ONE, TWO]},
        {
            "blank": ("a blank text", {"text": " "}),
            "long": ("a text of 10,001 characters", {"text": "x" * 10_001}),
            "order": ("ids out of order", {"about": [TWO, ONE]}),
            "no_id": ("no STIX id", {"about": ["x"]}),
        },
    )
    yield from _kind(
        "enquiry_closed",
        "withdrawal",
        "enquiries",
        "enquiry-unreadable",
        {"of": "information", "subject": HASH, "reason": ""},
        {"subject": ("too short a hash", {"subject": HASH[:-2]})},
    )


def _kind(
    name: str,
    kind: str,
    of: str,
    code: str,
    sound: dict[str, Any],
    bad: dict[str, tuple[str, dict[str, Any]]],
) -> Iterator[Vector]:
    """The sound body, the same with one defect each, and what is wrong with any body."""
    sound = {"by": BY, "at": AT} | sound

    def vector(suffix: str, expect: str, comment: str, body: bytes) -> Vector:
        fields = {"expect": [expect], "kind": [kind], "of": [of], "comment": [comment]}
        return Vector(f"{name}_{suffix}", fields, body)

    yield vector("good", "success", "as it should be", rfc8785.dumps(sound))
    for suffix, (comment, change) in bad.items():
        yield vector(suffix, code, comment, rfc8785.dumps(sound | change))
    yield vector("more", code, "a name too many", rfc8785.dumps(sound | {"zz": 1}))
    yield vector(
        "less", code, "a name is missing", rfc8785.dumps({k: v for k, v in sound.items() if k != "by"})
    )
    yield vector("clock", code, "a time that is none", rfc8785.dumps(sound | {"at": "yesterday"}))
    yield vector(
        "space", code, "a blank too many: not canonical", rfc8785.dumps(sound).replace(b":", b": ", 1)
    )
    yield vector("cut", code, "the last byte is missing", rfc8785.dumps(sound)[:-1])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for made in every():
        (FOLDER / made.name).write_bytes(made.dump())
