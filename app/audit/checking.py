"""Check the log: whether an entry was altered, dropped, cut off, moved or rewritten, and which.

Three things are held against each other. The entries' texts and the leaves of the stored tree: they name what was
touched alone. The tree's nodes and what they are made of: they name what was touched with care. The heads that the log
had earlier by *witnesses* it cannot reach: what our sealed manifests committed to (counterparts hold them too), and
checkpoints that were written to files. They show what was rewritten with everything that belongs to it, and between
which two witnesses.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from app import audit
from app.jobs import Job, quiet
from app.messages import Refused
from app.store import log, packages
from app.store.database import Connection
from app.store.installation import Installation
from crypto import checkpoint as checkpoints
from crypto import manifest as manifests
from crypto import merkle
from crypto.errors import CryptoError


@dataclass(frozen=True)
class Break:
    """Where the log does not hold: `code`, the entries `first` to `last` it is about (0: none to name).

    `against` is the witness that says otherwise, as "package SEQ to FINGERPRINT" or the name of a file.
    """

    code: str
    first: int
    last: int
    against: str = ""

    @property
    def where(self) -> str:
        """The entries as people write them, with the witness if there is one."""
        numbers = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return ", ".join(filter(None, (numbers if self.first else "", self.against)))


@dataclass(frozen=True)
class Witness:
    """That the log once had `size` entries, and a root of which `holds(root)` is true. `given`: by the officer."""

    name: str
    size: int
    holds: Callable[[bytes], bool]
    given: bool = False


class _Said(msgspec.Struct):
    n: int
    act: str
    detail: msgspec.Raw


class _Sealed(msgspec.Struct):
    manifest: str


@dataclass(frozen=True)
class _Read:
    """What the entries say: their leaves by number, which numbers they bear, which packages they tell of."""

    leaves: dict[int, bytes]
    numbered: dict[int, int]
    sealed: dict[str, int]
    converted: int


def verify(connection: Connection, given: Iterable[Witness] = (), job: Job | None = None) -> list[Break]:
    """Everywhere that the log does not hold, in the order of the entries; [] if it is whole.

    `given` are witnesses beside the packages sealed here. 100,000 entries take about a second. Raises `Cancelled`.
    """
    job = job or quiet()
    read = _read(job.each(log.oldest_first(connection), log.size(connection), "check"))
    stored: list[dict[int, bytes]] = [{}]
    for level, position, hash_ in log.nodes(connection):
        while len(stored) <= level:
            stored.append({})
        stored[level][position] = hash_
    size, breaks, trees = _compared(read, stored[0])
    breaks += _nodes_altered(trees[0], stored, {b.first for b in breaks})
    witnesses, missing = _packages(connection, read, audit.origin(trees[0][0][0] if size else log.ABSENT))
    return sorted(breaks + missing + against(trees, size, [*witnesses, *given]), key=lambda b: b.first)


def check(installation: Installation, given: Iterable[Witness] = ()) -> list[Break]:
    """`verify`, logged. A store that cannot be written to is verified all the same."""
    with installation.database.snapshot() as reader:
        breaks = verify(reader, given)
    with contextlib.suppress(Refused), installation.database.write() as tx:
        audit.append(tx, installation, "log.checked", problems=len(breaks))
    return breaks


def examine(
    texts: Iterable[tuple[int, str]], leaves: dict[int, bytes], witnesses: Sequence[Witness]
) -> list[Break]:
    """`verify` for entries with their leaves (by number - 1) that are not in a store; `witnesses` are all there are."""
    size, breaks, trees = _compared(_read(texts), leaves)
    gap = min((b.first for b in breaks if b.code == "audit-missing"), default=size + 1)
    # Without an entry and its leaf no root can be told any more.
    able = [w for w in witnesses if w.size < gap or w.size > size]
    return sorted(breaks + against(trees, size, able), key=lambda b: b.first)


def _compared(read: _Read, stored: dict[int, bytes]) -> tuple[int, list[Break], list[list[list[bytes]]]]:
    """How many entries there are or were, what is wrong with them, and the trees over the leaves stored and made."""
    size = max(max(read.leaves, default=0), max(stored, default=-1) + 1)
    breaks = _absent(read.leaves, size) + _touched(read, stored)
    made = {number - 1: hash_ for number, hash_ in read.leaves.items()}
    trees = [_tree(size, stored, made)]
    return size, breaks, [*trees, _tree(size, made, stored)] if breaks else trees


def against(
    trees: Sequence[Sequence[Sequence[bytes]]], size: int, witnesses: Iterable[Witness]
) -> list[Break]:
    """What witnesses say against a log of `size` entries, of which each of `trees` (levels) is a reading.

    Of those that are not `given`, the first to disagree bounds what was rewritten; the later ones say the same again.
    """
    good, told, breaks = 0, False, []
    short: Witness | None = None
    for witness in sorted(witnesses, key=lambda w: w.size):
        if witness.size > size:
            if witness.given:
                breaks.append(Break("audit-truncated", size + 1, witness.size, witness.name))
            else:
                short = witness
        elif any(witness.holds(merkle.root(witness.size, merkle.of(tree))) for tree in trees):
            good = witness.size
        elif witness.given or not told:
            breaks.append(Break("audit-forked", good + 1, witness.size, witness.name))
            told = told or not witness.given
    if short is not None:
        breaks.append(Break("audit-truncated", size + 1, short.size, short.name))
    return breaks


def _read(texts: Iterable[tuple[int, str]]) -> _Read:
    decode = msgspec.json.Decoder(_Said).decode
    sha256 = hashlib.sha256
    read = _Read({}, {}, {}, 0)
    leaves, numbered, converted = read.leaves, read.numbered, 0
    for number, text in texts:
        raw = text.encode(errors="surrogatepass")
        leaves[number] = sha256(b"\0" + raw).digest()
        try:
            said = decode(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            numbered[number] = -1
            continue
        numbered[number] = said.n
        if said.act == "package.sealed":
            try:
                read.sealed[msgspec.json.decode(said.detail, type=_Sealed).manifest] = number
            except msgspec.MsgspecError:
                continue
        elif said.act == "log.converted":
            converted = converted or number
    return _Read(leaves, numbered, read.sealed, converted)


def _absent(leaves: dict[int, bytes], size: int) -> list[Break]:
    """Numbers without an entry: cut off at the end, or dropped before it."""
    last, breaks = max(leaves, default=0), list[Break]()
    if len(leaves) != last:
        before = 0
        for number in sorted(leaves):
            if number > before + 1:
                breaks.append(Break("audit-missing", before + 1, number - 1))
            before = number
    if size > last:
        breaks.append(Break("audit-truncated", last + 1, size))
    return breaks


def _touched(read: _Read, stored: dict[int, bytes]) -> list[Break]:
    """Entries that are not what their leaf says, or that bear another number than theirs."""
    elsewhere: set[bytes] | None = None
    breaks = []
    for number, hash_ in read.leaves.items():
        if stored.get(number - 1) == hash_:
            if read.numbered[number] != number:
                breaks.append(Break("audit-reordered", number, number))
            continue
        elsewhere = elsewhere or set(stored.values())
        breaks.append(Break("audit-reordered" if hash_ in elsewhere else "audit-altered", number, number))
    return breaks


def _tree(size: int, first: dict[int, bytes], second: dict[int, bytes]) -> list[list[bytes]]:
    """The levels over the leaves of `first`, those absent there taken from `second`."""
    return merkle.levels([first.get(n) or second.get(n) or log.ABSENT for n in range(size)])


def _nodes_altered(
    levels: Sequence[Sequence[bytes]], stored: Sequence[dict[int, bytes]], known: set[int]
) -> list[Break]:
    """Nodes that are not made of what lies below them, and of which no break below tells already."""
    breaks = []
    suspect = {number - 1 for number in known if number}
    for level in range(1, max(len(levels), len(stored))):
        suspect = {position >> 1 for position in suspect}
        made = levels[level] if level < len(levels) else ()
        kept = stored[level] if level < len(stored) else {}
        for position in range(max(len(made), max(kept, default=-1) + 1)):
            wanted = made[position] if position < len(made) else None
            if kept.get(position) != wanted and position not in suspect:
                first = (position << level) + 1
                breaks.append(Break("audit-node", first, first + (1 << level) - 1))
                suspect.add(position)
    return breaks


def _packages(connection: Connection, read: _Read, origin: str) -> tuple[list[Witness], list[Break]]:
    """The witnesses in the outbox, and what is wrong with them: a package the log does not tell of, and the reverse."""
    witnesses, breaks = list[Witness](), list[Break]()
    unseen = dict(read.sealed)
    for fingerprint, one in packages.commitments(connection):
        name = f"package {one.seq} to {fingerprint}"
        number = unseen.pop(one.manifest_hash.hex(), None)
        if number is None:
            breaks.append(Break("audit-unlogged", 0, 0, name))
        elif one.logged == 0 and number <= read.converted:
            continue  # It commits to the chain that was before the tree.
        witnesses.append(Witness(name, one.logged, _commitment(one, origin)))
    breaks += [Break("audit-unwitnessed", number, number) for number in unseen.values()]
    return witnesses, breaks


def _commitment(one: packages.Commitment, origin: str) -> Callable[[bytes], bool]:
    def holds(root: bytes) -> bool:
        try:
            log_ = manifests.parse(one.manifest).log
        except CryptoError:
            return False
        text = checkpoints.text(origin, one.logged, root)
        return (
            hashlib.sha256(one.manifest).digest() == one.manifest_hash
            and log_ == hashlib.sha256(one.salt + text).digest()
        )

    return holds
