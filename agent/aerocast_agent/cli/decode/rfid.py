"""``decode llrp``, ``decode epc`` and ``decode passages``: what RFID readers and tags say."""

import argparse
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import msgspec
from aerocast_protocols.epc.bag_tag import BagTag
from aerocast_protocols.epc.schemes import classify, split_bank
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.capabilities import decode_capabilities
from aerocast_protocols.llrp.events import decode_notification
from aerocast_protocols.llrp.framing import Message, MessageBuffer, MessageType
from aerocast_protocols.llrp.reader_config import decode_reader_config
from aerocast_protocols.llrp.rospec import decode_rospec, decode_rospec_id, decode_rospec_states
from aerocast_protocols.llrp.status import decode_status
from aerocast_protocols.llrp.tag_report import decode_tag_reports
from aerocast_protocols.observations.bags import BagPassage, GpioEdge, TagRead, UnreadBag
from aerocast_protocols.observations.every import Observation

from aerocast_agent.cli import WRONG_USAGE
from aerocast_agent.cli.decode.kinds import Kind, Line, Refused
from aerocast_agent.cli.decode.passage_score import Truth, score
from aerocast_agent.config_file import ConfigError, read_config
from aerocast_agent.passages import Passages
from aerocast_agent.watched_belt import SECOND_NS

_SHOWN = 200  # characters of a refused item that are shown
_GZIP = b"\x1f\x8b"  # RFC 1952 §2.3.1
_AT_THE_END_NS = 3600 * SECOND_NS  # after the last line, time goes on until every bag is gone


def decode_llrp(source: BinaryIO, _options: argparse.Namespace) -> Iterator[Line]:
    """Read a stream of LLRP messages, both directions of which may be in it."""
    buffer = MessageBuffer()
    while received := source.read(65536):
        buffer.feed(received)
        for message in buffer.messages():
            yield from _message(message)
    if buffer.waiting:
        yield Refused(f"LLRP message cut short after {buffer.waiting} bytes", "end of input")


def decode_epc(source: BinaryIO, _options: argparse.Namespace) -> Iterator[Line]:
    """Read EPC banks, hex a line, with or without the PC word."""
    for line in source:
        text = line.decode(errors="replace").strip()
        try:
            yield _tag(bytes.fromhex(text.removeprefix("0x")))
        except ValueError:
            yield Refused("not hexadecimal bytes", text[:_SHOWN])
        except ProtocolError as error:
            yield Refused(str(error), text[:_SHOWN])


def decode_passages(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    """Read tag reads and photo-eye edges, JSON a line, and give the bags that passed."""
    try:
        belts = read_config(options.config).belts
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(WRONG_USAGE) from error
    truth = None if options.truth is None else _read_truth(options.truth)
    passages = Passages(belts)
    newest_ns = 0
    told: list[Observation] = []
    for line in _log(source):
        observation = line if isinstance(line, Refused) else _observation(line)
        if isinstance(observation, Refused):
            yield observation
            continue
        newest_ns = max(newest_ns, observation.boot_ns)
        found = passages.add(observation)
        told += found
        yield from map(_passed, found)
    found = passages.advance(newest_ns + _AT_THE_END_NS)
    told += found
    yield from map(_passed, found)
    unread = sum(isinstance(each, UnreadBag) for each in told)
    sys.stderr.write(
        f"{len(told) - unread} passages, {unread} unread bags,"
        f" {passages.parked} parked tags, {passages.overheard} overheard from afar,"
        f" {passages.foreign} reads of other tags,"
        f" {passages.late} lines that came too late\n"
    )
    if truth is not None:
        sys.stderr.write(f"{score(truth, told)}\n")


def _log(source: BinaryIO) -> Iterator[bytes | Refused]:
    """Give the lines of a log, which may be packed with gzip."""
    buffered = source if isinstance(source, io.BufferedReader) else io.BytesIO(source.read())
    start = buffered.peek(2) if isinstance(buffered, io.BufferedReader) else buffered.getvalue()
    if start[:2] != _GZIP:
        yield from buffered
        return
    try:
        with gzip.open(buffered) as unpacked:
            yield from unpacked
    except (EOFError, OSError, zlib.error) as error:
        yield Refused(f"packed log: {error}", "end of input")


def _read_truth(path: Path) -> Truth:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Truth)
    except (OSError, msgspec.MsgspecError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        raise SystemExit(WRONG_USAGE) from error


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, help="agent.toml with the belts")
    parser.add_argument(
        "--truth", type=Path, help="what really happened (truth.json): scores the passages"
    )


KINDS = {
    "llrp": Kind("binary stream of LLRP messages, headers included", decode_llrp),
    "epc": Kind("hex a line: an EPC bank with or without the PC word", decode_epc),
    "passages": Kind("JSON lines of tag reads and photo-eye edges", decode_passages, _add_config),
}


def _message(message: Message) -> Iterator[Line]:
    name = _name(message.type)
    try:
        if message.type == MessageType.RO_ACCESS_REPORT:
            for report in decode_tag_reports(message.body):
                yield {
                    "epc": report.epc.hex(),
                    "antenna": report.antenna or None,
                    "rssi_dbm": report.rssi_dbm,
                    "first_seen_us": report.first_seen_us,
                    "last_seen_us": report.last_seen_us,
                    "seen_count": report.seen_count,
                    "channel": report.channel,
                    "phase_deg": report.phase_deg,
                    "doppler_hz": report.doppler_hz,
                }
        else:
            fields = _FIELDS.get(message.type, _no_fields)(message.body)
            yield {"message": name, "message_id": message.id, **fields}
    except ProtocolError as error:
        yield Refused(f"{name} {message.id}: {error}", message.body.hex()[:_SHOWN])


