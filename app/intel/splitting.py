"""The array `objects` of a bundle cut into runs of whole elements, in bounded memory.

Knows JSON's brackets and strings, nothing of STIX. A run is found by guessing where an element ends and
letting the JSON reader confirm it: a text between two brackets that reads as an array consists of whole
elements. The guess is what stood between two elements before. After a few wrong ones the tokens are counted
instead, so a file made to mislead the guess costs time in proportion to its size and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from app.intel.strict import TOKEN
from app.messages import Refused

MAX_BYTES = 16 << 30
"""Bytes of one file."""
MAX_OBJECT = 16 << 20
"""Bytes of one object."""
WINDOW = 1 << 20
"""Bytes looked at together."""
_FIRST = 1 << 15
_MANY = 1 << 30
_ATTEMPTS = 4

_GAP = re.compile(rb'[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*"[^"\\]{0,32}')
_OBJECTS = re.compile(rb"[ \t\n\r]*:[ \t\n\r]*\[")
_SPACE = b" \t\n\r"


class Text:
    """A text that comes in chunks. `buffer` is what was read and not yet dropped, `offset` how much was
    dropped.
    """

    def __init__(self, chunks: Iterable[bytes | memoryview]) -> None:
        self._chunks = iter(chunks)
        self.buffer = bytearray()
        self.offset = 0
        self.ended = False

    def fill(self, size: int) -> None:
        """Read until `size` bytes are in the buffer, or all there are."""
        while len(self.buffer) < size and not self.ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.ended = True
            else:
                self.buffer += chunk
                if self.offset + len(self.buffer) > MAX_BYTES:
                    raise Refused("file-size", limit=MAX_BYTES)

    def drop(self, size: int) -> None:
        """Let go of the first `size` bytes of the buffer."""
        del self.buffer[:size]
        self.offset += size


def head(text: Text) -> bytes | None:
    """What stands before the first element of the top object's array `objects`, dropped from `text`.

    None, and nothing dropped, when the text is an object without one; then all of it is in the buffer. Raises
    `Refused`: not-stix (not an object at all), json-truncated, object-size (no such array within what one
    object may take).
    """
    size = 4096
    while True:
        text.fill(size)
        window = bytes(text.buffer)
        if window.lstrip(_SPACE)[:1] not in (b"{", b""):
            raise Refused("not-stix")
        end = _find_objects(window)
        if end > 0:
            text.drop(end)
            return window[:end]
        if text.ended:
            if end < 0:
                return None
            if not window.strip(_SPACE):
                raise Refused("not-stix")
            raise Refused("json-truncated", where=f"byte {text.offset + len(window)}")
        if len(window) > 2 * MAX_OBJECT:
            raise Refused("object-size", where="byte 0")
        size = 2 * len(window)


def _find_objects(window: bytes) -> int:
    """The index behind the bracket that opens the array; 0 when it is not in sight; -1 when the object ended
    before.
    """
    depth = 0
    key_next = False
    for found in TOKEN.finditer(window):
        token = found[0]
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth <= 0:
                return -1
        elif depth == 1 and key_next and _is_objects(token):
            opened = _OBJECTS.match(window, found.end())
            if opened:
                return opened.end()
        key_next = depth == 1 and token in (b"{", b",")
    return 0


def _is_objects(token: bytes) -> bool:
    if b"\\" not in token:
        return token == b'"objects"'
    try:
        return bool(msgspec.json.decode(token) == "objects")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def runs(text: Text) -> Iterator[bytes | list[bytes] | None]:
    """The elements of the array that `text` begins inside of, up to and with its closing bracket, which is
    dropped.

    A run is a compact array of whole elements; or, where something in it is not JSON, the texts of its
    elements one by one, of which at least one is not; or None for one element that is larger than an object
    may be and was passed over unread. Raises `Refused` with the fact `where`: json-truncated, json-syntax.
    """
    gap = b""
    size = _FIRST
    enough = 2
    while True:
        text.fill(size)
        window = bytes(text.buffer[:size])
        whole = text.ended and len(text.buffer) <= size
        guess = _guess_end(window) if whole else _guess(window, gap)
        if guess is not None:
            compact, used, closed = guess
            yield compact
        else:
            cut = _Cut(window, enough)
            if cut.wrong:
                raise Refused("json-syntax", where=f"byte {text.offset + cut.used}")
            if not (cut.spans or cut.closed):
                if whole:
                    raise Refused("json-truncated", where=f"byte {text.offset}")
                if size <= 2 * MAX_OBJECT:
                    size = max(2 * size, WINDOW)
                    continue
                yield None
                if _skip(text):
                    return
                size = WINDOW
                continue
            enough = _MANY
            yield from _confirmed(cut, window)
            used, closed = cut.used, cut.closed
            gap = cut.gap(window) or gap
        text.drop(used)
        if closed:
            return
        size = WINDOW


def _confirmed(cut: _Cut, window: bytes) -> Iterator[bytes | list[bytes]]:
    if cut.spans:
        try:
            yield msgspec.json.format(b"[" + window[: cut.spans[-1][1]] + b"]", indent=-1)
        except (msgspec.DecodeError, RecursionError):
            yield [window[start:end] for start, end in cut.spans]


_SKIPPED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<shut>")?|[{}\[\],]', re.DOTALL)
_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+(?P<shut>")?', re.DOTALL)


def _skip(text: Text) -> bool:
    """Drop one element and what ends it, without ever holding more than a window; True where the array ends."""
    depth = 0
    in_string = False
    while True:
        text.fill(WINDOW)
        window = bytes(text.buffer)
        at = 0
        if in_string and (rest := _REST.match(window)):
            at = rest.end()
            in_string = rest["shut"] is None
        if not in_string:
            for found in _SKIPPED.finditer(window, at):
                at = found.end()
                token = found[0]
                if token in (b"{", b"["):
                    depth += 1
                elif token == b"," and depth == 0:
                    text.drop(at)
                    return False
                elif token in (b"}", b"]"):
                    depth -= 1
                    if depth < 0:
                        text.drop(at)
                        if token == b"}":
                            raise Refused("json-syntax", where=f"byte {text.offset}")
                        return True
                elif token[:1] == b'"':
                    in_string = found["shut"] is None
            if not in_string:
                at = len(window)
        if not at and text.ended:
            raise Refused("json-truncated", where=f"byte {text.offset}")
        text.drop(at)


def _guess(window: bytes, gap: bytes) -> tuple[bytes, int, bool] | None:
    """(compact array, bytes used, False) for as much of `window` as ends before a `gap` and reads as an
    array.
    """
    if not gap:
        return None
    at = len(window)
    for _ in range(_ATTEMPTS):
        at = window.rfind(gap, 0, at)
        if at < 0:
            return None
        try:
            compact = msgspec.json.format(b"[" + window[: at + 1] + b"]", indent=-1)
        except (msgspec.DecodeError, RecursionError):
            continue
        return compact, window.index(b",", at) + 1, False
    return None


def _guess_end(window: bytes) -> tuple[bytes, int, bool] | None:
    """(compact array, bytes used, True) if the last bracket in `window` closes the array."""
    end = window.rfind(b"]") + 1
    if not end:
        return None
    try:
        return msgspec.json.format(b"[" + window[:end], indent=-1), end, True
    except (msgspec.DecodeError, RecursionError):
        return None


class _Cut:
    """At most `enough` whole elements at the beginning of `window`, found by counting brackets outside
    strings.

    spans: start and end of each; used: bytes up to where the next begins; closed: whether the array ends
    there; wrong: whether the brackets do not match, at `used`.
    """

    def __init__(self, window: bytes, enough: int) -> None:
        self.spans: list[tuple[int, int]] = []
        self.used = 0
        self.closed = self.wrong = False
        opened = bytearray()
        for found in TOKEN.finditer(window):
            token = found[0]
            if token in (b"{", b"["):
                opened += token
            elif token in (b"}", b"]"):
                if opened:
                    if opened.pop() != token[0] - 2:
                        self._stop(found.start())
                        return
                elif token == b"]":
                    if self.spans or window[: found.start()].strip(_SPACE):
                        self.spans.append((self.used, found.start()))
                    self.used = found.end()
                    self.closed = True
                    return
                else:
                    self._stop(found.start())
                    return
            elif token == b"," and not opened:
                self.spans.append((self.used, found.start()))
                self.used = found.end()
                if len(self.spans) == enough:
                    return

    def _stop(self, at: int) -> None:
        # Elements before the mismatch are given out first; the next look finds it again with none before it.
        if not self.spans:
            self.wrong = True
            self.used = at

    def gap(self, window: bytes) -> bytes:
        """What stands between two elements, with the beginning of the second one's first key; "" when not
        seen.
        """
        for _start, end in reversed(self.spans):
            found = _GAP.match(window, end) if window[end - 1 : end] == b"}" else None
            if found:
                return b"}" + found[0]
        return b""
