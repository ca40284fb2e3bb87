"""Where one aircraft is: raw positions solved, and believed only when they fit together."""

from typing import NamedTuple

from aerocast_protocols.modes.cpr import (
    Cpr,
    Position,
    airborne_global,
    local,
    surface_global,
)

from aerocast_agent.stands import distance_m

NS = 1_000_000_000
PAIR_NS = 10 * NS  # an even and an odd frame farther apart do not belong together
# How long a position may serve to solve single frames: far less than it takes to leave its zone.
AIRBORNE_REFERENCE_NS, SURFACE_REFERENCE_NS = 60 * NS, 600 * NS
LONGEST_DEGREE_M = 111_700.0
FARTHEST_M = 500_000.0  # beyond the radio horizon of an aircraft at 45,000 ft
# So long after a pair was solved single frames will do: a pair costs thrice as much.
PAIRED_NS = 10 * NS
# Generous speeds (1200 kt, 250 kt) plus what two solutions may differ without any motion.
AIRBORNE_MPS, AIRBORNE_MARGIN_M = 620.0, 1500.0
SURFACE_MPS, SURFACE_MARGIN_M = 130.0, 300.0
AGREEING_FIXES = 3  # so many that agree with each other overrule what was believed


class Fix(NamedTuple):
    """A place, when, and whether on the ground."""

    position: Position
    boot_ns: int
    on_surface: bool


class PositionTracker:
    """Solves an aircraft's raw positions.

    A first position counts once a second pair agrees with it; a later one when the aircraft can
    have got there. Positions beyond radio range of the receiver are refused.

    Parameters
    ----------
    reference
        Where the receiver stands; without it surface pairs cannot be solved, nor range checked.

    Attributes
    ----------
    fix
        The last position believed.
    """

    def __init__(self, reference: Position | None) -> None:
        self.fix: Fix | None = None
        self._reference = reference
        self._halves: dict[bool, tuple[Cpr, int, bool]] = {}
        self._doubted: list[Fix] = []
        self._paired_ns = -(1 << 62)

    def add(self, cpr: Cpr, boot_ns: int, *, on_surface: bool) -> Fix | None:
        """Take a raw position; give the position it means, when it can be believed."""
        self._halves[cpr.odd] = (cpr, boot_ns, on_surface)
        if 0 <= boot_ns - self._paired_ns < PAIRED_NS:
            near = self._near_last(cpr, boot_ns, on_surface=on_surface)
            if near is not None:
                return near
        solved = self._by_pair(cpr, boot_ns, on_surface=on_surface)
        if solved is not None:
            fix = Fix(solved, boot_ns, on_surface)
            if self.fix is None or not can_reach(self.fix, fix):
                return self._doubt(fix)
            self._paired_ns = boot_ns
            return self._believe(fix)
        return self._near_last(cpr, boot_ns, on_surface=on_surface)

    def place(self, position: Position, boot_ns: int, *, on_surface: bool) -> Fix | None:
        """Take a position that was solved elsewhere; give it back when it can be believed."""
        if not self._in_range(position):
            return None
        fix = Fix(position, boot_ns, on_surface)
        if self.fix is None or not can_reach(self.fix, fix):
            return self._doubt(fix)
        return self._believe(fix)

    def _believe(self, fix: Fix) -> Fix:
        self._doubted.clear()
        self.fix = fix
        return fix

    def _doubt(self, fix: Fix) -> Fix | None:
        if self._doubted and not can_reach(self._doubted[-1], fix):
            self._doubted.clear()
        self._doubted.append(fix)
        needed = 2 if self.fix is None else AGREEING_FIXES
        return self._believe(fix) if len(self._doubted) >= needed else None

    def _by_pair(self, cpr: Cpr, boot_ns: int, *, on_surface: bool) -> Position | None:
        other = self._halves.get(not cpr.odd)
        if other is None or other[2] is not on_surface or abs(boot_ns - other[1]) > PAIR_NS:
            return None
        even, odd = (other[0], cpr) if cpr.odd else (cpr, other[0])
        if on_surface:
            near = self._reference or (self.fix.position if self.fix else None)
            if near is None:
                return None
            solved = surface_global(even, odd, near, odd_is_latest=cpr.odd)
        else:
            solved = airborne_global(even, odd, odd_is_latest=cpr.odd)
        return solved if solved is not None and self._in_range(solved) else None

    def _near_last(self, cpr: Cpr, boot_ns: int, *, on_surface: bool) -> Fix | None:
        last = self.fix
        if last is None:
            return None
        on_ground_still = on_surface and last.on_surface
        limit_ns = SURFACE_REFERENCE_NS if on_ground_still else AIRBORNE_REFERENCE_NS
        if abs(boot_ns - last.boot_ns) > limit_ns:
            return None
        solved = local(cpr, last.position, on_surface=on_surface)
        if solved is None:
            return None
        fix = Fix(solved, boot_ns, on_surface)
        return self._believe(fix) if can_reach(last, fix) and self._in_range(solved) else None

    def _in_range(self, position: Position) -> bool:
        return self._reference is None or _are_within(self._reference, position, FARTHEST_M)


def can_reach(one: Fix, other: Fix) -> bool:
    """Say whether an aircraft can be at both places at their times."""
    on_ground = one.on_surface and other.on_surface
    speed_mps = SURFACE_MPS if on_ground else AIRBORNE_MPS
    margin_m = SURFACE_MARGIN_M if on_ground else AIRBORNE_MARGIN_M
    reach_m = speed_mps * abs(other.boot_ns - one.boot_ns) / NS + margin_m
    return _are_within(one.position, other.position, reach_m)


def _are_within(one: Position, other: Position, reach_m: float) -> bool:
    (south, west), (north, east) = one, other
    if (abs(north - south) + abs(east - west)) * LONGEST_DEGREE_M <= reach_m:
        return True  # without trigonometry: no way is longer than straight east and north
    return distance_m(one, other) <= reach_m
