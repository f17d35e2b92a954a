"""Signed manifests shown to whoever signed them: what tells a proven rollback from a mere claim (protocol.md 4).

An ack of what was never sent is a claim; anybody can make one. With our own signed manifest beside it there is no
doubt: this store is an older copy of itself, or our keys are at work elsewhere. Evidence is a statement like any
other, by the one who shows it, around the manifest and its signature. It rides in packages after a restore was
confirmed, and officers carry it in a file: {"mithaq": "evidence-1", "statements": [base64 of a signed document,
...]}.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import replace

from app import audit
from app.exchange import counterparts, statements
from app.exchange.channel import Head
from app.exchange.statements import Statement
from app.messages import Refused
from app.store import packages
from app.store.counterparts import Counterpart
from app.store.database import Connection
from app.store.installation import Installation
from crypto import manifest as manifests
from crypto import package as format_
from crypto import strict_json
from crypto.errors import CryptoError
from crypto.manifest import Manifest

EVIDENCE = "evidence"
FORMAT = "evidence-1"
NEWEST = 64
"""Manifests that are shown at most, the newest."""
FILE_LIMIT = 256 << 20
STATEMENTS_LIMIT = 4 * NEWEST


def owe(tx: Connection, installation: Installation, one: Counterpart, after: Head) -> None:
    """They begin anew after `after`, as they remember it: what we hold beyond, signed by them, goes back to them."""
    beyond = packages.manifests(tx, one.cid, bytes.fromhex(after.epoch), after.seq + 1)
    for raw, signature in beyond[-NEWEST:]:
        statements.keep_own(tx, installation, one.cid, _statement(installation, raw, signature))


def apply(tx: Connection, installation: Installation, one: Counterpart, statement: Statement) -> str:
    """Look at a manifest of ours that they show; the code of what that means, "" if we know the package.

    Codes: rollback-proven (it is of the epoch in use and not the one this store sealed), manifest-returned (of an epoch
    that ended: this store does not know what it sent then), evidence-wrong (nothing we signed to them).
    """
    if statement.kind != EVIDENCE:
        return ""
    try:
        hash_, manifest = _ours(tx, one, statement)
    except CryptoError:
        return "evidence-wrong"
    if packages.sealed_by_manifest(tx, one.cid, hash_) is not None:
        return ""
    channel = counterparts.load_channel(tx, one.cid)
    current = manifest.epoch.hex() == channel.sending.epoch
    if current:
        sending = replace(channel.sending, proven=True)
        counterparts.save_channel(tx, one.cid, replace(channel, sending=sending))
    audit.append(
        tx,
        installation,
        "rollback.proven" if current else "manifest.returned",
        sender=one.fingerprint,
        epoch=manifest.epoch.hex(),
        seq=manifest.seq,
        release=manifest.release.hex() if manifest.release else "",
        statement=statement.id.hex(),
    )
    return "rollback-proven" if current else "manifest-returned"


def export(installation: Installation, name: str) -> bytes:
    """What proves the counterpart's words: the newest manifests we received, and every one that contradicts another.

    Raises `Refused`: nothing-received, and as `counterparts.find` does.
    """
    with installation.database.snapshot() as reader:
        one = counterparts.find(reader, name)
        epoch = bytes.fromhex(counterparts.load_channel(reader, one.cid).receiving.epoch)
        held = [
            *packages.contradicting(reader, one.cid),
            *packages.manifests(reader, one.cid, epoch, 1)[-NEWEST:],
        ]
    if not held:
        raise Refused("nothing-received", name=one.alias)
    made = {statement.id: statement for statement in (_statement(installation, *pair) for pair in held)}
    texts = [base64.b64encode(statement.raw).decode() for statement in made.values()]
    return strict_json.dump({"mithaq": FORMAT, "statements": texts}) + b"\n"


def prove(installation: Installation, name: str, raw: bytes) -> tuple[str, ...]:
    """Take in a counterpart's evidence from a file: the codes of what it shows, as `apply` gives them; none if it
    contradicts nothing here.

    Raises `Refused`: evidence-file, and as `counterparts.find` and `require_sound` do.
    """
    found: list[str] = []
    with installation.database.write() as tx:
        one = counterparts.find(tx, name)
        counterparts.require_sound(one)
        signers = counterparts.signers(tx, one)
        for document in _documents(raw):
            try:
                statement = statements.read(document, signers)
            except CryptoError as error:
                raise Refused("evidence-file") from error
            if statement.kind == EVIDENCE and (code := apply(tx, installation, one, statement)):
                statements.keep_theirs(tx, installation, one.cid, statement)
                found.append(code)
    return tuple(found)


def _statement(installation: Installation, raw: bytes, signature: bytes) -> Statement:
    shown = {"manifest": raw, "signature": signature}
    facts = {name: base64.b64encode(value).decode() for name, value in shown.items()}
    return statements.make(installation, EVIDENCE, **facts)


def _ours(connection: Connection, one: Counterpart, statement: Statement) -> tuple[bytes, Manifest]:
    """The hash and the manifest shown, if one of our identities signed it to one of theirs. Raises `CryptoError`."""
    reader = strict_json.Reader("evidence-format")
    fields = reader.fields(statement.body, ("at", "by", "manifest", "signature"), "fields")
    try:
        raw, signature = (base64.b64decode(fields[name], validate=True) for name in ("manifest", "signature"))
    except (TypeError, ValueError, binascii.Error):
        reader.fail("base64")
    claim = manifests.parse(raw)
    public = counterparts.own_signers(connection).get(claim.sender)
    if public is None or claim.to not in counterparts.signers(connection, one):
        reader.fail("between others")
    return manifests.sha256(raw), format_.verify_manifest(raw, signature, public)


def _documents(raw: bytes) -> Iterable[bytes]:
    try:
        if len(raw) > FILE_LIMIT:
            raise ValueError("size")
        reader = strict_json.Reader("evidence-file")
        fields = reader.fields(reader.parse(raw), ("mithaq", "statements"), "fields")
        reader.choice(fields["mithaq"], "mithaq", (FORMAT,))
        texts = reader.list_of(fields["statements"], "statements", STATEMENTS_LIMIT, str)
        return [base64.b64decode(text, validate=True) for text in texts]
    except (CryptoError, ValueError, binascii.Error) as error:
        raise Refused("evidence-file") from error
