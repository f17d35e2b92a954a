"""Installations driven as an officer drives them: real processes of `mithaq-cli`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import vault
from crypto.identity import read_card
from crypto.slots import Cost

CHEAP = Cost(passes=1, memory=8)
CLI = Path(sys.executable).with_name("mithaq-cli")


class Site:
    """One installation in a folder of its own. `run` returns the JSON document; `code` and `err` are of
    the last run.
    """

    def __init__(self, root: Path, name: str, passphrase: str = "correct horse battery staple") -> None:
        self.root, self.name, self.home = root, name, root / name
        self.passphrase = root / f"{name}.pass"
        self.passphrase.write_text(passphrase + "\n")
        self.code, self.err = -1, ""

    def run(self, *args, ok=(0,)):
        command = [CLI, "--home", self.home, "--passphrase-file", self.passphrase, "--json", *args]
        done = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=self.env()
        )
        self.code, self.err = done.returncode, done.stderr.strip()
        assert "Traceback" not in self.err, self.err
        if ok is not None:
            assert self.code in ok, (args, self.code, self.err)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def refused(self, *args):
        """Run what must be refused; returns the code of the one line on standard error."""
        self.run(*args, ok=(1,))
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        _, code, sentence = lines[0].split(": ", 2)
        assert sentence not in ("", "Refused."), f"no sentence for {code}"
        return code

    def env(self):
        return {k: v for k, v in os.environ.items() if k != "MITHAQ_CORPUS"}

    def init(self, country="JO"):
        self.fingerprint = self.run(
            "init", "--name", self.name, "--country", country, "--officer", "R. Haddad"
        )["fingerprint"]
        return self

    def export(self, *args):
        out = self.root / f"{self.name}-{os.urandom(4).hex()}.json"
        self.run("export", "--out", out, *args)
        return json.loads(out.read_bytes())["objects"]


def connect(a: Site, b: Site) -> None:
    """Pin and verify each other's cards."""
    for one, other in ((a, b), (b, a)):
        card = one.root / f"{other.name}.card"
        if not card.exists():
            other.run("card", "export", card)
        one.run("counterpart", "add", card)
        one.run("counterpart", "verify", other.fingerprint, "--confirmed")


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Installations made once, with a key derivation that costs nothing, and copied for each test."""
    root = tmp_path_factory.mktemp("template")
    for name, country in (("alpha", "JO"), ("beta", "PT"), ("gamma", "TN")):
        site = Site(root, name)
        passphrase = site.passphrase.read_text().strip()
        vault.create(site.home, name, country, "R. Haddad", passphrase, cost=CHEAP)
        site.run("card", "export", root / f"{name}.card")
    connect(at(root, "alpha"), at(root, "beta"))
    return root


def at(root: Path, name: str) -> Site:
    """The installation `name` in `root`, which is there already."""
    site = Site(root, name)
    site.fingerprint = read_card((root / f"{name}.card").read_bytes()).fingerprint
    return site


@pytest.fixture
def pair(template, tmp_path):
    """Two connected installations."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return at(tmp_path, "alpha"), at(tmp_path, "beta")


@pytest.fixture
def stranger(pair, tmp_path):
    """A third installation, which the pair does not know."""
    return at(tmp_path, "gamma")


@pytest.fixture
def site(template, tmp_path):
    """One installation."""
    shutil.copytree(template / "alpha", tmp_path / "alpha")
    shutil.copy(template / "alpha.card", tmp_path)
    return at(tmp_path, "alpha")


def bundle(path: Path, *objects) -> Path:
    path.write_text(
        json.dumps(
            {"type": "bundle", "id": f"bundle--{'0' * 8}-0000-4000-8000-{'0' * 12}", "objects": objects}
        )
    )
    return path


CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"


def indicator(number: int, marking: str | None = CLEAR, **more):
    value = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{number:08d}-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": f"probe {number}",
        "pattern": f"[ipv4-addr:value = '198.51.100.{number % 256}']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
    }
    return value | ({"object_marking_refs": [marking]} if marking else {}) | more
