"""A claimed rollback and a proven one: our own signed manifest, shown to us."""

from __future__ import annotations

import base64
import json
import shutil

import pytest

from app import vault
from app.exchange import epochs, evidence
from app.messages import MESSAGES, Refused
from crypto import document
from tests.support.sites import (
    PASSPHRASE,
    acts,
    channel,
    indicator,
    part,
    receive,
    send,
    set_channel,
    state,
)


@pytest.fixture
def rolled(met, tmp_path):
    """alpha put back to a copy of itself, after it sent beta two packages more; beta acknowledged them."""
    met.close_alpha()
    copy = shutil.copytree(met.alpha.home, tmp_path / "older")
    opened = vault.unlock(met.alpha.home, PASSPHRASE, clock=met.clock)
    for _ in range(2):
        receive(met.beta, send(opened.installation, "beta"))
    opened.lock()
    older = vault.unlock(copy, PASSPHRASE, clock=met.clock)
    met.alpha = older.installation
    yield met
    older.lock()


def refusal(act, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)
    assert caught.value.code in MESSAGES
    return caught.value.code


def test_a_rollback_is_claimed_by_an_ack_and_proven_by_our_own_signature(rolled):
    alpha, beta = rolled.alpha, rolled.beta
    assert ("ack", "channel-claimed") in receive(alpha, send(beta, "alpha")).failed
    assert epochs.status(alpha, "beta").state == "channel-claimed"
    shown = evidence.export(beta, "alpha")
    assert evidence.prove(alpha, "beta", shown).count("rollback-proven") == 2
    assert epochs.status(alpha, "beta").state == "channel-proven"
    assert acts(alpha).count("rollback.proven") == 2
    # A proof is not excused.
    before = state(alpha)
    assert refusal(epochs.excuse, alpha, "beta") == "rollback-proven"
    assert refusal(send, alpha, "beta") == "channel-proven"
    assert state(alpha) == before
    epochs.restart(alpha, "beta", "restored")
    anew = send(alpha, "beta")
    assert refusal(receive, beta, anew) == "epoch-pending"
    rolled.clock.pass_days(1)
    epochs.confirm(beta, "alpha")
    receive(beta, anew)
    # What they hold beyond our memory comes back by itself, and is said.
    got = receive(alpha, send(beta, "alpha"))
    assert [code for _, code in got.failed] == ["manifest-returned"] * 2
    assert epochs.status(alpha, "beta").state == ""
    receive(beta, send(alpha, "beta"))
    assert receive(alpha, send(beta, "alpha")).failed == ()


def test_a_claim_without_proof_is_excused(met):
    lie = {"packages": {}, "next": 1, "head": "", "upto": 0}
    assert channel(met.alpha, "beta").sending.next > 1
    set_channel(met.alpha, "beta", sending=lie)
    assert ("ack", "channel-claimed") in receive(met.alpha, send(met.beta, "alpha")).failed
    # Every manifest they can show is known here.
    before = state(met.alpha)
    assert evidence.prove(met.alpha, "beta", evidence.export(met.beta, "alpha")) == ()
    assert state(met.alpha) == before
    assert epochs.excuse(met.alpha, "beta").state == ""
    # The log is not told of a lie that was not.
    assert refusal(epochs.excuse, met.alpha, "beta") == "nothing-to-excuse"


def test_what_we_did_not_sign_proves_nothing(met):
    receive(met.alpha, met.mallory.package(met.alpha))
    theirs = json.loads(evidence.export(met.beta, "alpha"))["statements"]
    for raw in theirs:
        # Beta's words, passed on by mallory, are not mallory's.
        got = receive(met.alpha, met.mallory.package(met.alpha, part("statement", base64.b64decode(raw))))
        assert got.failed == (("statement", "document-format"),)
    for facts in (
        {"manifest": "", "signature": ""},
        {"manifest": "AAAA", "signature": "AAAA"},
        {"manifest": 1, "signature": 2},
        {"manifest": "AAAA"},
        {"manifest": "ä", "signature": "AAAA"},
    ):
        got = receive(met.alpha, met.mallory.package(met.alpha, met.mallory.statement("evidence", **facts)))
        assert got.failed == (("evidence", "evidence-wrong"),)
    # A manifest of ours to another counterpart: mallory was not the one it was for.
    body = json.loads(evidence.export(met.beta, "alpha"))

    shown = json.loads(document.parse(base64.b64decode(body["statements"][0])).body)
    stolen = {name: shown[name] for name in ("manifest", "signature")}
    got = receive(met.alpha, met.mallory.package(met.alpha, met.mallory.statement("evidence", **stolen)))
    assert got.failed == (("evidence", "evidence-wrong"),)
    assert epochs.status(met.alpha, "mallory").state == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"mithaq":"evidence-2","statements":[]}',
        b'{"mithaq":"evidence-1","statements":["!"]}',
        b'{"mithaq":"evidence-1","statements":["AAAA"]}',
        b'{"mithaq":"evidence-1","statements":[1]}',
        b'{"mithaq":"evidence-1"}',
    ],
)
def test_a_file_that_is_no_evidence_changes_nothing(met, raw):
    before = state(met.alpha)
    assert refusal(evidence.prove, met.alpha, "beta", raw) == "evidence-file"
    assert state(met.alpha) == before


def test_the_two_manifests_of_a_fork_can_be_written_out(world):

    alpha, mallory = world.alpha, world.mallory
    receive(alpha, mallory.intel(alpha, indicator(1)))
    assert refusal(receive, alpha, mallory.intel(alpha, indicator(2), seq=1, keep=False)) == "fork"
    shown = json.loads(evidence.export(alpha, "mallory"))["statements"]
    assert len(shown) == 2
