"""The strict readers of statement bodies agree with the vectors, which are what their module makes."""

from __future__ import annotations

import pytest

from app.exchange import enquiries, recalls
from app.exchange.wording import Unreadable
from tests.vectors import bodies
from tests.vectors.format import Vector, load

FILES = sorted(bodies.FOLDER.iterdir())


def read(vector: Vector) -> str:
    try:
        if vector.one("of") == "recalls":
            recalls.read(vector.one("kind"), vector.body)
        else:
            enquiries.read(vector.one("kind"), vector.body, ours=False)
    except Unreadable:
        return "recall-unreadable" if vector.one("of") == "recalls" else "enquiry-unreadable"
    return "success"


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_a_body_is_read_as_the_vector_says(path):
    vector = load(path)
    assert read(vector) == vector.one("expect"), vector.one("comment")


def test_the_files_are_what_is_made():
    made = {vector.name: vector.dump() for vector in bodies.every()}
    assert {path.name: path.read_bytes() for path in FILES} == made
