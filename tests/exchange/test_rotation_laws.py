"""Whatever order packages and changes of keys come in, both sides end with the same knowledge of each other."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.exchange import counterparts, deciding, epochs, identities, inbox, outbox, receipts
from app.exchange.gate import LEAVES
from app.jobs import quiet
from app.messages import Refused
from tests.support.sites import (
    beside,
    channel,
    copied,
    indicator,
    peer,
    problems,
    receive,
    release,
    send,
    take,
)

sides = st.sampled_from(["alpha", "beta"])
OTHER = {"alpha": "beta", "beta": "alpha"}
ROTATIONS = 2


class Rotating(RuleBasedStateMachine):
    """Two sites that release to each other, lose and delay packages, and change their keys."""

    template: Path

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.context = copied(self.template, Path(self.folder.name))
        world = self.context.__enter__()
        self.sites = {"alpha": world.alpha, "beta": world.beta}
        counterparts.revoke(world.alpha, "mallory")
        self.way: dict[str, list[Path]] = {"alpha": [], "beta": []}
        self.given: dict[str, set[str]] = {"alpha": set(), "beta": set()}
        self.entered: dict[str, list[str]] = {"alpha": [], "beta": []}
        self.rotated = {"alpha": 0, "beta": 0}
        self.serial = 0

    def teardown(self):
        try:
            # Everything that was ever sealed is found, in the worst order; then each side answers, twice.
            for _ in range(3):
                for name in ("alpha", "beta"):
                    for path in reversed(self.way[name]):
                        self.receive(name, path)
                    self.way[name].clear()
                for name in ("alpha", "beta"):
                    self.way[OTHER[name]].append(send(self.sites[name], OTHER[name]))
            for name, site in self.sites.items():
                there = self.sites[OTHER[name]]
                assert peer(there, name).fingerprint == site.identity.fingerprint
                state = channel(there, name)
                assert (state.receiving.older, state.receiving.frozen) == ((), False)
                assert epochs.status(there, name).missing == epochs.status(there, name).missing_before == ()
                assert sorted(self.entered[OTHER[name]]) == sorted(self.given[OTHER[name]])
                assert problems(site) == []
                # Nothing can be under way to an old card any more.
                assert all(one.state in ("in-use", "erased") for one in identities.listed(site))
        finally:
            self.context.__exit__(None, None, None)
            self.folder.cleanup()

    @rule(sender=sides)
    def give(self, sender):
        self.serial += 1
        site, value = self.sites[sender], indicator(self.serial)
        take(site, value)
        done = release(site, OTHER[sender], value["id"])
        assert [item.code for item in done.decision.leaving] == [LEAVES]
        self.given[OTHER[sender]].add(value["id"])
        self.way[OTHER[sender]].append(done.package.path)

    @rule(sender=sides)
    def answer(self, sender):
        try:
            done = receipts.send(self.sites[sender], OTHER[sender], beside(self.sites[sender]), quiet())
        except Refused as error:
            assert error.code == "nothing-received"  # noqa: PT017
            return
        self.way[OTHER[sender]].append(done.path)

    @precondition(lambda self: min(self.rotated.values()) < ROTATIONS)
    @rule(of=sides)
    def rotate(self, of):
        if self.rotated[of] < ROTATIONS:
            self.rotated[of] += 1
            identities.rotate(self.sites[of])

    @precondition(lambda self: any(self.way.values()))
    @rule(to=sides, at=st.integers(0, 9), again=st.booleans())
    def deliver(self, to, at, again):
        if self.way[to]:
            path = self.way[to][at % len(self.way[to])]
            self.receive(to, path)
            if not again:
                self.way[to].remove(path)

    def receive(self, to, path):
        got = receive(self.sites[to], path)
        assert got.status in ("new", "gap", "duplicate")
        assert {code for _, code in got.failed} <= {"identity-rotated"}
        if got.status != "duplicate" and got.objects:
            before = set(self.entered[to])
            ids = [one.id for one in inbox.review(self.sites[to], got.number, quiet()).objects]
            assert not before & set(ids)
            self.entered[to] += ids
            deciding.accept(self.sites[to], got.number, None, quiet())

    @invariant()
    def nobody_is_taken_for_somebody_else(self):
        for name, site in self.sites.items():
            for one in counterparts.listed(self.sites[OTHER[name]]):
                if one.alias == name:
                    own = [identity.fingerprint for identity in identities.listed(site)]
                    assert one.verified
                    assert one.fingerprint in own
                    assert not one.disputed

    @invariant()
    def every_package_not_acked_is_told(self):
        for name, site in self.sites.items():
            states = {p.state for p in outbox.listed(site, OTHER[name])}
            assert states <= {"sealed", "handed", "acked", "closed", "left"}


def run(template, examples, steps):
    class Here(Rotating):
        pass

    Here.template = template
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_both_sides_follow_each_other_whatever_comes_first(met_template):
    run(met_template, 2, 9)


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("acquainted", [True, False])
def test_both_sides_follow_each_other_for_long(met_template, strangers_template, acquainted):
    run(met_template if acquainted else strangers_template, 30, 30)
