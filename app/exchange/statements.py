"""Statements: signed documents about something, of which both sides keep the same growing set.

A statement is raw bytes plus a composite signature under the context of its kind; its id is its hash, it names its
subject by hash. State is a function of the set held, never of the order of arrival: one about something
unknown is kept.
Bodies are RFC 8785 JSON with a `by` (the signer's fingerprint) and an `at` (the signer's clock).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import rfc8785

from app import audit
from app.store import statements as store_statements
from app.store.database import Connection
from app.store.installation import Installation
from crypto import document
from crypto.errors import CryptoError

KINDS = frozenset(
    (
        "card",
        "epoch",
        "rotation",
        "revocation",
        "agreement",
        "countersignature",
        "consent",
        "request",
        "recall",
        "confirmation",
        "receipt",
        "release",
        "roster",
        "evidence",
        "withdrawal",
    )
)


@dataclass(frozen=True)
class Statement:
    """A statement whose signature was checked. `id` is its hash, `body` its JSON value."""

    id: bytes
    kind: str
    body: dict[str, object]
    raw: bytes


def make(installation: Installation, kind: str, **facts: object) -> Statement:
    """Sign a statement of ours."""
    identity = installation.identity
    body = {"by": identity.fingerprint, "at": installation.now(), **facts}
    raw = document.sign(kind, rfc8785.dumps(body), identity.signing)  # type: ignore[arg-type]
    return Statement(document.parse(raw).id, kind, body, raw)


def read(raw: bytes, signers: Mapping[str, bytes]) -> Statement:
    """Check a statement of a counterpart; `signers` are the signing keys of its identities by fingerprint, retired ones
    too: what they signed in their time still rides until it is acked.

    Raises `CryptoError`: document-format (not a statement, or by somebody else), signature.
    """
    parsed = document.parse(raw)
    try:
        body = msgspec.json.decode(parsed.body, type=dict[str, object])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CryptoError("document-format", "body is not a JSON object") from error
    by = body.get("by")
    signer = signers.get(by) if isinstance(by, str) else None
    if parsed.kind not in KINDS or signer is None:
        raise CryptoError("document-format", "kind or signer")
    parsed.verify(signer)
    return Statement(parsed.id, parsed.kind, body, raw)


def keep_own(tx: Connection, installation: Installation, cid: int, statement: Statement) -> None:
    """Add a statement of ours to the set shared with a counterpart: it rides in every package until acked."""
    store_statements.add(tx, cid, statement.id, True, statement.kind, statement.raw, installation.now())


def keep_theirs(tx: Connection, installation: Installation, cid: int, statement: Statement) -> bool:
    """Add a statement of theirs to the set; False if it was held before."""
    return store_statements.add(
        tx, cid, statement.id, False, statement.kind, statement.raw, installation.now()
    )


def log(
    tx: Connection,
    installation: Installation,
    act: str,
    sender: str,
    statement: Statement,
    code: str,
    detail: str = "",
) -> None:
    """Log that a statement of theirs came, and what is wrong with it (code, "": nothing)."""
    said = {"kind": statement.kind, "statement": statement.id.hex(), "code": code, "detail": detail}
    audit.append(tx, installation, act, sender=sender, **said)
