"""What all tests rely on: a missing corpus skips at home and fails in CI, and every warning fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def outcome(folder: Path, source: str, **environment: str) -> str:
    """The closing line of pytest over one test file, under our own configuration."""
    (folder / "test_one.py").write_text(source)
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "MITHAQ_CORPUS")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(folder),
    ]
    command += ["-p", "tests.conftest", "-p", "no:cacheprovider", str(folder / "test_one.py")]
    done = subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout.strip().splitlines()[-1]


NEEDS = "def test_real_files(corpus):\n    assert corpus.is_dir()\n"


@pytest.mark.parametrize("named", [{}, {"MITHAQ_CORPUS": ""}, {"MITHAQ_CORPUS": "/nowhere"}])
def test_a_missing_corpus_skips_at_home_and_fails_in_ci(tmp_path: Path, named: dict[str, str]) -> None:
    assert outcome(tmp_path, NEEDS, **named).startswith("1 skipped")
    assert outcome(tmp_path, NEEDS, CI="true", **named).startswith("1 error")


def test_a_corpus_is_used(tmp_path: Path) -> None:
    assert outcome(tmp_path, NEEDS, MITHAQ_CORPUS=str(tmp_path)).startswith("1 passed")


def test_the_officers_own_folders_are_out_of_reach(tmp_path: Path) -> None:
    source = (
        "import platformdirs\ndef test_data():\n    assert '-tests-' in platformdirs.user_data_dir('x')\n"
    )
    assert outcome(tmp_path, source, XDG_DATA_HOME=str(tmp_path)).startswith("1 passed")


def test_a_warning_fails_the_test_that_caused_it(tmp_path: Path) -> None:
    source = "import warnings\ndef test_warns():\n    warnings.warn('old', DeprecationWarning)\n"
    assert outcome(tmp_path, source).startswith("1 failed")
