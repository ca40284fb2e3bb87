"""What follows from an airport's weather: runway winds, altitudes, comfort, ice. Pure."""

import math
from typing import Literal

import msgspec

STANDARD_HPA = 1013.25
MPS_TO_KT = 3600 / 1852
Ice = Literal["none", "possible", "likely", "certain"]
Surface = Literal["dry", "wet", "standing_water", "snow", "freezing"]
_FROZEN = ("FZRA", "FZDZ", "FZFG", "SN", "SG", "PL", "GS", "IC")
_WET = ("RA", "DZ", "SN", "SG", "PL", "GR", "GS", "UP", "FG")


class RunwayWind(msgspec.Struct, frozen=True, kw_only=True):
    """The wind along and across a runway, knots; gusts counted.

    Attributes
    ----------
    headwind_kt
        Negative from behind; the least that the reported wind allows.
    crosswind_kt
        The most that the reported wind allows.
    crosswind_from
        The side it comes from; None when it may be either.
    """

    runway: str
    true_bearing_deg: float
    headwind_kt: float | None = None
    crosswind_kt: float | None = None
    crosswind_from: Literal["left", "right"] | None = None


class ReportedWind(msgspec.Struct, frozen=True, kw_only=True):
    """A wind as a report tells it; ``direction_deg`` is None for ``VRB``."""

    direction_deg: float | None
    speed_kt: float | None
    gust_kt: float | None = None
    variable_deg: tuple[float, float] | None = None


def runway_wind(name: str, bearing_deg: float, wind: ReportedWind) -> RunwayWind:
    """Part a wind along and across a runway, the worst case inside what is reported.

    A wind of no known direction counts whole as crosswind, and whole from behind. Directions are
    true, as METAR tells them; what a tower tells by radio is magnetic.
    """
    if wind.speed_kt is None:
        return RunwayWind(runway=name, true_bearing_deg=bearing_deg)
    speed_kt = max(wind.speed_kt, wind.gust_kt or 0.0)
    if speed_kt == 0:
        return RunwayWind(
            runway=name, true_bearing_deg=bearing_deg, headwind_kt=0.0, crosswind_kt=0.0
        )
    if wind.direction_deg is None and wind.variable_deg is None:
        return RunwayWind(
            runway=name, true_bearing_deg=bearing_deg, headwind_kt=-speed_kt, crosswind_kt=speed_kt
        )
    angles = [math.radians(each - bearing_deg) for each in _directions(wind)]
    sides = {math.copysign(1, math.sin(each)) for each in angles if abs(math.sin(each)) > 1e-9}
    # The slowest and the strongest it may be: without gusts there is least of a headwind.
    ahead = [wind.speed_kt * math.cos(each) for each in angles] + [
        speed_kt * math.cos(each) for each in angles
    ]
    return RunwayWind(
        runway=name,
        true_bearing_deg=bearing_deg,
        headwind_kt=round(min(ahead), 1),
        crosswind_kt=round(max(abs(speed_kt * math.sin(each)) for each in angles), 1),
        crosswind_from=("right" if sides == {1.0} else "left") if len(sides) == 1 else None,
    )


def _directions(wind: ReportedWind) -> list[float]:
    """Every whole degree the wind may come from."""
    directions = [] if wind.direction_deg is None else [wind.direction_deg]
    if wind.variable_deg is not None:
        first, last = wind.variable_deg
        directions += [first + step for step in range(int((last - first) % 360) + 1)]
    return directions


def pressure_altitude_ft(elevation_ft: float, qnh_hpa: float) -> float:
    """Give the pressure altitude of a place (NWS's formula)."""
    return elevation_ft + 145366.45 * (1 - math.pow(qnh_hpa / STANDARD_HPA, 0.190284))


def density_altitude_ft(
    elevation_ft: float, qnh_hpa: float, temperature_c: float, dew_point_c: float | None = None
) -> float:
    """Give the density altitude of a place; humid air counts by its virtual temperature."""
    pressure_ft = pressure_altitude_ft(elevation_ft, qnh_hpa)
    warm_c = temperature_c
    if dew_point_c is not None:
        vapour_hpa = 6.1078 * 10 ** (7.5 * dew_point_c / (237.3 + dew_point_c))
        station_hpa = STANDARD_HPA * (1 - pressure_ft / 145366.45) ** (1 / 0.190284)
        warm_c = (temperature_c + 273.15) / (1 - 0.379 * vapour_hpa / station_hpa) - 273.15
    return pressure_ft + 118.8 * (warm_c - (15 - 1.98 * pressure_ft / 1000))


