"""The arrows of docs/architecture.md: a forbidden import is caught, an allowed one is not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "crypto", "resources", "ui")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest house: every room of the contracts, empty."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", folder)
    rooms = ["exchange", "formats", "vault", "courier", "holdings", "store", "intel"]
    for package in [*PACKAGES, *(f"app/{room}" for room in rooms)]:
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    for module in ("cli", "practice", "officers", "audit", "jobs", "messages", "settings"):
        (folder / "app" / f"{module}.py").touch()
    (folder / "crypto" / "package.py").write_text("import nacl, cryptography\n")
    return folder


def broken(folder: Path, where: str, line: str) -> set[str]:
    """The names of the contracts that `line` in the file `where` breaks."""
    path = folder / where
    before = path.read_text() if path.exists() else None
    path.write_text((before or "") + line + "\n")
    try:
        tool = Path(sys.executable).parent / "lint-imports"
        done = subprocess.run(
            [tool, "--no-cache", "--no-logo"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    found = {text.removesuffix(" BROKEN") for text in done.stdout.splitlines() if text.endswith(" BROKEN")}
    assert (done.returncode == 0) == (not found), done.stdout + done.stderr
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return found


TOP = "ui -> app -> crypto; resources imports nothing of ours"
INSIDE = "Inside app: the order of the house; siblings do not know each other"


@pytest.mark.parametrize(
    "where, line, contract",
    [
        ("app/cli.py", "import ui", TOP),
        ("crypto/package.py", "from app import messages", TOP),
        ("app/holdings/__init__.py", "import app.exchange", INSIDE),
        ("app/intel/__init__.py", "from app.store import x", INSIDE),
        ("app/exchange/__init__.py", "import app.vault", INSIDE),
        ("app/formats/__init__.py", "import app.exchange", INSIDE),
        ("app/courier/__init__.py", "import app.officers", INSIDE),
        ("app/messages.py", "import app.intel", INSIDE),
        ("app/stray.py", "", INSIDE),
        ("app/jobs.py", "from PySide6 import QtCore", "No Qt in app or crypto"),
        ("app/holdings/__init__.py", "import sqlcipher3.dbapi2", "sqlcipher3 only in app.store"),
        ("ui/window.py", "import sqlcipher3", "sqlcipher3 only in app.store"),
        (
            "app/holdings/__init__.py",
            "import stix2",
            "stix2 and stix2patterns only in app.intel and app.formats",
        ),
        ("app/store/__init__.py", "import cryptography", "nacl and cryptography only in crypto"),
        ("ui/window.py", "from nacl import utils", "nacl and cryptography only in crypto"),
        ("app/settings.py", "import keyring", "keyring only in app.vault.workstation"),
    ],
)
def test_a_forbidden_import_is_caught(copy: Path, where: str, line: str, contract: str) -> None:
    assert contract in broken(copy, where, line)


def test_allowed_imports_pass(copy: Path) -> None:
    allowed = {
        "ui/window.py": "import app.cli, app.holdings, PySide6",
        "app/cli.py": "import app.practice, app.exchange, crypto.package",
        "app/exchange/inbox.py": "import app.formats, app.holdings",
        "app/vault/workstation.py": "import keyring, app.holdings",
        "app/store/rows.py": "import sqlcipher3.dbapi2, app.intel",
        "app/intel/patterns.py": "import stix2, stix2patterns, app.messages",
        "app/formats/misp.py": "import stix2, app.holdings",
    }
    for where, line in allowed.items():
        path = copy / where
        path.write_text(line + "\n")
    try:
        assert broken(copy, "app/jobs.py", "import app.messages") == set()
    finally:
        for where in allowed:
            (copy / where).write_text("")
