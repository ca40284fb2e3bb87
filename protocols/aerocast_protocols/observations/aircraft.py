"""What is seen of aircraft: where they are, when they come and go, the wind they fly in."""

from typing import Annotated, Literal

import msgspec

from aerocast_protocols.observations.observed import Count, Observed, ShortText

Icao = Annotated[str, msgspec.Meta(pattern="^~?[0-9a-f]{6}$")]
GroundEvent = Literal["landed", "on_stand", "off_stand", "airborne"]
AircraftSource = Literal["adsb", "adsr", "tisb", "mlat", "mode_s"]
Emergency = Literal[
    "general",
    "medical",
    "minimum_fuel",
    "no_communication",
    "unlawful_interference",
    "downed",
]


class AircraftState(Observed, frozen=True, kw_only=True, tag="aircraft_state"):
    """What is known of an aircraft, at most once a second each.

    Attributes
    ----------
    icao
        24-bit address, six lower-case hex digits; ``~`` before it when it is no ICAO address.
    altitude_ft
        Pressure altitude (1013.25 hPa), feet.
    track_deg, ground_speed_kt, vertical_rate_fpm
        Over ground, degrees true; knots; feet a minute, up positive.
    category
        Emitter category, ``A3`` (large) for one; ``C1`` and ``C2`` are vehicles on the ground.
    source
        Where its position comes from: its own ADS-B, a ground station that repeats it (``adsr``)
        or sees it by radar (``tisb``), multilateration (``mlat``); ``mode_s``: it gives none.
    emergency
        What it declares by its squawk (7500, 7600, 7700) or in words of ADS-B.
    is_vehicle
        Whether it is a ground vehicle.
    registration, aircraft_type
        From the gateway's file of aircraft, or from the program that heard it.
    """

    icao: Icao
    callsign: ShortText | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_ft: float | None = None
    on_ground: bool | None = None
    ground_speed_kt: float | None = None
    track_deg: float | None = None
    vertical_rate_fpm: float | None = None
    squawk: Annotated[str, msgspec.Meta(pattern="^[0-7]{4}$")] | None = None
    category: ShortText | None = None
    signal_dbfs: float | None = None
    source: AircraftSource | None = None
    emergency: Emergency | None = None
    is_vehicle: bool = False
    registration: ShortText | None = None
    aircraft_type: ShortText | None = None


class AircraftGroundEvent(Observed, frozen=True, kw_only=True, tag="aircraft_ground_event"):
    """An aircraft landed, stopped on a stand, left it or took off; ``boot_ns`` is when it did.

    Attributes
    ----------
    known_at_boot_ns
        When it became known (an aircraft must stand a while before it counts as parked).
    sigma_s
        Standard deviation of the time of the event, seconds.
    stand
        Name of the stand polygon it happened in; None for landed, airborne and outside stands.
    registration
        From the gateway's file of aircraft, or from the program that heard it.
    """

    icao: Icao
    event: GroundEvent
    sigma_s: float
    known_at_boot_ns: int
    stand: ShortText | None = None
    callsign: ShortText | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    registration: ShortText | None = None


class AircraftWeather(Observed, frozen=True, kw_only=True, tag="aircraft_weather"):
    """Wind and temperature where an aircraft flies.

    Attributes
    ----------
    wind_direction_deg
        Where it blows from, degrees true, [0, 360).
    altitude_ft
        Pressure altitude, feet.
    source
        ``derived`` from ground and air vectors, or ``bds44`` as the aircraft reports it.
    true_heading_deg, true_airspeed_kt
        What it was derived from: an error of the heading turns the wind by as much as it turns
        this vector.
    roll_deg
        The steepest roll among the readings, as a number without sign.
    readings
        How many readings it is the median of.
    """

    icao: Icao
    latitude_deg: float
    longitude_deg: float
    altitude_ft: float
    wind_direction_deg: float
    wind_speed_kt: float
    source: Literal["derived", "bds44"] = "derived"
    temperature_c: float | None = None
    true_heading_deg: float | None = None
    true_airspeed_kt: float | None = None
    roll_deg: float | None = None
    readings: Count | None = None
