"""An installation whose log is long enough to be tampered with: it sealed and opened packages."""

from __future__ import annotations

import pytest

from tests.support.sites import accept_all, copied, indicator, make_template, release, take


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("template"), met=True)


@pytest.fixture
def world(template, tmp_path):
    with copied(template, tmp_path) as sites:
        yield sites


@pytest.fixture
def busy(world):
    """alpha released twice to beta, with other acts before, between and after."""
    take(world.alpha, indicator(1), indicator(2))
    accept_all(world.beta, release(world.alpha, "beta").package.path)
    take(world.alpha, indicator(3))
    release(world.alpha, "beta", indicator(3)["id"])
    take(world.alpha, indicator(4))
    return world
