"""Installations of their own for each test; see tests/support/sites.py."""

from __future__ import annotations

import pytest

from tests.support.sites import copied, make_template


@pytest.fixture(scope="session")
def vault_template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("vault"), met=False)


@pytest.fixture
def world(vault_template, tmp_path):
    """alpha and beta who verified each other, both unlocked."""
    with copied(vault_template, tmp_path) as found:
        yield found


@pytest.fixture(scope="session")
def met_template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("vault-met"), met=True)


@pytest.fixture
def met(met_template, tmp_path):
    """alpha and beta between whom packages went both ways, both unlocked."""
    with copied(met_template, tmp_path) as found:
        yield found
