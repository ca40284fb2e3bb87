"""A station that never was: days that warm and cool, fronts that pass, fog in damp still nights."""

import numpy as np
from aerocast_hub.weather.station_history import HOUR_US, Observed, Place

START_US = 1_767_225_600_000_000  # 2026-01-01
PLACE = Place(43.6, 1.4)


def observed(days, seed=1, start_us=START_US):
    """Give hourly reports."""
    chance = np.random.default_rng(seed)
    front, damp, east, north, reports = 0.0, 2.0, 3.0, 1.0, []
    for hour in range(days * 24):
        front = 0.97 * front + chance.normal(0, 0.5)
        damp = 0.95 * damp + 0.05 * 3.0 + chance.normal(0, 0.4)
        east = 0.9 * east + chance.normal(0.8, 1.0)
        north = 0.9 * north + chance.normal(0.1, 1.0)
        sun = float(np.sin(2 * np.pi * (hour % 24 - 9) / 24))
        spread = max(0.0, damp + 2.5 * sun)
        speed = float(np.hypot(east, north))
        reports.append(
            Observed(
                observed_at_us=start_us + hour * HOUR_US,
                temperature_c=round(8.0 + 5.0 * sun + front, 1),
                dew_point_c=round(8.0 + 5.0 * sun + front - spread, 1),
                wind_direction_deg=float(np.degrees(np.arctan2(east, north)) + 180.0) % 360.0,
                wind_speed_kt=round(speed, 1),
                visibility_m=800.0 if spread < 0.8 else 3000.0 if spread < 1.2 else 9999.0,
                pressure_hpa=round(1015.0 - front, 1),
            )
        )
    return reports
