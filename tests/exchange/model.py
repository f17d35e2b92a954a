"""Three installations as the pure state makes them: the real transitions, sets and gate, no store, no keys.

`Schedule` acts at random: intel, releases, loss, doubling, reordering, resends, voids, restores of an older copy,
recalls, requests, consents, their withdrawal. Whether something may go onward is asked of the real gate and, beside
it, of a few lines here that know nothing of it.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from app.exchange import beginnings, consents, gate, recalls
from app.exchange import channel as machine
from app.exchange.channel import Acknowledgement, Channel, EpochStart
from app.exchange.gate import Candidate, Custody, Terms
from app.exchange.ranges import Ranges, numbers
from app.intel.marking import Level

NAMES = ("alpha", "beta", "gamma")
TODAY = "2026-06-01"
ENDS = ("2026-05-31", "2026-12-31")
Statement = consents.Read | recalls.Read


@dataclass(frozen=True)
class Package:
    """What a package says, as far as the laws care. `release` "" carries statements and acks alone."""

    sender: str
    to: str
    epoch: str
    seq: int
    hash: str
    prev: str
    ack: Acknowledgement | None
    void: Ranges
    release: str
    contents: tuple[str, ...]
    statements: dict[bytes, Statement]
    starts: tuple[EpochStart, ...]


@dataclass
class Site:
    """One installation. `held` says of each content whom it first came from, its own name for its own."""

    name: str
    channels: dict[str, Channel]
    held: dict[str, str] = field(default_factory=dict)
    pending: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    entered: Counter[tuple[str, str]] = field(default_factory=Counter)
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    said: dict[str, dict[bytes, Statement]] = field(default_factory=dict)
    heard: dict[str, dict[bytes, Statement]] = field(default_factory=dict)
    starts: dict[str, tuple[EpochStart, ...]] = field(default_factory=dict)
    given: dict[tuple[str, str, int], Package] = field(default_factory=dict)

    def consented(self, giver: str, content: str, to: str) -> bool:
        """By the real state of the set."""
        known = consents.gathered(
            (i, s) for i, s in (self.said[giver] | self.heard[giver]).items() if not of_recalls(s)
        )
        return any(
            one.third == to and known.requests[one.request].by == self.name and named(content) in one.contents
            for one in consents.in_force(known, TODAY).values()
        )

    def recalled(self, content: str, peer: str, by: str) -> bool:
        """Whether `by`, one side of the channel with `peer`, asks for a content back, by the real state of the set."""
        some = (self.said[peer] | self.heard[peer]).items()
        known = recalls.gathered((i, s) for i, s in some if of_recalls(s))
        return any(
            recall.by == by and recalls.standing(known, id_) and any(c.id == content for c in recall.contents)
            for id_, recall in known.recalls.items()
        )


def named(content: str) -> consents.Content:
    """A content as statements name it."""
    return consents.Content(content, content.encode().hex().ljust(64, "0"))


ACTS = {
    "intel": 1,
    "release": 4,
    "word": 1,
    "deliver": 9,
    "decide": 3,
    "lose": 1,
    "take_back": 1,
    "ask": 4,
    "answer": 5,
    "withdraw": 1,
    "recall": 1,
    "confirm": 1,
    "restore": 1,
}
"""What a schedule does, and how often in comparison."""


class Schedule:
    """A world of three and what a seed makes of it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.serial = itertools.count(1)
        self.sites = {
            name: Site(
                name,
                {peer: machine.opened(f"{name}-{peer}") for peer in others(name)},
                said={peer: {} for peer in others(name)},
                heard={peer: {} for peer in others(name)},
                starts=dict.fromkeys(others(name), ()),
            )
            for name in NAMES
        }
        self.way: list[Package] = []
        self.sent: list[Package] = []
        self.copy: Site | None = None
        self.restored = False
        self.seen = Counter[str]()

    def run(self, steps: int) -> None:
        """Act, then let everybody hear everything; raises AssertionError where a law is broken."""
        for name, peer in (("alpha", "beta"), ("beta", "gamma"), ("gamma", "alpha")):
            # Each holds something of its own, and something of another's.
            self.intel(self.sites[name])
            self._release(self.sites[name], peer, list(self.sites[name].held)[-1], f"r{next(self.serial)}")
            self._receive(self.way.pop())
            self._decide(self.sites[peer], 0)
        acts = self.random.choices(list(ACTS), list(ACTS.values()), k=steps)
        for act in acts:
            getattr(self, act)(self.sites[self.random.choice(NAMES)])
        self.check()
        self.settle()

    # Acts ---------------------------------------------------------------------------------------------------

    def intel(self, site: Site) -> None:
        site.held[f"{site.name} {next(self.serial)}"] = site.name

    def release(self, site: Site) -> None:
        if site.held:
            content = self.random.choice(list(site.held))
            giver = site.held[content]
            to = self.random.choice([name for name in others(site.name) if name != giver])
            self._release(site, to, content, f"r{next(self.serial)}")

    def _release(self, site: Site, to: str, content: str, release: str, voids: int | None = None) -> None:
        giver = site.held.get(content)
        if giver is None:
            return
        custody = None
        if giver != site.name:
            leave = giver != to and site.consented(giver, content, to)
            custody = Custody(giver, Level.AMBER, "consent", leave)
        asked_back = site.recalled(content, to, site.name)
        asked_back = asked_back or (giver != site.name and site.recalled(content, giver, giver))
        one = Candidate(0, content, Level.AMBER, (), custody=custody, barred="recalled" if asked_back else "")
        terms = Terms(Level.AMBER, True, to=to, today=TODAY)
        leaves = gate.judge([one], terms, {}.get).verdicts[0].code == gate.LEAVES
        assert leaves == (not asked_back and may_go(site, giver, content, to))
        self.seen[
            "onward" if leaves and giver not in (site.name, to) else "leaves" if leaves else "held"
        ] += 1
        if leaves:
            self._seal(site, to, release, (content,), voids)

    def _seal(
        self, site: Site, to: str, release: str = "", contents: tuple[str, ...] = (), voids: int | None = None
    ) -> Package | None:
        channel = site.channels[to]
        if machine.may_seal(channel):
            return None
        sending = channel.sending if voids is None else machine.voided(channel.sending, voids)
        if sending.start is not None and sending.start not in site.starts[to]:
            site.starts[to] += (sending.start,)
        package = Package(
            site.name,
            to,
            sending.epoch,
            sending.next,
            f"h{next(self.serial)}",
            sending.head,
            machine.acknowledgement(channel.receiving),
            machine.void_ranges(sending),
            release,
            contents,
            dict(site.said[to]),
            site.starts[to],
        )
        site.channels[to] = replace(channel, sending=machine.sealed(sending, package.hash, None))
        site.given[to, package.epoch, package.seq] = package
        self.sent.append(package)
        self.way.append(package)
        return package

    def word(self, site: Site) -> None:
        """A package with statements and acks alone."""
        self._seal(site, self.random.choice(others(site.name)))

    def deliver(self, site: Site) -> None:
        if self.way:
            package = self.random.choice(self.way)
            if self.random.random() < 0.7:
                self.way.remove(package)
            self._receive(package)

    def lose(self, site: Site) -> None:
        if self.way:
            self.way.remove(self.random.choice(self.way))

    def _receive(self, package: Package) -> None:
        site = self.sites[package.to]
        channel = site.channels[package.sender]
        receiving, arrival = machine.received(
            channel.receiving, package.epoch, package.seq, package.hash, package.prev, package.void
        )
        if arrival.status == "epoch-unknown":
            start = next((s for s in package.starts if s.new == package.epoch), None)
            if start is not None:
                told = beginnings.announced(channel.receiving, start, package.starts)
                # Both officers speak to each other at once; the package comes again.
                site.channels[package.sender] = beginnings.confirmed(replace(channel, receiving=told))
                if site.channels[package.sender].receiving.epoch == package.epoch:
                    self._receive(package)
            return
        if arrival.status == "fork":
            assert self.restored, "an honest schedule froze a channel"
            site.channels[package.sender] = replace(channel, receiving=receiving)
        self.seen[arrival.status] += 1
        if arrival.status not in ("new", "closed"):
            return
        sending = channel.sending
        if package.ack is not None:
            sending, _ = machine.acked(sending, package.ack)
            assert self.restored or not sending.claimed, "an honest ack was taken for a lie"
        mending = channel.mending and not sending.started
        site.channels[package.sender] = Channel(sending, receiving, mending)
        site.heard[package.sender] |= package.statements
        mark = (package.sender, package.release)
        if arrival.status == "new" and package.release and not site.entered[mark]:
            site.entered[mark] += 1
            site.pending.append((package.sender, package.release, package.contents))

    def decide(self, site: Site) -> None:
        if site.pending:
            self._decide(site, self.random.randrange(len(site.pending)))

    def _decide(self, site: Site, at: int) -> None:
        sender, release, contents = site.pending[at]
        if site.channels[sender].mending or site.channels[sender].receiving.frozen:
            return
        if any(site.recalled(content, sender, sender) for content in contents):
            return
        site.pending.pop(at)
        site.decided[sender, release] += 1
        assert site.decided[sender, release] == 1, "a release was decided twice"
        for content in contents:
            site.held.setdefault(content, sender)

    def take_back(self, site: Site) -> None:
        """Declare a package void that is not acked, or seal its release again."""
        to = self.random.choice(others(site.name))
        sending = site.channels[to].sending
        open_ = [seq for seq, p in sending.packages.items() if p.state in ("sealed", "handed")]
        if open_:
            seq = self.random.choice(open_)
            package = site.given[to, sending.epoch, seq]
            if self.random.random() < 0.5 and package.contents:
                self._release(site, to, package.contents[0], package.release, voids=seq)
            else:
                site.channels[to] = replace(site.channels[to], sending=machine.voided(sending, seq))

    def ask(self, site: Site) -> None:
        foreign = [content for content, giver in site.held.items() if giver != site.name]
        if foreign:
            content = self.random.choice(foreign)
            giver = site.held[content]
            third = next(name for name in NAMES if name not in (site.name, giver))
            asked = consents.Request(
                site.name, TODAY, "onward", third, third, (named(content),), "", f"{next(self.serial)}"
            )
            self._say(site, giver, asked)

    def answer(self, site: Site) -> None:
        peer = self.random.choice(others(site.name))
        asked = [(i, s) for i, s in site.heard[peer].items() if isinstance(s, consents.Request)]
        if asked:
            id_, one = self.random.choice(asked)
            contents, third = one.contents, one.third
            if self.random.random() < 0.2:
                # For another object, or for somebody else: it does nothing.
                contents, third = self.random.choice([((named("other"),), third), (contents, site.name)])
            given = consents.Consent(
                site.name, TODAY, "onward", id_, third, contents, self.random.choice(ENDS)
            )
            self._say(site, peer, given)

    def withdraw(self, site: Site) -> None:
        peer = self.random.choice(others(site.name))
        own = [(i, s) for i, s in site.said[peer].items() if isinstance(s, consents.Consent | recalls.Recall)]
        if own:
            id_, one = self.random.choice(own)
            gone: Statement = recalls.Withdrawal(site.name, TODAY, "recall", id_, "")
            if isinstance(one, consents.Consent):
                gone = consents.Withdrawal(site.name, TODAY, "consent", id_, "")
            self._say(site, peer, gone)

    def recall(self, site: Site) -> None:
        peer = self.random.choice(others(site.name))
        given = [p for (to, _, _), p in site.given.items() if to == peer and p.contents]
        if given:
            content = self.random.choice(given).contents[0]
            what = recalls.Content(content, bytes.fromhex(named(content).sha256))
            self._say(site, peer, recalls.Recall(site.name, TODAY, (what,), ""))
            sending = site.channels[peer].sending
            for package in given:
                if content in package.contents and package.epoch == sending.epoch:
                    sending = machine.voided(sending, package.seq)
            site.channels[peer] = replace(site.channels[peer], sending=sending)

    def confirm(self, site: Site) -> None:
        """Delete what a counterpart asked back, if it first came from them."""
        peer = self.random.choice(others(site.name))
        for id_, one in site.heard[peer].items():
            if isinstance(one, recalls.Recall) and site.recalled(one.contents[0].id, peer, peer):
                content = one.contents[0].id
                if site.held.get(content) == peer:
                    del site.held[content]
                none = frozenset[bytes]()
                done = recalls.Confirmation(site.name, TODAY, id_, recalls.DELETED, none, none, "", "")
                self._say(site, peer, done)
                return

    def restore(self, site: Site) -> None:
        """Keep a copy of a site, or put it back in its place; its direction begins anew with everybody."""
        if self.copy is None:
            self.copy = copy.deepcopy(site)
        elif self.random.random() < 0.3:
            back, self.copy, self.restored = self.copy, None, True
            self.seen["restored"] += 1
            for peer, channel in back.channels.items():
                epoch = f"{back.name}-{peer}-{next(self.serial)}"
                back.channels[peer] = beginnings.restarted(channel, epoch, "restored", restored=True)
                _left(back, peer, channel)
            self.sites[back.name] = back

    def _say(self, site: Site, peer: str, statement: Statement) -> None:
        site.said[peer][next(self.serial).to_bytes(32, "big")] = statement
        package = self._seal(site, peer)
        if package is not None and self.random.random() < 0.7:
            self.way.remove(package)
            self._receive(package)

    # Laws ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        for site in self.sites.values():
            for peer, channel in site.channels.items():
                receiving = channel.receiving
                newest = max(receiving.hashes, default=0)
                known = set(receiving.hashes) | set(numbers(receiving.void, 1, newest))
                missing = set(numbers(machine.missing(receiving)))
                assert set(range(receiving.upto + 1, newest + 1)) - known == missing, "lost and not named"
                if not self.restored:
                    there = self.sites[peer].channels[site.name].receiving
                    for seq, sealed in channel.sending.packages.items():
                        assert sealed.state != "acked" or there.hashes.get(seq) == sealed.hash, (
                            "acked, not had"
                        )

    def settle(self) -> None:
        """Everybody hears everything: what is on the way, then a word from each to each, until nothing is new."""
        self.way.clear()
        # A restore is mended in more than one round: both begin anew, and one may lie behind the other.
        for _ in range(8 if self.restored else 2):
            for name, peer in itertools.permutations(NAMES, 2):
                site = self.sites[name]
                if code := machine.may_seal(site.channels[peer]):
                    assert self.restored, code
                    epoch = f"{name}-{peer}-{next(self.serial)}"
                    before = site.channels[peer]
                    site.channels[peer] = beginnings.restarted(before, epoch, "forked")
                    _left(site, peer, before)
                if not machine.may_seal(site.channels[peer]):
                    self._seal(site, peer)
            for package in self._outstanding():
                self._receive(package)
        self.way.clear()
        for name, peer in itertools.permutations(NAMES, 2):
            site, there = self.sites[name], self.sites[peer]
            assert there.heard[name].items() >= site.said[peer].items(), "a statement never came"
            sending, receiving = site.channels[peer].sending, there.channels[name].receiving
            assert not receiving.frozen
            assert receiving.epoch == sending.epoch, "they do not agree on the epoch"
            assert receiving.upto == sending.next - 1, "a number is open for good"
            for (to, epoch, seq), package in site.given.items():
                if to == peer and epoch == sending.epoch and package.release and not self.restored:
                    state = sending.packages[seq].state
                    assert state in ("acked", "void")
                    assert state == "void" or there.entered[name, package.release] == 1

    def _outstanding(self) -> Iterator[Package]:
        for package in list(self.sent):
            sending = self.sites[package.sender].channels[package.to].sending
            sealed = sending.packages.get(package.seq)
            if package.epoch == sending.epoch and sealed is not None and sealed.state in ("sealed", "handed"):
                yield package


