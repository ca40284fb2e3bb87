"""What partners report, and the same as gateways would send it. Pure.

A partner's clock counts from 1970: its events travel as those of a gateway that was started then,
so that marks, clocks, times and the loss account are the inbox's own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import msgspec
from aerocast_protocols.batch import (
    PLAIN,
    Envelope,
    encode_body,
    encode_envelope,
    encode_observation,
)
from aerocast_protocols.observations.bags import (
    BagPassage,
    CodeScan,
    CustodyPoint,
    NoRead,
    TagRead,
    UnreadBag,
)
from aerocast_protocols.observations.every import LIVE, Observation
from aerocast_protocols.observations.observed import DeviceName, ShortText

MOST_EVENTS = 1000
EVENTS_A_BODY = 40
"""So many fit a body of the wire whatever is in them."""
SINCE_1970 = b"UTC since 1970\0\0"
"""Stands for the boot: time counts from there."""
NETWORK_TIME = 3

TimeUs = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000_000)]  # until 2100
# Patterns are checked of all events together (`fault_of`): one by one they take longer than all
# the rest of the decoding.
_PLATE, _EPC = "[0-9]{10}", "([0-9A-Fa-f]{2}){0,62}"
Plate = Annotated[
    str,
    msgspec.Meta(
        min_length=10, max_length=10, extra_json_schema={"extra": {"pattern": f"^{_PLATE}$"}}
    ),
]
HexEpc = Annotated[
    str, msgspec.Meta(max_length=124, extra_json_schema={"extra": {"pattern": f"^{_EPC}$"}})
]


class _Reported(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    forbid_unknown_fields=True,
    gc=False,
):
    """What every event carries: the device that saw it, and when (UTC us since 1970-01-01)."""

    device: DeviceName
    seen_at_us: TimeUs


class ReportedRead(_Reported, frozen=True, kw_only=True, tag="tag_read", gc=False):
    """A tag was read; ``epc`` is its memory in hex, 0 to 62 bytes, ``rssi_dbm`` its power."""

    epc: HexEpc
    antenna: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    rssi_dbm: Annotated[float, msgspec.Meta(ge=-200.0, le=100.0)] | None = None


class ReportedPassage(_Reported, frozen=True, kw_only=True, tag="bag_passage", gc=False):
    """A bag went by.

    Attributes
    ----------
    sigma_ms
        How sure the time is: its standard deviation.
    confidence
        How sure it is that it was this bag, 0 to 1.
    """

    belt: ShortText
    point: CustodyPoint
    licence_plate: Plate
    sigma_ms: Annotated[float, msgspec.Meta(ge=0.0, le=600_000.0)] = 1000.0
    confidence: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 1.0


class ReportedScan(_Reported, frozen=True, kw_only=True, tag="code_scan", gc=False):
    """A bag's licence plate was scanned."""

    licence_plate: Plate
    point: CustodyPoint | None = None
    belt: ShortText | None = None


class ReportedNoRead(_Reported, frozen=True, kw_only=True, tag="no_read", gc=False):
    """A scanner saw a bag and no code on it."""

    point: CustodyPoint | None = None
    belt: ShortText | None = None


class ReportedUnread(_Reported, frozen=True, kw_only=True, tag="unread_bag", gc=False):
    """A bag broke a photo eye and no tag was read."""

    belt: ShortText
    point: CustodyPoint


