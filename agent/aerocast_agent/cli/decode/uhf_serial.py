"""``decode uhf-serial``: what serial UHF modules say, and what is said to them."""

import argparse
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial import m100, mercury, r2000, uhfreader18
from aerocast_protocols.uhf_serial.framing import NOT_HERE, FrameBuffer, Measure
from aerocast_protocols.uhf_serial.tags import ModuleTag

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused

_PIECE = 65_536
_SHOWN = 200  # characters of a refused item that are shown


class _Protocol(NamedTuple):
    measure: Measure
    decode: Callable[[bytes], Iterator[Line]]


def decode_uhf_serial(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    """Read frames of one protocol, both directions of which may be among them."""
    protocol = _PROTOCOLS[options.protocol]
    for item in _frames(source, protocol.measure) if options.binary else _lines(source):
        if isinstance(item, Refused):
            yield item
            continue
        try:
            yield from protocol.decode(item)
        except ProtocolError as error:
            yield Refused(str(error), item.hex()[:_SHOWN])


def _lines(source: BinaryIO) -> Iterator[bytes | Refused]:
    for line in source:
        text = line.decode(errors="replace").strip()
        try:
            yield bytes.fromhex(text)
        except ValueError:
            yield Refused("not hexadecimal bytes", text[:_SHOWN])


def _frames(source: BinaryIO, measure: Measure) -> Iterator[bytes]:
    buffer = FrameBuffer(measure)
    while piece := source.read(_PIECE):
        buffer.feed(piece)
        yield from buffer.frames()
    while buffer.waiting:
        buffer.give_up()
        yield from buffer.frames()


def _m100(raw: bytes) -> Iterator[Line]:
    frame = m100.decode_frame(raw)
    error = m100.error_of(frame)
    names = ("command", "reply", "notification")
    facts: dict[str, object] = {
        "frame": names[frame.type],
        "command": _name(m100.Command, frame.command),
    }
    if m100.is_tag(frame):
        yield _tag(facts, m100.decode_tag(frame))
    else:
        yield _other(facts, None if error is None else m100.ERRORS.get(error, ""), frame.payload)


def _r2000(raw: bytes) -> Iterator[Line]:
    frame = r2000.decode_frame(raw)
    facts = {"address": frame.address, "command": _name(r2000.Command, frame.command)}
    end = r2000.decode_inventory_end(frame)
    if end is not None:
        yield {"frame": "inventory_end", **facts, **end._asdict()}
    elif r2000.is_tag(frame):
        yield _tag({"frame": "tag", **facts}, r2000.decode_tag(frame))
    else:
        yield _other({"frame": "other", **facts}, None, frame.content)


def _uhfreader18(raw: bytes) -> Iterator[Line]:
    frame = uhfreader18.decode_frame(raw)
    facts = {"address": frame.address, "command": _name(uhfreader18.Command, frame.command)}
    is_answer = len(frame.content) > 0
    status = frame.content[0] if is_answer else None
    if is_answer and frame.command == uhfreader18.Command.INVENTORY and status != 0xFB:
        for tag in uhfreader18.decode_tags(frame):
            yield _tag({"frame": "tag", **facts}, tag)
    elif frame.command == uhfreader18.Command.INFO and is_answer:
        yield {"frame": "info", **facts, **uhfreader18.decode_info(frame)._asdict()}
    else:
        error = None if status is None else uhfreader18.ERRORS.get(status)
        yield _other({"frame": "other", **facts}, error, frame.content)


def _mercury(raw: bytes) -> Iterator[Line]:
    if raw and mercury.measure(bytearray(raw), 0) != len(raw):
        request = mercury.decode_request(raw)
        facts: dict[str, object] = {"command": _name(mercury.Opcode, request.opcode)}
        yield _other({"frame": "command", **facts}, None, request.content)
        return
    answer = mercury.decode_answer(raw)
    facts = {"command": _name(mercury.Opcode, answer.opcode), "status": f"{answer.status:04X}"}
    streams = answer.opcode == mercury.Opcode.READ_MULTIPLE and len(answer.content) > 7
    if answer.status == mercury.OK and streams:
        yield _tag({"frame": "tag", **facts}, mercury.decode_streamed(answer))
    elif answer.status == mercury.OK and answer.opcode == mercury.Opcode.TAG_BUFFER:
        for tag in mercury.decode_buffered(answer):
            yield _tag({"frame": "tag", **facts}, tag)
    else:
        error = mercury.ERRORS.get(answer.status)
        yield _other({"frame": "reply", **facts}, error, answer.content)


def _measure_either_way(received: bytearray, at: int) -> int:
    """Find Mercury's answers, and requests where there is none."""
    size = mercury.measure(received, at)
    return mercury.measure_request(received, at) if size == NOT_HERE else size


def _name(names: type, number: int) -> str:
    try:
        return str(names(number).name)
    except ValueError:
        return f"{number:02X}"


def _tag(facts: dict[str, object], tag: ModuleTag) -> Line:
    return {
        **facts,
        "frame": "tag",
        "epc": tag.epc.hex(),
        "pc": None if tag.pc is None else f"{tag.pc:04X}",
        "rssi_dbm": tag.rssi_dbm,
        "antenna": tag.antenna,
        "crc_ok": tag.crc_ok,
    }


def _other(facts: dict[str, object], error: str | None, content: bytes) -> Line:
    return {**facts, "error_text": error, "content": content.hex()}


_PROTOCOLS = {
    "m100": _Protocol(m100.measure, _m100),
    "r2000": _Protocol(r2000.measure, _r2000),
    "uhfreader18": _Protocol(uhfreader18.measure, _uhfreader18),
    "mercury": _Protocol(_measure_either_way, _mercury),
}


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--protocol", choices=_PROTOCOLS, required=True, help="which one it speaks")
    parser.add_argument("--binary", action="store_true", help="bytes as captured, not hex lines")


KINDS = {
    "uhf-serial": Kind(
        "frames of a serial UHF module, hex a line or --binary", decode_uhf_serial, _add_protocol
    ),
}
