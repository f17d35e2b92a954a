"""Laws of the exchange on real stores: packages that are lost, doubled and out of order between two installations."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.exchange import deciding, inbox, keys, naming, outbox, receipts
from app.holdings import browsing
from app.jobs import quiet
from app.messages import Refused
from app.store import counterparts as store
from app.store import packages
from tests.support.sites import (
    beside,
    channel,
    copied,
    indicator,
    peer,
    problems,
    receive,
    release,
    sealed_last,
    take,
)

RANK = {"sealed": 0, "carried": 1, "void": 2, "received": 3, "refused": 4, "accepted": 4}
"""How far a ledger entry got; never back. Void is what we declare, and a receipt shows that it came all the same."""

sides = st.sampled_from(["alpha", "beta"])


class Exchange(RuleBasedStateMachine):
    """Releases, receipts and decisions in any interleaving; the courier loses, doubles and reorders what it likes."""

    template: Path

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory(prefix="mithaq-laws-")
        self.context = copied(self.template, Path(self.folder.name))
        self.world = self.context.__enter__()
        self.sites = {"alpha": self.world.alpha, "beta": self.world.beta}
        self.serial = 0
        self.way = {"alpha": [], "beta": []}  # files on the way to each
        self.taken = Counter()  # (to, seq) received
        self.entered = Counter()  # (to, release id) shown in an inbox
        self.given = {"alpha": {}, "beta": {}}  # {release id: ids} released to each
        self.ledgers = {"alpha": {}, "beta": {}}
        self.keys_used = {"alpha": [], "beta": []}

    def teardown(self):
        if not hasattr(self, "context"):
            return
        try:
            # The courier finds everything it lost; each side answers; then both know the same.
            # A last package from each tells what is void; then each answers.
            self._find_everything()
            for sender in ("alpha", "beta"):
                self.release(sender)
            self._find_everything()
            for sender in ("alpha", "beta"):
                self._answer(sender)
            self._find_everything()
            for name, site in self.sites.items():
                assert channel(site, other(name)).receiving.upto == self._sealed(other(name))
                assert not channel(site, other(name)).receiving.frozen
                assert problems(site) == []
            for to, site in self.sites.items():
                there = self.sites[other(to)]
                told = {e.id: set() for e in receipts.ledger(there, to)}
                for entry in receipts.ledger(there, to):
                    told[entry.id].add(entry.state)
                    assert entry.acknowledged or entry.state == "void"
                assert set(told) == set().union(*self.given[to].values())
                held = {row.id for row in browsing.page(site, browsing.selection(), 1000).rows}
                came = {
                    i
                    for (name, release), n in self.entered.items()
                    if name == to
                    for i in self.given[to][release]
                }
                for stix_id, states in told.items():
                    # Each side knows what the other has, whatever happened on the way.
                    assert ("accepted" in states) == (stix_id in held and stix_id in came)
                    assert (states <= {"void"}) == (stix_id not in came)
        finally:
            self.context.__exit__(None, None, None)
            self.folder.cleanup()

    def _find_everything(self):
        for to in ("alpha", "beta"):
            for package in outbox.listed(self.sites[other(to)], to):
                if package.state in ("sealed", "handed"):
                    self._receive(to, package.path)

    def _sealed(self, name):
        return channel(self.sites[name], other(name)).sending.next - 1

    # Acts ---------------------------------------------------------------------------------------------------

    @rule(sender=sides)
    def release(self, sender):
        self.serial += 1
        site = self.sites[sender]
        value = indicator(self.serial)
        take(site, value)
        done = release(site, other(sender), value["id"])
        self.given[other(sender)][done.release] = {value["id"]}
        self._note_key(sender, done.package)
        self.way[other(sender)].append(done.package.path)

    @rule(sender=sides, at=st.integers(0, 9), again=st.booleans())
    def take_back(self, sender, at, again):
        """Declare a package void that is not acked, or seal its release again."""
        site, to = self.sites[sender], other(sender)
        open_ = [p for p in outbox.listed(site, to) if p.state in ("sealed", "handed") and p.release]
        if open_:
            package = open_[at % len(open_)]
            if again:
                done = outbox.resend(site, to, package.seq, beside(site), quiet())
                assert done.release == package.release
                self._note_key(sender, done.package)
                self.way[to].append(done.package.path)
            else:
                outbox.void(site, to, package.seq)

    @rule(sender=sides)
    def answer(self, sender):
        if inbox_empty(self.sites[sender]):
            with pytest.raises(Refused) as caught:
                self._answer(sender)
            assert caught.value.code == "nothing-received"
        else:
            self.way[other(sender)].append(self._answer(sender))

    def _answer(self, sender):
        package = receipts.send(self.sites[sender], other(sender), beside(self.sites[sender]), quiet())
        self._note_key(sender, package)
        return package.path

    def _note_key(self, sender, package):
        if package.protection == "onetime":
            number = channel(self.sites[sender], other(sender)).sending.onetime
            assert number not in self.keys_used[sender], "a one-time key was used twice"
            self.keys_used[sender].append(number)
            assert sealed_last(self.sites[sender], other(sender)).protection == "onetime"

    @precondition(lambda self: any(self.way.values()))
    @rule(to=sides, at=st.integers(0, 9), keep=st.booleans())
    def deliver(self, to, at, keep):
        if self.way[to]:
            path = self.way[to][at % len(self.way[to])]
            if not keep:
                self.way[to].remove(path)
            self._receive(to, path)

    @precondition(lambda self: any(self.way.values()))
    @rule(to=sides, at=st.integers(0, 9))
    def lose(self, to, at):
        if self.way[to]:
            self.way[to].pop(at % len(self.way[to]))

    @rule(of=sides, at=st.integers(0, 9))
    def reflect(self, of, at):
        if self.way[other(of)]:
            with pytest.raises(Refused) as caught:
                receive(self.sites[of], self.way[other(of)][at % len(self.way[other(of)])])
            assert caught.value.code == "reflected"

    @rule(of=sides, all_=st.booleans())
    def decide(self, of, all_):
        site = self.sites[of]
        for one in inbox.listed(site):
            if one.state == "pending":
                if all_:
                    deciding.accept(site, one.number, None, quiet())
                else:
                    deciding.reject(site, one.number, "no")

    def _receive(self, to, path):
        try:
            got = receive(self.sites[to], path)
        except Refused as error:
            # Void, and closed here by its successors: the key it was sealed to is gone with them.
            assert (error.code, self._is_void(to, path)) == ("not-for-us", True)  # noqa: PT017
            return
        if got.status != "duplicate":
            assert got.status in ("new", "gap", "closed")
            assert set(got.failed) <= {("release", "release-twice")}
            if got.objects:
                record = packages.received_at(self.sites[to].database.read(), got.number)
                self.entered[to, record.release.hex()] += 1
                assert self.entered[to, record.release.hex()] == 1, "a release entered twice"
            self.taken[to, got.seq] += 1
            assert self.taken[to, got.seq] == 1, "taken twice"

    def _is_void(self, to, path):
        seq = naming.which(self.sites[other(to)], path).seq
        state = channel(self.sites[other(to)], to).sending.packages[seq].state
        return state == "void" and seq <= channel(self.sites[to], other(to)).receiving.upto

    # Laws ---------------------------------------------------------------------------------------------------

    @invariant()
    def no_ledger_goes_backwards(self):
        for name, site in getattr(self, "sites", {}).items():
            before, after = self.ledgers[name], {}
            for entry in receipts.ledger(site):
                after[entry.seq, entry.id] = entry
                old = before.get((entry.seq, entry.id))
                assert old is None or RANK[entry.state] >= RANK[old.state]
                assert old is None or entry.acknowledged or not old.acknowledged
            assert before.keys() <= after.keys()
            self.ledgers[name] = after

    @invariant()
    def a_key_is_gone_once_its_package_is_in(self):
        for name, site in getattr(self, "sites", {}).items():
            there, cid = self.sites[other(name)], peer(site, other(name)).cid
            live = {k.number for k in store.own_keys(site.database.read(), cid) if k.kind == "onetime"}
            for package in packages.sealed(there.database.read(), peer(there, name).cid):
                if package.protection != "onetime" or not self.taken[name, package.seq]:
                    continue
                hint = bytes.fromhex(package.medium.removesuffix(".age"))
                kids = {k.kid for k in store.own_keys(site.database.read(), cid)}
                assert hint not in kids, "a used private half is still there"
            assert len(live) <= keys.LIVE_LIMIT


def inbox_empty(site):
    return not packages.received(site.database.read())


def other(name):
    return "beta" if name == "alpha" else "alpha"


@pytest.mark.parametrize("acquainted", [True, False])
def test_the_exchange_keeps_its_laws(met_template, strangers_template, acquainted):
    class Here(Exchange):
        template = met_template if acquainted else strangers_template

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=5,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_the_exchange_keeps_its_laws_for_long(met_template):
    class Here(Exchange):
        template = met_template

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
