"""When an aircraft landed, stopped on its stand, left it and took off.

Decided from position frames alone: their type says whether the wheels are on the ground, their
movement whether it rolls. Every event carries when it happened, how sure that is (``sigma_s``) and
when it became known.
"""

import math
from typing import NamedTuple

import msgspec
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.observations.aircraft import GroundEvent

from aerocast_agent.aircraft_positions import Fix
from aerocast_agent.stands import Stands, distance_m

NS = 1_000_000_000
STILL_KT = 1.0  # a parked aircraft's GPS says up to 0.9 kt
ROLLING_KT = 5.0  # faster than that it taxies: it did not just wake up on its stand
SLOW_KT = 5.0  # silent after this speed on a stand: it has stopped there
# Movement counts once it lasts, or has led somewhere: GPS on a stand twitches.
MOVING_NS, MOVING_REPORTS, MOVED_M = 2 * NS, 3, 10.0
SETTLED_NS = 10 * NS  # an aircraft first heard standing still counts as parked after this
LONGEST_GAP_NS = 300 * NS  # unheard for longer, nobody knows when it landed or took off
LAG_S = 0.5  # of the wheels' switch
STOP_S = 2.0  # between 1 kt and standing still
QUIET_NS = 30 * NS  # a parked aircraft unheard for longer has had its transponder off
PUSHBACK_MPS, PUSHBACK_S = 1.5, 15.0  # how fast it is pushed, and how well that is known


class GroundChange(NamedTuple):
    """Something happened to an aircraft on the ground; times in nanoseconds since boot."""

    event: GroundEvent
    happened_ns: int
    sigma_s: float
    known_ns: int
    stand: str | None = None
    position: Position | None = None


class Report(NamedTuple):
    """One position frame: where (when that could be solved) and how fast on the ground."""

    boot_ns: int
    on_surface: bool
    fix: Fix | None
    ground_speed_kt: float | None = None


class GroundState(msgspec.Struct, frozen=True, kw_only=True):
    """What a watch must know to go on where another one was stopped; see `GroundWatch`."""

    on_surface: bool | None = None
    phase_ns: int = 0
    has_rolled: bool = False
    parked_at: str | None = None
    last: Report | None = None
    still: Report | None = None
    still_sigma_s: float = STOP_S
    stopped_ns: int = 0
    still_until: Report | None = None


