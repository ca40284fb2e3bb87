"""What scanners that keep settings have in common, whatever line they are on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from aerocast_protocols.errors import ProtocolError

from aerocast_agent.driver import Settings

if TYPE_CHECKING:
    from aerocast_agent.profiles import ScannerProfile
    from aerocast_agent.scanner_programming import ScannerProgramming


class Line(NamedTuple):
    """A line to a scanner: wait for bytes, and send some."""

    read: Callable[[], Awaitable[bytes]]
    write: Callable[[bytes], Awaitable[None]]


class ProgrammedScanner:
    """A scanner whose settings can be read back and written, if it has a profile.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    profile
        How it is to be programmed, when somebody asks for that.
    """

    def __init__(self, name: str, profile: "ScannerProfile | None") -> None:
        self.name = name
        self._profile = profile

    def line(self) -> AbstractAsyncContextManager[Line]:
        """Open the line to the scanner."""
        raise NotImplementedError

    async def read_back(self) -> Settings:
        """Give the settings that its profile names, as the scanner has them."""
        async with self._programming() as programming:
            return await programming.read_back()

    async def apply(self, settings: Settings) -> None:
        """Write settings, and have the scanner keep them.

        Raises
        ------
        ProtocolError
            It refused one.
        """
        async with self._programming() as programming:
            await programming.apply(settings)

    @asynccontextmanager
    async def _programming(self) -> "AsyncIterator[ScannerProgramming]":
        from aerocast_agent.scanner_programming import (  # noqa: PLC0415  rarely asked for
            ScannerProgramming,
        )

        if self._profile is None:
            raise ProtocolError(f"{self.name}: agent.toml names no profile for it")
        async with self.line() as line:
            yield ScannerProgramming(self.name, self._profile, line)
