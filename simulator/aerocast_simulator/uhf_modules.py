"""UHF RFID modules on pseudo-terminals, one class for each family: to the agent, real serial ports.

They keep to what their public descriptions say: settings that stay or are lost with the power, boot
loaders, antennas that are missing, rounds that take their time. Tags are seen one by one with
`PtyModule.see`, and each is read once, in the next round on its antenna.
"""

import asyncio
import os
from collections import deque

from aerocast_protocols.uhf_serial import m100, mercury, r2000, uhfreader18
from aerocast_protocols.uhf_serial.framing import FrameBuffer
from aerocast_protocols.uhf_serial.tags import ModuleTag

from aerocast_simulator.serial_devices import Pty

ROUND_S = 0.02


class PtyModule(Pty):
    """What all families share: a line, and tags in the field.

    Attributes
    ----------
    path
        The device file an agent opens.
    orders
        Commands taken so far, by their code: what a session asked of the module.
    missing
        Ports without an antenna.
    silent
        Whether it has stopped to answer.
    """

    def __init__(self, buffer: FrameBuffer) -> None:
        super().__init__()
        self.orders: list[int] = []
        self.missing: set[int] = set()
        self.silent = False
        self._buffer = buffer
        self._field: deque[ModuleTag] = deque()

    def see(self, epc: bytes, antenna: int = 1, rssi_dbm: int = -60, pc: int | None = None) -> None:
        """Let a tag be read in the next round on this antenna."""
        whole_pc = len(epc) // 2 << 11 if pc is None else pc
        self._field.append(
            ModuleTag(epc=epc, pc=whole_pc, rssi_dbm=rssi_dbm, antenna=antenna, crc_ok=True)
        )

    def noise(self, sent: bytes) -> None:
        """Disturb the line."""
        self._write(sent)

    async def run(self) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._master, self._hear)
        try:
            while True:
                await asyncio.sleep(ROUND_S)
                if not self.silent:
                    self._round()
        finally:
            if self._master >= 0:
                loop.remove_reader(self._master)

    def _hear(self) -> None:
        self._buffer.feed(os.read(self._master, 4096))
        for frame in self._buffer.frames():
            if not self.silent:
                self._answer(frame)

    def _answer(self, frame: bytes) -> None:
        raise NotImplementedError

    def _round(self) -> None:
        raise NotImplementedError

    def _read(self, antenna: int | None = None) -> list[ModuleTag]:
        """Take the tags out of the field that this antenna sees; None: all."""
        seen = [tag for tag in self._field if antenna in {None, tag.antenna}]
        self._field = deque(tag for tag in self._field if antenna not in {None, tag.antenna})
        return seen


class PtyM100(PtyModule):
    """An M100 or R200.

    Parameters
    ----------
    rounds_limit
        After so many rounds it stops to read, however many were asked for.
    """

    def __init__(self, rounds_limit: int = 0xFFFF) -> None:
        super().__init__(m100.frame_buffer())
        self.power_dbm, self.region, self.query = 20.0, 0x01, m100.Query(0, 4)
        self.channel: int | None = None
        self._rounds_limit = rounds_limit
        self._rounds = 0

    def _answer(self, frame: bytes) -> None:
        order = m100.decode_frame(frame)
        self.orders.append(order.command)
        self._write(m100.encode_frame(self._reply(order)))

    def _reply(self, order: m100.Frame) -> m100.Frame:
        content = order.payload
        match order.command:
            case m100.Command.VERSION:
                text = b"M100 26dBm V1.0" if content == b"\0" else b"V2.3.5"
                payload = content + text
            case m100.Command.GET_POWER:
                payload = m100.encode_power(self.power_dbm)
            case m100.Command.GET_REGION:
                payload = bytes([self.region])
            case m100.Command.GET_QUERY:
                payload = m100.encode_query(self.query)
            case _:
                return self._obey(order)
        return m100.Frame(m100.REPLY, order.command, payload)

    def _obey(self, order: m100.Frame) -> m100.Frame:
        match order.command:
            case m100.Command.SET_POWER if m100.decode_power(order.payload) <= 26:
                self.power_dbm = m100.decode_power(order.payload)
            case m100.Command.SET_REGION if order.payload[0] in m100.REGIONS:
                self.region = order.payload[0]
            case m100.Command.SET_HOPPING:
                self.channel = None
            case m100.Command.SET_CHANNEL:
                self.channel = order.payload[0]
            case m100.Command.SET_QUERY:
                self.query = m100.decode_query(order.payload)
            case m100.Command.MULTI_POLL:
                asked = int.from_bytes(order.payload[1:3], "big")
                self._rounds = min(asked, self._rounds_limit)
            case m100.Command.STOP:
                self._rounds = 0
            case _:
                return m100.Frame(m100.REPLY, m100.Command.ERROR, b"\x17")
        return m100.Frame(m100.REPLY, order.command, b"\0")

    def _round(self) -> None:
        if not self._rounds:
            return
        self._rounds -= 1
        tags = self._read()
        for tag in tags:
            self._write(m100.encode_tag(tag.epc, tag.pc or 0, round(tag.rssi_dbm or 0)))
        if not tags:
            nothing = m100.Frame(m100.REPLY, m100.Command.ERROR, bytes([m100.NO_TAG]))
            self._write(m100.encode_frame(nothing))


