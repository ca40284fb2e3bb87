"""Driver for UHF RFID modules on serial lines: M100/R200, Indy R2000, UHFReader18, ThingMagic."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

import msgspec
from aerocast_protocols.observations.bags import TagRead
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_protocols.uhf_serial.framing import FrameBuffer, Measure
from aerocast_protocols.uhf_serial.tags import ModuleTag

from aerocast_agent import clock
from aerocast_agent.driver import Accept, Fact, Fault, ProbeReport, Settings
from aerocast_agent.profiles import UhfProfile
from aerocast_agent.radio_law import breaches
from aerocast_agent.uhf_modules.line import Line
from aerocast_agent.uhf_modules.module import Module, ModuleFacts

Protocol = Literal["m100", "r2000", "uhfreader18", "mercury"]
Change = Literal["connected", "antenna_connected", "antenna_disconnected", "configuration"]
log = logging.getLogger(__name__)

ANY_MODULE = UhfProfile(vendor="any", model="any")
"""What is used when agent.toml names no profile."""


class UhfSerial:
    """Reads tags through one module.

    A session begins with a stop, as a module that reads does not say what it is. Its settings are
    compared, and written only where they differ; then it reads, and nothing stops it.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    port
        Where it is plugged in.
    protocol
        Which one it speaks.
    baud
        Bits a second; None: what its family comes with.
    profile
        How it shall be set; None leaves it as it is.

    Attributes
    ----------
    corrupt
        Tags so far whose own CRC was wrong; they are reported to nobody.
    """

    def __init__(
        self,
        name: str,
        port: str,
        protocol: Protocol,
        baud: int | None = None,
        profile: UhfProfile | None = None,
    ) -> None:
        self.name = name
        self.corrupt = 0
        self._port, self._protocol, self._baud = port, protocol, baud
        self._profile = profile or ANY_MODULE
        self._facts: ModuleFacts | None = None

    async def run(self, accept: Accept) -> None:
        """Read until the module is lost (``OSError``, ``TimeoutError``, ``ProtocolError``)."""
        async with self._opened() as (line, module):
            facts = await self._settle(module)
            sightings = _Sightings(self, line, accept)
            sightings.tell("connected", _worded(facts, self._port))
            for port, is_there in facts.antennas.items():
                sightings.tell_antenna(port, connected=is_there)
            self._facts = facts
            try:
                await module.read(sightings)
            finally:
                self._facts = None

    async def probe(self) -> ProbeReport:
        """Tell what the module says of itself: while it reads, what it said before that."""
        facts = self._facts
        if facts is None:
            async with self._opened() as (_, module):
                facts = await module.facts()
        says: dict[str, Fact] = {
            name: fact
            for name in ("model", "hardware", "firmware", "region", "power_dbm", "temperature_c")
            if (fact := getattr(facts, name)) is not None
        }
        return ProbeReport(says=says, antennas=facts.antennas, faults=tuple(self._faults(facts)))

    async def read_back(self) -> Settings:
        """Give region, channels, power, session and Q as far as the module tells them."""
        async with self._opened() as (_, module):
            facts = await module.facts()
        told = {
            "region": None if facts.region == "none" else facts.region,
            "channels_khz": facts.channels_khz or None,
            "power_dbm": facts.power_dbm,
            "session": facts.session,
            "q": facts.q,
        }
        return {key: setting for key, setting in told.items() if setting is not None}

    async def apply(self, settings: Settings) -> None:
        """Write settings; which antennas to read on is this driver's, not the module's.

        Raises
        ------
        ProtocolError
            The module refused one, or its family has no such setting.
        """
        wanted = msgspec.convert(dict(settings), _Wanted)
        async with self._opened() as (_, module):
            if wanted.channels_khz:
                await module.set_channels(wanted.channels_khz)
            if wanted.power_dbm is not None:
                await module.set_power(wanted.power_dbm)
            if wanted.session is not None or wanted.q is not None:
                await module.set_query(wanted.session, wanted.q)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Line, Module]]:
        """Open the line and wake the module."""
        family = _family(self._protocol)
        baud = family.baud if self._baud is None else self._baud
        async with Line(self.name, self._port, baud, FrameBuffer(family.measure)) as line:
            module = family.module(line, self._profile.antennas)
            await module.wake()
            yield line, module

    async def _settle(self, module: Module) -> ModuleFacts:
        """Set what differs from the profile, and give how the module is then."""
        facts = await module.facts()
        wanted = self._profile
        if wanted.region not in {"any", facts.region}:
            log.info("%s: region %s -> %s", self.name, facts.region, wanted.region)
            await module.set_region(wanted.region)
            facts = await module.facts()
        if wanted.channels_khz and set(wanted.channels_khz) != set(facts.channels_khz):
            log.info("%s: channels %s -> %s", self.name, facts.channels_khz, wanted.channels_khz)
            await module.set_channels(wanted.channels_khz)
        if wanted.power_dbm is not None and not facts.has_power(wanted.power_dbm):
            log.info("%s: power %s -> %g dBm", self.name, facts.power_dbm, wanted.power_dbm)
            await module.set_power(wanted.power_dbm)
        session = None if wanted.session == facts.session else wanted.session
        q = None if wanted.q == facts.q else wanted.q
        if session is not None or q is not None:
            await module.set_query(session, q)
        return await module.facts()

    def _faults(self, facts: ModuleFacts) -> Iterator[Fault]:
        for port, is_there in facts.antennas.items():
            if not is_there:
                yield Fault(
                    found=f"antenna {port} is not connected",
                    mend=f"screw its cable to port {port}, or leave the port out of the profile",
                )
        if facts.region == "none":
            yield Fault(
                found="the module has no region, so it does not transmit",
                mend="name a profile with the region whose law holds here",
            )
        elif self._profile.region not in {"any", facts.region}:
            yield Fault(
                found=f"the module is set to region {facts.region}, not {self._profile.region}",
                mend="connect it to the daemon, which sets it, or take another profile",
            )
        breach = next(breaches(facts.region or "any", None, None, 0.0, facts.channels_khz), None)
        if breach is not None:
            yield Fault(
                found=f"the module hops where the law allows less: {breach}",
                mend="name channels_khz in its profile; those that came along do",
            )


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """Settings as `UhfProfile` has them."""

    power_dbm: float | None = None
    session: int | None = None
    q: int | None = None
    antennas: tuple[int, ...] = ()
    channels_khz: tuple[int, ...] = ()


class _Sightings:
    """Hands in what a module notices; of its antennas, only what changed."""

    def __init__(self, driver: UhfSerial, line: Line, accept: Accept) -> None:
        self._driver = driver
        self._line = line
        self._accept = accept
        self._missing: set[int] = set()
        self._trouble = ""

    def tag(self, tag: ModuleTag) -> None:
        if tag.crc_ok is False:
            self._driver.corrupt += 1
            log.debug("%s: a tag's CRC is wrong", self._driver.name)
            return
        self._trouble = ""
        self._accept(
            TagRead(
                device=self._driver.name,
                boot_ns=self._line.received_ns,
                epc=tag.epc,
                antenna=tag.antenna or 0,
                pc=tag.pc,
                rssi_dbm=tag.rssi_dbm,
                phase_deg=tag.phase_deg,
                channel=tag.channel,
                seen_count=tag.seen_count,
            )
        )

    def antenna(self, port: int, *, connected: bool) -> None:
        if connected is (port not in self._missing):
            return
        self.tell_antenna(port, connected=connected)

    def tell_antenna(self, port: int, *, connected: bool) -> None:
        which = f"antenna {port}" if port else "an antenna"
        if connected:
            self._missing.discard(port)
            self.tell("antenna_connected", which, port or None)
        else:
            self._missing.add(port)
            self.tell("antenna_disconnected", which, port or None)

    def trouble(self, detail: str) -> None:
        if detail != self._trouble:
            self._trouble = detail
            log.warning("%s: %s", self._driver.name, detail)
            self.tell("configuration", detail)

    def tell(self, event: Change, detail: str, antenna: int | None = None) -> None:
        self._accept(
            DeviceEvent(
                device=self._driver.name,
                boot_ns=clock.boot_ns(),
                event=event,
                detail=detail[:512],
                antenna=antenna,
            )
        )


class _Family(NamedTuple):
    module: Callable[[Line, tuple[int, ...]], Module]
    baud: int
    measure: Measure


def _family(protocol: Protocol) -> _Family:
    """Load what one family needs."""
    if protocol == "m100":
        from aerocast_protocols.uhf_serial import m100  # noqa: PLC0415  only if configured

        from aerocast_agent.uhf_modules.m100 import M100  # noqa: PLC0415  as above

        return _Family(lambda line, _: M100(line), m100.BAUD, m100.measure)
    if protocol == "r2000":
        from aerocast_protocols.uhf_serial import r2000  # noqa: PLC0415  only if configured

        from aerocast_agent.uhf_modules.r2000 import R2000  # noqa: PLC0415  as above

        return _Family(R2000, r2000.BAUD, r2000.measure)
    if protocol == "uhfreader18":
        from aerocast_protocols.uhf_serial import uhfreader18  # noqa: PLC0415  only if configured

        from aerocast_agent.uhf_modules.uhfreader18 import UhfReader18  # noqa: PLC0415  as above

        return _Family(lambda line, _: UhfReader18(line), uhfreader18.BAUD, uhfreader18.measure)
    from aerocast_protocols.uhf_serial import mercury  # noqa: PLC0415  only if configured

    from aerocast_agent.uhf_modules.mercury import Mercury  # noqa: PLC0415  as above

    return _Family(Mercury, mercury.BAUD, mercury.measure)


def _worded(facts: ModuleFacts, port: str) -> str:
    told = [
        facts.model,
        facts.firmware and f"firmware {facts.firmware}",
        facts.region,
        None if facts.power_dbm is None else f"{facts.power_dbm:g} dBm",
        f"at {port}",
    ]
    return ", ".join(each for each in told if each)
