"""What another program says of an aircraft it hears: decoded by it, not by us."""

import msgspec

from aerocast_protocols.modes.wind import Wind
from aerocast_protocols.observations.aircraft import AircraftSource, Emergency

# Mode A codes that mean an emergency (ICAO Annex 10 volume IV).
EMERGENCY_SQUAWKS: dict[str, Emergency] = {
    "7500": "unlawful_interference",
    "7600": "no_communication",
    "7700": "general",
}
# Emergency state of an extended squitter (DO-260B, type code 28, subtype 1), by its number.
EMERGENCY_STATES: tuple[Emergency | None, ...] = (
    None,
    "general",
    "medical",
    "minimum_fuel",
    "no_communication",
    "unlawful_interference",
    "downed",
    None,
)


class AirMotion(msgspec.Struct, frozen=True, kw_only=True):
    """How an aircraft moves through the air: knots, degrees; roll to the right is positive.

    Attributes
    ----------
    wind
        What the program makes of it itself.
    """

    true_airspeed_kt: float | None = None
    magnetic_heading_deg: float | None = None
    true_heading_deg: float | None = None
    roll_deg: float | None = None
    mach: float | None = None
    wind: Wind | None = None

    def heading_deg(self, declination_deg: float) -> float | None:
        """Give the true heading, from the magnetic one where there is no other."""
        if self.true_heading_deg is not None or self.magnetic_heading_deg is None:
            return self.true_heading_deg
        return self.magnetic_heading_deg + declination_deg


class AircraftReport(msgspec.Struct, frozen=True, kw_only=True):
    """One aircraft at one moment; None where the program does not say.

    Attributes
    ----------
    icao
        Six lower-case hex digits, ``~`` before an address that is none of ICAO's.
    source
        How its position was found.
    age_s
        How long before the report it was heard last.
    altitude_ft
        Pressure altitude.
    air
        How it moves through the air, where that is new.
    """

    icao: str
    source: AircraftSource | None = None
    age_s: float = 0.0
    callsign: str | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_ft: float | None = None
    on_ground: bool | None = None
    ground_speed_kt: float | None = None
    track_deg: float | None = None
    vertical_rate_fpm: float | None = None
    squawk: str | None = None
    emergency: Emergency | None = None
    category: str | None = None
    registration: str | None = None
    aircraft_type: str | None = None
    signal_dbfs: float | None = None
    air: AirMotion | None = None