def relative_humidity(temperature_c: float, dew_point_c: float) -> float:
    """Give the relative humidity in percent (Magnus, constants of WMO No. 8)."""

    def vapour(each_c: float) -> float:
        return math.exp(17.62 * each_c / (243.12 + each_c))

    return min(100.0, 100 * vapour(dew_point_c) / vapour(temperature_c))


def heat_index_c(temperature_c: float, humidity_percent: float) -> float | None:
    """Give NWS's heat index (Rothfusz, with its adjustments); None under 80 °F."""
    fahrenheit, humidity = temperature_c * 1.8 + 32, humidity_percent
    if fahrenheit < 80:
        return None
    index = (
        -42.379 + 2.04901523 * fahrenheit + 10.14333127 * humidity
        - 0.22475541 * fahrenheit * humidity - 6.83783e-3 * fahrenheit**2
        - 5.481717e-2 * humidity**2 + 1.22874e-3 * fahrenheit**2 * humidity
        + 8.5282e-4 * fahrenheit * humidity**2 - 1.99e-6 * fahrenheit**2 * humidity**2
    )  # fmt: skip
    if humidity < 13 and fahrenheit <= 112:
        index -= (13 - humidity) / 4 * math.sqrt((17 - abs(fahrenheit - 95)) / 17)
    elif humidity > 85 and fahrenheit <= 87:
        index += (humidity - 85) / 10 * (87 - fahrenheit) / 5
    return (index - 32) / 1.8


def wind_chill_c(temperature_c: float, wind_kt: float) -> float | None:
    """Give the wind chill (NWS, Environment Canada); None over 10 °C or in nearly still air."""
    kmh = wind_kt * 1.852
    if temperature_c > 10 or kmh <= 4.8:
        return None
    return (
        13.12
        + 0.6215 * temperature_c
        - 11.37 * math.pow(kmh, 0.16)
        + 0.3965 * temperature_c * math.pow(kmh, 0.16)
    )


def de_icing(
    temperature_c: float | None,
    dew_point_c: float | None,
    weather: tuple[str, ...],
    wind_kt: float | None,
    *,
    clear_night: bool | None,
) -> Ice | None:
    """Say how much speaks for de-icing: an index, no probability; None without a temperature.

    ``certain`` is freezing or frozen precipitation, or freezing fog; ``likely`` is anything wet at
    3 °C or below; active frost wants a small spread, calm and a clear night.
    """
    if any(each in group for group in weather for each in _FROZEN):
        return "certain"
    if temperature_c is None or temperature_c > 3:
        return None if temperature_c is None else "none"
    if any(each in group for group in weather for each in _WET):
        return "likely"
    if dew_point_c is None:
        return "possible"
    is_calm = wind_kt is None or wind_kt < 5
    return _frost(
        temperature_c, temperature_c - dew_point_c, calm_night=is_calm and clear_night is not False
    )


def _frost(temperature_c: float, spread_c: float, *, calm_night: bool) -> Ice:
    if spread_c > 2:
        return "none"
    if temperature_c <= 0:
        return "likely" if calm_night else "possible"
    return "possible" if calm_night else "none"


def surface(
    temperature_c: float | None,
    weather: tuple[str, ...],
    *,
    was_wet: bool,
    rain_mm_per_h: float | None,
) -> Surface | None:
    """Say how the ground is likely to be; ``was_wet``: within the last three hours."""
    if temperature_c is None:
        return None
    is_wet = any(each in group for group in weather for each in _WET)
    if any("FZ" in group for group in weather) or (temperature_c <= 0 and (is_wet or was_wet)):
        return "snow" if any("SN" in group for group in weather) else "freezing"
    if any("SN" in group for group in weather):
        return "snow"
    if rain_mm_per_h is not None and rain_mm_per_h > 7.6:
        return "standing_water"
    return "wet" if is_wet or bool(rain_mm_per_h) else "dry"


def sun_is_down(latitude_deg: float, longitude_deg: float, at_us: int) -> bool:
    """Say whether the sun is below the horizon; good to a few minutes."""
    days = at_us / 86_400_000_000 - 10_957.5  # since 2000-01-01 12:00
    anomaly = math.radians((357.529 + 0.98560028 * days) % 360)
    ecliptic = math.radians(
        (280.459 + 0.98564736 * days + 1.915 * math.sin(anomaly) + 0.02 * math.sin(2 * anomaly))
        % 360
    )
    tilt = math.radians(23.439)
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    sidereal = math.radians((280.46061837 + 360.98564736629 * days + longitude_deg) % 360)
    latitude = math.radians(latitude_deg)
    height = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
        declination
    ) * math.cos(sidereal - ascension)
    return height < 0
