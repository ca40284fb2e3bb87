"""How Python looks for garbage while tests run, and how long Hypothesis may take.

Garbage seldom, and at the end of every file; examples as long as a machine with other work needs.
"""

import gc

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "aerocast", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("aerocast")

gc.disable()  # until everything is imported: none of that is garbage


def pytest_collection_finish():
    """Leave what stands now alone: every start of an application had it searched."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def garbage():
    """What a file left open is found there, not in a later one that has no part in it."""
    yield
    gc.collect()
