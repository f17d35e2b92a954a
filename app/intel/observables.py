"""The observables an object is about, in a form in which the same thing is the same text.

Taken from cyber-observable objects, from those inside observed data, and from the equalities of an
indicator's pattern; what a pattern excludes is not taken. This is what exact search, substring search and
correlation compare.
Sources: STIX 2.1 sections 4.14 (observed data), 6 (cyber-observable objects), 9 (patterning).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from app.intel.fold import fold, refang
from app.intel.patterns import demanded

MAX_VALUE = 2048
"""Characters of an observable; what is longer is found by full text only."""
MAX_OBSERVABLES = 10_000
"""Observables of one object; the rest is not compared."""


class Observable(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """`kind` is what it is (a type of cyber-observable object, or the hash's algorithm: `md5`, `sha-256`);
    `value` is normal (`normal`).
    """

    kind: str
    value: str


class Hashed(msgspec.Struct, frozen=True, gc=False):
    """Two hashes that an object gives of one file: `weak` an MD5 or a SHA-1, which can be made to collide, `strong` a
    SHA-256. `stated`: it describes the file; an indicator only looks for it.
    """

    weak: bytes
    strong: bytes
    stated: bool


# The kind of what a property of a type holds. A path that goes through a reference ends at the object
# referred to.
_KINDS: Mapping[str, str] = {
    "ipv4-addr:value": "ipv4-addr",
    "ipv6-addr:value": "ipv6-addr",
    "domain-name:value": "domain-name",
    "url:value": "url",
    "artifact:url": "url",
    "email-addr:value": "email-addr",
    "mac-addr:value": "mac-addr",
    "file:name": "file",
    "directory:path": "directory",
    "mutex:name": "mutex",
    "windows-registry-key:key": "windows-registry-key",
    "autonomous-system:number": "autonomous-system",
    "user-account:account_login": "user-account",
    "user-account:user_id": "user-account",
    "process:command_line": "process",
    "x509-certificate:serial_number": "x509-certificate",
    "email-message:subject": "email-message",
    "email-message:from_ref.value": "email-addr",
    "email-message:sender_ref.value": "email-addr",
    "email-message:to_refs.value": "email-addr",
    "file:parent_directory_ref.path": "directory",
    "process:image_ref.name": "file",
}
_HASHED = frozenset(("file", "artifact", "x509-certificate"))
# Where a reference may lead to objects of several types, the value tells which.
_ADDRESSES = frozenset(
    (
        *("network-traffic:src_ref.value", "network-traffic:dst_ref.value"),
        *("domain-name:resolves_to_refs.value", "ipv4-addr:value", "ipv6-addr:value"),
    )
)
_PATHS: dict[str, dict[str, str]] = {}
"""By the type of an object and a property: the path; of what holds no hashes."""
for _path in (*_KINDS, *_ADDRESSES):
    _PATHS.setdefault(_path.partition(":")[0], {})[_path.partition(":")[2]] = _path
_HASH_BY_LENGTH = {32: "md5", 40: "sha-1", 64: "sha-256", 96: "sha-384", 128: "sha-512"}
_ALGORITHM = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_HEX = re.compile(r"[0-9a-f]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
WEAK = {"md5": re.compile(r"[0-9a-f]{32}"), "sha-1": re.compile(r"[0-9a-f]{40}")}
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
"""As `ipaddress` takes one, which costs ten times as much."""
_GROUP = "[1-9a-f][0-9a-f]{0,3}"
_SHORT_IPV6 = re.compile(rf"{_GROUP}(?::{_GROUP})*::(?:{_GROUP}(?::{_GROUP})*)?")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]\.?")
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#\s]*)(\S*)", re.IGNORECASE)
_PORT = re.compile(r"\[([^\[\]]+)\](?::[0-9]{1,5})?|([^\[\]:]+):[0-9]{1,5}")
"""An address in brackets, or with a port behind it."""
_DOTTED_MAC = re.compile(r"([0-9a-f]{4})\.([0-9a-f]{4})\.([0-9a-f]{4})")
_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}")
_AS = re.compile(r"(?:as)?0*([0-9]{1,10})")


def observables(value: Mapping[str, object]) -> tuple[Observable, ...]:
    """The observables of an object, each once, in the order they stand in."""
    kind = value.get("type")
    if kind == "indicator":
        pattern = value.get("pattern")
        if not isinstance(pattern, str) or value.get("pattern_type", "stix") != "stix":
            return ()
        all_ = _of_pattern(pattern)
    elif kind == "observed-data":
        all_ = _of_observed(value)
    elif isinstance(kind, str) and (kind in _PATHS or kind in _HASHED):
        all_ = _of_object(kind, value)
    else:
        return ()
    found: dict[Observable, None] = {}
    for one in all_:
        if len(found) == MAX_OBSERVABLES:
            break
        if one is not None:
            found[one] = None
    return tuple(found)


def hashed(type_: str, found: Sequence[Observable]) -> tuple[Hashed, ...]:
    """What the observables of an object of that type say of one file; () where they are of several, or of none."""
    if not (type_ in _HASHED or type_ == "indicator"):
        return ()
    strong = [one.value for one in found if one.kind == "sha-256"]
    if len(strong) != 1 or not _SHA256.fullmatch(strong[0]):
        return ()
    said = []
    for kind, form in WEAK.items():
        weak = [one.value for one in found if one.kind == kind]
        if len(weak) == 1 and form.fullmatch(weak[0]):
            said.append(Hashed(bytes.fromhex(weak[0]), bytes.fromhex(strong[0]), type_ in _HASHED))
    return tuple(said)


def _of_observed(value: Mapping[str, object]) -> Iterator[Observable | None]:
    inside = value.get("objects")
    for item in inside.values() if isinstance(inside, dict) else ():
        if isinstance(item, dict):
            kind = item.get("type")
            if isinstance(kind, str):
                yield from _of_object(kind, item)


def _of_object(kind: str, value: Mapping[str, object]) -> Iterator[Observable | None]:
    if kind not in _HASHED:
        wanted = _PATHS.get(kind, {})
        for key, item in value.items():
            if key in wanted:
                yield _one(wanted[key], item)
        return
    for key, item in value.items():
        if key == "hashes":
            if isinstance(item, dict):
                for algorithm, digest in item.items():
                    yield _one(f"{kind}:hashes.{algorithm}", digest)
        else:
            yield _one(f"{kind}:{key}", item)


def _of_pattern(pattern: str) -> Iterator[Observable | None]:
    for path, item in demanded(pattern):
        yield _one(re.sub(r"\[[^\]]*\]", "", path) if "[" in path else path, item)


def _one(path: str, item: object) -> Observable | None:
    if path == "autonomous-system:number" and isinstance(item, int):
        item = str(item)
    if not isinstance(item, str) or len(item) > MAX_VALUE:
        return None
    kind = _KINDS.get(path, "")
    if path in _ADDRESSES:
        if _IPV4.fullmatch(item):
            return Observable("ipv4-addr", item)
        kind = _address_kind(item) or kind
    elif not kind:
        owner, _, rest = path.partition(":")
        step, _, algorithm = rest.partition(".")
        if owner in _HASHED and step == "hashes":
            kind = hash_kind(algorithm)
    value = normal(kind, item) if kind else ""
    return Observable(kind, value) if value else None


def hash_kind(algorithm: str) -> str:
    """The kind of a hash by the name of its algorithm, however it is written: `SHA256` and `sha-256` are one.

    "" for what is no name of an algorithm.
    """
    return _hash_kind(algorithm[:33])


@lru_cache(256)
def _hash_kind(algorithm: str) -> str:
    name = algorithm.lower().replace("_", "-")
    if not _ALGORITHM.fullmatch(name):
        return ""
    return re.sub(r"\Asha-?(1|224|256|384|512)\Z", r"sha-\1", name)


def _is_short_ipv6(text: str) -> bool:
    """Whether `text` is an address as `ipaddress` writes it, which costs ten times as much; of the usual ones."""
    # More than one group is left out: for a single one the two colons would not stand.
    return text.count(":") <= 6 and _SHORT_IPV6.fullmatch(text) is not None


def _address_kind(text: str) -> str:
    address = text.strip().partition("/")[0]
    if _is_short_ipv6(address):
        return "ipv6-addr"
    try:
        return f"ipv{ipaddress.ip_address(address).version}-addr"
    except ValueError:
        return "domain-name" if _DOMAIN.fullmatch(address) else ""


def normal(kind: str, text: str) -> str:
    """The normal form of an observable: small letters where case does not count, one spelling of an address.

    Idempotent. "" for text that is empty or longer than `MAX_VALUE`.
    """
    text = text.strip()
    if len(text) > MAX_VALUE:
        return ""
    if kind in ("ipv4-addr", "ipv6-addr"):
        return _address(text)
    if kind == "url":
        return _url(text)
    if kind == "autonomous-system":
        number = _AS.fullmatch(text.lower())
        return number[1] if number else text.lower()
    if kind == "mac-addr":
        return text.lower().replace("-", ":")
    if kind == "domain-name":
        return re.sub(r"(?<![.\s])[.\s]+\Z", "", text.lower()) if text.endswith(".") else text.lower()
    if kind in ("directory", "process", "mutex", "x509-certificate", "email-message", "user-account"):
        return text
    return text.lower()


def _address(text: str) -> str:
    if _is_short_ipv6(text):
        return text
    try:
        if "/" in text:
            network = ipaddress.ip_network(text, strict=False)
            whole = network.prefixlen == network.max_prefixlen
            return str(network.network_address if whole else network)
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text.lower()


def _url(text: str) -> str:
    found = _URL.fullmatch(text)
    if not found:
        return text
    scheme, authority, rest = found.groups()
    user, at, host = authority.rpartition("@")
    return f"{scheme.lower()}://{user}{at}{host.lower()}{'' if rest == '/' else rest}"


def guess(query: str) -> tuple[Observable, ...]:
    """What a query may stand for as an observable, defanged or not; () where it looks like none.

    A port behind an address is no part of it.
    """
    text = refang(query.strip())
    at = _PORT.fullmatch(text)
    if at and _address_kind(inner := at[1] or at[2]):
        text = inner
    folded = fold(text)
    if _DOTTED_MAC.fullmatch(folded):
        text = folded = ":".join(re.findall("..", folded.replace(".", "")))
    if not text or len(text) > MAX_VALUE or re.search(r"\s", text):
        return ()
    kinds: list[str] = []
    if _URL.fullmatch(text):
        kinds.append("url")
    elif _EMAIL.fullmatch(folded):
        kinds.append("email-addr")
    elif _HEX.fullmatch(folded) and len(folded) in _HASH_BY_LENGTH:
        kinds.append(_HASH_BY_LENGTH[len(folded)])
    elif _MAC.fullmatch(folded):
        kinds.append("mac-addr")
    elif folded.startswith("as") and _AS.fullmatch(folded):
        kinds.append("autonomous-system")
    elif address := _address_kind(text):
        kinds.append(address)
        if address == "domain-name":
            kinds.append("file")
    return tuple(Observable(kind, normal(kind, text)) for kind in kinds)


def host(query: str) -> tuple[Observable, ...]:
    """The address or the name that a URL leads to; () for what is no URL."""
    found = _URL.fullmatch(refang(query.strip()))
    at = guess(found[2].rpartition("@")[2]) if found else ()
    return tuple(one for one in at if one.kind in ("ipv4-addr", "ipv6-addr", "domain-name"))