class PtyR2000(PtyModule):
    """A module with an Indy R2000 and four antennas."""

    def __init__(self) -> None:
        super().__init__(r2000.frame_buffer())
        self.power_dbm, self.region, self.antenna = 20, b"\x01\x07\x3b", 1
        self._asked: r2000.Command | None = None

    def _answer(self, frame: bytes) -> None:
        order = r2000.decode_frame(frame)
        self.orders.append(order.command)
        if order.command in {r2000.Command.INVENTORY, r2000.Command.SESSION_INVENTORY}:
            self._asked = r2000.Command(order.command)
        else:
            self._say(order.command, self._reply(order))

    def _reply(self, order: r2000.Frame) -> bytes:
        told = {
            r2000.Command.VERSION: b"\x08\x01",
            r2000.Command.GET_POWER: bytes([self.power_dbm]),
            r2000.Command.GET_REGION: self.region,
            r2000.Command.TEMPERATURE: b"\x01\x1f",
        }
        return told.get(r2000.Command(order.command)) or bytes([self._obey(order)])

    def _obey(self, order: r2000.Frame) -> int:
        content = order.content
        match order.command:
            case r2000.Command.SET_POWER if content[0] <= 33:
                self.power_dbm = content[0]
            case r2000.Command.SET_REGION if r2000.decode_region(content).channels_khz:
                self.region = content
            case r2000.Command.SET_ANTENNA if content[0] < 4:
                self.antenna = content[0] + 1
                if self.antenna in self.missing:
                    return r2000.ANTENNA_MISSING
            case _:
                return 0x41  # wrong parameter
        return r2000.SUCCESS

    def _round(self) -> None:
        kind, self._asked = self._asked, None
        if kind is None:
            return
        if self.antenna in self.missing:
            self._say(kind, bytes([r2000.ANTENNA_MISSING]))
            return
        tags = self._read(self.antenna)
        for tag in tags:
            self._say(kind, r2000.decode_frame(r2000.encode_tag(tag)).content)
        end = r2000.encode_inventory_end(r2000.InventoryEnd(self.antenna, 50, len(tags)))
        self._say(kind, r2000.decode_frame(end).content)

    def _say(self, kind: int, content: bytes) -> None:
        self._write(r2000.encode_frame(r2000.Frame(r2000.FIRST_ADDRESS, kind, content)))


class PtyUhfReader18(PtyModule):
    """A module that speaks the UHFReader18 protocol; it tells of eight tags a frame."""

    def __init__(self) -> None:
        super().__init__(uhfreader18.frame_buffer())
        self.info = uhfreader18.Info("2.18", 0x09, "fcc", 20, 0.3)
        self._is_asked = False

    def _answer(self, frame: bytes) -> None:
        order = uhfreader18.decode_frame(frame)
        self.orders.append(order.command)
        content = order.content
        match order.command:
            case uhfreader18.Command.INVENTORY:
                self._is_asked = True
            case uhfreader18.Command.INFO:
                self._write(uhfreader18.encode_info(self.info))
            case uhfreader18.Command.SET_POWER if content[0] <= 30:
                self.info = self.info._replace(power_dbm=content[0])
                self._say(order.command, uhfreader18.OK)
            case uhfreader18.Command.SET_REGION:
                band = (content[0] >> 6) << 2 | content[1] >> 6
                self.info = self.info._replace(
                    region=uhfreader18.REGIONS.get(band),
                    lowest=content[1] & 0x3F,
                    highest=content[0] & 0x3F,
                )
                self._say(order.command, uhfreader18.OK)
            case _:
                self._say(order.command, 0xFE)

    def _round(self) -> None:
        if not self._is_asked:
            return
        self._is_asked = False
        if 1 in self.missing:
            self._say(uhfreader18.Command.INVENTORY, uhfreader18.ANTENNA_FAULT)
            return
        epcs = [tag.epc for tag in self._read()]
        if not epcs:
            self._say(uhfreader18.Command.INVENTORY, uhfreader18.NO_TAG)
        while epcs:
            told, epcs = epcs[:8], epcs[8:]
            status = uhfreader18.MORE_FOLLOW if epcs else 0x01
            self._write(uhfreader18.encode_tags(told, status))

    def _say(self, kind: int, status: int) -> None:
        self._write(uhfreader18.encode_frame(uhfreader18.Frame(0, kind, bytes([status]))))


