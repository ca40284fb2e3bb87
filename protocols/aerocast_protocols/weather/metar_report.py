"""What a METAR or SPECI says, with units in the names and None for what it does not say."""

import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

Flag = Literal[
    "UNIT_ASSUMED",  # wind without unit, read as knots
    "T_GROUP_MISMATCH",  # remarks contradict the body by over 1 degree: the body counts
    "GLUED",  # groups without the space between them
    "OUT_OF_RANGE",  # an impossible value was left out
    "STALE",  # older than STALE_AFTER_US when read
    "CORRECTED",
    "NIL",  # the station sends no report
]
FlightCategory = Literal["LIFR", "IFR", "MVFR", "VFR"]

METRES_PER_MILE = 1609.344
STALE_AFTER_US = 75 * 60 * 1_000_000
_EARLY_US = 60 * 60 * 1_000_000  # a report may claim to be from this far in the future
_EXACT = re.compile(r"(?<!\S)T([01])(\d{3})(?:([01])(\d{3}))?(?!\S)")


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """A layer: FEW, SCT, BKN, OVC, VV, or why there is none (SKC, CLR, NSC, NCD, CAVOK).

    Attributes
    ----------
    cover
        None when the station could not see how much.
    base_ft
        Above the aerodrome; None when not reported.
    type
        CB or TCU.
    """

    cover: str | None
    base_ft: int | None = None
    type: str | None = None


class RunwayRange(msgspec.Struct, frozen=True, kw_only=True):
    """Runway visual range; ``range_max_m`` when it varies.

    Attributes
    ----------
    qualifier
        P more than, M less than the instrument can measure (of the upper value when it varies).
    trend
        U up, D down, N none.
    """

    runway: str
    range_m: float
    range_max_m: float | None = None
    qualifier: str | None = None
    trend: str | None = None


class Metar(msgspec.Struct, frozen=True, kw_only=True):
    """A METAR or SPECI; None is not reported.

    Attributes
    ----------
    observed_at_us
        UTC, microseconds since 1970-01-01; None when the present was not given or the time is not
        readable.
    wind_direction_deg
        Where it blows from, degrees true, 0 in calm; or ``VRB``.
    wind_variable_deg
        Between which directions it varies, clockwise.
    visibility_m
        Prevailing, metres; 10000 for 9999 and CAVOK, which mean that or more.
    visibility_qualifier
        M less than, P more than ``visibility_m``.
    minimum_visibility_m
        The lowest in any direction, where given besides the prevailing one.
    ceiling_ft
        Base of the lowest BKN, OVC or VV.
    altimeter_hpa
        QNH.
    flight_category
        From visibility and ceiling; None without visibility.
    trend
        Forecast groups, one text for each of NOSIG, BECMG ..., TEMPO ..., INTER ...
    unparsed
        Groups of the body nobody could read.
    """

    station: str
    raw: str
    observed_at_us: int | None = None
    wind_direction_deg: int | Literal["VRB"] | None = None
    wind_speed_kt: float | None = None
    wind_gust_kt: float | None = None
    wind_variable_deg: tuple[int, int] | None = None
    visibility_m: float | None = None
    visibility_qualifier: Literal["M", "P"] | None = None
    minimum_visibility_m: float | None = None
    weather: tuple[str, ...] = ()
    clouds: tuple[Cloud, ...] = ()
    ceiling_ft: int | None = None
    temperature_c: float | None = None
    dew_point_c: float | None = None
    altimeter_hpa: float | None = None
    flight_category: FlightCategory | None = None
    corrected: bool = False
    auto: bool = False
    rvr: tuple[RunwayRange, ...] = ()
    trend: tuple[str, ...] = ()
    unparsed: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()


def flight_category(visibility_m: float | None, ceiling_ft: int | None) -> FlightCategory | None:
    """Give the category AWC's rule gives; the worse of visibility and ceiling counts."""
    if visibility_m is None:
        return None
    miles = round(visibility_m / METRES_PER_MILE, 2)
    ceiling = 100_000 if ceiling_ft is None else ceiling_ft
    if miles < 1 or ceiling < 500:
        return "LIFR"
    if miles < 3 or ceiling < 1000:
        return "IFR"
    return "MVFR" if miles <= 5 or ceiling <= 3000 else "VFR"


