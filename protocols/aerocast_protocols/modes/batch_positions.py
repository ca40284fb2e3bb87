"""Where aircraft are: raw positions of a batch solved and believed. Needs numpy (extra sdr).

The rules of `cpr`, for many positions at a time (RTCA DO-260B §A.1.7): pairs of an even and an odd
frame first, single frames by a place known to be near after that. A first place of an aircraft is
believed once a second agrees with it, a later one when the aircraft can have got there.
"""

import math
from typing import NamedTuple

import numpy as np

from aerocast_protocols.modes.batch_frames import Flags, Integers, Numbers, Rows
from aerocast_protocols.modes.batch_memory import LastHeard
from aerocast_protocols.modes.cpr import TRANSITION_LATITUDES, Cpr, Position, local

PAIR_S = 10.0  # an even and an odd frame farther apart do not belong together
# How long a place may serve to solve single frames: far less than it takes to leave its zone.
AIRBORNE_REFERENCE_S, SURFACE_REFERENCE_S = 60.0, 600.0
FARTHEST_M = 500_000.0  # beyond the radio horizon of an aircraft at 45,000 ft
# Generous speeds (1200 kt, 250 kt) plus what two solutions may differ without any motion.
AIRBORNE_MPS, AIRBORNE_MARGIN_M = 620.0, 1500.0
SURFACE_MPS, SURFACE_MARGIN_M = 130.0, 300.0
AGREEING = 3  # so many places that agree with each other overrule what was believed
REMEMBERED_S = 600.0
MOST_SENDERS = 10_000  # more are looked through for what is older than that
FEW = 8  # fewer single frames are solved one by one: arrays take longer to set up
EARTH_RADIUS_M = 6_371_008.8
_SCALE = 131072.0
_TRANSITIONS = np.array(TRANSITION_LATITUDES)


class RawPositions(NamedTuple):
    """Position frames in the order heard; ``address`` is the sender's, 25 bits."""

    address: Integers
    row: Integers
    seen_at_s: Numbers
    on_surface: Flags
    odd: Integers
    latitude: Integers
    longitude: Integers

    def take(self, places: Rows) -> "RawPositions":
        """Give some of them."""
        return RawPositions(
            self.address[places],
            self.row[places],
            self.seen_at_s[places],
            self.on_surface[places],
            self.odd[places],
            self.latitude[places],
            self.longitude[places],
        )


class Places(NamedTuple):
    """Degrees north and east."""

    latitude: Numbers
    longitude: Numbers

    def take(self, rows: Rows) -> "Places":
        """Give some of them."""
        return Places(self.latitude[rows], self.longitude[rows])


class _Place(NamedTuple):
    seen_at_s: float
    latitude: float
    longitude: float
    on_surface: float


