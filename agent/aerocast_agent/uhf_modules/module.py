"""What the driver, and whoever sets modules up, asks of a module of any family."""

from typing import NoReturn, Protocol

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.tags import ModuleTag


class ModuleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a module says of itself; None where its family or its firmware does not tell.

    Attributes
    ----------
    region
        ``fcc``, ``etsi``, ``china`` ... as profiles name them; ``none``: it does not transmit.
    channels_khz
        Which it hops on; empty when it does not tell.
    power_dbm
        At the connector; the highest, when antennas differ.
    power_step_db
        How finely power can be set; what is asked for is met from below.
    session, q
        Gen2 session, and the slot count 2^q at the start of a round.
    antennas
        Port, from 1 -> whether an antenna hangs on it; empty when the module cannot tell.
    """

    model: str
    firmware: str | None = None
    hardware: str | None = None
    region: str | None = None
    channels_khz: tuple[int, ...] = ()
    power_dbm: float | None = None
    power_step_db: float = 0.01
    temperature_c: float | None = None
    session: int | None = None
    q: int | None = None
    antennas: dict[int, bool] = {}

    def has_power(self, wanted_dbm: float) -> bool:
        """Say whether its power is the nearest to the wanted that is not above it."""
        if self.power_dbm is None:
            return False
        return 0 <= round(wanted_dbm - self.power_dbm, 3) < self.power_step_db


class RefusedError(ProtocolError):
    """The module did not do what it was asked; the message says what it answered."""


class Sightings(Protocol):
    """Where a module that reads hands in what it notices."""

    def tag(self, tag: ModuleTag) -> None:
        """Take a tag."""

    def antenna(self, port: int, *, connected: bool) -> None:
        """Take the state of an antenna, changed or not; port 0: the module does not say which."""

    def trouble(self, detail: str) -> None:
        """Take what hinders the module without ending its session."""


class Module(Protocol):
    """One module behind an open line. Every method may raise ``OSError`` and ``ProtocolError``."""

    async def wake(self) -> None:
        """End what it was doing and see that it answers (``TimeoutError``)."""

    async def facts(self) -> ModuleFacts:
        """Ask what it is and how it is set."""

    async def set_power(self, power_dbm: float) -> None:
        """Set the power of all antennas, in the steps it has."""

    async def set_region(self, region: str) -> None:
        """Set the region, of which its channels follow."""

    async def set_channels(self, channels_khz: tuple[int, ...]) -> None:
        """Set the channels to hop on, of the region it is set to."""

    async def set_query(self, session: int | None, q: int | None) -> None:
        """Set the Gen2 session, 0 to 3, and Q, 0 to 15; None leaves what is."""

    async def read(self, sightings: Sightings) -> NoReturn:
        """Read tags until the line is lost; what stops by itself is started again."""
