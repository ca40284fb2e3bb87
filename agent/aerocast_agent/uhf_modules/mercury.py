"""ThingMagic's modules: told once to read, they go on by themselves; an M5e is asked anew."""

import asyncio
import logging
from typing import NoReturn

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.mercury import (
    ERRORS,
    FIXED_Q,
    HIGH_RETURN_LOSS,
    NO_ANTENNA,
    NO_TAG,
    NOT_IMPLEMENTED,
    OK,
    REGION_CODES,
    REGIONS,
    SESSION,
    UNKNOWN_OPCODE,
    Answer,
    Opcode,
    Q,
    decode_answer,
    decode_buffered,
    decode_channels,
    decode_streamed,
    decode_version,
    fetch_buffer,
    read_into_buffer,
    request,
    start_reading,
    stop_reading,
    use_antennas,
    use_channels,
    use_gen2,
)

from aerocast_agent.uhf_modules.line import Line
from aerocast_agent.uhf_modules.module import ModuleFacts, RefusedError, Sightings

log = logging.getLogger(__name__)

ANSWER_LIMIT_S = 1.0
BOOT_LIMIT_S = 3.0
CYCLE_MS = 1000  # of the search: a module that reads says at least so often that it is there
SILENCE_LIMIT_S = 3.5
ROUND_MS = 100  # of an M5e's search: short, so that a passing bag is read several times
TRIES = 3
DEAD_ANTENNA_REST_S = 1.0
EMPTY_REST_S = 0.005  # a round that ends at once must not make a busy loop
_BOOT_LOADER = 1
_CANNOT_STREAM = frozenset({UNKNOWN_OPCODE, NOT_IMPLEMENTED})
_ANTENNA_FAULTS = frozenset({NO_ANTENNA, HIGH_RETURN_LOSS})
_DETECTED, _ONLY_THE_POWER = b"\5", b"\0"
_M6E = {0x18: "M6e", 0x19: "M6e PRC", 0x20: "M6e Micro", 0x30: "M6e Nano"}


