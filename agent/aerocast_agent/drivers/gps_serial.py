"""Driver for GPS receivers on a serial line: NMEA 0183, UBX of u-blox, or both."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aerocast_protocols.gnss import Fix, doubt_about_time
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept, Fact, Fault, ProbeReport, Settings
from aerocast_agent.positions import FixReader, PositionReports
from aerocast_agent.serial_port import SerialPort
from aerocast_agent.silence import heard_within

if TYPE_CHECKING:
    from aerocast_protocols.ubx.receiver import Version

SILENCE_LIMIT_S = 30.0  # receivers speak every second, with or without a fix
PROBE_FOR_S = 5.0


class GpsSerial:
    """Reads positions from one receiver, at most one a second.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    port, baud
        Where it is plugged in, and its bits a second.
    """

    def __init__(self, name: str, port: str, baud: int = 9600) -> None:
        self.name = name
        self._port, self._baud = port, baud
        self._running = False
        self._fix: Fix | None = None

    async def run(self, accept: Accept) -> None:
        """Read positions until the receiver is lost or silent (``OSError``, ``TimeoutError``)."""
        reader, reports = FixReader(), PositionReports(self.name, clock.time_window)
        async with SerialPort(self._port, self._baud) as port:
            accept(
                DeviceEvent(
                    device=self.name, boot_ns=clock.boot_ns(), event="connected", detail=self._port
                )
            )
            self._running, self._fix = True, None
            try:
                while True:
                    received = await heard_within(SILENCE_LIMIT_S, self.name, port.read())
                    for fix in reader.feed(received.content):
                        self._fix = fix
                        position = reports.report(fix, received.boot_ns)
                        if position is not None:
                            accept(position)
            finally:
                self._running = False

    async def probe(self) -> ProbeReport:
        """Tell the last fix, what a u-blox says of itself, and what is wrong."""
        version, fix = None, self._fix
        if not self._running:
            version, fix = await self._look()
        return ProbeReport(says=dict(_said(version, fix)), faults=tuple(_faults(fix)))

    async def read_back(self) -> Settings:
        """Give a u-blox receiver's settings, those it has."""
        from aerocast_agent.ublox import UbloxReceiver  # noqa: PLC0415  rarely asked for

        async with SerialPort(self._port, self._baud) as port:
            return await UbloxReceiver(self.name, port).read_back()

    async def apply(self, settings: Settings) -> None:
        """Write settings to a u-blox receiver.

        Raises
        ------
        ProtocolError
            It refused one.
        """
        from aerocast_agent.ublox import UbloxReceiver  # noqa: PLC0415  rarely asked for

        async with SerialPort(self._port, self._baud) as port:
            await UbloxReceiver(self.name, port).apply(settings)

    async def _look(self) -> "tuple[Version | None, Fix | None]":
        """Open the receiver, ask what it is, and wait for a fix of any kind."""
        from aerocast_agent.ublox import UbloxReceiver  # noqa: PLC0415  rarely asked for

        async with SerialPort(self._port, self._baud) as port:
            version = await UbloxReceiver(self.name, port).version()
            reader = FixReader()
            try:
                async with asyncio.timeout(PROBE_FOR_S):
                    while True:
                        for fix in reader.feed((await port.read()).content):
                            return version, fix
            except TimeoutError:
                return version, None


def _said(version: "Version | None", fix: Fix | None) -> Iterator[tuple[str, Fact]]:
    if version is not None:
        yield "model", version.model or version.hardware
        yield "firmware", version.firmware or version.software
        if version.protocol is not None:
            yield "ubx_version", version.protocol
    if fix is None:
        return
    yield "speaks", fix.source
    yield "mode", fix.mode
    if fix.satellites is not None:
        yield "satellites", fix.satellites
    if fix.fix_at_us is not None:
        yield "time_trusted", doubt_about_time(fix, clock.time_window()) is None


def _faults(fix: Fix | None) -> Iterator[Fault]:
    if fix is None:
        yield Fault(
            found="it sends neither NMEA positions nor NAV-PVT",
            mend="correct its baud in agent.toml, or switch RMC and GGA, or NAV-PVT, on in it",
        )
    elif fix.mode < 2:
        yield Fault(
            found=f"no fix, {fix.satellites or 0} satellites",
            mend="give its antenna a view of the sky, and wait for a minute",
        )
    elif (doubt := doubt_about_time(fix, clock.time_window())) is not None:
        yield Fault(
            found=f"its time is not believed: {doubt}",
            mend=(
                "its week number rolled over: it needs newer firmware, or to be replaced"
                if "weeks" in doubt
                else "see that this machine's own clock is right: 'aerocast-agent doctor'"
            ),
        )
