"""Winds as aircraft meet them, made for tests."""

from math import atan2, cos, degrees, hypot, radians, sin

from aerocast_hub.weather.aircraft_wind import AircraftWind

NOW = 1_720_224_000_000_000
HERE = (43.63, 1.37)


def wind(icao="393322", age_s=60.0, altitude_ft=3500.0, direction=270.0, speed=20.0, place=HERE):
    return AircraftWind(
        icao=icao,
        seen_at_us=NOW - int(age_s * 1e6),
        latitude_deg=place[0],
        longitude_deg=place[1],
        altitude_ft=altitude_ft,
        wind_direction_deg=direction,
        wind_speed_kt=speed,
    )


def flown(icao, heading_deg, bias_deg=0.0, *, at_us=NOW, altitude_ft=3500.0, true=(20.0, -5.0)):
    """Give the wind derived at 250 kt on a heading by a compass that says ``bias_deg`` too much."""
    airspeed_kt = 250.0
    said, is_so = radians(heading_deg + bias_deg), radians(heading_deg)
    east = true[0] + airspeed_kt * (sin(is_so) - sin(said))
    north = true[1] + airspeed_kt * (cos(is_so) - cos(said))
    return AircraftWind(
        icao=icao,
        seen_at_us=at_us,
        latitude_deg=HERE[0],
        longitude_deg=HERE[1],
        altitude_ft=altitude_ft,
        wind_direction_deg=degrees(atan2(-east, -north)) % 360.0,
        wind_speed_kt=hypot(east, north),
        true_heading_deg=(heading_deg + bias_deg) % 360.0,
        true_airspeed_kt=airspeed_kt,
        roll_deg=0.3,
        readings=20,
    )