def resolve_day_time(day: int, hour: int, minute: int, now_us: int) -> int | None:
    """Give the latest instant with this day and time not over an hour after ``now_us``, or None."""
    latest_us = now_us + _EARLY_US
    try:
        present = datetime.fromtimestamp(latest_us / 1e6, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    for months_back in range(12):
        year, month0 = divmod(present.year * 12 + present.month - 1 - months_back, 12)
        try:
            instant = datetime(year, month0 + 1, day, hour, minute, tzinfo=UTC)
        except ValueError:  # no such day in that month
            continue
        found_us = int(instant.timestamp()) * 1_000_000
        if found_us <= latest_us:
            return found_us
    return None


class Wind(NamedTuple):
    """The wind group."""

    direction_deg: int | Literal["VRB"] | None
    speed_kt: float | None
    gust_kt: float | None


class Visibility(NamedTuple):
    """The first visibility group."""

    metres: float | None
    qualifier: Literal["M", "P"] | None


class Draft:
    """A report while it is being read, group by group."""

    def __init__(self, station: str, raw: str, now_us: int | None) -> None:
        self.station, self.raw, self.now_us = station, raw, now_us
        self.understood = 0
        self.corrected = self.auto = False
        self.observed_at_us: int | None = None
        self.wind: Wind | None = None
        self.variable: tuple[int, int] | None = None
        self.visibility: Visibility | None = None
        self.minimum_visibility_m: float | None = None
        self.weather: list[str] = []
        self.clouds: list[Cloud] = []
        self.rvr: list[RunwayRange] = []
        self.temperatures: tuple[float | None, float | None] | None = None
        self.altimeter_hpa: float | None = None
        self.unparsed: list[str] = []
        self.flags: set[Flag] = set()

    def compare_exact_temperatures(self, remarks: str) -> None:
        """Take tenths of a degree from the remarks' T group where it agrees with the body."""
        exact = _EXACT.search(remarks)
        if exact is None:
            return
        signs_and_tenths = ((exact[1], exact[2]), (exact[3], exact[4]))
        rounded = self.temperatures or (None, None)
        taken: list[float | None] = []
        for body, (sign, tenths) in zip(rounded, signs_and_tenths, strict=True):
            value = int(tenths) / (-10 if sign == "1" else 10) if tenths else None
            if body is not None and value is not None and abs(body - value) > 1:
                self.flags.add("T_GROUP_MISMATCH")
                taken = list(rounded)
                break
            taken.append(body if value is None else value)
        self.temperatures = (taken[0], taken[1])

    def finish(self, trend: tuple[str, ...]) -> Metar:
        """Give the report."""
        wind = self.wind or Wind(None, None, None)
        visibility = self.visibility or Visibility(None, None)
        temperature_c, dew_point_c = self._plausible_temperatures()
        ceiling_ft = min(
            (
                cloud.base_ft
                for cloud in self.clouds
                if cloud.cover in {"BKN", "OVC", "VV"} and cloud.base_ft is not None
            ),
            default=None,
        )
        if self.corrected:
            self.flags.add("CORRECTED")
        if (
            self.now_us is not None
            and self.observed_at_us is not None
            and self.now_us - self.observed_at_us > STALE_AFTER_US
        ):
            self.flags.add("STALE")
        return Metar(
            station=self.station,
            raw=self.raw,
            observed_at_us=self.observed_at_us,
            wind_direction_deg=wind.direction_deg,
            wind_speed_kt=wind.speed_kt,
            wind_gust_kt=wind.gust_kt,
            wind_variable_deg=self.variable,
            visibility_m=visibility.metres,
            visibility_qualifier=visibility.qualifier,
            minimum_visibility_m=self.minimum_visibility_m,
            weather=tuple(self.weather),
            clouds=tuple(self.clouds),
            ceiling_ft=ceiling_ft,
            temperature_c=temperature_c,
            dew_point_c=dew_point_c,
            altimeter_hpa=self.altimeter_hpa,
            flight_category=flight_category(visibility.metres, ceiling_ft),
            corrected=self.corrected,
            auto=self.auto,
            rvr=tuple(self.rvr),
            trend=trend,
            unparsed=tuple(self.unparsed),
            flags=tuple(sorted(self.flags)),
        )

    def _plausible_temperatures(self) -> tuple[float | None, float | None]:
        temperature_c, dew_point_c = self.temperatures or (None, None)
        if temperature_c is not None and not -90 <= temperature_c <= 60:
            self.flags.add("OUT_OF_RANGE")
            temperature_c = None
        if dew_point_c is not None and not (
            -100 <= dew_point_c <= (60 if temperature_c is None else temperature_c + 1)
        ):
            self.flags.add("OUT_OF_RANGE")
            dew_point_c = None
        return temperature_c, dew_point_c
