"""The Indy R2000 family: asked for one round after the other, on one antenna after the other."""

import asyncio
import logging
from typing import NoReturn

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.r2000 import (
    ANTENNA_MISSING,
    ANY_ADDRESS,
    ERRORS,
    NO_TAG,
    SUCCESS,
    Command,
    Frame,
    command,
    decode_frame,
    decode_inventory_end,
    decode_powers,
    decode_region,
    decode_tag,
    encode_channels,
    encode_region,
    error_of,
    is_tag,
)

from aerocast_agent.uhf_modules.line import Line
from aerocast_agent.uhf_modules.module import ModuleFacts, RefusedError, Sightings

log = logging.getLogger(__name__)

ANSWER_LIMIT_S = 1.0
ROUND_LIMIT_S = 3.0  # a round on one antenna, with hundreds of tags
TRIES = 3
DEAD_ANTENNA_REST_S = 5.0  # how often a missing antenna is looked for
NO_ANTENNA_REST_S = 0.1
EMPTY_REST_S = 0.005  # a round that fails at once must not make a busy loop
_ONE_ROUND = b"\1"


class R2000:
    """A module of the R2000 family.

    Parameters
    ----------
    ports
        Antennas to read on in turn, from 1; empty: the one the module is set to.
    """

    def __init__(self, line: Line, ports: tuple[int, ...] = ()) -> None:
        self._line = line
        self._ports = ports or (0,)
        self._session: int | None = None
        self._selected = 0
        self._rests_until_s: dict[int, float] = {}

    async def wake(self) -> None:
        """See that it answers (``TimeoutError``)."""
        await self._line.drain(ANSWER_LIMIT_S)
        for _ in range(TRIES):
            if await self._answer(Command.VERSION) is not None:
                return
        raise TimeoutError(f"{self._line.name}: no R2000 module answers at this port and baud rate")

    async def facts(self) -> ModuleFacts:
        """Ask what it is and how it is set."""
        version = await self._value(Command.VERSION, 2)
        told = await self._value(Command.GET_REGION, 3)
        region = decode_region(told) if told else None
        celsius = await self._value(Command.TEMPERATURE, 2)
        powers = await self._answer(Command.GET_POWER)
        return ModuleFacts(
            model="R2000",
            firmware=f"{version[0]}.{version[1]}" if version else None,
            region=region.name if region else None,
            channels_khz=region.channels_khz if region else (),
            power_dbm=max(decode_powers(powers.content)) if powers else None,
            power_step_db=1.0,
            temperature_c=(celsius[1] if celsius[0] else -celsius[1]) if celsius else None,
        )

    async def set_power(self, power_dbm: float) -> None:
        """Set the power of all antennas, in whole dBm, 0 to 33; not above what is asked."""
        whole = int(power_dbm)
        if not 0 <= whole <= 33:
            raise ProtocolError(f"{power_dbm} dBm is no power of an R2000 module")
        await self._order(Command.SET_POWER, bytes([whole]))

    async def set_region(self, region: str) -> None:
        """Set the region, all its channels."""
        await self._order(Command.SET_REGION, encode_region(region))

    async def set_channels(self, channels_khz: tuple[int, ...]) -> None:
        """Set the channels to hop on, evenly spaced."""
        await self._order(Command.SET_REGION, encode_channels(channels_khz))

    async def set_query(self, session: int | None, q: int | None) -> None:
        """Take the session to read with; the module itself keeps none, and sets Q by itself."""
        if q is not None:
            raise RefusedError(f"{self._line.name}: R2000 modules set Q themselves")
        self._session = session

    async def read(self, sightings: Sightings) -> NoReturn:
        """Read tags until the module is silent."""
        loop = asyncio.get_running_loop()
        while True:
            tags, there = 0, False
            for port in self._ports:
                if self._rests_until_s.get(port, 0.0) <= loop.time():
                    there = True
                    tags += await self._round(port, sightings)
            if not tags:
                await asyncio.sleep(EMPTY_REST_S if there else NO_ANTENNA_REST_S)

    async def _round(self, port: int, sightings: Sightings) -> int:
        """Read once on one antenna, and give the number of tags."""
        if not await self._select(port, sightings):
            return 0
        inventory, content = Command.INVENTORY, _ONE_ROUND
        if self._session is not None:
            inventory, content = Command.SESSION_INVENTORY, bytes([self._session, 0, 1])
        await self._send(inventory, content)
        tags = 0
        while True:
            answer = await self._next(inventory, ROUND_LIMIT_S)
            if answer is None:
                raise TimeoutError(f"{self._line.name} has been silent for {ROUND_LIMIT_S} s")
            if is_tag(answer):
                tags += self._tag(answer, sightings)
            elif decode_inventory_end(answer) is not None:
                sightings.antenna(port, connected=True)
                return tags
            else:
                self._failed(port, error_of(answer), sightings)
                return tags

    async def _select(self, port: int, sightings: Sightings) -> bool:
        """Switch to an antenna, and say whether it is there; 0 stays at the present one."""
        if port in {0, self._selected}:
            return True
        self._selected = 0
        code = error_of(await self._needed(Command.SET_ANTENNA, bytes([port - 1])))
        if code != SUCCESS:
            self._failed(port, code, sightings)
            return False
        self._selected = port
        return True

    def _tag(self, answer: Frame, sightings: Sightings) -> int:
        try:
            sightings.tag(decode_tag(answer))
        except ProtocolError as error:
            log.debug("%s: passed over: %s", self._line.name, error)
            return 0
        return 1

    def _failed(self, port: int, code: int | None, sightings: Sightings) -> None:
        if code == ANTENNA_MISSING:
            rest_s = asyncio.get_running_loop().time() + DEAD_ANTENNA_REST_S
            self._rests_until_s[port] = rest_s
            sightings.antenna(port, connected=False)
        elif code == NO_TAG:
            sightings.antenna(port, connected=True)
        else:
            raise RefusedError(f"{self._line.name}, antenna {port}: {_worded(code)}")

    async def _order(self, kind: Command, content: bytes) -> None:
        code = error_of(await self._needed(kind, content))
        if code != SUCCESS:
            raise RefusedError(f"{self._line.name} refused {kind.name}: {_worded(code)}")

    async def _needed(self, kind: Command, content: bytes) -> Frame:
        answer = await self._answer(kind, content)
        if answer is None:
            raise TimeoutError(f"{self._line.name} did not answer {kind.name}")
        return answer

    async def _value(self, kind: Command, size: int) -> bytes:
        answer = await self._answer(kind)
        return answer.content if answer is not None and len(answer.content) >= size else b""

    async def _answer(self, kind: Command, content: bytes = b"") -> Frame | None:
        await self._send(kind, content)
        return await self._next(kind, ANSWER_LIMIT_S)

    async def _next(self, kind: Command, limit_s: float) -> Frame | None:
        while (frame := await self._line.next_frame(limit_s)) is not None:
            answer = decode_frame(frame)
            if answer.command == kind:
                return answer
        return None

    async def _send(self, kind: Command, content: bytes = b"") -> None:
        await self._line.send(command(kind, content, ANY_ADDRESS))


def _worded(code: int | None) -> str:
    return "no clear answer" if code is None else ERRORS.get(code, f"error {code:02X}")
