"""What the supervisor asks of a driver, and what technicians' commands may ask of some."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import msgspec
from aerocast_protocols.observations.every import Observation

Accept = Callable[[Observation], None]
"""Where a driver hands in what it saw. Returns when it is accepted (in memory); durable follows
within the lane's deadline."""

Fact = str | int | float | bool
Setting = str | int | float | bool | tuple[int | str, ...]
Settings = Mapping[str, Setting]
"""Settings by their keys in the device's kind of profile: ``{"power_dbm": 27.0, "session": 0}``."""


class Driver(Protocol):
    """One device, from connecting to losing it."""

    name: str

    async def run(self, accept: Accept) -> None:
        """Connect, hand every observation to ``accept``, and go on until the device is lost.

        Raising is how a driver reports that its device is gone: the supervisor logs it, waits, and
        calls ``run`` again. A driver therefore has no retry loop of its own. Returning means it is
        done for good (a replay that reached its end). A driver says ``DeviceEvent(connected)``
        through ``accept`` once it is talking to its device, and tells of each antenna by
        ``DeviceEvent(antenna_connected)`` or ``antenna_disconnected`` with its number.
        """


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with a device.

    Attributes
    ----------
    found
        What is wrong, in the device's terms: ``antenna 2 is not connected``.
    mend
        What somebody beside it can do, in the imperative: ``screw its cable to port 2``.
    """

    found: str
    mend: str


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a device says about itself, and what is wrong with it.

    Attributes
    ----------
    says
        In the order to be shown, with units in the names: ``model``, ``firmware``, ``serial``,
        ``region``, ``temperature_c`` ... Nothing the device did not say.
    antennas
        Port -> whether an antenna hangs on it; empty when the device does not say.
    faults
        What is wrong; empty when all is well.
    """

    says: dict[str, Fact] = {}
    antennas: dict[int, bool] = {}
    faults: tuple[Fault, ...] = ()


@runtime_checkable
class Probeable(Protocol):
    """A driver whose device can tell about itself."""

    async def probe(self) -> ProbeReport:
        """Ask the device about itself.

        While ``run`` runs this must not disturb reading: give what the session has learnt, or ask
        within it. Otherwise open the device for as long as it takes, and leave it as it was. The
        caller bounds the time, and words the errors that ``run`` raises too (``OSError``,
        ``TimeoutError``, ``ProtocolError``): no fault need be made of those.
        """


@runtime_checkable
class Adjustable(Protocol):
    """A driver whose device keeps settings that a profile describes.

    Both are called only while ``run`` does not run: each opens the device for itself.
    """

    async def read_back(self) -> Settings:
        """Give the device's present settings, those it can tell, by the profile's keys."""

    async def apply(self, settings: Settings) -> None:
        """Write these settings and leave all others; to the device's own memory where it has one.

        Raises
        ------
        ProtocolError
            The device refused one; the message names it. The caller reads back what was taken,
            and writes the former settings again.
        """