class PtyMercury(PtyModule):
    """A module of ThingMagic, just powered on: in its boot loader, without region and protocol.

    Parameters
    ----------
    streams
        Whether it can go on reading by itself; an M5e cannot.
    """

    def __init__(self, *, streams: bool = True) -> None:
        super().__init__(mercury.request_buffer())
        self.boot_loader, self.region, self.power_cdbm = True, 0x00, 2000
        self.channels_khz: tuple[int, ...] = ()
        self.settings: dict[bytes, bytes] = {mercury.SESSION: b"\0", mercury.Q: b"\0"}
        self._streams = streams
        self._ports: tuple[int, ...] = ()
        self._has_protocol = self._is_reading = False
        self._rounds = 0
        self._kept: list[ModuleTag] = []

    def _answer(self, frame: bytes) -> None:
        request = mercury.decode_request(frame)
        self.orders.append(request.opcode)
        if self.boot_loader and request.opcode not in {
            mercury.Opcode.VERSION,
            mercury.Opcode.PROGRAM,
            mercury.Opcode.BOOT,
        }:
            self._say(request.opcode, status=mercury.UNKNOWN_OPCODE)
        elif not self._read_order(request):
            self._settings_order(request)

    def _read_order(self, request: mercury.Request) -> bool:
        """Do what has to do with reading; gives False when it has not."""
        match request.opcode:
            case mercury.Opcode.CONTINUOUS if self._streams:
                starts = request.content[2:3] == b"\1"
                faulty = starts and not self._is_ready
                self._is_reading = starts and not faulty
                self._say(request.opcode, status=0x0500 if faulty else mercury.OK)
            case mercury.Opcode.READ_MULTIPLE:
                self._kept += [tag for port in self._ports for tag in self._read(port)]
                found = bytes(3) + len(self._kept).to_bytes(4, "big")
                status = mercury.OK if self._kept else mercury.NO_TAG
                self._say(request.opcode, found if self._kept else b"", status)
            case mercury.Opcode.TAG_BUFFER:
                told, self._kept = self._kept[:4], self._kept[4:]
                self._write(mercury.encode_buffered(told))
            case mercury.Opcode.CLEAR_TAG_BUFFER:
                self._kept = []
                self._say(request.opcode)
            case _:
                return False
        return True

    @property
    def _is_ready(self) -> bool:
        return bool(self.region and self._has_protocol and self._ports)

    def _settings_order(self, request: mercury.Request) -> None:
        told = self._value(request)
        if told is not None:
            self._say(request.opcode, told)
        elif request.opcode == mercury.Opcode.SET_POWER:
            power_cdbm = int.from_bytes(request.content, "big")
            self._say(request.opcode, status=mercury.OK if power_cdbm <= 2700 else 0x0103)
            self.power_cdbm = min(power_cdbm, 2700)
        else:
            self._say(request.opcode, status=mercury.OK if self._obey(request) else 0x0101)

    def _obey(self, request: mercury.Request) -> bool:
        content = request.content
        match request.opcode:
            case mercury.Opcode.BOOT:
                self.boot_loader = False
            case mercury.Opcode.SET_PROTOCOL:
                self._has_protocol = content == b"\0\5"
            case mercury.Opcode.SET_ANTENNAS:
                self._ports = tuple(content[1::2])
            case mercury.Opcode.SET_REGION:
                self.region = content[0]
                self.channels_khz = (865_700, 866_300, 866_900, 867_500)
            case mercury.Opcode.SET_CHANNELS:
                self.channels_khz = mercury.decode_channels(content)
            case mercury.Opcode.SET_SETTING:
                self.settings[content[:2]] = content[2:]
            case _:
                return False
        return True

    def _value(self, request: mercury.Request) -> bytes | None:
        content = request.content
        ports = ((port, port not in self.missing) for port in range(1, 5))
        told: dict[int, bytes] = {
            mercury.Opcode.VERSION: bytes.fromhex("1311270030000001201602020107020900000010"),
            mercury.Opcode.PROGRAM: b"\x11" if self.boot_loader else b"\x12",
            mercury.Opcode.GET_POWER: content + self.power_cdbm.to_bytes(2, "big"),
            mercury.Opcode.GET_REGION: bytes([self.region]),
            mercury.Opcode.GET_CHANNELS: b"".join(
                channel.to_bytes(4, "big") for channel in self.channels_khz
            ),
            mercury.Opcode.TEMPERATURE: b"\x1f",
            mercury.Opcode.GET_ANTENNAS: content + bytes(each for pair in ports for each in pair),
        }
        if request.opcode == mercury.Opcode.GET_SETTING and content in self.settings:
            return content + self.settings[content]
        return told.get(request.opcode)

    def _round(self) -> None:
        if not self._is_reading:
            return
        self._rounds += 1
        tags = [tag for port in self._ports for tag in self._read(port)]
        for tag in tags:
            self._write(mercury.encode_streamed(tag))
        if self.missing & set(self._ports):
            self._say(mercury.Opcode.READ_MULTIPLE, status=mercury.NO_ANTENNA)
        elif not tags and self._rounds % 10 == 0:
            self._say(mercury.Opcode.READ_MULTIPLE, status=mercury.NO_TAG)

    def _say(self, opcode: int, content: bytes = b"", status: int = mercury.OK) -> None:
        self._write(mercury.encode_answer(mercury.Answer(opcode, status, content)))
