"""Two installations that verified each other, and mallory, whom alpha verified and who keeps no rule."""

from __future__ import annotations

import pytest

from tests.support.sites import copied, copied_trio, make_template, make_trio


@pytest.fixture(scope="session")
def strangers_template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("strangers"), met=False)


@pytest.fixture(scope="session")
def met_template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("met"), met=True)


@pytest.fixture
def world(strangers_template, tmp_path):
    """Nothing was exchanged yet."""
    with copied(strangers_template, tmp_path) as found:
        yield found


@pytest.fixture
def met(met_template, tmp_path):
    """alpha and beta have each other's one-time keys."""
    with copied(met_template, tmp_path) as found:
        yield found


@pytest.fixture(scope="session")
def trio_template(tmp_path_factory):
    return make_trio(tmp_path_factory.mktemp("trio"))


@pytest.fixture
def trio(trio_template, tmp_path):
    """alpha, beta and gamma, each pair with each other's one-time keys."""
    with copied_trio(trio_template, tmp_path) as found:
        yield found
