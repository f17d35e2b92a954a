"""Installations of their own for each test; see tests/support/sites.py."""

from __future__ import annotations

import pytest

from tests.support.sites import copied, make_template


@pytest.fixture(scope="session")
def store_template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("store"), met=False)


@pytest.fixture
def world(store_template, tmp_path):
    """alpha and beta who verified each other, both unlocked."""
    with copied(store_template, tmp_path) as found:
        yield found
