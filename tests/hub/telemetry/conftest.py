"""Time enough for spans on their way."""

import pytest
from aerocast_hub.telemetry import spans_out, tracing


@pytest.fixture
def unhurried(monkeypatch):
    """A receiver that is there gets every span, however long the machine takes over it."""
    monkeypatch.setattr(spans_out, "_EXPORT_TIMEOUT_S", 60)
    monkeypatch.setattr(tracing, "_CLOSE_WITHIN_S", 60.0)
