"""What of the log leaves the store: each verifies with the card alone, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from nacl.signing import VerifyKey

from app import audit
from app.audit import checking, opening, papers, report
from app.exchange import counterparts, deciding, outbox, receipts
from app.jobs import quiet
from app.messages import Refused
from app.store import log, packages
from crypto import checkpoint as checkpoints
from crypto import composite, document, merkle
from crypto.errors import CryptoError
from crypto.identity import Identity
from tests.support.sites import T0, beside, indicator, peer, receive, release, sealed_last, take


def refused(code, act, *arguments):
    with pytest.raises(Refused) as caught:
        act(*arguments)
    assert caught.value.code == code


@pytest.fixture
def card(busy):
    return papers.cards([counterparts.own_card(busy.alpha)])


@pytest.fixture
def foreign():
    return papers.cards([Identity.generate().card("other", "XX", T0)])


def written(site, raw):
    path = beside(site).with_suffix(".paper")
    path.write_bytes(raw)
    return path


def exported(site):
    with site.database.snapshot() as reader:
        return b"".join(papers.export(reader, site)).splitlines(keepends=True)


# Checkpoints ------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_a_note_that_standard_tools_read(busy):
    """By hand, from C2SP signed-note and tlog-checkpoint, with nothing of ours."""
    alpha = busy.alpha
    raw = papers.signed(alpha.database.read(), alpha)
    text, _, lines = raw.decode().rpartition("\n\n")
    origin, size, root = (text + "\n").split("\n")[:3]
    head = audit.head(alpha.database.read())
    assert (int(size), base64.b64decode(root)) == (head.number, head.hash)
    name, _, rest = papers.verifier(alpha.database.read(), alpha).partition("+")
    hash_, _, key = rest.partition("+")
    key = base64.b64decode(key)
    assert (name, key[0], len(key)) == (origin, 1, 33)
    assert hashlib.sha256(f"{name}\n".encode() + key).digest()[:4].hex() == hash_
    ours, standard = lines.splitlines()
    dash, signer, signature = standard.split(" ")
    signature = base64.b64decode(signature)
    assert (dash, signer, signature[:4].hex()) == ("—", origin, hash_)
    VerifyKey(key[1:]).verify((text + "\n").encode(), signature[4:])
    signature = base64.b64decode(ours.split(" ")[2])
    public = alpha.identity.signing.public
    kind = b"\xffmithaq/checkpoint/v1"
    assert signature[:4] == hashlib.sha256(f"{origin}\n".encode() + kind + public).digest()[:4]
    composite.verify(public, (text + "\n").encode(), b"mithaq/checkpoint/v1", signature[4:])
    assert key[1:] != public[-32:], "the standard line has a key of its own"


def test_a_checkpoint_says_one_thing_in_one_form(busy, card, foreign):
    alpha = busy.alpha
    raw = papers.signed(alpha.database.read(), alpha)
    checked = papers.check(written(alpha, raw), card)
    assert (checked.kind, checked.checkpoint.size) == ("checkpoint", audit.head(alpha.database.read()).number)
    refused("log-unsigned", papers.check, written(alpha, raw), foreign)
    refused("log-unsigned", papers.check, written(alpha, raw[1:]), card)
    text, _, lines = raw.partition(b"\n\n")
    origin, size, root = text.split(b"\n")
    for other in (
        b"\n".join((origin, size + b"0", root)),
        b"\n".join((origin, size, base64.b64encode(bytes(32)))),
    ):
        refused("log-forged", papers.check, written(alpha, other + b"\n\n" + lines), card)
    for other in (
        b"",
        raw[:-1],
        raw + b"\n",
        raw.replace(b"\n", b"\r\n"),
        b"\n".join((origin, b"0" + size, root)) + b"\n\n" + lines,
        b"\n".join((origin, size, root, b"extension")) + b"\n\n" + lines,
        b"\n".join((origin + b"+x", size, root)) + b"\n\n" + lines,
        text + b"\n\n" + lines * 9,
        text + b"\n\n" + lines.replace("—".encode(), b"-"),
        raw.replace(b"mithaq", b"mith\xffaq"),
        b"\0" * 100,
        b"x" * (papers.PAPER_LIMIT + 1),
    ):
        refused("log-file", papers.check, written(alpha, other), card)
    # Without ours, the standard signature alone is not enough.
    refused(
        "log-unsigned", papers.check, written(alpha, text + b"\n\n" + lines.split(b"\n")[1] + b"\n"), card
    )


def test_a_document_cannot_be_passed_off_as_a_checkpoint(busy):
    with pytest.raises(ValueError, match="kind"):
        document.sign("checkpoint", b"x", busy.alpha.identity.signing)


@pytest.mark.parametrize(
    "origin, size, root", [("", 1, bytes(32)), ("a b", 1, bytes(32)), ("a", -1, bytes(32)), ("a", 1, b"")]
)
def test_what_no_checkpoint_can_say_is_not_signed(origin, size, root):
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoints.text(origin, size, root)
    with pytest.raises(CryptoError):
        checkpoints.parse(b"x")


def test_a_checkpoint_kept_elsewhere_is_a_witness(busy, card):
    alpha = busy.alpha
    reader = alpha.database.read()
    kept = written(alpha, papers.signed(reader, alpha))
    take(alpha, indicator(9))
    witness = papers.witness(kept, card, audit.name(reader))
    assert checking.verify(reader, [witness]) == []
    refused("log-other", papers.witness, kept, card, "mithaq/log/other")
    with alpha.database.write() as tx:
        newest = log.size(tx)
        for number in range(witness.size, newest + 1):
            tx.execute("DELETE FROM audit WHERE number = ?", (number,))
            tx.execute("DELETE FROM audit_node WHERE (position + 1) << level >= ?", (number,))
    [found] = [b for b in checking.verify(reader, [witness]) if b.against == kept.name]
    assert (found.code, found.first, found.last) == ("audit-truncated", witness.size, witness.size)


# Exports ----------------------------------------------------------------------------------------------------


def test_an_export_verifies_without_the_store_and_names_what_was_done_to_it(busy, card, foreign):
    alpha = busy.alpha
    lines = exported(alpha)
    size = len(lines) - 1

    def found(*changed, earlier=()):
        checked = papers.check(written(alpha, b"".join(changed)), card, earlier)
        return [(b.code, b.first, b.last) for b in checked.breaks]

    assert found(*lines) == []
    refused("log-unsigned", papers.check, written(alpha, b"".join(lines)), foreign)
    for number in range(1, size + 1):
        altered = [*lines]
        altered[number] = lines[number].replace(b"Haddad", b"Hadad")
        assert found(*altered) == [("audit-altered", number, number)]
        line = json.loads(altered[number])
        line["leaf"] = merkle.leaf(line["entry"].encode()).hex()
        altered[number] = json.dumps(line).encode() + b"\n"
        assert found(*altered) == [("audit-forked", 1, size)]
        left = [*lines[:number], *lines[number + 1 :]]
        code = "audit-truncated" if number == size else "audit-missing"
        assert (code, number, number) in found(*left)
    assert found(*lines[:3]) == [("audit-truncated", 3, size)]
    more = {"number": size + 1, "leaf": bytes(32).hex(), "entry": "{}"}
    assert ("audit-unvouched", size + 1, size + 1) in found(*lines, json.dumps(more).encode() + b"\n")


def test_an_export_of_a_rewritten_log_does_not_fit_an_earlier_checkpoint(busy, card):
    alpha = busy.alpha
    reader = alpha.database.read()
    kept = written(alpha, papers.signed(reader, alpha))
    size = audit.head(reader).number
    take(alpha, indicator(9))
    lines = exported(alpha)
    assert papers.check(written(alpha, b"".join(lines)), card, [kept]).breaks == ()
    entries = [json.loads(line)["entry"] for line in lines[1:]]
    entries[2] = entries[2].replace("Haddad", "Hadad")
    leaves = [merkle.leaf(text.encode()) for text in entries]
    root = merkle.root(len(leaves), merkle.of(merkle.levels(leaves)))
    note = checkpoints.sign(audit.name(reader), len(leaves), root, alpha.identity.signing)
    forged = [{"mithaq": "log-1", "checkpoint": note.decode()}] + [
        {"number": n, "leaf": leaf.hex(), "entry": text}
        for n, (leaf, text) in enumerate(zip(leaves, entries, strict=True), 1)
    ]
    path = written(alpha, b"".join(json.dumps(line).encode() + b"\n" for line in forged))
    assert papers.check(path, card).breaks == ()
    [found] = papers.check(path, card, [kept]).breaks
    assert (found.code, found.first, found.last, found.against) == ("audit-forked", 1, size, kept.name)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: [b"{}\n"],
        lambda lines: [lines[0].replace(b"log-1", b"log-2"), *lines[1:]],
        lambda lines: [*lines[:2], *lines[1:]],
        lambda lines: [lines[0], lines[2], lines[1]],
        lambda lines: [*lines, b"{"],
        # A line that claims a number out of all proportion costs nothing.
        lambda lines: [*lines, re.sub(rb'"number":\d+', b'"number":%d' % (2**53 - 1), lines[1])],
        lambda lines: [*lines, b"[" * 9000 + b"\n"],
        lambda lines: [*lines, b'{"number":' + b"9" * 40 + b"}\n"],
        lambda lines: [*lines, b" " * (papers.PAPER_LIMIT + 2)],
        lambda lines: [lines[0], lines[1].replace(b'"leaf":"', b'"leaf":"zz')],
    ],
)
def test_what_is_no_export_is_refused(busy, card, spoil):
    path = written(busy.alpha, b"".join(spoil(exported(busy.alpha))))
    refused("log-file", papers.check, path, card)


def test_a_file_that_cannot_be_read_is_refused(busy, card):
    refused("file-unreadable", papers.check, beside(busy.alpha), card)


# Proofs -----------------------------------------------------------------------------------------------------


def test_one_entry_is_proved_and_nothing_of_the_others_told(busy, card, foreign):
    alpha = busy.alpha
    reader = alpha.database.read()
    size = audit.head(reader).number
    for number in range(1, size + 1):
        raw = papers.prove(reader, alpha, number)
        path = written(alpha, raw)
        checked = papers.check(path, card)
        assert (checked.kind, checked.entry) == ("proof", audit.entries(reader, number + 1, 1)[0])
    refused("log-unsigned", papers.check, path, foreign)
    lines = raw.split(b"\n")
    text = base64.b64decode(lines[1].removeprefix(b"extra "))
    other = base64.b64encode(text.replace(b"Haddad", b"Hadad"))
    refused("log-forged", papers.check, written(alpha, raw.replace(lines[1], b"extra " + other)), card)
    refused("log-forged", papers.check, written(alpha, raw.replace(lines[2], b"index 0")), card)
    refused("log-forged", papers.check, written(alpha, raw.replace(lines[3] + b"\n", b"")), card)
    for spoiled in (
        raw.replace(b"index ", b"index 0"),
        raw.replace(b"extra ", b"other "),
        raw.replace(lines[1] + b"\n", b""),
        raw.replace(lines[3], b"!"),
        raw.replace(lines[3], b"\n".join([lines[3]] * 70)),
        raw[:40],
    ):
        refused("log-file", papers.check, written(alpha, spoiled), card)
    refused("entry-unknown", papers.prove, reader, alpha, size + 1)


# Openings ---------------------------------------------------------------------------------------------------


def test_a_commitment_is_opened_and_checked_by_the_other_side(busy, card, foreign):
    alpha, beta = busy.alpha, busy.beta
    reader = alpha.database.read()
    for record in packages.sealed(reader, peer(alpha, "beta").cid):
        raw = opening.opening(reader, record)
        found = opening.check(raw, card)
        assert found.manifest_hash == record.manifest_hash
        assert found.checkpoint.text == audit.checkpoint(reader, record.logged)
    refused("log-unsigned", opening.check, raw, foreign)
    newest = outbox.record(alpha, "beta", sealed_last(alpha, "beta").seq)
    raw = opening.opening(reader, newest)
    assert outbox.opened(beta, raw)[1:] == ("alpha", None), "it is under way"
    receive(beta, release(alpha, "beta").package.path)
    last = sealed_last(alpha, "beta")
    _, name, number = outbox.opened(beta, opening.opening(reader, last))
    assert (name, number) == ("alpha", packages.received(beta.database.read())[0].number)
    value = json.loads(raw)
    changes = {
        "opening-differs": {"salt": bytes(32).hex()},
        "log-unsigned": {
            "manifest": base64.b64encode(newest.manifest.replace(b"routine", b"flash")).decode()
        },
        "log-file": {"checkpoint": value["checkpoint"] + "more\n"},
    }
    for code, change in changes.items():
        refused(code, opening.check, json.dumps(value | change).encode(), card)
    for spoiled in (
        b"",
        b"{}",
        raw[:-5],
        json.dumps(value | {"salt": 7}).encode(),
        b"x" * (opening.FILE_LIMIT + 1),
    ):
        refused("log-file", opening.check, spoiled, card)


def test_a_commitment_to_a_log_that_was_changed_since_is_not_opened(busy):
    alpha = busy.alpha
    record = sealed_last(alpha, "beta")
    with alpha.database.write() as tx:
        tx.execute("UPDATE audit_node SET hash = zeroblob(32) WHERE level = 0 AND position = 1")
        tx.execute("UPDATE audit_node SET hash = zeroblob(32) WHERE level > 0")
    refused("opening-differs", opening.opening, alpha.database.read(), record)


def test_a_checkpoint_or_a_proof_is_not_held_against_an_earlier_checkpoint(busy, card):
    """It would be passed by in silence."""
    reader = busy.alpha.database.read()
    earlier = written(busy.alpha, papers.signed(reader, busy.alpha))
    for raw in (papers.signed(reader, busy.alpha), papers.prove(reader, busy.alpha, 1)):
        refused("log-uncompared", papers.check, written(busy.alpha, raw), card, [earlier])


# The inspector's report -------------------------------------------------------------------------------------


def test_a_report_tells_who_did_what_and_no_intel(busy):
    alpha = busy.alpha
    release(
        alpha,
        "beta",
        reference="Operation Copper Lantern",
        purpose="case-198-51-100-1",
        note="about 198.51.100.1",
        target=beside(alpha),
    )
    with alpha.database.write() as tx:
        audit.append(
            tx,
            alpha,
            "test.act",
            object=indicator(1)["id"],
            name="indicator 1",
            text="198.51.100.1",
            reason="because 198.51.100.1",
            objects=3,
            new_fact="198.51.100.1",
            code="198.51.100.1 x",
        )
    reader = alpha.database.read()
    found = report.report(reader)
    text = repr(found)
    for secret in ("indicator--", "indicator 1", "198.51.100", "198-51-100", "Copper Lantern"):
        assert secret not in text
    asked = repr(report.report(reader, references=True))
    assert "Copper Lantern" in asked
    assert "case-198-51-100-1" in asked
    [beta] = [one for one in found.exchanges if one.alias == "beta"]
    sealed = packages.sealed(reader, peer(alpha, "beta").cid)
    assert beta.sealed == len(sealed)
    assert beta.released == sum(one.release is not None for one in sealed)
    assert beta.objects == 2 + 1 + 4
    assert found.officers["R. Haddad"]["release"] == beta.released
    assert [e.number for e in found.entries] == list(range(1, found.head.number + 1))


def test_a_report_keeps_to_its_days(busy):
    alpha = busy.alpha
    busy.clock.pass_days(40)
    take(alpha, indicator(9))
    reader = alpha.database.read()
    assert [e.act for e in report.report(reader, since="2026-07-11", until="2026-07-11").entries] == [
        "import"
    ]
    assert "import" in [e.act for e in report.report(reader, until="2026-06-01").entries]
    assert report.report(reader, since="2026-06-02", until="2026-07-10").entries == ()


def test_a_report_counts_the_newest_receipt_of_a_package_and_what_became_void(world):
    """A correction is not one more acceptance."""
    take(world.alpha, indicator(1), indicator(2), indicator(3))
    number = receive(world.beta, release(world.alpha, "beta").package.path).number
    for ids in ([indicator(1)["id"]], None):
        deciding.accept(world.beta, number, ids, quiet())
        receive(world.alpha, receipts.send(world.beta, "alpha", beside(world.beta), quiet()).path)
    lost = release(world.alpha, "beta").package
    resent = outbox.resend(world.alpha, "beta", lost.seq, beside(world.alpha), quiet()).package
    outbox.void(world.alpha, "beta", resent.seq)
    [beta] = [one for one in report.report(world.alpha.database.read()).exchanges if one.alias == "beta"]
    assert (beta.receipts, beta.accepted, beta.refused) == (2, 3, 0)
    assert (beta.released, beta.objects, beta.void) == (3, 9, 2)
