"""One aircraft: everything a gateway knows of it, each with its age, and what of it is sent on."""

from collections.abc import Iterable

from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.reports import (
    EMERGENCY_SQUAWKS,
    EMERGENCY_STATES,
    AircraftReport,
)
from aerocast_protocols.modes.squitters import (
    AirbornePosition,
    Identification,
    Squitter,
    SurfacePosition,
    Velocity,
)
from aerocast_protocols.observations.aircraft import AircraftSource, AircraftState, Emergency

from aerocast_agent.aircraft_database import UNKNOWN, Airframe
from aerocast_agent.aircraft_positions import PositionTracker
from aerocast_agent.aircraft_winds import Ground, WindCollector
from aerocast_agent.ground_events import GroundWatch

NS = 1_000_000_000
STATE_EVERY_NS = 1 * NS
FRESH_NS = 30 * NS  # older positions, speeds and altitudes are unknown again
NEVER_NS = -(1 << 62)
HIGHEST_FT = 60_000.0
_SETS = {4: "A", 3: "B", 2: "C", 1: "D"}
_VEHICLES = frozenset({"C1", "C2"})
_HIGHEST_BAROMETRIC_CODE = 18  # type codes of positions above it give heights above the ellipsoid
# The better source wins while it lasts: two that differ by a second make an aircraft zigzag.
_RANKS: dict[AircraftSource | None, int] = {
    "adsb": 3,
    "adsr": 2,
    "tisb": 1,
    "mlat": 1,
    "mode_s": 0,
    None: 0,
}


