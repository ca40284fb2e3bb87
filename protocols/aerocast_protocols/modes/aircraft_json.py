"""Read aircraft.json, the table that readsb and dump1090 write once a second.

As readsb 3.14.1642 writes it; the older names of dump1090-mutability (``altitude``, ``speed``,
``vert_rate``) are understood too. What is stale is left out of it. Every position carries how many
seconds before ``now`` it was received (``seen_pos``), every aircraft when it was heard (``seen``).
Motion through the air (``tas``, ``mag_heading``, ``roll`` ...) carries no age of its own.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.reports import EMERGENCY_SQUAWKS, AircraftReport, AirMotion
from aerocast_protocols.modes.wind import Wind
from aerocast_protocols.observations.aircraft import AircraftSource, Emergency

LARGEST_BYTES = 32 * 1024 * 1024
MOST_AIRCRAFT = 10_000
# Times in the file are rounded to tenths: what moved less has not been heard again.
_ROUNDING_S = 0.15
_FORGOTTEN_S = 600.0
_CLOCK_SET_BACK_S = 1.0  # what was heard "later" than now says nothing about now
_EMERGENCIES: dict[str, Emergency] = {
    "general": "general",
    "lifeguard": "medical",
    "minfuel": "minimum_fuel",
    "nordo": "no_communication",
    "unlawful": "unlawful_interference",
    "downed": "downed",
}
_SOURCES: dict[str, AircraftSource] = {
    "adsb": "adsb",
    "adsr": "adsr",
    "tisb": "tisb",
    "mlat": "mlat",
    "mode": "mode_s",
}

_Speed = Annotated[float, msgspec.Meta(ge=0.0, le=2000.0)]
_Angle = Annotated[float, msgspec.Meta(ge=0.0, le=360.0)]
_Age = Annotated[float, msgspec.Meta(ge=0.0, le=1e7)]


class JsonAircraft(msgspec.Struct, frozen=True, kw_only=True):
    """One aircraft of the file, under the file's own names; units as `AircraftReport`'s."""

    hex: Annotated[str, msgspec.Meta(pattern="^~?[0-9a-fA-F]{6}$")]
    seen: _Age
    type: str | None = None
    flight: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    alt_baro: float | str | None = None
    altitude: float | str | None = None
    gs: float | None = None
    speed: float | None = None
    track: float | None = None
    baro_rate: float | None = None
    vert_rate: float | None = None
    squawk: Annotated[str, msgspec.Meta(pattern="^[0-7]{4}$")] | None = None
    emergency: str | None = None
    category: Annotated[str, msgspec.Meta(pattern="^[A-D][0-7]$")] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)] | None = None
    seen_pos: _Age | None = None
    rssi: float | None = None
    tas: _Speed | None = None
    mach: Annotated[float, msgspec.Meta(ge=0.0, le=5.0)] | None = None
    mag_heading: _Angle | None = None
    true_heading: _Angle | None = None
    roll: Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)] | None = None
    wd: _Angle | None = None
    ws: _Speed | None = None
    mlat: tuple[str, ...] = ()
    tisb: tuple[str, ...] = ()
    r: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    t: Annotated[str, msgspec.Meta(max_length=8)] | None = None


class AircraftFile(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file.

    Attributes
    ----------
    now_s
        The receiver's clock when it wrote, seconds since 1970-01-01.
    aircraft
        All that could be read.
    refused
        How many could not.
    """

    now_s: float
    aircraft: tuple[JsonAircraft, ...]
    refused: int = 0


class _Raw(msgspec.Struct):
    now: Annotated[float, msgspec.Meta(ge=0.0, le=1e11)]
    aircraft: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_AIRCRAFT)]


def decode_aircraft_json(content: bytes) -> AircraftFile:
    """Read the file; an aircraft that cannot be read is counted and does not spoil the others.

    Raises
    ------
    ProtocolError
        It is no such file, or was cut off in writing.
    """
    if len(content) > LARGEST_BYTES:
        raise ProtocolError(f"aircraft.json of {len(content)} bytes is too large")
    try:
        raw = msgspec.json.decode(content, type=_Raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"no aircraft.json: {error}") from None
    read, refused = [], 0
    for each in raw.aircraft:
        try:
            read.append(msgspec.json.decode(each, type=JsonAircraft))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            refused += 1
    return AircraftFile(now_s=raw.now, aircraft=tuple(read), refused=refused)


