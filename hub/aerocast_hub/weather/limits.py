"""What an airport says about itself: limits of its ramp, runways, times on the ground. Pure.

Defaults are a start, each with where it comes from; the limits are the operator's own. Guides give
ranges and no standard (ACRP Report 8), makers' manuals and EN 1915-1 rule for equipment.
"""

from typing import Annotated, Literal

import msgspec

from aerocast_hub.ground_times import Changing, Handling, MinimumTime

NotNegative = Annotated[float, msgspec.Meta(ge=0.0)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=180)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Code = Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{3,4}$")]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: unknown names in it are mistakes."""


class Ring(_Table, frozen=True, kw_only=True):
    """What a strike within a distance does to the ramp."""

    within_km: Annotated[float, msgspec.Meta(gt=0.0, le=100.0)]
    ramp: Literal["caution", "closed"]


class LightningLimits(_Table, frozen=True, kw_only=True):
    """When lightning stops work.

    Attributes
    ----------
    rings
        A strike counts for the strictest ring it lies in.
    all_clear_min
        So long after the last strike within a closing ring the ramp stays closed, and so long
        a detector must have listened without a break before it counts as clear.
    silent_after_s
        A detector that says nothing for so long does not listen.
    detectors
        ``heard``: once one was heard within 30 days, one must listen, or the ramp is unknown;
        ``required``: one must listen always; ``none``: reports alone are believed.
    needed
        How many must listen.
    """

    rings: Annotated[tuple[Ring, ...], msgspec.Meta(min_length=1, max_length=8)] = (
        Ring(within_km=15.0, ramp="caution"),
        Ring(within_km=8.0, ramp="closed"),
    )
    all_clear_min: Minutes = 15
    silent_after_s: Annotated[float, msgspec.Meta(ge=10.0, le=900.0)] = 180.0
    detectors: Literal["heard", "required", "none"] = "heard"
    needed: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1
    source: Text = "ACRP Report 8 gives ranges; 15 km and 8 km, 15 min are usual"

    @property
    def all_clear_us(self) -> int:
        """The all-clear time."""
        return self.all_clear_min * 60_000_000

    @property
    def silent_after_us(self) -> int:
        """The longest silence."""
        return round(self.silent_after_s * 1e6)


class WindLimits(_Table, frozen=True, kw_only=True):
    """When wind, gusts counted, slows or stops work.

    Attributes
    ----------
    margin_kt, hold_min
        It ends once the wind has been below the limit by the margin for so long, or in two reports.
    """

    caution_kt: NotNegative = 25.0
    closing_kt: NotNegative = 35.0
    margin_kt: NotNegative = 3.0
    hold_min: Minutes = 10
    source: Text = "usual: 25 kt secure loose equipment, 35 kt stop belt loaders"

    @property
    def hold_us(self) -> int:
        """The time it must be better."""
        return self.hold_min * 60_000_000


class Equipment(_Table, frozen=True, kw_only=True):
    """Something that stops at a wind of its own."""

    name: Text
    limit_kt: NotNegative
    source: Text = "the maker's manual rules"


class TemperatureLimits(_Table, frozen=True, kw_only=True):
    """When heat or cold asks for care: heat index and wind chill."""

    caution_heat_index_c: float = 32.0
    caution_wind_chill_c: float = -27.0
    source: Text = "NWS: heat index 90 °F extreme caution, wind chill -27 °C frostbite in 30 min"


class VisibilityLimits(_Table, frozen=True, kw_only=True):
    """When low-visibility procedures are prepared, and in force."""

    prepare_rvr_m: NotNegative = 800.0
    prepare_ceiling_ft: NotNegative = 300.0
    in_force_rvr_m: NotNegative = 550.0
    in_force_ceiling_ft: NotNegative = 200.0
    hold_min: Minutes = 10
    source: Text = "ICAO EUR Doc 013"


RUNWAY_NAME = "^[0-3][0-9][LCR]?$"


class Runway(_Table, frozen=True, kw_only=True):
    """One direction of a runway; its bearing is true, not magnetic."""

    name: Annotated[str, msgspec.Meta(pattern=RUNWAY_NAME)]
    true_bearing_deg: Annotated[float, msgspec.Meta(ge=0.0, lt=360.0)]


class AirportSettings(_Table, frozen=True, kw_only=True):
    """All that an airport may set.

    Attributes
    ----------
    airport
        ICAO code.
    sites
        Sites whose gateways stand there; without any, the site named like its ICAO code.
    local_wind_s
        A local sensor's wind counts for so long.
    handling, changing
        How long arrivals and changes of aircraft take, before the hub has learned it.
    connections
        Minimum connection times.
    """

    airport: Code
    sites: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,32}$")], ...],
        msgspec.Meta(max_length=16),
    ] = ()
    elevation_ft: Annotated[float, msgspec.Meta(ge=-1500.0, le=20_000.0)] | None = None
    local_wind_s: Annotated[float, msgspec.Meta(ge=10.0, le=3600.0)] = 300.0
    lightning: LightningLimits = LightningLimits()
    wind: WindLimits = WindLimits()
    equipment: Annotated[tuple[Equipment, ...], msgspec.Meta(max_length=64)] = (
        Equipment(name="belt loader", limit_kt=35.0),
        Equipment(name="high loader", limit_kt=35.0),
        Equipment(name="passenger stairs", limit_kt=35.0),
        Equipment(name="cargo doors", limit_kt=40.0, source="aircraft manuals: about 40 kt"),
    )
    temperature: TemperatureLimits = TemperatureLimits()
    visibility: VisibilityLimits = VisibilityLimits()
    runways: Annotated[tuple[Runway, ...], msgspec.Meta(max_length=32)] = ()
    handling: Handling = Handling()
    changing: Changing = Changing()
    connections: Annotated[tuple[MinimumTime, ...], msgspec.Meta(max_length=20_000)] = ()

    @property
    def every_site(self) -> tuple[str, ...]:
        """The sites, the one by default too."""
        return self.sites or (self.airport.lower(),)