class GroundWatch:
    """Watches one aircraft.

    Parameters
    ----------
    stands
        The airport's stands.
    on_stand_after_s
        How long it must stand still, or be silent after its last slow move, inside a stand.
    """

    def __init__(self, stands: Stands, on_stand_after_s: float) -> None:
        self._stands = stands
        self._after_ns = round(on_stand_after_s * NS)
        self.parked_at: str | None = None
        self._on_surface: bool | None = None
        self._phase_ns = 0  # last frame of the present phase
        self._other_phase: list[int] = []  # frames of the other phase since
        self._has_rolled = False
        self._last: Report | None = None  # last surface report with a place
        self._still: Report | None = None  # first of the present standstill
        self._still_sigma_s = STOP_S
        self._stopped_ns = 0
        self._still_until: Report | None = None
        self._moving: list[int] = []  # moving reports since, not yet believed
        self._moved_from: Report | None = None

    def state(self) -> GroundState:
        """Give what another watch needs to go on; half-believed changes are left out."""
        return GroundState(
            on_surface=self._on_surface,
            phase_ns=self._phase_ns,
            has_rolled=self._has_rolled,
            parked_at=self.parked_at,
            last=self._last,
            still=self._still,
            still_sigma_s=self._still_sigma_s,
            stopped_ns=self._stopped_ns,
            still_until=self._still_until,
        )

    def recall(self, state: GroundState) -> None:
        """Go on where another watch was stopped."""
        self._on_surface = state.on_surface
        self._phase_ns = state.phase_ns
        self._has_rolled = state.has_rolled
        self.parked_at = state.parked_at
        self._last = state.last
        self._still = state.still
        self._still_sigma_s = state.still_sigma_s
        self._stopped_ns = state.stopped_ns
        self._still_until = state.still_until

    def add(self, report: Report) -> list[GroundChange]:
        """Take a position frame; give what it brought to light."""
        changes = self._switch(report)
        if not report.on_surface:
            self._leave_ground()
        elif report.fix is not None and report.ground_speed_kt is not None:
            changes += self._roll(report, report.fix, report.ground_speed_kt)
            self._last = report
        return changes

    def advance(self, boot_ns: int) -> list[GroundChange]:
        """Let time pass without frames: silence on a stand means parked."""
        last = self._last
        if last is None or last.fix is None or self.parked_at or not self._has_rolled:
            return []
        if boot_ns - last.boot_ns < self._after_ns or (last.ground_speed_kt or 0.0) > SLOW_KT:
            return []
        stand = self._stands.at(last.fix.position)
        if stand is None:
            return []
        if self._still is None:
            self._stopped_ns, self._still_sigma_s = last.boot_ns, PUSHBACK_S / 2
            self._still = self._still_until = last
        return self._park(stand, last.fix.position, boot_ns)

    def _switch(self, report: Report) -> list[GroundChange]:
        if self._on_surface is None or report.on_surface is self._on_surface:
            self._on_surface = report.on_surface
            self._phase_ns = report.boot_ns
            self._other_phase.clear()
            return []
        self._other_phase.append(report.boot_ns)
        if len(self._other_phase) < 2:
            return []
        first_ns = self._other_phase[0]
        gap_ns = first_ns - self._phase_ns
        self._on_surface = report.on_surface
        self._phase_ns = report.boot_ns
        self._other_phase.clear()
        if report.on_surface:
            self._has_rolled = True
        if gap_ns > LONGEST_GAP_NS:
            return []
        return [
            GroundChange(
                "landed" if report.on_surface else "airborne",
                first_ns - gap_ns // 2,
                _sigma_s(LAG_S, gap_ns),
                report.boot_ns,
                position=report.fix.position if report.fix else None,
            )
        ]

    def _leave_ground(self) -> None:
        if self._on_surface is False:
            self._last = self._still = self._still_until = self._moved_from = None
            self._moving.clear()
            self.parked_at = None

    def _roll(self, report: Report, fix: Fix, ground_speed_kt: float) -> list[GroundChange]:
        if ground_speed_kt < STILL_KT:
            return self._stand_still(report, fix)
        if ground_speed_kt >= ROLLING_KT:
            self._has_rolled = True
        return self._move(report, fix)

    def _stand_still(self, report: Report, fix: Fix) -> list[GroundChange]:
        self._moving.clear()
        self._moved_from = None
        self._still_until = report
        if self._still is None:
            gap_ns = report.boot_ns - self._last.boot_ns if self._last else 0
            self._still = report
            self._stopped_ns = report.boot_ns - gap_ns // 2
            self._still_sigma_s = _sigma_s(STOP_S, gap_ns)
        if self.parked_at is not None:
            return []
        stand = self._stands.at(fix.position)
        stood_ns = report.boot_ns - self._still.boot_ns
        if stand is None:
            return []
        if not self._has_rolled:
            if stood_ns >= SETTLED_NS:
                self.parked_at = stand
            return []
        return self._park(stand, fix.position, report.boot_ns) if stood_ns >= self._after_ns else []

    def _park(self, stand: str, position: Position, known_ns: int) -> list[GroundChange]:
        self.parked_at = stand
        self._has_rolled = False
        return [
            GroundChange(
                "on_stand", self._stopped_ns, self._still_sigma_s, known_ns, stand, position
            )
        ]

    def _move(self, report: Report, fix: Fix) -> list[GroundChange]:
        still = self._still_until
        if still is None or still.fix is None:
            return []
        if not self._moving:
            self._moved_from = report
        self._moving.append(report.boot_ns)
        lasts = report.boot_ns - self._moving[0] >= MOVING_NS
        moved_m = distance_m(still.fix.position, fix.position)
        if not (lasts and len(self._moving) >= MOVING_REPORTS) and moved_m < MOVED_M:
            return []
        changes = [self._leave(self.parked_at, report.boot_ns)] if self.parked_at else []
        self.parked_at = None
        self._still = self._still_until = self._moved_from = None
        self._moving.clear()
        return changes

    def _leave(self, stand: str, known_ns: int) -> GroundChange:
        still, moved = self._still_until, self._moved_from
        if still is None or moved is None or still.fix is None or moved.fix is None:
            raise AssertionError("an aircraft leaves its stand from where it stood still")
        gap_ns = moved.boot_ns - still.boot_ns
        happened_ns, sigma_s = moved.boot_ns - gap_ns // 2, _sigma_s(STOP_S, gap_ns)
        if gap_ns > QUIET_NS:
            # The transponder was off: how far it has come says when it started.
            pushed_s = distance_m(still.fix.position, moved.fix.position) / PUSHBACK_MPS
            happened_ns = max(moved.boot_ns - round(pushed_s * NS), still.boot_ns)
            sigma_s = PUSHBACK_S
        return GroundChange("off_stand", happened_ns, sigma_s, known_ns, stand, still.fix.position)


def _sigma_s(least_s: float, gap_ns: int) -> float:
    """Give the deviation of a moment somewhere within a gap."""
    return math.hypot(least_s, gap_ns / NS / math.sqrt(12.0))
