"""Put RMC, GGA and GSA sentences together to fixes.

NMEA 0183, any talker. RMC carries date, speed and track; GGA altitude, satellites and quality; GSA
whether the fix is two- or three-dimensional. Sentences of one moment carry the same time of day, in
an order that differs between receivers.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import Basis, Fix
from aerocast_protocols.nmea.sentences import Sentence

MPS_PER_KNOT = 1852 / 3600
# GGA quality: 1 GPS, 2 differential, 3 PPS, 4 and 5 real-time kinematic.
_BASES: dict[int, Basis] = dict.fromkeys((1, 2, 3, 4, 5), "satellites")
_BASES |= {6: "dead_reckoning", 7: "entered", 8: "simulated"}
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(?:\.(\d{1,9}))?\Z", re.ASCII)
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)\Z", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{0,12})?\Z|-?\.\d{1,12}\Z", re.ASCII)
_POSITION = re.compile(r"(\d{0,3})(\d\d(?:\.\d{0,12})?)\Z", re.ASCII)  # dddmm.mmmm
_COUNT = re.compile(r"\d{1,4}\Z", re.ASCII)


class Rmc(NamedTuple):
    """Recommended minimum: ``time_us`` of day, midnight of ``date_us``, position, speed, track."""

    time_us: int | None
    active: bool
    latitude_deg: float | None
    longitude_deg: float | None
    speed_mps: float | None
    track_deg: float | None
    date_us: int | None


class Gga(NamedTuple):
    """Fix data: ``time_us`` of day, position, quality, satellites used, dilution, altitude."""

    time_us: int | None
    latitude_deg: float | None
    longitude_deg: float | None
    quality: int | None
    satellites: int | None
    hdop: float | None
    altitude_m: float | None


def decode_rmc(fields: tuple[str, ...]) -> Rmc:
    """Read an RMC sentence's fields.

    Raises
    ------
    ProtocolError
        A field is missing or impossible.
    """
    if len(fields) < 9:
        raise ProtocolError(f"RMC with {len(fields)} fields is cut short")
    speed_kt = _number(fields[6], 0, 100_000)
    track_deg = _number(fields[7], 0, 360)
    return Rmc(
        time_us=_time_us(fields[0]),
        active=fields[1] == "A",
        latitude_deg=_degrees(fields[2], fields[3], "NS", 90),
        longitude_deg=_degrees(fields[4], fields[5], "EW", 180),
        speed_mps=None if speed_kt is None else speed_kt * MPS_PER_KNOT,
        track_deg=None if track_deg is None else track_deg % 360,
        date_us=_date_us(fields[8]),
    )


def decode_gga(fields: tuple[str, ...]) -> Gga:
    """Read a GGA sentence's fields.

    Raises
    ------
    ProtocolError
        A field is missing or impossible.
    """
    if len(fields) < 9:
        raise ProtocolError(f"GGA with {len(fields)} fields is cut short")
    return Gga(
        time_us=_time_us(fields[0]),
        latitude_deg=_degrees(fields[1], fields[2], "NS", 90),
        longitude_deg=_degrees(fields[3], fields[4], "EW", 180),
        quality=_count(fields[5]),
        satellites=_count(fields[6]),
        hdop=_number(fields[7], 0, 1000),
        altitude_m=_number(fields[8], -20_000, 1_000_000),
    )


class FixAssembler:
    """Joins sentences of one moment to a fix."""

    def __init__(self) -> None:
        self._rmc: Rmc | None = None
        self._gga: Gga | None = None
        self._gsa_mode: int | None = None

    def add(self, sentence: Sentence) -> Fix | None:
        """Take the next sentence; give a fix as soon as one is complete.

        A moment with RMC or GGA alone is given when the next one begins.

        Raises
        ------
        ProtocolError
            An RMC, GGA or GSA sentence is impossible. Other sentences are passed over.
        """
        if sentence.type == "RMC":
            rmc = decode_rmc(sentence.fields)
            fix = self._moved_on(rmc.time_us)
            self._rmc = rmc
        elif sentence.type == "GGA":
            gga = decode_gga(sentence.fields)
            fix = self._moved_on(gga.time_us)
            self._gga = gga
        else:
            if sentence.type == "GSA":
                self._gsa_mode = _gsa_mode(sentence.fields)
            return None
        if self._rmc is not None and self._gga is not None:
            return self.flush()
        return fix

    def flush(self) -> Fix | None:
        """Give what has come of the present moment, if anything; at the end of a recording."""
        rmc, gga = self._rmc, self._gga
        self._rmc = self._gga = None
        if rmc is None and gga is None:
            return None
        return _join(rmc, gga, self._gsa_mode)

    def _moved_on(self, time_us: int | None) -> Fix | None:
        waiting = self._rmc or self._gga
        if waiting is None or waiting.time_us == time_us:
            return None
        return self.flush()


def _join(rmc: Rmc | None, gga: Gga | None, gsa_mode: int | None) -> Fix:
    at = gga or rmc
    valid = (rmc is None or rmc.active) and (gga is None or bool(gga.quality))
    located = (
        valid and at is not None and at.latitude_deg is not None and at.longitude_deg is not None
    )
    fix_at_us = None
    if rmc is not None and rmc.date_us is not None and rmc.time_us is not None:
        fix_at_us = rmc.date_us + rmc.time_us
    fix = Fix(
        "nmea",
        1,
        fix_at_us,
        satellites=gga.satellites if gga else None,
        hdop=gga.hdop if gga else None,
        basis=_BASES.get(gga.quality or 0) if gga else None,
        valid=rmc.active if rmc else None,
    )
    if not located or at is None:
        return fix
    altitude_m = gga.altitude_m if gga else None
    mode = 3 if altitude_m is not None else 2
    if gsa_mode == 2:  # the altitude in GGA is an old one
        mode, altitude_m = 2, None
    return fix._replace(
        mode=mode,
        latitude_deg=at.latitude_deg,
        longitude_deg=at.longitude_deg,
        altitude_m=altitude_m,
        speed_mps=rmc.speed_mps if rmc else None,
        track_deg=rmc.track_deg if rmc else None,
    )


def _gsa_mode(fields: tuple[str, ...]) -> int | None:
    if len(fields) < 2 or fields[1] not in {"1", "2", "3"}:
        raise ProtocolError(f"GSA mode in {fields[:2]!r} is none of 1, 2, 3")
    return int(fields[1])


def _time_us(text: str) -> int | None:
    if not text:
        return None
    found = _TIME.match(text)
    if found is None:
        raise ProtocolError(f"NMEA time {text[:20]!r} is impossible")
    hours, minutes, seconds, fraction = found.groups("")
    whole_s = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole_s * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def _date_us(text: str) -> int | None:
    if not text:
        return None
    found = _DATE.match(text)
    if found is None:
        raise ProtocolError(f"NMEA date {text[:20]!r} is impossible")
    day, month, year = (int(part) for part in found.groups())
    try:
        midnight = datetime(year + (1900 if year >= 80 else 2000), month, day, tzinfo=UTC)
    except ValueError as error:
        raise ProtocolError(f"NMEA date {text!r} is impossible") from error
    return int(midnight.timestamp()) * 1_000_000


def _degrees(text: str, hemisphere: str, letters: str, limit: int) -> float | None:
    if not text or not hemisphere:
        return None
    found = _POSITION.match(text)
    if found is None or hemisphere not in set(letters):
        raise ProtocolError(f"NMEA position {text[:20]!r},{hemisphere[:4]!r} is impossible")
    minutes = float(found[2])
    degrees = int(found[1] or 0) + minutes / 60
    if minutes >= 60 or degrees > limit:
        raise ProtocolError(f"NMEA position {text[:20]!r} is impossible")
    return -degrees if hemisphere == letters[1] else degrees


def _number(text: str, least: float, most: float) -> float | None:
    if not text:
        return None
    if _NUMBER.match(text) is None or not least <= float(text) <= most:
        raise ProtocolError(f"NMEA number {text[:20]!r} is impossible")
    return float(text)


def _count(text: str) -> int | None:
    if not text:
        return None
    if _COUNT.match(text) is None:
        raise ProtocolError(f"NMEA count {text[:20]!r} is impossible")
    return int(text)
