"""The M100 family: told once to read, it goes on by itself and says so when it sees no tag."""

import logging
from typing import NoReturn

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.m100 import (
    ERRORS,
    NO_TAG,
    OFF,
    REGIONS,
    REPLY,
    Command,
    Frame,
    command,
    decode_frame,
    decode_power,
    decode_query,
    decode_tag,
    encode_channel,
    encode_power,
    encode_query,
    error_of,
    is_tag,
    multi_poll,
)

from aerocast_agent.uhf_modules.line import Line
from aerocast_agent.uhf_modules.module import ModuleFacts, RefusedError, Sightings

log = logging.getLogger(__name__)

ANSWER_LIMIT_S = 0.5
SILENCE_LIMIT_S = 2.0  # a module that reads tells of every round, also of those without a tag
TRIES = 3
_HARDWARE, _SOFTWARE = b"\0", b"\1"


class M100:
    """A module of the M100 family."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def wake(self) -> None:
        """End what it was doing and see that it answers (``TimeoutError``)."""
        await self._line.send(command(Command.STOP))
        await self._line.drain(ANSWER_LIMIT_S)
        for _ in range(TRIES):
            if await self._answer(Command.VERSION, _HARDWARE) is not None:
                return
        raise TimeoutError(f"{self._line.name}: no M100 module answers at this port and baud rate")

    async def facts(self) -> ModuleFacts:
        """Ask what it is and how it is set."""
        region = await self._value(Command.GET_REGION)
        power = await self._value(Command.GET_POWER)
        payload = await self._value(Command.GET_QUERY)
        query = decode_query(payload) if payload else None
        return ModuleFacts(
            model="M100",
            hardware=_text(await self._value(Command.VERSION, _HARDWARE)),
            firmware=_text(await self._value(Command.VERSION, _SOFTWARE)),
            region=REGIONS.get(region[0]) if region else None,
            power_dbm=decode_power(power) if power else None,
            session=query.session if query else None,
            q=query.q if query else None,
        )

    async def set_power(self, power_dbm: float) -> None:
        """Set the power, in hundredths of dBm."""
        await self._order(Command.SET_POWER, encode_power(power_dbm))

    async def set_region(self, region: str) -> None:
        """Set the region."""
        codes = [code for code, name in REGIONS.items() if name == region]
        if not codes:
            raise ProtocolError(f"M100 modules know no region {region!r}")
        await self._order(Command.SET_REGION, bytes(codes[:1]))

    async def set_channels(self, channels_khz: tuple[int, ...]) -> None:
        """Stay on one channel of the region: more of them the module chooses by itself."""
        if len(channels_khz) != 1:
            raise ProtocolError(f"M100 modules take one channel, not {channels_khz}")
        region = await self._value(Command.GET_REGION)
        name = REGIONS.get(region[0], "") if region else ""
        await self._order(Command.SET_HOPPING, OFF)
        await self._order(Command.SET_CHANNEL, encode_channel(name, channels_khz[0]))

    async def set_query(self, session: int | None, q: int | None) -> None:
        """Set the Gen2 session and Q."""
        payload = await self._value(Command.GET_QUERY)
        if not payload:
            raise RefusedError(f"{self._line.name} does not tell how its rounds begin")
        query = decode_query(payload)
        if session is not None:
            query = query._replace(session=session)
        if q is not None:
            query = query._replace(q=q)
        await self._order(Command.SET_QUERY, encode_query(query))

    async def read(self, sightings: Sightings) -> NoReturn:
        """Read tags until the module is silent; at the end of its rounds it is told again."""
        await self._line.send(multi_poll())
        told_again = False
        while True:
            frame = await self._line.next_frame(SILENCE_LIMIT_S)
            if frame is None:
                if told_again:
                    raise TimeoutError(f"{self._line.name} has been silent for {SILENCE_LIMIT_S} s")
                await self._line.send(multi_poll())
                told_again = True
                continue
            told_again = False
            self._take(decode_frame(frame), sightings)

    def _take(self, frame: Frame, sightings: Sightings) -> None:
        if is_tag(frame):
            try:
                sightings.tag(decode_tag(frame))
            except ProtocolError as error:
                log.debug("%s: passed over: %s", self._line.name, error)
            return
        code = error_of(frame)
        if code is not None and code != NO_TAG:
            sightings.trouble(ERRORS.get(code, f"error {code:02X}"))

    async def _order(self, kind: Command, payload: bytes) -> None:
        answer = await self._answer(kind, payload)
        if answer is None:
            raise TimeoutError(f"{self._line.name} did not answer {kind.name}")
        if answer.payload[:1] != b"\0" or answer.command == Command.ERROR:
            code = answer.payload[0] if answer.payload else 0
            why = ERRORS.get(code, f"error {code:02X}")
            raise RefusedError(f"{self._line.name} refused {kind.name}: {why}")

    async def _value(self, kind: Command, payload: bytes = b"") -> bytes:
        answer = await self._answer(kind, payload)
        return b"" if answer is None or answer.command != kind else answer.payload

    async def _answer(self, kind: Command, payload: bytes) -> Frame | None:
        await self._line.send(command(kind, payload))
        while (frame := await self._line.next_frame(ANSWER_LIMIT_S)) is not None:
            answer = decode_frame(frame)
            if answer.type == REPLY and answer.command in {kind, Command.ERROR}:
                if error_of(answer) == NO_TAG:
                    continue  # of a round that was still under way
                return answer
        return None


def _text(version: bytes) -> str | None:
    """Read a version: the kind asked for, then text."""
    return version[1:].decode("ascii", "replace").strip("\0 ")[:64] or None
