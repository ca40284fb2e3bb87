"""``decode reader-json``: what readers tell in JSON, by HTTP or MQTT."""

import argparse
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.network_readers.reports import TagReport

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused
from aerocast_agent.network_reader import decoder

_SHOWN = 200  # characters of a refused item that are shown


def decode_reader_json(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    """Read messages, a line each: one event, or an array of them."""
    decode = decoder(options.maker)
    for line in source:
        try:
            reports = decode(line)
        except ProtocolError as error:
            yield Refused(str(error), line.decode(errors="replace").strip()[:_SHOWN])
            continue
        for report in reports:
            told = {"report": report.__struct_config__.tag, **msgspec.structs.asdict(report)}
            if isinstance(report, TagReport):
                told["epc"] = report.epc.hex()
                told["pc"] = None if report.pc is None else f"{report.pc:04X}"
            yield told


def _add_maker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--maker", choices=["impinj", "zebra"], required=True, help="whose JSON")


KINDS = {
    "reader-json": Kind(
        "JSON messages of an Impinj R700 or Zebra's IoT Connector, one a line",
        decode_reader_json,
        _add_maker,
    ),
}
