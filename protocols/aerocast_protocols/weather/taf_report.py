"""What a TAF says group by group, and what its groups come to at any instant.

Units are in the names; None is what the forecast does not say.
"""

from typing import Literal

import msgspec

from aerocast_protocols.weather.metar_report import Cloud, FlightCategory

ChangeKind = Literal["BASE", "FM", "BECMG", "TEMPO", "INTER", "PROB"]
TafFlag = Literal[
    "UNIT_ASSUMED",  # wind without unit, read as knots
    "GLUED",  # groups without the space between them
    "OUT_OF_RANGE",  # an impossible value was left out
    "TIME_ASSUMED",  # a change whose time nobody could read: it may hold all the time
]


class WindShear(msgspec.Struct, frozen=True, kw_only=True):
    """Another wind not far above the ground (US and Canadian ``WS`` groups)."""

    height_ft: int
    direction_deg: int
    speed_kt: float


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """Weather as forecast: of one group, what it says; of a period, what holds.

    Attributes
    ----------
    wind_direction_deg
        Where it blows from, degrees true; or ``VRB``.
    visibility_m
        Metres; 10000 for 9999 and CAVOK, which mean that or more.
    visibility_qualifier
        M less than, P more than ``visibility_m``.
    weather
        As METARs write it. In a group ``NSW`` is the end of weather; a period does not name it.
    ceiling_ft
        Base of the lowest BKN, OVC or VV.
    flight_category
        From visibility and ceiling; None without visibility.
    """

    wind_direction_deg: int | Literal["VRB"] | None = None
    wind_speed_kt: float | None = None
    wind_gust_kt: float | None = None
    visibility_m: float | None = None
    visibility_qualifier: Literal["M", "P"] | None = None
    weather: tuple[str, ...] = ()
    clouds: tuple[Cloud, ...] = ()
    ceiling_ft: int | None = None
    flight_category: FlightCategory | None = None
    wind_shear: WindShear | None = None


class TafGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The forecast's first part, or a change to it.

    Attributes
    ----------
    kind
        PROB is a probability alone; ``PROB30 TEMPO`` is TEMPO with a probability.
    probability
        Per cent, 30 or 40; None when not given.
    from_us, to_us
        Of BECMG: when the change happens; of FM: from when until the next FM or the end.
    conditions
        Only what the group itself says.
    """

    kind: ChangeKind
    probability: int | None = None
    from_us: int
    to_us: int
    conditions: Conditions
    altimeter_hpa: float | None = None


class ExtremeTemperature(msgspec.Struct, frozen=True, kw_only=True):
    """The highest (TX) or lowest (TN) temperature and when; ``kind`` None where not said."""

    kind: Literal["TX", "TN"] | None
    temperature_c: float
    at_us: int


class Taf(msgspec.Struct, frozen=True, kw_only=True):
    """A TAF; times are UTC, microseconds since 1970-01-01.

    Attributes
    ----------
    issued_at_us
        None when it does not say.
    valid_from_us, valid_to_us
        None of a forecast that is not there (NIL) or does not say.
    amended, corrected
        It takes the place of one issued before.
    cancelled, nil
        Nothing is forecast any more, or nothing was.
    groups
        In the order they are written.
    unparsed
        What nobody could read.
    """

    station: str
    raw: str
    issued_at_us: int | None = None
    valid_from_us: int | None = None
    valid_to_us: int | None = None
    amended: bool = False
    corrected: bool = False
    cancelled: bool = False
    nil: bool = False
    groups: tuple[TafGroup, ...] = ()
    temperatures: tuple[ExtremeTemperature, ...] = ()
    unparsed: tuple[str, ...] = ()
    flags: tuple[TafFlag, ...] = ()


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """What may come instead for a time: the prevailing conditions with the group's over them."""

    kind: Literal["TEMPO", "INTER", "PROB"]
    probability: int | None
    from_us: int
    to_us: int
    conditions: Conditions


class TafPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A time over which a forecast says one thing.

    Attributes
    ----------
    prevailing
        While a BECMG changes it, of each element the worse of before and after.
    worst_credible
        Of each element the worst of the prevailing conditions and those TEMPO and INTER bring;
        what has a probability of 30 or 40 per cent is kept apart, in ``alternatives``.
    """

    from_us: int
    to_us: int
    prevailing: Conditions
    alternatives: tuple[Alternative, ...]
    worst_credible: Conditions
