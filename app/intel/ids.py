"""Identifiers: their form, and those of cyber-observable objects, which follow from what the object says.

Source: STIX 2.1 section 2.9 (UUIDv5 over the canonical JSON of the contributing properties) and section 6,
where each type names them; canonical JSON is RFC 8785. Same observable, same id, on whichever side it was
written.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from functools import lru_cache

_HEX = "[0-9a-fA-F]"
UUID = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
"""The second half of an identifier, as a regular expression; which kind of UUID it is plays no part."""

_UUID = re.compile(UUID)
_TYPE = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,249}")


@lru_cache(maxsize=256)
def is_type(text: str) -> bool:
    """Whether `text` could be the type of an object: small letters, digits and single dashes, at most 250."""
    return len(text) <= 250 and _TYPE.fullmatch(text) is not None


def type_of(identifier: str) -> str:
    """The type that an identifier begins with; "" where `identifier` is none."""
    kind, _dashes, rest = identifier.partition("--")
    return kind if len(rest) == 36 and _UUID.fullmatch(rest) and is_type(kind) else ""


def is_id(identifier: str, kind: str) -> bool:
    """Whether `identifier` is one of an object of the type `kind`."""
    behind = len(kind) + 2
    return (
        len(identifier) == behind + 36
        and identifier.startswith(kind)
        and identifier.startswith("--", behind - 2)
        and _UUID.fullmatch(identifier, behind) is not None
    )


NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""The namespace the specification gives for these identifiers."""

CONTRIBUTING: Mapping[str, tuple[str, ...]] = {
    "artifact": ("hashes", "payload_bin"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "parent_directory_ref", "extensions"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": (
        *("start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"),
    ),
    "process": (),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "user-account": ("account_type", "user_id", "account_login"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
}
"""The types of cyber-observable objects that STIX 2.1 defines, and the properties their ids follow from."""

_HASHES = ("MD5", "SHA-1", "SHA-256", "SHA-512")


def sco_id(value: Mapping[str, object]) -> str | None:
    """The identifier that the object `value` (its own `id` not needed) has by the specification.

    None where the specification gives none: other types, a process, and objects without any contributing
    property; those take a random UUID. Numbers beyond what strict JSON allows have no canonical form: also
    None.
    """
    import rfc8785

    kind = value.get("type")
    said: dict[str, object] = {}
    for key in CONTRIBUTING.get(kind, ()) if isinstance(kind, str) else ():
        if key not in value:
            continue
        if key == "hashes":
            chosen = _one_hash(value[key])
            if chosen:
                said[key] = chosen
        else:
            said[key] = value[key]
    if not said:
        return None
    try:
        canonical = rfc8785.dumps(said)  # type: ignore[arg-type]
    except rfc8785.CanonicalizationError:
        return None
    return f"{kind}--{uuid.uuid5(NAMESPACE, canonical.decode())}"


def _one_hash(hashes: object) -> dict[str, object]:
    """The one hash that counts: the first of the four common algorithms, else the first written."""
    if not isinstance(hashes, dict):
        return {}
    for algorithm in (*_HASHES, *hashes):
        if algorithm in hashes:
            return {algorithm: hashes[algorithm]}
    return {}
