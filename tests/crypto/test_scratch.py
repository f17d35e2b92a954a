"""A file for a while: what was written is read, and on the disk it is noise that nobody has a name for."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import scratch
from crypto.scratch import Scratch

CANARY = b"zqxjkvwb"


def shrink(patch):
    """Blocks of a few bytes, two of them held."""
    patch.setattr(scratch, "BLOCK", 16)
    patch.setattr(scratch, "_RECORD", 32)
    patch.setattr(scratch, "KEPT", 2)


@pytest.fixture
def small(monkeypatch):
    shrink(monkeypatch)


acts = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 200), st.binary(max_size=50)),
        st.tuples(st.just("read"), st.integers(0, 260), st.integers(0, 60)),
    ),
    max_size=30,
)


@given(acts)
def test_it_reads_as_a_file_does(tmp_path_factory, acts):
    folder, model = tmp_path_factory.getbasetemp(), bytearray()
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        file = Scratch(folder)
        try:
            for act, offset, what in acts:
                if act == "write":
                    if what:
                        model.extend(bytes(max(0, offset + len(what) - len(model))))
                        model[offset : offset + len(what)] = what
                    file.write(what, offset)
                else:
                    assert file.read(what, offset) == model[offset : offset + what]
            assert file.size == len(model)
        finally:
            file.close()


def written(file):
    """The bytes on the disk."""
    return os.pread(file._file, 1 << 20, 0)


def test_the_disk_has_no_name_and_no_text_of_it(tmp_path, small):
    file = Scratch(tmp_path)
    for number in range(10):
        file.write(CANARY * 2, 16 * number)
    assert len(written(file)) == 8 * 32
    assert CANARY[:4] not in written(file)
    assert list(tmp_path.iterdir()) == []
    assert file.read(16, 0) == CANARY * 2
    file.close()


def test_neither_without_the_means_of_linux(tmp_path, monkeypatch, small):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    file = Scratch(tmp_path)
    file.write(CANARY, 3)
    assert (list(tmp_path.iterdir()), file.read(20, 0)) == ([], bytes(3) + CANARY)
    file.close()


@pytest.mark.parametrize("older", [True, False])
def test_what_is_not_the_last_that_was_written_is_refused(tmp_path, small, older):
    file = Scratch(tmp_path)
    for text in (b"one", b"two"):
        file.write(text, 0)
        before = written(file)
        for number in (1, 2):
            file.write(b"x", 16 * number)
    if older:
        os.pwrite(file._file, before[:32], 0)
    else:
        os.pwrite(file._file, bytes([written(file)[5] ^ 1]), 5)
    with pytest.raises(OSError, match="not what was written") as caught:
        file.read(3, 0)
    assert caught.value.errno == errno.EIO
    file.close()


def test_a_file_cut_short_is_refused(tmp_path, small):
    file = Scratch(tmp_path)
    for number in range(4):
        file.write(b"x", 16 * number)
    os.ftruncate(file._file, 20)
    with pytest.raises(OSError, match="not what was written"):
        file.read(1, 0)
    file.close()
