"""``decode bim``: baggage messages (IATA RP1745), in Type B envelopes or without."""

import argparse
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from aerocast_protocols.baggage import (
    BagMessage,
    Bags,
    Leg,
    MessageBuffer,
    Processing,
    encode_message,
    parse_message,
)
from aerocast_protocols.errors import ProtocolError

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused

_PIECE = 65_536
_LONGEST_LINE = 1_048_576
_SHOWN = 200  # of a refused message, in characters
_YES_OR_NO = {True: "Y", False: "N", None: None}


class _Row(msgspec.Struct):
    raw: str
    id: str | int | None = None


_rows = msgspec.json.Decoder(_Row)


def _decode_messages(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    named = _json_lines(source) if options.jsonl else _numbered(source)
    for each in named:
        if isinstance(each, Refused):
            yield each
            continue
        name, raw = each
        try:
            yield {"id": name} | _message(parse_message(raw))
        except ProtocolError as error:
            yield Refused(str(error), raw[:_SHOWN].decode("latin-1"))


def _numbered(source: BinaryIO) -> Iterator[tuple[str, bytes] | Refused]:
    for number, raw in enumerate(_pieces(source), start=1):
        yield str(number), raw


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    buffer = MessageBuffer()
    while piece := source.read(_PIECE):
        buffer.feed(piece)
        yield from buffer.messages()
    yield from filter(bytes.strip, buffer.flush())


def _json_lines(source: BinaryIO) -> Iterator[tuple[str, bytes] | Refused]:
    number = 0
    while line := source.readline(_LONGEST_LINE):
        number += 1
        try:
            row = _rows.decode(line)
            yield str(number if row.id is None else row.id), row.raw.encode("latin-1")
        except (msgspec.MsgspecError, UnicodeEncodeError) as error:
            yield Refused(str(error), line[:_SHOWN].decode("utf-8", "replace").strip())


def _message(message: BagMessage) -> dict[str, object]:
    version, envelope, bags = message.version, message.envelope, message.bags
    line: dict[str, object] = {
        "type": message.kind,
        "status": message.status,
        "control": message.control,
        "priority": None if envelope is None else envelope.priority,
        "to": [] if envelope is None else list(envelope.to),
        "sender": None if envelope is None else envelope.sender,
        "sent": None if envelope is None else envelope.sent,
        "source": None if version is None else version.source,
        "station": None if version is None else version.station,
        "part": None if version is None else version.part,
        "last_part": message.is_last_part,
        "reference": None if version is None else version.reference,
        "end_mismatch": message.ending is not None and not message.ends_as_it_began,
        "cut_short": message.ending is None,
    }
    line |= _bags(bags[0])
    line["tags"] = [tag for each in bags for tag in _tags(each)]
    line["tag_error"] = any(each.name == "N" for each in message.problems)
    if len(bags) > 1:
        line["groups"] = [_bags(each) for each in bags]
    line["problems"] = [
        {"element": each.element, "name": each.name, "reason": each.reason}
        for each in message.problems
    ]
    line["reencoded"] = encode_message(message).decode("latin-1")
    return line


def _bags(bags: Bags) -> dict[str, object]:
    said = bags.reconciliation
    weight = bags.weight
    person = bags.passengers[0] if bags.passengers else None
    screened = bags.screening[-1] if bags.screening else None
    return {
        "inbound": _leg(bags.inbound),
        "outbound": _leg(bags.outbound),
        "onward": [_leg(each) for each in bags.onward],
        "tags": _tags(bags),
        "load_authority": None if said is None else _YES_OR_NO[said.authority_to_load],
        "seat": None if said is None else said.seat,
        "pax_status": None if said is None else said.passenger_status,
        "seq": None if said is None else said.sequence,
        "security": None if said is None else said.security,
        "profile": None if said is None else said.profile,
        "transport_authority": None if said is None else _YES_OR_NO[said.authority_to_transport],
        "tag_status": None if said is None else said.tag_status,
        "pieces": None if weight is None else weight.pieces,
        "weight": None if weight is None else weight.checked,
        "weight_unit": None if weight is None else weight.unit,
        "surname": None if person is None else person.surname,
        "given": [] if person is None else list(person.given),
        "pnr": bags.pnr,
        "exceptions": list(bags.exceptions),
        "processing": _processing(bags.processing[-1]) if bags.processing else None,
        "screening_result": None if screened is None else screened.result,
        "irregularities": [each.code for each in bags.irregularities],
        "container": None if bags.stowage is None else bags.stowage.device,
        "internal": list(bags.internal),
        "printer": bags.printer,
    }


def _leg(leg: Leg | None) -> dict[str, object] | None:
    if leg is None:
        return None
    return {
        "flight": leg.flight,
        "airline": leg.airline,
        "number": leg.number,
        "date": leg.date,
        "airport": leg.airport,
        "class": leg.travel_class,
    }


def _tags(bags: Bags) -> list[str]:
    """Give the plates as sent: ranges may overlap."""
    return [plate for tag in bags.tags for plate in tag.plates()]


def _processing(said: Processing) -> dict[str, object]:
    """Give what ``.J`` says; agent and scanner left out are empty, as the message has them."""
    return {
        "code": said.code,
        "agent": said.agent or "",
        "scanner": said.scanner or "",
        "date": said.date,
        "time": said.time,
        "tz": said.zone,
        "location": list(said.locations),
    }


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jsonl", action="store_true", help='JSON lines {"id", "raw"}')


KINDS = {"bim": Kind("a file of baggage messages (RP1745)", _decode_messages, _add_arguments)}