class BatchPositions:
    """Solves raw positions batch after batch.

    Parameters
    ----------
    reference
        Where the receiver stands; without it surface pairs cannot be solved, nor range checked.
    """

    def __init__(self, reference: Position | None) -> None:
        self._reference = reference
        self._halves = LastHeard(3, PAIR_S)
        self._believed = LastHeard(3, REMEMBERED_S)
        self._places: dict[int, _Place] = {}
        self._doubted: dict[int, list[_Place]] = {}

    def solve(self, raw: RawPositions) -> Places:
        """Give the place of each frame; NaN where it cannot be solved or is not believed."""
        solved = self._pairs(raw)
        found = (~np.isnan(solved.latitude)).nonzero()[0]
        believed = self._believe(raw, solved, found)
        pairs: Numbers = np.array((solved.latitude, solved.longitude, raw.on_surface))
        memory = self._believed.add(
            raw.address[believed], raw.row[believed], raw.seen_at_s[believed], pairs[:, believed]
        )
        places = Places(np.full(len(raw.row), np.nan), np.full(len(raw.row), np.nan))
        for ours, theirs in zip(places, solved, strict=True):
            ours[believed] = theirs[believed]
        single = (np.isnan(solved.latitude)).nonzero()[0]
        if len(single):
            alone = raw.take(single)
            heard_s, values = memory.before(
                alone.address, alone.row, alone.seen_at_s, SURFACE_REFERENCE_S
            )
            solve = self._one_by_one if len(single) <= FEW else self._by_last
            places.latitude[single], places.longitude[single] = solve(alone, heard_s, values)
        return places

    def _pairs(self, raw: RawPositions) -> Places:
        key = raw.address << 1 | raw.odd
        own = np.array((raw.latitude, raw.longitude, raw.on_surface), np.float64)
        memory = self._halves.add(key, raw.row, raw.seen_at_s, own)
        _, other = memory.before(key ^ 1, raw.row, raw.seen_at_s, PAIR_S)
        other[:, other[2] != raw.on_surface] = np.nan
        is_odd = raw.odd == 1
        even, odd = np.where(is_odd, other, own), np.where(is_odd, own, other)
        span = np.where(raw.on_surface, 90.0, 360.0)
        latitudes = self._pair_latitudes(even[0], odd[0], span, raw.on_surface)
        zones = longitude_zones(latitudes[0])
        impossible = zones != longitude_zones(latitudes[1])
        latitude = np.where(is_odd, latitudes[1], latitudes[0])
        index = np.floor((even[1] * (zones - 1) - odd[1] * zones) / _SCALE + 0.5)
        count = np.maximum(zones - raw.odd, 1)
        longitude = (
            span / count * (_modulo(index, count) + np.where(is_odd, odd[1], even[1]) / _SCALE)
        )
        if self._reference is not None:
            quarters = np.rint((self._reference[1] - longitude) / 90.0)
            longitude = np.where(raw.on_surface, longitude + 90.0 * quarters, longitude)
        else:
            impossible |= raw.on_surface
        longitude -= 360.0 * np.floor((longitude + 180.0) / 360.0)
        latitude[impossible | self._is_too_far(latitude, longitude)] = np.nan
        return Places(latitude, longitude)

    def _pair_latitudes(
        self, even: Numbers, odd: Numbers, span: Numbers, on_surface: Flags
    ) -> tuple[Numbers, Numbers]:
        index = np.floor((59.0 * even - 60.0 * odd) / _SCALE + 0.5)
        north = span / 60.0 * (_modulo(index, 60.0) + even / _SCALE)
        other = span / 59.0 * (_modulo(index, 59.0) + odd / _SCALE)
        reference = self._reference[0] if self._reference is not None else 0.0
        # A surface latitude is one of two, a quarter turn apart.
        is_south = np.abs(north - reference) > np.abs(north - 90.0 - reference)
        shift = np.where(on_surface & is_south, 90.0, 0.0)
        latitudes = []
        for latitude in (north, other):
            turned = np.where(on_surface, latitude - shift, latitude)
            turned = np.where(~on_surface & (turned >= 270.0), turned - 360.0, turned)
            turned[np.abs(turned) > 90.0] = np.nan
            latitudes.append(turned)
        return latitudes[0], latitudes[1]

    def _is_too_far(self, latitude: Numbers, longitude: Numbers) -> Flags:
        if self._reference is None:
            return np.zeros(len(latitude), np.bool_)
        return distances_m(self._reference[0], self._reference[1], latitude, longitude) > FARTHEST_M

    def _one_by_one(self, raw: RawPositions, heard_s: Numbers, values: Numbers) -> Places:
        """Do as `_by_last` does, quicker where there are few."""
        places = Places(*np.full((2, len(raw.row)), np.nan))
        for at in (~np.isnan(heard_s)).nonzero()[0].tolist():
            on_surface, seen_s = bool(raw.on_surface[at]), float(raw.seen_at_s[at])
            known = _Place(float(heard_s[at]), *(float(each) for each in values[:, at]))
            kept_s = (
                SURFACE_REFERENCE_S if on_surface and known.on_surface else AIRBORNE_REFERENCE_S
            )
            if abs(seen_s - known.seen_at_s) > kept_s:
                continue
            cpr = Cpr(bool(raw.odd[at]), int(raw.latitude[at]), int(raw.longitude[at]))
            last = Position(known.latitude, known.longitude)
            near = local(cpr, last, on_surface=on_surface)
            if near is None or not can_reach(known, _Place(seen_s, *near, float(on_surface))):
                continue
            if not self._is_too_far(np.array(near[:1]), np.array(near[1:]))[0]:
                places.latitude[at], places.longitude[at] = near
        return places

    def _by_last(self, raw: RawPositions, heard_s: Numbers, values: Numbers) -> Places:
        """Solve single frames by the last place believed of their sender."""
        age_s = np.abs(raw.seen_at_s - heard_s)
        on_ground = raw.on_surface & (values[2] == 1.0)
        fresh = age_s <= np.where(on_ground, SURFACE_REFERENCE_S, AIRBORNE_REFERENCE_S)
        span = np.where(raw.on_surface, 90.0, 360.0)
        step = span / (60.0 - raw.odd)
        latitude = _nearest(raw.latitude / _SCALE, step, values[0])
        latitude[~fresh | (np.abs(latitude) > 90.0)] = np.nan
        step = span / np.maximum(longitude_zones(latitude) - raw.odd, 1)
        longitude = _nearest(raw.longitude / _SCALE, step, values[1])
        longitude -= 360.0 * np.floor((longitude + 180.0) / 360.0)
        apart_m = distances_m(values[0], values[1], latitude, longitude)
        refused = apart_m > _reach_m(age_s, on_ground)
        latitude[refused | self._is_too_far(latitude, longitude)] = np.nan
        longitude[np.isnan(latitude)] = np.nan
        return Places(latitude, longitude)

    def _believe(self, raw: RawPositions, solved: Places, found: Integers) -> Integers:
        """Give which of the places ``found`` are believed, ascending."""
        order = found[np.argsort(raw.address[found], kind="stable")]
        address, seen_s = raw.address[order], raw.seen_at_s[order]
        latitude, longitude = solved.latitude[order], solved.longitude[order]
        surface = raw.on_surface[order]
        believed = np.ones(len(order), np.bool_)
        if not len(order):
            return order
        follows = address[1:] == address[:-1]
        apart_m = distances_m(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
        reach_m = _reach_m(np.abs(np.diff(seen_s)), surface[1:] & surface[:-1])
        jumps = address[1:][follows & (apart_m > reach_m)]
        troubled = set(jumps.tolist())
        starts = np.concatenate(([0], (~follows).nonzero()[0] + 1))
        ends = np.append(starts[1:], len(order))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            sender = int(address[start])
            first, last = (
                _Place(
                    float(seen_s[at]),
                    float(latitude[at]),
                    float(longitude[at]),
                    float(surface[at]),
                )
                for at in (start, end - 1)
            )
            known = self._places.get(sender)
            quiet = sender not in troubled and sender not in self._doubted
            if quiet and known is not None and can_reach(known, first):
                self._places[sender] = last
                continue
            for at in range(start, end):
                place = _Place(
                    float(seen_s[at]),
                    float(latitude[at]),
                    float(longitude[at]),
                    float(surface[at]),
                )
                believed[at] = self._believe_one(sender, place)
        self._forget(float(raw.seen_at_s.max()))
        return np.sort(order[believed])

    def _forget(self, now_s: float) -> None:
        if len(self._places) + len(self._doubted) <= MOST_SENDERS:
            return
        oldest_s = now_s - REMEMBERED_S
        self._places = {
            sender: place for sender, place in self._places.items() if place.seen_at_s >= oldest_s
        }
        self._doubted = {
            sender: places
            for sender, places in self._doubted.items()
            if places[-1].seen_at_s >= oldest_s
        }

    def _believe_one(self, sender: int, place: _Place) -> bool:
        known = self._places.get(sender)
        if known is None or not can_reach(known, place):
            doubted = self._doubted.setdefault(sender, [])
            if doubted and not can_reach(doubted[-1], place):
                doubted.clear()
            doubted.append(place)
            if len(doubted) < (2 if known is None else AGREEING):
                return False
        self._doubted.pop(sender, None)
        self._places[sender] = place
        return True


def can_reach(one: _Place, other: _Place) -> bool:
    """Say whether an aircraft can be at both places at their times."""
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    half = math.sin((south - north) / 2) ** 2
    east = math.radians(other.longitude - one.longitude)
    half += math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    apart_m = 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))
    elapsed_s = abs(other.seen_at_s - one.seen_at_s)
    if one.on_surface and other.on_surface:
        return apart_m <= SURFACE_MPS * elapsed_s + SURFACE_MARGIN_M
    return apart_m <= AIRBORNE_MPS * elapsed_s + AIRBORNE_MARGIN_M


