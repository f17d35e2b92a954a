"""Texts are packed and come back to the letter; what is damaged is told apart by its hash."""

from __future__ import annotations

import threading

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.store import bodies
from scripts import train_dictionary
from tests.bench import synthetic
from tests.support.sites import indicator, problems, take


@given(st.binary().map(lambda tail: b"{" + tail))
def test_what_is_packed_comes_back(text):
    assert bodies.unpack(bodies.pack(text)) == text


def test_texts_of_intel_are_packed_well():
    import orjson

    texts = [orjson.dumps(value) for value in synthetic.values(1000, seed=4)]
    assert sum(map(len, texts)) > 2.8 * sum(len(bodies.pack(text)) for text in texts)


@pytest.mark.parametrize(
    "blob",
    [b"", b"\0" * 9, b"(\xb5/\xfd", bodies.pack(b'{"a":"' + b"x" * 99 + b'"}')[:-3], b"x" * 50],
)
def test_what_is_neither_text_nor_frame_stands_as_it_is(blob):
    assert bodies.unpack(blob) == blob or len(bodies.unpack(blob)) < 105


def test_a_frame_that_claims_too_much_is_not_opened():
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(bodies.MAX_TEXT + 1))
    assert bodies.unpack(bomb) == bomb


def test_threads_do_not_share_a_context():
    texts = [b"{" + bytes([number]) * 5000 + b"}" for number in range(40)]
    wrong = []

    def work():
        for text in texts * 20:
            if bodies.unpack(bodies.pack(text)) != text:
                wrong.append(text)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_dictionary_is_what_the_script_makes():
    assert train_dictionary.trained() == bodies.DICTIONARY.read_bytes()


def test_a_damaged_frame_is_found_by_check(world):
    take(world.alpha, indicator(1), indicator(2))
    with world.alpha.database.write() as tx:
        blob = bytearray(tx.execute("SELECT raw FROM version WHERE vid = 1").fetchone()[0])
        assert blob[:1] != b"{"
        blob[-12:] = bytes(12)
        tx.execute("UPDATE version SET raw = ? WHERE vid = 1", (bytes(blob),))
    assert problems(world.alpha) == ["content-altered"]