class Mercury:
    """A module of ThingMagic.

    Parameters
    ----------
    ports
        Antennas to search on, from 1; empty: the first.
    """

    def __init__(self, line: Line, ports: tuple[int, ...] = ()) -> None:
        self._line = line
        self._ports = ports or (1,)

    async def wake(self) -> None:
        """End what it was doing, start its firmware, and see that it answers (``TimeoutError``)."""
        await self._line.send(stop_reading())
        await self._line.drain(SILENCE_LIMIT_S)
        for _ in range(TRIES):
            if await self._ask(Opcode.VERSION) is not None:
                break
        else:
            raise TimeoutError(
                f"{self._line.name}: no Mercury module answers at this port and baud rate"
            )
        program = await self._ask(Opcode.PROGRAM)
        if program is not None and program.content and program.content[0] & 3 == _BOOT_LOADER:
            booted = await self._ask(Opcode.BOOT, limit_s=BOOT_LIMIT_S)
            if booted is None or booted.status != OK:
                raise TimeoutError(f"{self._line.name} does not start its firmware")
        await self._order(use_gen2(), Opcode.SET_PROTOCOL)
        await self._order(use_antennas(self._ports), Opcode.SET_ANTENNAS)

    async def facts(self) -> ModuleFacts:
        """Ask what it is and how it is set."""
        answer = await self._ask(Opcode.VERSION)
        if answer is None:
            raise TimeoutError(f"{self._line.name} did not answer VERSION")
        version = decode_version(answer)
        power = await self._value(Opcode.GET_POWER, _ONLY_THE_POWER)
        region = await self._value(Opcode.GET_REGION)
        celsius = await self._value(Opcode.TEMPERATURE)
        session = await self._value(Opcode.GET_SETTING, SESSION)
        q = await self._value(Opcode.GET_SETTING, Q)
        return ModuleFacts(
            model=_M6E.get(int(version.hardware[:2], 16), f"hardware {version.hardware}"),
            hardware=version.hardware,
            firmware=f"{version.firmware} of {version.firmware_date}",
            region=REGIONS.get(region[-1]) if region else None,
            channels_khz=decode_channels(await self._value(Opcode.GET_CHANNELS)),
            power_dbm=int.from_bytes(power[-2:], "big", signed=True) / 100 if power else None,
            temperature_c=int.from_bytes(celsius[-1:], "big", signed=True) if celsius else None,
            session=session[-1] if session else None,
            q=q[-1] if len(q) > 3 and q[2:3] == FIXED_Q else None,
            antennas=await self._antennas(),
        )

    async def set_power(self, power_dbm: float) -> None:
        """Set the power for reading, in hundredths of dBm."""
        if not 0 <= power_dbm <= 36:
            raise ProtocolError(f"{power_dbm} dBm is no power of a Mercury module")
        content = round(power_dbm * 100).to_bytes(2, "big")
        await self._order(request(Opcode.SET_POWER, content), Opcode.SET_POWER)

    async def set_region(self, region: str) -> None:
        """Set the region; a module forgets it when it loses power."""
        if region not in REGION_CODES:
            raise ProtocolError(f"Mercury modules know no region {region!r}")
        content = bytes([REGION_CODES[region]])
        await self._order(request(Opcode.SET_REGION, content), Opcode.SET_REGION)

    async def set_channels(self, channels_khz: tuple[int, ...]) -> None:
        """Set the channels to hop on; a module forgets them when it loses power."""
        await self._order(use_channels(channels_khz), Opcode.SET_CHANNELS)

    async def set_query(self, session: int | None, q: int | None) -> None:
        """Set the Gen2 session and Q; a module forgets them when it loses power."""
        if session is not None:
            order = request(Opcode.SET_SETTING, SESSION + bytes([session]))
            await self._order(order, Opcode.SET_SETTING)
        if q is not None:
            order = request(Opcode.SET_SETTING, Q + FIXED_Q + bytes([q]))
            await self._order(order, Opcode.SET_SETTING)

    async def read(self, sightings: Sightings) -> NoReturn:
        """Read tags until the module is silent."""
        await self._line.send(start_reading(CYCLE_MS))
        answer = await self._next(Opcode.CONTINUOUS, ANSWER_LIMIT_S, sightings)
        if answer is None:
            raise TimeoutError(f"{self._line.name} did not answer CONTINUOUS")
        if answer.status in _CANNOT_STREAM:
            await self._read_by_rounds(sightings)
        if answer.status != OK:
            raise RefusedError(f"{self._line.name} cannot read: {_worded(answer.status)}")
        while True:
            frame = await self._line.next_frame(SILENCE_LIMIT_S)
            if frame is None:
                raise TimeoutError(f"{self._line.name} has been silent for {SILENCE_LIMIT_S} s")
            self._take(decode_answer(frame), sightings)

    async def _read_by_rounds(self, sightings: Sightings) -> NoReturn:
        """Read as an M5e can: search into the module's memory, then fetch what is in it."""
        while True:
            await self._order(request(Opcode.CLEAR_TAG_BUFFER), Opcode.CLEAR_TAG_BUFFER)
            answer = await self._ask_raw(read_into_buffer(ROUND_MS), Opcode.READ_MULTIPLE)
            if answer.status in {OK, NO_TAG}:
                count = int.from_bytes(answer.content[3:], "big") if answer.status == OK else 0
                await self._fetch(count, sightings)
            elif answer.status in _ANTENNA_FAULTS:
                self._antenna_fault(sightings)
                await asyncio.sleep(DEAD_ANTENNA_REST_S)
            else:
                raise RefusedError(f"{self._line.name} cannot read: {_worded(answer.status)}")
            await asyncio.sleep(EMPTY_REST_S)

    async def _fetch(self, count: int, sightings: Sightings) -> None:
        while count > 0:
            answer = await self._ask_raw(fetch_buffer(), Opcode.TAG_BUFFER)
            tags = list(decode_buffered(answer)) if answer.status == OK else []
            if not tags:
                return
            for tag in tags:
                sightings.tag(tag)
                sightings.antenna(tag.antenna or 0, connected=True)
            count -= len(tags)

    def _take(self, answer: Answer, sightings: Sightings) -> None:
        if answer.opcode != Opcode.READ_MULTIPLE or answer.status == NO_TAG:
            return
        if answer.status in _ANTENNA_FAULTS:
            self._antenna_fault(sightings)
        elif answer.status != OK:
            sightings.trouble(_worded(answer.status))
        else:
            try:
                tag = decode_streamed(answer)
            except ProtocolError as error:
                log.debug("%s: passed over: %s", self._line.name, error)
                return
            sightings.tag(tag)
            sightings.antenna(tag.antenna or 0, connected=True)

    def _antenna_fault(self, sightings: Sightings) -> None:
        sightings.antenna(self._ports[0] if len(self._ports) == 1 else 0, connected=False)

    async def _antennas(self) -> dict[int, bool]:
        """Ask at which of our ports there is an antenna; not all models can tell."""
        found = await self._value(Opcode.GET_ANTENNAS, _DETECTED)
        states = dict(zip(found[1::2], found[2::2], strict=False))
        return {port: bool(states[port]) for port in self._ports if port in states}

    async def _order(self, frame: bytes, opcode: Opcode) -> None:
        answer = await self._ask_raw(frame, opcode)
        if answer.status != OK:
            raise RefusedError(f"{self._line.name} refused {opcode.name}: {_worded(answer.status)}")

    async def _value(self, opcode: Opcode, content: bytes = b"") -> bytes:
        answer = await self._ask(opcode, content)
        return answer.content if answer is not None and answer.status == OK else b""

    async def _ask(
        self, opcode: Opcode, content: bytes = b"", limit_s: float | None = None
    ) -> Answer | None:
        await self._line.send(request(opcode, content))
        return await self._next(opcode, limit_s or ANSWER_LIMIT_S)

    async def _ask_raw(self, frame: bytes, opcode: Opcode) -> Answer:
        await self._line.send(frame)
        answer = await self._next(opcode, ANSWER_LIMIT_S)
        if answer is None:
            raise TimeoutError(f"{self._line.name} did not answer {opcode.name}")
        return answer

    async def _next(
        self, opcode: Opcode, limit_s: float, sightings: Sightings | None = None
    ) -> Answer | None:
        while (frame := await self._line.next_frame(limit_s)) is not None:
            answer = decode_answer(frame)
            if answer.opcode == opcode:
                return answer
            if sightings is not None:
                self._take(answer, sightings)
        return None


def _worded(status: int) -> str:
    return ERRORS.get(status, f"status {status:04X}")
