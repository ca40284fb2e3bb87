"""Driver for the lightning detector AS3935 on an I2C bus; it is asked ten times a second."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_protocols.observations.weather import LightningStrike, LightningWatch
from aerocast_protocols.weather.as3935 import (
    CALIBRATE_RCO,
    DEFAULT_ADDRESS,
    DIRECT_COMMAND,
    FIRST_REGISTER,
    REGISTERS,
    As3935State,
    afe_gain,
    decode_registers,
)

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.i2c import I2cDevice

ASK_EVERY_S = 0.1
TELL_EVERY_NS = 60_000_000_000
NOISE_LASTS_NS = 60_000_000_000


class Bus(Protocol):
    """What reaches the detector."""

    def read(self, register: int, count: int) -> bytes:
        """Read registers."""

    def write(self, sent: bytes) -> None:
        """Write a register."""


class LightningDetector:
    """Asks one detector for strikes.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    bus, address
        ``/dev/i2c-1``, and the detector's address there.
    indoors
        Where it stands: its gain follows.
    """

    def __init__(
        self,
        name: str,
        bus: str,
        address: int = DEFAULT_ADDRESS,
        *,
        indoors: bool = False,
        opening: Callable[[str, int], AbstractContextManager[Bus]] = I2cDevice,
    ) -> None:
        self.name = name
        self._bus, self._address, self._indoors = bus, address, indoors
        self._opening = opening
        self._noisy_until_ns: int | None = None
        self._told_ns: int | None = None
        self._was_well: bool | None = None

    async def run(self, accept: Accept) -> None:
        """Ask until it answers no more (``OSError``, ``ProtocolError``)."""
        with self._opening(self._bus, self._address) as bus:
            await asyncio.to_thread(self._prepare, bus)
            self._told_ns = self._was_well = self._noisy_until_ns = None
            accept(
                DeviceEvent(
                    device=self.name, boot_ns=clock.boot_ns(), event="connected", detail=self._bus
                )
            )
            while True:
                registers = await asyncio.to_thread(bus.read, FIRST_REGISTER, REGISTERS)
                self._hear(decode_registers(registers), clock.boot_ns(), accept)
                await asyncio.sleep(ASK_EVERY_S)

    def _prepare(self, bus: Bus) -> None:
        bus.write(afe_gain(indoors=self._indoors))
        bus.write(bytes([CALIBRATE_RCO, DIRECT_COMMAND]))

    def _hear(self, state: As3935State, boot_ns: int, accept: Accept) -> None:
        if state.event == "lightning":
            accept(
                LightningStrike(
                    device=self.name,
                    boot_ns=boot_ns,
                    distance_km=state.distance_km,
                    energy=float(state.energy),
                )
            )
        elif state.event == "noise":
            self._noisy_until_ns = boot_ns + NOISE_LASTS_NS
        trouble = self._trouble(state, boot_ns)
        is_well = trouble is None
        if (
            self._told_ns is None
            or boot_ns - self._told_ns >= TELL_EVERY_NS
            or is_well is not self._was_well
        ):
            self._told_ns, self._was_well = boot_ns, is_well
            accept(
                LightningWatch(
                    device=self.name, boot_ns=boot_ns, listening=is_well, trouble=trouble
                )
            )

    def _trouble(self, state: As3935State, boot_ns: int) -> str | None:
        if not state.is_listening:
            return "it is powered down"
        if self._noisy_until_ns is not None and boot_ns < self._noisy_until_ns:
            return "too much radio noise to notice lightning"
        return None
