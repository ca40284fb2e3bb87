"""What the supervisor asks of a driver."""

from collections.abc import Callable
from typing import Protocol

from aerocast_protocols.observations import Observation

Accept = Callable[[Observation], None]
"""Where a driver hands in what it saw. Returns when it is accepted (in memory); durable follows
within the lane's deadline."""


class Driver(Protocol):
    """One device, from connecting to losing it."""

    name: str

    async def run(self, accept: Accept) -> None:
        """Connect, hand every observation to ``accept``, and go on until the device is lost.

        Raising is how a driver reports that its device is gone: the supervisor logs it, waits, and
        calls ``run`` again. A driver therefore has no retry loop of its own. Returning means it is
        done for good (a replay that reached its end). A driver says ``DeviceEvent(connected)``
        through ``accept`` once it is talking to its device.
        """