def longitude_zones(latitude: Numbers) -> Integers:
    """Give NL: how many longitude zones there are at latitudes, 1 to 59; 1 for NaN."""
    latitude = np.abs(latitude)
    zones = 59 - np.searchsorted(_TRANSITIONS, latitude)
    return np.where(latitude <= 87.0, zones, 1)


def distances_m(
    latitude: Numbers | float,
    longitude: Numbers | float,
    other_latitude: Numbers,
    other_longitude: Numbers,
) -> Numbers:
    """Give distances along the ground, metres."""
    north, south = np.radians(latitude), np.radians(other_latitude)
    east = np.radians(other_longitude - longitude)
    half = np.sin((south - north) / 2) ** 2
    half += np.cos(north) * np.cos(south) * np.sin(east / 2) ** 2
    apart_m: Numbers = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(half)))
    return apart_m


def _reach_m(elapsed_s: Numbers, on_ground: Flags) -> Numbers:
    speed = np.where(on_ground, SURFACE_MPS, AIRBORNE_MPS)
    return speed * elapsed_s + np.where(on_ground, SURFACE_MARGIN_M, AIRBORNE_MARGIN_M)


def _modulo(index: Numbers, count: Numbers | float) -> Numbers:
    """Give what is left of whole numbers: numpy's own modulo takes ten times as long."""
    left: Numbers = index - count * np.floor(index / count)
    return left


def _nearest(fraction: Numbers, step: Numbers, reference: Numbers) -> Numbers:
    nearest: Numbers = step * (fraction + np.floor(0.5 + reference / step - fraction))
    return nearest
