"""Other people's age, in both directions: Debian's `age` for X25519 and passphrases' armor, npm's for X-Wing.

Runs in `make interop`. Needs `age` and `age-keygen` on the path; and `node` with the folder that MITHAQ_NODE_MODULES
names, in which `npm install age-encryption@0.3.1` was run. What is missing is skipped, by name.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from crypto import age, age_stream
from tests.crypto.samples import SEED, sealed, source

pytestmark = pytest.mark.torture

SCRIPT = Path(__file__).with_name("interop.mjs")
SIZES = [0, 1, 65535, 65536, 65537, 3_000_000]


def missing(what: str) -> None:
    """`make interop` sees to everything: there, what is missing is a failure."""
    if os.environ.get("MITHAQ_INTEROP") == "required":
        pytest.fail(what)
    pytest.skip(what)


def run(*command: str | Path, given: bytes = b"") -> bytes:
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def encrypted(body: bytes, recipient: age.Recipient, armored: bool = False) -> bytes:
    target = io.BytesIO()
    age.encrypt(io.BytesIO(body), target, [recipient], armored=armored)
    return target.getvalue()


def decrypted(raw: bytes, identity: age.Identity) -> bytes:
    target = io.BytesIO()
    age.decrypt(io.BytesIO(raw), target, [identity])
    return target.getvalue()


# Debian's age


@pytest.fixture(scope="module")
def debian() -> None:
    if not (shutil.which("age") and shutil.which("age-keygen")):
        missing("age is not installed")


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("armored", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_age_reads_ours(tmp_path: Path, size: int, armored: bool) -> None:
    identity = age.X25519Identity.generate()
    keys = tmp_path / "keys"
    keys.write_bytes(age.identity_file(identity, "2026-11-23T12:00:00Z"))
    assert run("age-keygen", "-y", keys).decode().strip() == str(identity.recipient)
    body = os.urandom(size)
    assert run("age", "-d", "-i", keys, given=encrypted(body, identity.recipient, armored)) == body


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("options", [(), ("-a",)])
@pytest.mark.parametrize("size", SIZES)
def test_we_read_ages(tmp_path: Path, size: int, options: tuple[str, ...]) -> None:
    keys = tmp_path / "keys"
    run("age-keygen", "-o", keys)
    (identity,) = age.parse_identity_file(keys.read_bytes())
    body = os.urandom(size)
    raw = run("age", *options, "-r", str(identity.recipient), given=body)
    assert decrypted(raw, identity) == body


# npm's age-encryption


@pytest.fixture(scope="module")
def node() -> None:
    modules = os.environ.get("MITHAQ_NODE_MODULES", "")
    if not shutil.which("node") or not (Path(modules) / "node_modules" / "age-encryption").is_dir():
        missing("node, or MITHAQ_NODE_MODULES with age-encryption in it, is missing")


def typage(*given: str, stdin: bytes = b"") -> bytes:
    return run("node", SCRIPT, *given, given=stdin)


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("size", SIZES)
def test_typage_reads_ours(size: int) -> None:
    identity = age.HybridIdentity.generate()
    assert typage("recipient", str(identity)).decode() == str(identity.recipient)
    body = os.urandom(size)
    assert typage("decrypt", str(identity), stdin=encrypted(body, identity.recipient)) == body


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("size", SIZES)
def test_we_read_typages(size: int) -> None:
    identity = age.parse_identity(typage("keygen").decode())
    body = os.urandom(size)
    assert decrypted(typage("encrypt", str(identity.recipient), stdin=body), identity) == body


@pytest.mark.usefixtures("node")
def test_a_package_opens_in_an_emergency() -> None:
    """docs/package-format.md, section 13: with an identity in text and another program."""
    body = os.urandom(3 * age_stream.CHUNK)
    raw, result = sealed([source("note", b"salam"), source("attachment", body)])
    inside = typage("decrypt", str(age.HybridIdentity(SEED)), stdin=raw)
    at = 12 + int.from_bytes(inside[8:12], "big") + 3373
    assert inside[12 : 12 + len(result.manifest_raw)] == result.manifest_raw
    assert inside[at : at + 13] == (5).to_bytes(8, "big") + b"salam"
    assert inside[at + 21 : at + 21 + len(body)] == body
