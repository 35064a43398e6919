"""Fixtures for tests with a running formation."""

from __future__ import annotations

import pytest

from procdeck.core import lookout, policy, server


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of an engine in this process: the first retry after 0.1 s, samples and the server's farewell 0.2 s."""
    monkeypatch.setattr(policy, "FIRST_DELAY", 0.1)
    monkeypatch.setattr(lookout, "SAMPLE_INTERVAL", 0.2)
    monkeypatch.setattr(server, "GOODBYE_TIMEOUT", 0.2)