def _name(message_type: int) -> str:
    try:
        return MessageType(message_type).name
    except ValueError:
        return f"MESSAGE_{message_type}"


def _no_fields(_body: bytes) -> dict[str, object]:
    return {}


def _status(body: bytes) -> dict[str, object]:
    status = decode_status(body)
    return {"status": status.code, "description": status.description or None}


def _events(body: bytes) -> dict[str, object]:
    notification = decode_notification(body)
    told = [
        {"event": event.__struct_config__.tag, **msgspec.structs.asdict(event)}
        for event in notification.events
    ]
    return {"utc_us": notification.utc_us, "uptime_us": notification.uptime_us, "events": told}


def _capabilities(body: bytes) -> dict[str, object]:
    found = decode_capabilities(body)
    parts = {
        name: None if part is None else msgspec.to_builtins(part)
        for name, part in (
            ("general", found.general),
            ("limits", found.limits),
            ("regulatory", found.regulatory),
        )
    }
    return {**_status(body), **parts}


def _rospec(body: bytes) -> dict[str, object]:
    order = decode_rospec(body)
    start = "immediate" if order.start == 1 else "other" if order.start else "none"
    return {"rospec_id": order.rospec_id, "start": start, "antennas": order.antennas}


def _rospec_id(body: bytes) -> dict[str, object]:
    return {"rospec_id": decode_rospec_id(body)}


_FIELDS: Mapping[int, Callable[[bytes], dict[str, object]]] = {
    MessageType.READER_EVENT_NOTIFICATION: _events,
    MessageType.GET_READER_CAPABILITIES_RESPONSE: _capabilities,
    MessageType.SET_READER_CONFIG: lambda body: msgspec.structs.asdict(decode_reader_config(body)),
    MessageType.GET_ROSPECS_RESPONSE: lambda body: {
        **_status(body),
        "rospecs": [
            {"rospec_id": rospec_id, "state": state}
            for rospec_id, state in decode_rospec_states(body).items()
        ],
    },
    MessageType.ADD_ROSPEC: _rospec,
    **dict.fromkeys(
        (
            MessageType.DELETE_ROSPEC,
            MessageType.START_ROSPEC,
            MessageType.STOP_ROSPEC,
            MessageType.ENABLE_ROSPEC,
            MessageType.DISABLE_ROSPEC,
        ),
        _rospec_id,
    ),
    **dict.fromkeys(
        (
            MessageType.CLOSE_CONNECTION_RESPONSE,
            MessageType.GET_READER_CONFIG_RESPONSE,
            MessageType.SET_READER_CONFIG_RESPONSE,
            MessageType.ADD_ROSPEC_RESPONSE,
            MessageType.DELETE_ROSPEC_RESPONSE,
            MessageType.START_ROSPEC_RESPONSE,
            MessageType.STOP_ROSPEC_RESPONSE,
            MessageType.ENABLE_ROSPEC_RESPONSE,
            MessageType.DISABLE_ROSPEC_RESPONSE,
            MessageType.ERROR_MESSAGE,
        ),
        _status,
    ),
}


def _tag(bank: bytes) -> Line:
    pc, epc = split_bank(bank)
    tag = classify(epc, pc)
    if isinstance(tag, BagTag):
        return {
            "kind": "bag",
            "licence_plate": tag.licence_plate,
            "day_of_year": tag.day_of_year,
            "afi": None if pc is None else f"{pc & 0xFF:02X}",
        }
    afi = None if tag.afi is None else f"{tag.afi:02X}"
    return {"kind": "other", "scheme": tag.scheme, "epc": epc.hex(), "afi": afi}


class _Seen(msgspec.Struct, frozen=True):
    """A line of `decode_passages`: a tag read, or an edge of a photo eye."""

    seen_at_us: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
    device: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    epc: Annotated[str, msgspec.Meta(max_length=124)] | None = None
    antenna: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    rssi_dbm: float | None = None
    phase_deg: float | None = None
    gpio: Annotated[int, msgspec.Meta(ge=1, le=64)] | None = None
    level: Annotated[int, msgspec.Meta(ge=0, le=1)] | None = None


_seen = msgspec.json.Decoder(_Seen)


def _observation(line: bytes) -> TagRead | GpioEdge | Refused:
    try:
        seen = _seen.decode(line)
        at_ns = seen.seen_at_us * 1000
        if seen.epc is not None:
            return TagRead(
                device=seen.device,
                boot_ns=at_ns,
                epc=bytes.fromhex(seen.epc),
                antenna=seen.antenna,
                rssi_dbm=seen.rssi_dbm,
                phase_deg=seen.phase_deg,
            )
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        return Refused(str(error), _text(line))
    if seen.gpio is None or seen.level is None:
        return Refused("neither a tag read (epc) nor an edge (gpio, level)", _text(line))
    return GpioEdge(device=seen.device, boot_ns=at_ns, pin=seen.gpio, level=seen.level)


def _text(line: bytes) -> str:
    return line.decode(errors="replace").strip()[:_SHOWN]


def _passed(observation: Observation) -> Line:
    if isinstance(observation, BagPassage):
        return {
            "kind": "passage",
            "belt": observation.belt,
            "epc": observation.epc.hex(),
            "licence_plate": observation.licence_plate,
            "passed_at_us": observation.boot_ns // 1000,
            "sigma_ms": observation.sigma_ms,
            "reads": observation.reads,
            "peak_rssi_dbm": observation.peak_rssi_dbm,
            "confidence": observation.confidence,
            "ambiguous": observation.ambiguous,
            "candidates": list(observation.candidates),
        }
    unread = cast("UnreadBag", observation)
    return {"kind": "unread_bag", "belt": unread.belt, "passed_at_us": unread.boot_ns // 1000}
