"""What local weather sensors measure, and whether they listen for lightning."""

from aerocast_protocols.observations.observed import Observed, ShortText


class WeatherMeasured(Observed, frozen=True, kw_only=True, tag="weather_measured"):
    """A local weather sensor's measurement; never certified, never in place of a METAR.

    Attributes
    ----------
    sensor
        Which one, when a device hears several.
    """

    wind_direction_deg: float | None = None
    wind_speed_mps: float | None = None
    wind_gust_mps: float | None = None
    temperature_c: float | None = None
    humidity_percent: float | None = None
    pressure_hpa: float | None = None
    rain_mm: float | None = None
    rain_mm_per_h: float | None = None
    sensor: ShortText | None = None


class LightningStrike(Observed, frozen=True, kw_only=True, tag="lightning_strike"):
    """A lightning sensor noticed a strike.

    Attributes
    ----------
    sensor
        Which one, when a device hears several.
    """

    distance_km: float | None = None
    bearing_deg: float | None = None
    energy: float | None = None
    sensor: ShortText | None = None


class LightningWatch(Observed, frozen=True, kw_only=True, tag="lightning_watch"):
    """A lightning sensor says that it listens, or cannot; told every minute or so.

    Where it is not told, nobody knows whether there was lightning.

    Attributes
    ----------
    listening
        Whether it would notice a strike.
    trouble
        Why it would not.
    sensor
        Which one, when a device hears several.
    """

    listening: bool
    trouble: ShortText | None = None
    sensor: ShortText | None = None
