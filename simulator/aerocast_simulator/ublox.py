"""A u-blox GNSS receiver on a pseudo-terminal: UBX and NMEA, and a memory of settings."""

import asyncio
import os
from collections.abc import Callable, Iterable

from aerocast_protocols.ubx import configuration as cfg
from aerocast_protocols.ubx.framing import Frame, ReceiverBuffer, encode_frame
from aerocast_protocols.ubx.navigation import NavPvt, encode_nav_pvt
from aerocast_protocols.ubx.receiver import (
    MON_VER,
    Answer,
    Version,
    encode_answer,
    encode_version,
)

from aerocast_simulator.serial_devices import Pty

M9N = Version(
    "EXT CORE 4.04 (7f89f7)",
    "00190000",
    ("ROM BASE 0x118B2060", "FWVER=SPG 4.04", "PROTVER=32.01", "MOD=NEO-M9N", "GPS;GLO;GAL;BDS"),
)
_RATE, _MOTION, _ELEVATION = 0x30210001, 0x20110021, 0x201100A4
_SIGNALS = (0x1031001F, 0x10310020, 0x10310021, 0x10310022, 0x10310025)  # no QZSS
_SENTENCES = (0x209100AB, 0x209100B0, 0x209100BA, 0x209100BF, 0x209100C4, 0x209100C9, 0x209100D8)


class PtyUblox(Pty):
    """A NEO-M9N that keeps settings in RAM; it has I2C, UART1 and USB, and no flash.

    Parameters
    ----------
    stubborn
        Keys it takes and then does not keep.

    Attributes
    ----------
    path
        The device file an agent opens.
    settings
        Key -> value.
    """

    def __init__(self, stubborn: Iterable[int] = ()) -> None:
        super().__init__()
        self.settings = {_RATE: 1000, _MOTION: 0, _ELEVATION: 5}
        self.settings |= dict.fromkeys(_SIGNALS, 1)
        self.settings |= {key + port: 1 for key in _SENTENCES for port in (0, 1, 3)}
        self._stubborn = frozenset(stubborn)
        self._buffer = ReceiverBuffer()

    def __enter__(self) -> "PtyUblox":
        asyncio.get_running_loop().add_reader(self._master, self._hear)
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        self.unplug()

    def locate(self, pvt: NavPvt) -> None:
        """Send a position."""
        self.send(encode_frame(encode_nav_pvt(pvt)))

    def send(self, sent: bytes) -> None:
        """Send bytes as they are."""
        self._write(sent)

    def _hear(self) -> None:
        self._buffer.feed(os.read(self._master, 4096))
        answers: dict[tuple[int, int], Callable[[bytes], list[Frame]]] = {
            MON_VER: lambda _payload: [encode_version(M9N)],
            cfg.CFG_VALSET: self._take,
            cfg.CFG_VALGET: self._tell,
        }
        for message in self._buffer.messages():
            if isinstance(message, Frame) and message.message in answers:
                for answer in answers[message.message](message.payload):
                    self.send(encode_frame(answer))

    def _take(self, payload: bytes) -> list[Frame]:
        layers, values = cfg.decode_valset(payload)
        taken = not layers & cfg.IN_FLASH and values.keys() <= self.settings.keys()
        if taken:
            kept = {key: value for key, value in values.items() if key not in self._stubborn}
            self.settings |= kept
        return [encode_answer(Answer(cfg.CFG_VALSET, taken))]

    def _tell(self, payload: bytes) -> list[Frame]:
        layer, keys = cfg.decode_ask(payload)
        if not self.settings.keys() >= set(keys):
            return [encode_answer(Answer(cfg.CFG_VALGET, taken=False))]
        values = {key: self.settings[key] for key in keys}
        told = encode_frame(cfg.encode_values(cfg.Values(layer, 0, values)))
        # Sentences go on meanwhile.
        self.send(b"$GNTXT,01,01,02,u-blox AG - www.u-blox.com*4E\r\n" + told[:3])
        self.send(told[3:])
        return [encode_answer(Answer(cfg.CFG_VALGET, taken=True))]
