"""The UHFReader18 family: asked for one inventory after the other; one antenna, no RSSI."""

import asyncio
import logging
from typing import NoReturn

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.tags import ModuleTag
from aerocast_protocols.uhf_serial.uhfreader18 import (
    ANTENNA_FAULT,
    ERRORS,
    MORE_FOLLOW,
    NO_TAG,
    OK,
    Command,
    Frame,
    Info,
    command,
    decode_frame,
    decode_info,
    decode_tags,
    encode_channels,
    encode_region,
    status_of,
)

from aerocast_agent.uhf_modules.line import Line
from aerocast_agent.uhf_modules.module import ModuleFacts, RefusedError, Sightings

log = logging.getLogger(__name__)

ANSWER_LIMIT_S = 1.0
TRIES = 3
DEAD_ANTENNA_REST_S = 1.0
EMPTY_REST_S = 0.005  # an inventory that ends at once must not make a busy loop
MOST_POWER_DBM = 30


class UhfReader18:
    """A module that speaks the UHFReader18 protocol."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._scan_time_s = 25.5  # the longest there is, until the module says

    async def wake(self) -> None:
        """See that it answers (``TimeoutError``)."""
        # An inventory may be under way; it ends by itself.
        await self._line.drain(ANSWER_LIMIT_S)
        for _ in range(TRIES):
            if await self._answer(Command.INFO, b"", ANSWER_LIMIT_S) is not None:
                return
        raise TimeoutError(
            f"{self._line.name}: no UHFReader18 module answers at this port and baud rate"
        )

    async def facts(self) -> ModuleFacts:
        """Ask what it is and how it is set."""
        info = await self._info()
        return ModuleFacts(
            model=f"UHFReader18 type {info.type:02X}",
            firmware=info.firmware,
            region=info.region,
            channels_khz=info.channels_khz,
            power_dbm=info.power_dbm,
            power_step_db=1.0,
        )

    async def set_power(self, power_dbm: float) -> None:
        """Set the power, in whole dBm, 0 to 30; not above what is asked."""
        whole = int(power_dbm)
        if not 0 <= whole <= MOST_POWER_DBM:
            raise ProtocolError(f"{power_dbm} dBm is no power of a UHFReader18 module")
        await self._order(Command.SET_POWER, bytes([whole]))

    async def set_region(self, region: str) -> None:
        """Set the region, all its channels."""
        await self._order(Command.SET_REGION, encode_region(region))

    async def set_channels(self, channels_khz: tuple[int, ...]) -> None:
        """Set the channels to hop on: neighbours."""
        await self._order(Command.SET_REGION, encode_channels(channels_khz))

    async def set_query(self, session: int | None, q: int | None) -> None:
        """Refuse: this family has no such settings."""
        if session is not None or q is not None:
            raise RefusedError(
                f"{self._line.name}: UHFReader18 modules set session and Q themselves"
            )

    async def read(self, sightings: Sightings) -> NoReturn:
        """Read tags until the module is silent."""
        self._scan_time_s = (await self._info()).scan_time_s
        while True:
            await self._line.send(command(Command.INVENTORY))
            if not await self._inventory(sightings):
                await asyncio.sleep(EMPTY_REST_S)

    async def _inventory(self, sightings: Sightings) -> bool:
        """Take an inventory's answers, and say whether there were tags."""
        any_tags = False
        while True:
            answer = await self._next(Command.INVENTORY, self._scan_time_s + ANSWER_LIMIT_S)
            if answer is None:
                raise TimeoutError(f"{self._line.name} did not answer an inventory")
            status = status_of(answer)
            if status == ANTENNA_FAULT:
                sightings.antenna(1, connected=False)
                await asyncio.sleep(DEAD_ANTENNA_REST_S)
                return any_tags
            if status in ERRORS and status != NO_TAG:
                raise RefusedError(f"{self._line.name} refused an inventory: {ERRORS[status]}")
            sightings.antenna(1, connected=True)
            for tag in self._tags(answer):
                any_tags = True
                sightings.tag(tag)
            if status != MORE_FOLLOW:
                return any_tags

    def _tags(self, answer: Frame) -> tuple[ModuleTag, ...]:
        try:
            return decode_tags(answer)
        except ProtocolError as error:
            log.debug("%s: passed over: %s", self._line.name, error)
            return ()

    async def _info(self) -> Info:
        answer = await self._answer(Command.INFO, b"", ANSWER_LIMIT_S)
        if answer is None:
            raise TimeoutError(f"{self._line.name} did not answer INFO")
        return decode_info(answer)

    async def _order(self, kind: Command, content: bytes) -> None:
        answer = await self._answer(kind, content, ANSWER_LIMIT_S)
        if answer is None:
            raise TimeoutError(f"{self._line.name} did not answer {kind.name}")
        status = status_of(answer)
        if status != OK:
            why = ERRORS.get(status, f"status {status:02X}")
            raise RefusedError(f"{self._line.name} refused {kind.name}: {why}")

    async def _answer(self, kind: Command, content: bytes, limit_s: float) -> Frame | None:
        await self._line.send(command(kind, content))
        return await self._next(kind, limit_s)

    async def _next(self, kind: Command, limit_s: float) -> Frame | None:
        while (frame := await self._line.next_frame(limit_s)) is not None:
            answer = decode_frame(frame)
            if answer.command == kind and answer.content:
                return answer
        return None
