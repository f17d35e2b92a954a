"""What is tracked: no host of a package registry, nothing generated, every library locked with its hashes."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements/run.txt", "requirements/dev.txt")
HOST = re.compile(
    rb"https?://|--(?:extra-)?index-url|--find-links|\bpypi\b|\bnpmjs\b|pythonhosted", re.IGNORECASE
)
GENERATED = re.compile(
    r"\.(mo|pot|pyc|qm)$|(^|/)(__pycache__|build|dist|\.venv)/|\.egg-info/|(^|/)\.(mypy|ruff|pytest|import_linter)_cache/"
)


def tracked() -> list[str]:
    """Every file that git knows here; skipped outside a git checkout."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    out = subprocess.run(
        [git, "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [name for name in out.decode().split("\0") if name and (ROOT / name).exists()]


@pytest.mark.parametrize(
    "name",
    [*LOCKS, "requirements/run.in", "requirements/dev.in", "requirements/build.in", "Makefile", ".ci/run"],
)
def test_no_set_up_file_names_a_host(name: str) -> None:
    assert HOST.findall((ROOT / name).read_bytes()) == []


REGISTRY = re.compile(rb"\bpypi\b|npmjs|pythonhosted|debian\.org", re.IGNORECASE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_no_document_names_a_package_host() -> None:
    pages = [name for name in tracked() if name.endswith(".md")]
    assert "README.md" in pages
    assert [name for name in pages if REGISTRY.search((ROOT / name).read_bytes())] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    dead = []
    for name in tracked():
        if name.endswith(".md"):
            for target in LINK.findall((ROOT / name).read_text(encoding="utf-8")):
                if "://" not in target and not ((ROOT / name).parent / target).exists():
                    dead.append(f"{name}: {target}")
    assert dead == []


def test_no_generated_file_is_tracked() -> None:
    assert [name for name in tracked() if GENERATED.search(name)] == []


def test_no_tracked_text_names_a_folder_of_one_machine() -> None:
    own = re.compile(rb"(?<![\w.])/(?:work|home/\w+|Users/\w+|opt)/")
    texts = [
        n
        for n in tracked()
        if n.endswith((".py", ".md", ".toml", ".in", ".sh", ".txt")) or n in ("Makefile", ".ci/run")
    ]
    found = [
        name
        for name in texts
        if name != "tests/repo/test_repository.py" and own.search((ROOT / name).read_bytes())
    ]
    assert found == []


def locked(name: str) -> dict[str, int]:
    """Each locked library, with the number of its hashes."""
    found: dict[str, int] = {}
    last = ""
    for line in (ROOT / name).read_text().splitlines():
        if match := re.match(r"([a-z0-9-]+)==\S+ \\$", line):
            last = match[1]
            found[last] = 0
        else:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
            found[last] += 1
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_library_has_hashes(name: str) -> None:
    assert all(locked(name).values())
    assert len(locked(name)) > 20


def wanted(name: str) -> set[str]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    names = (re.match(r"[A-Za-z0-9-]+", line) for line in lines if not line.startswith(("#", "-")))
    return {match[0].lower() for match in names if match}


def test_what_is_asked_for_is_locked() -> None:
    run = wanted("run.in") | wanted("build.in")
    assert run <= set(locked("requirements/run.txt"))
    assert run | wanted("dev.in") <= set(locked("requirements/dev.txt"))


def test_both_locks_hold_the_same_versions() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE))

    assert versions(LOCKS[0]) <= versions(LOCKS[1])


def test_every_package_folder_is_named() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        include = tomllib.load(file)["tool"]["setuptools"]["packages"]["find"]["include"]
    assert include == [f for name in ("app", "ui", "crypto", "resources") for f in (name, f"{name}.*")]


@pytest.mark.parametrize("room", ["audit", "courier", "exchange", "formats", "holdings", "store", "vault"])
def test_the_page_on_the_code_names_every_module_of_a_room(room: str) -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf8")
    modules = {path.stem for path in (ROOT / "app" / room).glob("*.py")} - {"__init__"}
    assert sorted(name for name in modules if f"`{name}`" not in page) == []
