"""Instants as requests name them."""

import time
from typing import Annotated

from litestar.params import QueryParameter

from aerocast_hub.schedule import LATEST_US

AskedInstant = Annotated[
    int | None,
    QueryParameter(
        ge=0, le=LATEST_US, description="UTC microseconds since 1970-01-01; left out: now"
    ),
]
"""A query parameter ``at_us`` that chooses another instant than now."""


def asked_us(at_us: int | None) -> int:
    """Give the instant asked for, else now."""
    return time.time_ns() // 1000 if at_us is None else at_us
