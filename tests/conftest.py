"""What every test shares: the corpus of real files, the Hypothesis profiles, and a machine that is nobody's.

No display is needed, no keyring is asked, and the folders for data and settings are thrown away afterwards, so that
a test that forgets to name its own cannot touch the officer's.

Timings never decide a unit test: no Hypothesis deadline anywhere; figures belong to tests/bench.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
_nobodys = tempfile.TemporaryDirectory(prefix="mithaq-tests-")
atexit.register(_nobodys.cleanup)
for _variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
    os.environ[_variable] = _nobodys.name

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What one process runs when several share the tests: a file, as its fixtures are made once for it; and every
    window, as a display has one keyboard.
    """
    windows = Path(__file__).parent / "ui"
    for item in items:
        item.add_marker(pytest.mark.xdist_group("window" if windows in item.path.parents else str(item.path)))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files that MITHAQ_CORPUS names. Without it: skipped; in CI (CI=true): failed."""
    named = os.environ.get("MITHAQ_CORPUS", "")
    folder = Path(named)
    if named and folder.is_dir():
        return folder
    reason = f"MITHAQ_CORPUS is not a folder: {named}" if named else "MITHAQ_CORPUS is not set"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI needs the corpus")
    pytest.skip(reason)