class AircraftNews:
    """Tells what is new in one aircraft.json after another: the files repeat what they know."""

    def __init__(self) -> None:
        self._heard_s: dict[str, float] = {}
        self._placed_s: dict[str, float] = {}
        self._flown: dict[str, AirMotion] = {}
        self._now_s = 0.0

    def of(self, file: AircraftFile) -> Iterator[AircraftReport]:
        """Give every aircraft heard since the file before, with what of it is new.

        Its position and its motion through the air only if they are.
        """
        if file.now_s < self._now_s - _CLOCK_SET_BACK_S:
            self._heard_s.clear()
            self._placed_s.clear()
            self._flown.clear()
        self._now_s = file.now_s
        for aircraft in file.aircraft:
            heard_s = file.now_s - aircraft.seen
            if heard_s - self._heard_s.get(aircraft.hex, -1e9) < _ROUNDING_S:
                continue
            self._heard_s[aircraft.hex] = heard_s
            is_placed = self._is_placed_anew(file.now_s, aircraft)
            yield _report(aircraft, is_placed=is_placed, air=self._flown_anew(aircraft))
        for times in (self._heard_s, self._placed_s):
            for icao in [each for each, at_s in times.items() if file.now_s - at_s > _FORGOTTEN_S]:
                del times[icao]
                self._flown.pop(icao, None)

    def _flown_anew(self, aircraft: JsonAircraft) -> AirMotion | None:
        motion = _air_motion(aircraft)
        if self._flown.get(aircraft.hex, _AT_REST) == motion:
            return None
        self._flown[aircraft.hex] = motion
        return motion

    def _is_placed_anew(self, now_s: float, aircraft: JsonAircraft) -> bool:
        if aircraft.lat is None or aircraft.lon is None or aircraft.seen_pos is None:
            return False
        placed_s = now_s - aircraft.seen_pos
        if placed_s - self._placed_s.get(aircraft.hex, -1e9) < _ROUNDING_S:
            return False
        self._placed_s[aircraft.hex] = placed_s
        return True


_AT_REST = AirMotion()


def _air_motion(aircraft: JsonAircraft) -> AirMotion:
    wind = None
    if aircraft.wd is not None and aircraft.ws is not None:
        wind = Wind(aircraft.wd % 360.0, aircraft.ws)
    return AirMotion(
        true_airspeed_kt=aircraft.tas,
        magnetic_heading_deg=aircraft.mag_heading,
        true_heading_deg=aircraft.true_heading,
        roll_deg=aircraft.roll,
        mach=aircraft.mach,
        wind=wind,
    )


def _report(
    aircraft: JsonAircraft, *, is_placed: bool, air: AirMotion | None = None
) -> AircraftReport:
    altitude = aircraft.altitude if aircraft.alt_baro is None else aircraft.alt_baro
    on_ground = None if altitude is None else altitude == "ground"
    squawk = aircraft.squawk
    return AircraftReport(
        icao=aircraft.hex.lower(),
        source=_source(aircraft),
        age_s=aircraft.seen_pos if is_placed and aircraft.seen_pos is not None else aircraft.seen,
        callsign=(aircraft.flight or "").strip() or None,
        latitude_deg=aircraft.lat if is_placed else None,
        longitude_deg=aircraft.lon if is_placed else None,
        altitude_ft=altitude if isinstance(altitude, float) else None,
        on_ground=on_ground,
        ground_speed_kt=aircraft.speed if aircraft.gs is None else aircraft.gs,
        track_deg=aircraft.track,
        vertical_rate_fpm=aircraft.vert_rate if aircraft.baro_rate is None else aircraft.baro_rate,
        squawk=squawk,
        emergency=_EMERGENCIES.get(aircraft.emergency or "") or EMERGENCY_SQUAWKS.get(squawk or ""),
        category=aircraft.category,
        registration=aircraft.r,
        aircraft_type=aircraft.t,
        signal_dbfs=aircraft.rssi,
        air=air,
    )


def _source(aircraft: JsonAircraft) -> AircraftSource | None:
    if "lat" in aircraft.mlat:
        return "mlat"
    if "lat" in aircraft.tisb:
        return "tisb"
    return _SOURCES.get((aircraft.type or "")[:4])
