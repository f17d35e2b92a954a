"""The array `objects` of a bundle cut into runs of whole elements, in bounded memory.

Knows JSON's brackets and strings, nothing of STIX. A run is found by guessing where an element ends and
letting the JSON reader confirm it: a text between two brackets that reads as an array consists of whole
elements. The guess is what stood between two elements before. After a few wrong ones the tokens are counted
instead, so a file made to mislead the guess costs time in proportion to its size and no more.
"""

from __future__ import annotations

import re
import sys
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
SPREAD = 4
"""How many times that its text may be with the white space in it."""
_FIRST = 1 << 15
"""And first: whoever waits for the elements can begin with these."""
_MANY = 1 << 30
_ATTEMPTS = 4
_DEEP = 1 << 16
"""Brackets inside one another of which it is remembered which they are. None that are JSON nest as deep."""

_GAP = re.compile(rb'[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*"[^"\\]{0,32}')
_OPENING = re.compile(rb'[ \t\n\r]*(\{[ \t\n\r]*"[^"\\]{0,32})')
_OBJECTS = re.compile(rb"[ \t\n\r]*:[ \t\n\r]*\[")
_SPACE = re.compile(rb"[ \t\n\r]*+")
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(")?|[{}\[\],]', re.DOTALL)
_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+(")?', re.DOTALL)
_QUOTE, _COMMA, _END = b'",]'


def _space(window: bytes | bytearray, upto: int = sys.maxsize) -> int:
    """How much white space a text begins with."""
    found = _SPACE.match(window, 0, upto)
    return found.end() if found else 0


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

    def beginning(self, size: int) -> bytes:
        """The first `size` bytes of the buffer, or all there are."""
        with memoryview(self.buffer) as view:
            return bytes(view[:size])

    def take(self) -> bytes:
        """What is in the buffer, dropped."""
        found = bytes(self.buffer)
        self.drop(len(found))
        return found

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
        blank, length = _space(text.buffer), len(text.buffer)
        if bytes(text.buffer[blank : blank + 1]) not in (b"{", b""):
            raise Refused("not-stix")
        end = _find_objects(text.buffer)
        if end > 0:
            found = text.beginning(end)
            text.drop(end)
            return found
        if text.ended:
            if end < 0:
                return None
            if blank == length:
                raise Refused("not-stix")
            raise Refused("json-truncated", where=f"byte {text.offset + length}")
        if length > 2 * MAX_OBJECT:
            raise Refused("object-size", where="byte 0")
        size = 2 * length


def _find_objects(window: bytearray) -> int:
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

    A run is a compact array of whole elements; or the texts of elements one by one, where one of them is not
    JSON or is longer than a window; or None for one element that is larger than an object may be. Raises
    `Refused` with the fact `where`: json-truncated, json-syntax.
    """
    gap = b""
    size = _FIRST
    enough = 2
    owed = False
    while True:
        text.fill(size)
        window = text.beginning(size)
        whole = text.ended and len(text.buffer) <= size
        gap = gap or _likely_gap(window)
        guess = _guess_end(window, owed) if whole else _guess(window, gap)
        if guess is not None:
            compact, used, closed = guess
            yield compact
            text.drop(used)
        else:
            cut = _Cut(enough, owed)
            cut.look(window)
            if cut.wrong:
                raise Refused("json-syntax", where=f"byte {text.offset + cut.used}")
            if cut.spans or cut.closed:
                enough = _MANY
                yield from _confirmed(cut, window)
                gap = cut.gap(window) or gap
                text.drop(cut.used)
            elif whole:
                raise Refused("json-truncated", where=f"byte {text.offset}")
            elif size < WINDOW:
                size = min(4 * size, WINDOW)
                continue
            else:
                yield from _long(text, cut)
            closed = cut.closed
        if closed:
            return
        size = min(2 * size, WINDOW)
        # What was dropped last is a comma.
        owed = True


def _confirmed(cut: _Cut, window: bytes) -> Iterator[bytes | list[bytes]]:
    if cut.spans:
        end = cut.spans[-1][1]
        try:
            if _space(window, end) == end:
                raise msgspec.DecodeError
            yield msgspec.json.format(b"[" + window[:end] + b"]", indent=-1)
        except (msgspec.DecodeError, RecursionError):
            yield [window[start:end] for start, end in cut.spans]


def _long(text: Text, cut: _Cut) -> Iterator[list[bytes] | None]:
    """The element whose beginning `cut` saw, dropped with what ends it: compact if it is JSON; None if it is larger
    than an object may be.

    Nothing else that is held here is as great: it is in memory twice only while it is made compact.
    """
    kept = True
    cut.enough = 1
    while True:
        text.fill(len(text.buffer) + WINDOW)
        cut.look(text.buffer)
        if cut.wrong:
            raise Refused("json-syntax", where=f"byte {text.offset + cut.used}")
        if cut.spans or cut.closed:
            break
        if text.ended:
            raise Refused("json-truncated", where=f"byte {text.offset}")
        if not kept or len(text.buffer) > SPREAD * MAX_OBJECT:
            kept = False
            text.drop(cut.seen)
            cut.seen = 0
    found = [_compact(text.buffer, *span) if kept else None for span in cut.spans]
    text.drop(cut.used)
    if found:
        yield found.pop()


def _compact(buffer: bytearray, start: int, end: int) -> list[bytes] | None:
    with memoryview(buffer) as view, view[start:end] as element:
        try:
            found = msgspec.json.format(element, indent=-1)
        except (msgspec.DecodeError, RecursionError):
            return [bytes(element)] if len(element) <= MAX_OBJECT else None
    return [found] if len(found) <= MAX_OBJECT else None


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


def _likely_gap(window: bytes) -> bytes:
    """What may stand between two elements, as `_Cut.gap` has it: the next one is likely to begin as the first does."""
    first = _OPENING.match(window)
    if first is None:
        return b""
    found = re.search(rb"\}[ \t\n\r]*,[ \t\n\r]*" + re.escape(first[1]), window)
    return found[0] if found else b""


def _guess_end(window: bytes, owed: bool) -> tuple[bytes, int, bool] | None:
    """(compact array, bytes used, True) if the last bracket in `window` closes the array, behind an element if one is
    `owed`.
    """
    end = window.rfind(b"]") + 1
    if not end or (owed and _space(window) == end - 1):
        return None
    try:
        return msgspec.json.format(b"[" + window[:end], indent=-1), end, True
    except (msgspec.DecodeError, RecursionError):
        return None


class _Cut:
    """At most `enough` whole elements at the beginning of a window, found by counting brackets outside strings.

    spans: start and end of each; used: bytes up to where the next begins; closed: whether the array ends
    there; wrong: whether the brackets do not match, at `used`; seen: how much of the window was looked at.
    `owed`: a comma stood before the window, so there must be one.
    """

    def __init__(self, enough: int, owed: bool) -> None:
        self.enough, self._owed = enough, owed
        self.spans: list[tuple[int, int]] = []
        self.used = self.seen = 0
        self.closed = self.wrong = False
        self._opened, self._deeper = bytearray(), 0
        self._in_string = False

    def look(self, window: bytes | bytearray) -> None:
        """Look at `window`, from where the last look ended, until there is enough."""
        at = self.seen
        if self._in_string:
            rest = _REST.match(window, at)
            assert rest is not None
            self.seen = at = rest.end()
            self._in_string = not rest.lastindex
            if self._in_string:
                return
        for found in _TOKEN.finditer(window, at):
            token = window[found.start()]
            if token == _QUOTE:
                if not found.lastindex:
                    self.seen, self._in_string = found.end(), True
                    return
            elif token in b"{[":
                if len(self._opened) < _DEEP:
                    self._opened.append(token)
                else:
                    self._deeper += 1
            elif token != _COMMA:
                if self._deeper:
                    self._deeper -= 1
                elif self._opened:
                    if self._opened.pop() != token - 2:
                        self._stop(found.start())
                        return
                elif token == _END:
                    if self.spans or self._owed or _space(window, found.start()) < found.start():
                        self.spans.append((self.used, found.start()))
                    self.used = found.end()
                    self.closed = True
                    return
                else:
                    self._stop(found.start())
                    return
            elif not self._opened:
                self.spans.append((self.used, found.start()))
                self.used = found.end()
                if len(self.spans) == self.enough:
                    return
        self.seen = len(window)

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
