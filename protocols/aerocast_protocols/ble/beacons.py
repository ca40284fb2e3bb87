"""Beacons in advertisements.

iBeacon: Apple, Proximity Beacon Specification R1. AltBeacon 1.0. Eddystone: Google's protocol
specification, frames UID, URL, TLM (version 0) and EID.
"""

from uuid import UUID

import msgspec

from aerocast_protocols.ble.advertisement import Advertisement
from aerocast_protocols.ble.ruuvi import RUUVI, RuuviTag, decode_ruuvi
from aerocast_protocols.errors import ProtocolError

APPLE, EDDYSTONE = 0x004C, 0xFEAA
AT_ONE_METRE_DB = 41
"""How much weaker than at the beacon itself: Eddystone states its power there, others at 1 m."""
_UID, _URL, _TLM, _EID = 0x00, 0x10, 0x20, 0x30
_SCHEMES = ("http://www.", "https://www.", "http://", "https://")
_ENDINGS = (
    ".com/", ".org/", ".edu/", ".net/", ".info/", ".biz/", ".gov/",
    ".com", ".org", ".edu", ".net", ".info", ".biz", ".gov",
)  # fmt: skip
_NO_TEMPERATURE = 0x8000


class _Beacon(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A beacon; ``tx_power_dbm`` is how strongly it is received at 1 m, by its own word."""

    tx_power_dbm: int | None = None


class IBeacon(_Beacon, frozen=True, kw_only=True, tag="ibeacon"):
    """Apple's: a family, a group in it, and a number in the group."""

    uuid: UUID
    major: int
    minor: int


class AltBeacon(_Beacon, frozen=True, kw_only=True, tag="altbeacon"):
    """The open one: 20 bytes of identifier, of which the first 16 name the family."""

    company: int
    id: bytes
    reserved: int


class EddystoneUid(_Beacon, frozen=True, kw_only=True, tag="eddystone_uid"):
    """A namespace of 10 bytes and an instance of 6."""

    namespace: bytes
    instance: bytes


class EddystoneUrl(_Beacon, frozen=True, kw_only=True, tag="eddystone_url"):
    """An address of the web."""

    url: str


class EddystoneTlm(_Beacon, frozen=True, kw_only=True, tag="eddystone_tlm"):
    """How the beacon itself is: battery, temperature, advertisements sent, seconds running."""

    battery_mv: int | None
    temperature_c: float | None
    advertisements: int
    uptime_s: float


class EddystoneEid(_Beacon, frozen=True, kw_only=True, tag="eddystone_eid"):
    """An identifier that changes; only its owner knows whose."""

    id: bytes


Beacon = IBeacon | AltBeacon | EddystoneUid | EddystoneUrl | EddystoneTlm | EddystoneEid | RuuviTag


def find_beacon(advertisement: Advertisement) -> Beacon | None:
    """Find the beacon in an advertisement; None when it is something else.

    Raises
    ------
    ProtocolError
        It says it is a beacon, and is cut or impossible.
    """
    if (service := advertisement.service.get(EDDYSTONE)) is not None:
        return decode_eddystone(service)
    for company, content in advertisement.manufacturer.items():
        if company == APPLE and content[:2] == b"\x02\x15":
            return _ibeacon(content)
        if content[:2] == b"\xbe\xac":
            return _altbeacon(company, content)
        if company == RUUVI:
            return decode_ruuvi(content)
    return None


def identity_of(beacon: Beacon) -> str | None:
    """Give what tells a beacon from all others, in one line; None: only its address does."""
    match beacon:
        case IBeacon():
            return f"{beacon.uuid}:{beacon.major}:{beacon.minor}"
        case AltBeacon() | EddystoneEid():
            return beacon.id.hex()
        case EddystoneUid():
            return f"{beacon.namespace.hex()}:{beacon.instance.hex()}"
        case EddystoneUrl():
            return beacon.url
        case RuuviTag():
            return beacon.mac
    return None


def decode_eddystone(frame: bytes) -> Beacon | None:
    """Read an Eddystone frame; None for kinds that are not known, or encrypted.

    Raises
    ------
    ProtocolError
        It is cut or impossible.
    """
    kind = frame[0] if frame else None
    if kind == _UID and len(frame) >= 18:
        return EddystoneUid(
            tx_power_dbm=_signed(frame[1]) - AT_ONE_METRE_DB,
            namespace=frame[2:12],
            instance=frame[12:18],
        )
    if kind == _URL and len(frame) >= 3:
        return EddystoneUrl(tx_power_dbm=_signed(frame[1]) - AT_ONE_METRE_DB, url=_url(frame[2:20]))
    if kind == _TLM and len(frame) >= 14:
        return None if frame[1] else _tlm(frame)
    if kind == _EID and len(frame) >= 10:
        return EddystoneEid(tx_power_dbm=_signed(frame[1]) - AT_ONE_METRE_DB, id=frame[2:10])
    if kind in {_UID, _URL, _TLM, _EID} or kind is None:
        raise ProtocolError(f"Eddystone frame {frame[:24].hex()} is cut")
    return None


def _ibeacon(content: bytes) -> IBeacon:
    if len(content) < 23:
        raise ProtocolError(f"iBeacon of {len(content)} bytes is cut")
    return IBeacon(
        uuid=UUID(bytes=content[2:18]),
        major=int.from_bytes(content[18:20], "big"),
        minor=int.from_bytes(content[20:22], "big"),
        tx_power_dbm=_signed(content[22]),
    )


def _altbeacon(company: int, content: bytes) -> AltBeacon:
    if len(content) < 24:
        raise ProtocolError(f"AltBeacon of {len(content)} bytes is cut")
    return AltBeacon(
        company=company,
        id=content[2:22],
        tx_power_dbm=_signed(content[22]),
        reserved=content[23],
    )


def _tlm(frame: bytes) -> EddystoneTlm:
    temperature = int.from_bytes(frame[4:6], "big")
    return EddystoneTlm(
        battery_mv=int.from_bytes(frame[2:4], "big") or None,
        temperature_c=None
        if temperature == _NO_TEMPERATURE
        else int.from_bytes(frame[4:6], "big", signed=True) / 256,
        advertisements=int.from_bytes(frame[6:10], "big"),
        uptime_s=int.from_bytes(frame[10:14], "big") / 10,
    )


def _url(encoded: bytes) -> str:
    if encoded[0] >= len(_SCHEMES):
        raise ProtocolError(f"Eddystone URL begins with {encoded[0]}")
    url = _SCHEMES[encoded[0]]
    for byte in encoded[1:]:
        if byte < len(_ENDINGS):
            url += _ENDINGS[byte]
        elif 0x20 < byte < 0x7F:
            url += chr(byte)
        else:
            raise ProtocolError(f"Eddystone URL holds byte {byte:#04x}")
    return url


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
