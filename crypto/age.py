"""age v1 files: encrypt and decrypt, streaming over file objects.

Specification: C2SP age.md. This module only joins the pieces: `age_header` (stanzas, MAC), `age_keys`
(identities and recipients), `age_stream` (payload), `armor`. Codes of errors, one for each class of the
published test kit:

    age-header    not an age file, or a malformed one           age-hmac     the header was changed
    age-no-match  no identity fits                              age-payload  the payload was changed or cut
    age-armor     the armor is not strict                       age-key      not a recipient, or not an identity

On age-payload (and age-armor in mid-file) what was written before is authentic, but not the whole.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import BinaryIO, cast

from crypto import age_header, age_stream, armor
from crypto.age_header import FILE_KEY_BYTES, Header, Stanza
from crypto.age_keys import (
    SCRYPT_TYPE,
    HybridIdentity,
    HybridRecipient,
    Identity,
    Recipient,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    X25519Recipient,
    identity_file,
    parse_identity,
    parse_identity_file,
    parse_recipient,
    parse_recipient_file,
)
from crypto.errors import CryptoError
from crypto.source import Readable, Source

__all__ = [
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "Recipient",
    "ScryptIdentity",
    "ScryptRecipient",
    "Stanza",
    "X25519Identity",
    "X25519Recipient",
    "decrypt",
    "encrypt",
    "identity_file",
    "parse_identity",
    "parse_identity_file",
    "parse_recipient",
    "parse_recipient_file",
]


def encrypt(
    source: Readable, target: BinaryIO, recipients: Sequence[Recipient], *, armored: bool = False
) -> None:
    """Encrypt everything in `source` to `target`, for all the recipients alike.

    Raises `CryptoError`: age-recipients (none, a passphrase beside others, post-quantum beside others),
    age-key (a recipient that cannot be encrypted to), kdf-memory.
    """
    labels = {recipient.label for recipient in recipients}
    if len(labels) != 1 or (labels == {ScryptRecipient.label} and len(recipients) != 1):
        raise CryptoError("age-recipients")
    if len(recipients) > age_header.STANZA_LIMIT:
        raise CryptoError("age-recipients", "too many")
    file_key = secrets.token_bytes(FILE_KEY_BYTES)
    try:
        stanzas = [recipient.wrap(file_key) for recipient in recipients]
    except CryptoError as error:
        raise CryptoError("age-key" if error.code == "kem-key" else error.code, error.detail) from None
    header = age_header.write(stanzas, file_key)
    if not armored:
        target.write(header)
        age_stream.encrypt(source, target, file_key)
        return
    writer = armor.ArmorWriter(target)
    writer.write(header)
    age_stream.encrypt(source, cast(BinaryIO, writer), file_key)
    writer.close()


def decrypt(
    source: Readable, target: BinaryIO, identities: Iterable[Identity], *, armored: bool | None = None
) -> None:
    """Decrypt `source` to `target` with the first identity that fits. Armor is recognised unless `armored` says.

    Raises `CryptoError`: age-header, age-hmac, age-no-match, age-payload, age-armor, kdf-memory.
    """
    start = Source(source)
    if armored is None:
        armored = armor.looks_armored(start)
    if armored:
        start = Source(armor.reader(start))
    header = age_header.read(start)
    payload = age_stream.StreamReader(start, unwrap(header, identities))
    while block := payload.view(age_stream.BATCH * age_stream.CHUNK):
        target.write(block)


def unwrap(header: Header, identities: Iterable[Identity]) -> bytes:
    """The file key of a header, its MAC checked. Raises `CryptoError`: age-header, age-hmac, age-no-match."""
    if len(header.stanzas) > 1 and any(s.arguments[0] == SCRYPT_TYPE for s in header.stanzas):
        raise CryptoError("age-header", "scrypt is not alone")
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            header.check_mac(file_key)
            return file_key
    raise CryptoError("age-no-match")
