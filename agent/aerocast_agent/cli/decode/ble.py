"""``decode ble``: what Bluetooth advertisements say."""

import argparse
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from aerocast_protocols.ble.advertisement import Advertisement, decode_advertisement
from aerocast_protocols.ble.beacons import find_beacon
from aerocast_protocols.errors import ProtocolError

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused

_SHOWN = 80  # characters of a refused line that are shown


def decode_ble(source: BinaryIO, _options: argparse.Namespace) -> Iterator[Line]:
    """Read advertising data, hex a line."""
    for line in source:
        text = line.decode(errors="replace").strip()
        try:
            yield _told(decode_advertisement(bytes.fromhex(text)))
        except ProtocolError as error:
            yield Refused(str(error), text[:_SHOWN])
        except ValueError:
            yield Refused("not hexadecimal bytes", text[:_SHOWN])


def _told(advertisement: Advertisement) -> Line:
    beacon = find_beacon(advertisement)
    if beacon is None:
        return {
            "kind": "other",
            "name": advertisement.name,
            "tx_power_dbm": advertisement.tx_power_dbm,
            "manufacturer": {
                f"{key:04x}": each.hex() for key, each in advertisement.manufacturer.items()
            },
            "service": {f"{key:04x}": each.hex() for key, each in advertisement.service.items()},
        }
    told: dict[str, object] = msgspec.to_builtins(beacon, builtin_types=(bytes,))
    return {key: each.hex() if isinstance(each, bytes) else each for key, each in told.items()}


KINDS = {"ble": Kind("Bluetooth advertising data, hex a line", decode_ble)}