Reported = ReportedRead | ReportedPassage | ReportedScan | ReportedNoRead | ReportedUnread


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Consecutive events of one partner.

    Attributes
    ----------
    epoch
        Which count the numbers belong to. A partner that has lost its count begins a greater one.
    first_sequence
        The number of the first event, from 1; the others follow it.
    """

    epoch: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0
    first_sequence: Annotated[int, msgspec.Meta(ge=1, le=2**62)]
    events: Annotated[list[Reported], msgspec.Meta(min_length=1, max_length=MOST_EVENTS)]


def fault_of(report: Report) -> str | None:
    """Say which plate or tag of a report is none, as the decoder says what else is wrong."""
    plates = [
        each.licence_plate
        for each in report.events
        if type(each) is ReportedPassage or type(each) is ReportedScan
    ]
    epcs = [each.epc for each in report.events if type(each) is ReportedRead]
    if _are_digits("".join(plates)) and _are_hex(epcs):
        return None
    for number, each in enumerate(report.events):
        for name, pattern in (("licence_plate", _PLATE), ("epc", _EPC)):
            text = getattr(each, name, None)
            if text is not None and not re.fullmatch(pattern, text):
                return (
                    f"Expected `str` matching regex '^{pattern}$' - at `$.events[{number}].{name}`"
                )
    return None


def _are_digits(text: str) -> bool:
    return text.isascii() and (text.isdigit() or not text)


def _are_hex(texts: Sequence[str]) -> bool:
    """Say whether each is whole bytes in hex: between them, and nowhere else, stands a space."""
    try:
        bytes.fromhex(" ".join(texts))
    except ValueError:
        return False
    together = "".join(texts)
    return together.isalnum() or not together


def as_sent(report: Report, now_ns: int) -> list[bytes]:
    """Give the messages a gateway would send of it at ``now_ns`` (UTC nanoseconds)."""
    observed = [encode_observation(observation_of(each)) for each in report.events]
    return [
        _sent(report, start, observed[start : start + EVENTS_A_BODY], now_ns)
        for start in range(0, len(observed), EVENTS_A_BODY)
    ]


def _sent(report: Report, start: int, observed: Sequence[bytes], now_ns: int) -> bytes:
    body = encode_body(
        epoch=report.epoch,
        lane=LIVE,
        first_sequence=report.first_sequence + start,
        boot_id=SINCE_1970,
        observations=observed,
    )
    return encode_envelope(
        Envelope(
            codec=PLAIN,
            boot_id_sent=SINCE_1970,
            boot_ns_sent=now_ns,
            wall_ns_sent=now_ns,
            clock_quality=NETWORK_TIME,
            oldest_sequence=0,
            body=body,
        )
    )


def observation_of(reported: Reported) -> Observation:
    """Give an event as a gateway would have seen it."""
    return _AS_SEEN[type(reported)](reported, reported.device, reported.seen_at_us * 1000)


def _read(reported: ReportedRead, device: str, boot_ns: int) -> Observation:
    return TagRead(
        device=device,
        boot_ns=boot_ns,
        epc=bytes.fromhex(reported.epc),
        antenna=reported.antenna,
        rssi_dbm=reported.rssi_dbm,
    )


def _passage(reported: ReportedPassage, device: str, boot_ns: int) -> Observation:
    return BagPassage(
        device=device,
        boot_ns=boot_ns,
        belt=reported.belt,
        point=reported.point,
        epc=b"",
        sigma_ms=reported.sigma_ms,
        reads=0,
        confidence=reported.confidence,
        licence_plate=reported.licence_plate,
    )


def _scan(reported: ReportedScan, device: str, boot_ns: int) -> Observation:
    return CodeScan(
        device=device,
        boot_ns=boot_ns,
        content="plate",
        licence_plate=reported.licence_plate,
        point=reported.point,
        belt=reported.belt,
    )


def _no_read(reported: ReportedNoRead, device: str, boot_ns: int) -> Observation:
    return NoRead(device=device, boot_ns=boot_ns, point=reported.point, belt=reported.belt)


def _unread(reported: ReportedUnread, device: str, boot_ns: int) -> Observation:
    return UnreadBag(device=device, boot_ns=boot_ns, point=reported.point, belt=reported.belt)


_AS_SEEN: Mapping[type[Reported], Callable[..., Observation]] = {
    ReportedRead: _read,
    ReportedPassage: _passage,
    ReportedScan: _scan,
    ReportedNoRead: _no_read,
    ReportedUnread: _unread,
}
