"""What providers' answers hold: raw reports, and their own decode to compare with ours. Pure.

A provider's decode is never believed in place of the report. Readers take the fields they need and
leave the rest; an item of the wrong shape is passed over and counted, and spoils no other.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.metar_report import Metar
from aerocast_protocols.weather.report_files import RawReport

_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_item = msgspec.json.Decoder(dict[str, object])


class ProviderReport(NamedTuple):
    """A report, and what its provider read in it.

    Attributes
    ----------
    said
        Our names and units; only what it gave.
    """

    raw: RawReport
    said: Mapping[str, float]


class Items(NamedTuple):
    """What could be read of an answer, and how many of its items could not."""

    reports: list[ProviderReport]
    refused: int


def decode_awc_metars(body: bytes) -> Items:
    """Read the API's JSON of METARs, the shape of 2026 or near it.

    Raises
    ------
    ProtocolError
        It is no JSON list.
    """
    try:
        items = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"no list of METARs: {error}") from error
    reports, refused = [], 0
    for each in items:
        read = _metar(each)
        if read is None:
            refused += 1
        else:
            reports.append(read)
    return Items(reports, refused)


def _metar(item: msgspec.Raw) -> ProviderReport | None:
    try:
        fields = _item.decode(item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    raw = fields.get("rawOb")
    if not isinstance(raw, str) or not raw.strip():
        return None
    observed_s = instant_s(fields.get("obsTime"))
    at_us = None if observed_s is None else round(observed_s) * 1_000_000
    said = dict(_said(fields))
    return ProviderReport(RawReport(raw.strip(), at_us), said)


def _said(fields: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    for theirs, ours in (
        ("temp", "temperature_c"),
        ("dewp", "dew_point_c"),
        ("wspd", "wind_speed_kt"),
        ("wgst", "wind_gust_kt"),
        ("wdir", "wind_direction_deg"),
        ("altim", "altimeter_hpa"),
    ):
        value = fields.get(theirs)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield ours, float(value)


def differences(report: Metar, said: Mapping[str, float]) -> list[str]:
    """Name what we read otherwise than the provider did; what either leaves out does not count."""
    limits = {"temperature_c": 1.0, "dew_point_c": 1.0, "wind_speed_kt": 1.0, "wind_gust_kt": 1.0}
    found = []
    for name, theirs in said.items():
        ours = getattr(report, name, None)
        if not isinstance(ours, int | float):
            continue
        apart = abs(float(ours) - theirs)
        if name == "wind_direction_deg":
            apart = min(apart % 360, -apart % 360)
        if apart > limits.get(name, 1.5):
            found.append(name)
    return sorted(found)


def instant_s(value: object) -> float | None:
    """Read an instant as providers write them: seconds since 1970, or ISO 8601; None otherwise."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if 0 < value < 4e9 else None
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