class Aircraft:
    """Remembers one aircraft."""

    __slots__ = (
        "airframe",
        "altitude_ft",
        "altitude_ns",
        "callsign",
        "category",
        "confirmed_ns",
        "declared",
        "ground",
        "heard_ns",
        "icao",
        "on_ground",
        "positions",
        "signal_dbfs",
        "source",
        "source_ns",
        "squawk",
        "state_ns",
        "velocity",
        "vertical_rate_fpm",
        "vertical_rate_ns",
        "winds",
    )

    def __init__(
        self, icao: str, boot_ns: int, positions: PositionTracker, ground: GroundWatch
    ) -> None:
        self.icao = icao
        self.positions = positions
        self.ground = ground
        self.winds = WindCollector()
        self.airframe: Airframe = UNKNOWN
        self.heard_ns = boot_ns
        self.confirmed_ns = NEVER_NS
        self.state_ns: int | None = None
        self.callsign: str | None = None
        self.category: str | None = None
        self.squawk: str | None = None
        self.declared: tuple[int, Emergency | None] = (NEVER_NS, None)
        self.on_ground: bool | None = None
        self.altitude_ft: float | None = None
        self.altitude_ns = 0
        self.velocity: Ground | None = None
        self.vertical_rate_fpm: float | None = None
        self.vertical_rate_ns = 0
        self.signal_dbfs: float | None = None
        self.source: AircraftSource | None = "mode_s"
        self.source_ns = NEVER_NS

    @property
    def may_move_on_ground(self) -> bool:
        """Whether it can land and park: vehicles and obstacles (set C) cannot."""
        return not (self.category or "").startswith("C")

    def altitude_at(self, boot_ns: int, within_ns: int) -> float | None:
        """Give its altitude when that is no older."""
        return self.altitude_ft if abs(boot_ns - self.altitude_ns) <= within_ns else None

    def position_at(self, boot_ns: int, within_ns: int) -> Position | None:
        """Give its position when that is no older."""
        fix = self.positions.fix
        return fix.position if fix and abs(boot_ns - fix.boot_ns) <= within_ns else None

    def outranks(self, source: AircraftSource, boot_ns: int) -> bool:
        """Say whether its position lately came from a better source than that."""
        is_held = 0 <= boot_ns - self.source_ns <= FRESH_NS
        return is_held and _RANKS[source] < _RANKS[self.source]

    def learn(self, squitter: Squitter, boot_ns: int) -> None:
        """Take from a squitter what it says besides the position."""
        if isinstance(squitter, AirbornePosition):
            if squitter.typecode <= _HIGHEST_BAROMETRIC_CODE and squitter.altitude is not None:
                self.altitude_ft, self.altitude_ns = squitter.altitude, boot_ns
        elif isinstance(squitter, SurfacePosition):
            self._move(boot_ns, squitter.track, squitter.groundspeed)
        elif isinstance(squitter, Velocity):
            self._learn_velocity(squitter, boot_ns)
        elif isinstance(squitter, Identification):
            self.callsign = squitter.callsign or None
            if squitter.category:
                self.category = f"{_SETS[squitter.typecode]}{squitter.category}"
        else:
            self.squawk = squitter.squawk
            self.declared = (boot_ns, EMERGENCY_STATES[squitter.emergency_state])

    def _learn_velocity(self, velocity: Velocity, boot_ns: int) -> None:
        if velocity.vertical_rate is not None:
            self.vertical_rate_fpm, self.vertical_rate_ns = velocity.vertical_rate, boot_ns
        if self._move(boot_ns, velocity.track, velocity.groundspeed) and self.velocity:
            self.winds.move(self.velocity)

    def _move(self, boot_ns: int, track_deg: float | None, speed_kt: float | None) -> bool:
        if track_deg is None or speed_kt is None:
            return False
        self.velocity = Ground(boot_ns, track_deg, speed_kt)
        return True

    def learn_report(self, report: AircraftReport, boot_ns: int) -> None:
        """Take from another program's report what it says besides the position."""
        self.callsign = report.callsign or self.callsign
        self.category = report.category or self.category
        self.squawk = report.squawk or self.squawk
        if report.signal_dbfs is not None:
            self.signal_dbfs = report.signal_dbfs
        if report.emergency is not None or report.squawk is not None:
            self.declared = (boot_ns, report.emergency)
        if report.altitude_ft is not None and report.altitude_ft <= HIGHEST_FT:
            self.altitude_ft, self.altitude_ns = report.altitude_ft, boot_ns
        if report.vertical_rate_fpm is not None:
            self.vertical_rate_fpm, self.vertical_rate_ns = report.vertical_rate_fpm, boot_ns
        if report.ground_speed_kt is not None and report.track_deg is not None:
            self.velocity = Ground(boot_ns, report.track_deg, report.ground_speed_kt)
            self.winds.move(self.velocity)
        self.airframe = Airframe(
            report.registration or self.airframe.registration,
            report.aircraft_type or self.airframe.aircraft_type,
        )

    def state(self, device: str, boot_ns: int) -> Iterable[AircraftState]:
        """Give what is known of it, unless that was given within the last second."""
        if self.state_ns is not None and abs(boot_ns - self.state_ns) < STATE_EVERY_NS:
            return
        position = self.position_at(boot_ns, FRESH_NS)
        velocity = self.velocity
        if velocity is not None and abs(boot_ns - velocity.boot_ns) > FRESH_NS:
            velocity = None
        altitude_ft = None if self.on_ground else self.altitude_at(boot_ns, FRESH_NS)
        if (position, velocity, altitude_ft, self.callsign, self.squawk) == (None,) * 5:
            return  # all-call replies only: there is somebody, and nothing to say of it
        self.state_ns = boot_ns
        climbs = not self.on_ground and abs(boot_ns - self.vertical_rate_ns) <= FRESH_NS
        yield AircraftState(
            device=device,
            boot_ns=boot_ns,
            icao=self.icao,
            callsign=self.callsign,
            latitude_deg=position.latitude_deg if position else None,
            longitude_deg=position.longitude_deg if position else None,
            altitude_ft=altitude_ft,
            on_ground=self.on_ground,
            ground_speed_kt=velocity.ground_speed_kt if velocity else None,
            track_deg=velocity.track_deg if velocity else None,
            vertical_rate_fpm=self.vertical_rate_fpm if climbs else None,
            squawk=self.squawk,
            category=self.category,
            signal_dbfs=self.signal_dbfs,
            source=self.source,
            emergency=self._emergency(boot_ns),
            is_vehicle=self.category in _VEHICLES,
            registration=self.airframe.registration,
            aircraft_type=self.airframe.aircraft_type,
        )

    def _emergency(self, boot_ns: int) -> Emergency | None:
        """Give what it declared a short while ago, else what its squawk says."""
        by_squawk = EMERGENCY_SQUAWKS.get(self.squawk or "")
        declared_ns, declared = self.declared
        is_fresh = abs(boot_ns - declared_ns) <= FRESH_NS
        return (declared if is_fresh else None) or by_squawk
