"""Ports that nobody else on this machine may have: what runs here with the usual one, 5000, would be told of them."""

from __future__ import annotations

import pytest

from tests.engine.support import free_base


@pytest.fixture
def own_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody says another, the base port is one for this test alone."""
    monkeypatch.setenv("PORT", str(free_base()))