def _left(site: Site, peer: str, before: Channel) -> None:
    """An epoch that is left before anything was sealed in it is stated all the same: the next one follows on it."""
    start = before.sending.start
    if start is not None and start not in site.starts[peer]:
        site.starts[peer] += (start,)


def of_recalls(said: object) -> bool:
    """Whether a statement is about recalls: a withdrawal of one has the shape of a consent's."""
    if isinstance(said, recalls.Withdrawal):
        return said.of == recalls.RECALL
    return isinstance(said, recalls.Recall | recalls.Confirmation)


def may_go(site: Site, giver: str, content: str, to: str) -> bool:
    """Whether a content may go to somebody, without the gate and without the module that weighs consents."""
    if giver in (site.name, to):
        return True
    said = list((site.heard[giver] | site.said[giver]).items())
    gone = {one.subject for _, one in said if isinstance(one, consents.Withdrawal)}
    asked = {
        id_
        for id_, one in said
        if isinstance(one, consents.Request) and (one.by, one.third) == (site.name, to) and id_ not in gone
    }
    return any(
        isinstance(one, consents.Consent)
        and (one.by, one.third) == (giver, to)
        and one.request in asked
        and id_ not in gone
        and one.until >= TODAY
        and one.contents == (named(content),)
        for id_, one in said
    )


def others(name: str) -> list[str]:
    """The two counterparts of a site."""
    return [one for one in NAMES if one != name]
