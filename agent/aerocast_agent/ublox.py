"""What a u-blox receiver keeps in its memory, by the keys of a profile.

u-blox interface description (UBX-21031777 R02 and those of M9 and M10), "Configuration reference".
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.ubx import configuration as cfg
from aerocast_protocols.ubx.framing import Frame, ReceiverBuffer, encode_frame
from aerocast_protocols.ubx.receiver import (
    ACK_ACK,
    ACK_NAK,
    ASK_VERSION,
    MON_VER,
    Answer,
    Version,
    decode_answer,
    decode_version,
)

from aerocast_agent.driver import Setting, Settings
from aerocast_agent.profiles import Constellation, Motion, Sentence
from aerocast_agent.serial_port import SerialPort

ANSWER_WITHIN_S = 2.0
# A receiver whose flash or battery is missing still takes what goes to its RAM.
EVERYWHERE = cfg.IN_RAM | cfg.IN_BATTERY_RAM | cfg.IN_FLASH

_RATE_MEAS, _DYNMODEL, _MINELEV = 0x30210001, 0x20110021, 0x201100A4
_MOTIONS: dict[Motion, int] = {
    "portable": 0,
    "stationary": 2,
    "pedestrian": 3,
    "automotive": 4,
    "at_sea": 5,
    "airborne_1g": 6,
}
_CONSTELLATIONS: dict[Constellation, int] = {
    "gps": 0x1031001F,
    "sbas": 0x10310020,
    "galileo": 0x10310021,
    "beidou": 0x10310022,
    "qzss": 0x10310024,
    "glonass": 0x10310025,
}
# CFG-MSGOUT-NMEA_ID_*_I2C; UART1, UART2, USB and SPI follow it.
_SENTENCES: dict[Sentence, int] = {
    "RMC": 0x209100AB,
    "VTG": 0x209100B0,
    "GGA": 0x209100BA,
    "GSA": 0x209100BF,
    "GSV": 0x209100C4,
    "GLL": 0x209100C9,
    "ZDA": 0x209100D8,
}
_PORTS = range(5)

R = TypeVar("R")


class _Unfit:
    """A frame that is no answer to what was asked."""


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """Settings as `UbloxProfile` has them."""

    measurement_ms: int | None = None
    motion: Motion | None = None
    lowest_elevation_deg: int | None = None
    constellations: tuple[Constellation, ...] = ()
    sentences: tuple[Sentence, ...] = ()


class UbloxReceiver:
    """Asks and tells one receiver; NMEA and messages nobody asked for are passed over."""

    def __init__(self, name: str, port: SerialPort) -> None:
        self._name, self._port = name, port
        self._buffer = ReceiverBuffer()

    async def version(self) -> Version | None:
        """Give what runs in it; None when it does not answer: it is no u-blox."""
        try:
            return await self._ask(ASK_VERSION, _version)
        except TimeoutError:
            return None

    async def read_back(self) -> Settings:
        """Give its present settings, those it has."""
        found: dict[str, Setting] = {}
        values = await self._values((_RATE_MEAS, _DYNMODEL, _MINELEV))
        if _RATE_MEAS in values:
            found["measurement_ms"] = values[_RATE_MEAS]
        if _DYNMODEL in values:
            names = {number: motion for motion, number in _MOTIONS.items()}
            found["motion"] = names.get(values[_DYNMODEL], f"number {values[_DYNMODEL]}")
        if _MINELEV in values:
            found["lowest_elevation_deg"] = (values[_MINELEV] ^ 0x80) - 0x80
        used = await self._values(_CONSTELLATIONS.values())
        if used:
            found["constellations"] = tuple(
                name for name, key in _CONSTELLATIONS.items() if used.get(key)
            )
        sent = await self._sent()
        if sent is not None:
            found["sentences"] = sent
        return found

    async def apply(self, settings: Settings) -> None:
        """Write settings to RAM, battery-backed RAM and flash.

        Raises
        ------
        ProtocolError
            The receiver refused one; the message names it.
        """
        wanted = msgspec.convert(dict(settings), _Wanted)
        if wanted.measurement_ms is not None:
            await self._set("measurement_ms", {_RATE_MEAS: wanted.measurement_ms})
        if wanted.motion is not None:
            await self._set("motion", {_DYNMODEL: _MOTIONS[wanted.motion]})
        if wanted.lowest_elevation_deg is not None:
            await self._set("lowest_elevation_deg", {_MINELEV: wanted.lowest_elevation_deg & 0xFF})
        if wanted.constellations:
            known = await self._values(_CONSTELLATIONS.values())
            chosen = {_CONSTELLATIONS[name] for name in wanted.constellations}
            if missing := chosen - known.keys():
                names = [name for name, key in _CONSTELLATIONS.items() if key in missing]
                raise ProtocolError(f"{self._name} has no {', '.join(names)}")
            await self._set("constellations", {key: int(key in chosen) for key in known})
        if wanted.sentences:
            await self._send(set(wanted.sentences))

    async def _sent(self) -> tuple[str, ...] | None:
        """Give the sentences that it sends on every port it has."""
        ports = [await self._values(key + port for key in _SENTENCES.values()) for port in _PORTS]
        there = [(port, rates) for port, rates in zip(_PORTS, ports, strict=True) if rates]
        if not there:
            return None
        return tuple(
            name
            for name, key in _SENTENCES.items()
            if all(rates.get(key + port) for port, rates in there)
        )

    async def _send(self, wanted: set[Sentence]) -> None:
        taken = 0
        for port in _PORTS:  # a receiver refuses settings of ports it does not have
            rates = {key + port: int(name in wanted) for name, key in _SENTENCES.items()}
            taken += await self._is_taken(rates)
        if not taken:
            raise ProtocolError(f"{self._name} refused sentences")

    async def _set(self, key: str, values: Mapping[int, int]) -> None:
        if not await self._is_taken(values):
            raise ProtocolError(f"{self._name} refused {key}")

    async def _is_taken(self, values: Mapping[int, int]) -> bool:
        for layers in (EVERYWHERE, cfg.IN_RAM | cfg.IN_BATTERY_RAM):  # not all have flash
            answer = await self._ask(cfg.encode_valset(values, layers), _answer_to(cfg.CFG_VALSET))
            if answer.taken:
                return True
        return False

    async def _values(self, keys: Iterable[int]) -> dict[int, int]:
        """Read settings; those it does not have are left out."""
        asked = list(keys)
        values = await self._ask(cfg.encode_ask(asked), _values_or_refusal)
        if values is None and len(asked) > 1:  # one it does not have spoils the whole message
            return {
                key: value for each in asked for key, value in (await self._values([each])).items()
            }
        return values or {}

    async def _ask(self, question: Frame, understand: Callable[[Frame], R | _Unfit]) -> R:
        await self._port.write(encode_frame(question))
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                while True:
                    for frame in self._frames((await self._port.read()).content):
                        answer = understand(frame)
                        if not isinstance(answer, _Unfit):
                            return answer
        except TimeoutError:
            raise TimeoutError(
                f"{self._name} did not answer in {ANSWER_WITHIN_S:g} s: it is no u-blox of "
                "generation 9 or later, or set not to take UBX on this port"
            ) from None

    def _frames(self, received: bytes) -> Iterator[Frame]:
        self._buffer.feed(received)
        return (each for each in self._buffer.messages() if isinstance(each, Frame))


def _version(frame: Frame) -> Version | _Unfit:
    return decode_version(frame.payload) if frame.message == MON_VER else _Unfit()


def _answer_to(message: tuple[int, int]) -> Callable[[Frame], Answer | _Unfit]:
    def understand(frame: Frame) -> Answer | _Unfit:
        if frame.message not in {ACK_ACK, ACK_NAK}:
            return _Unfit()
        answer = decode_answer(frame)
        return answer if answer.message == message else _Unfit()

    return understand


def _values_or_refusal(frame: Frame) -> dict[int, int] | _Unfit | None:
    """Give settings; None when the receiver refused to tell."""
    if frame.message == cfg.CFG_VALGET:
        return cfg.decode_values(frame.payload).values
    if frame.message == ACK_NAK and decode_answer(frame).message == cfg.CFG_VALGET:
        return None
    return _Unfit()
