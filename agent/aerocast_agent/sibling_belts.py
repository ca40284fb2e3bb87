"""Belts that may overhear each other, decided together: which bag passed which of them, and when.

Pure. Everything happens at ticks of time, after all that was seen before them, so that neither how
often it is asked nor in which pieces observations come makes a difference.

A tag is one *encounter*: every read of it by any of the belts until it has been silent. Then it is
held for as long as a bag right behind it needs, so that the windows of the photo eyes can be shared
out among all that were there, and judged: a passage, a parked tag, or one overheard from afar.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from aerocast_protocols.epc.bag_tag import BagTag
from aerocast_protocols.observations.bags import BagPassage, UnreadBag
from aerocast_protocols.observations.every import Observation

from aerocast_agent.beam_shares import Bid, share_of
from aerocast_agent.config import Belt
from aerocast_agent.encounter import Crossing, Encounter
from aerocast_agent.photo_eye import Window
from aerocast_agent.watched_belt import (
    LONG,
    SECOND_NS,
    STOPPED_FOR_NS,
    WatchedBelt,
    place_of,
)

TICK_NS = SECOND_NS // 4
PARKED_FOR_NS = 60 * SECOND_NS  # a parked tag stays so until it was silent for this long,
MOVED_DB = 8.0  # or is heard this much more strongly than before
RESUMED_NS = 8 * SECOND_NS  # a tag that broke no beam yet may be in a fade on a stopped belt
BACK_NS = 30 * SECOND_NS  # a bag that passed cannot come round to the same belt sooner
LINGERS_DB = 12.0  # this much weaker a bag that passed is heard again from down the belt
# What a beam broken at the right moment is worth; half of it where no eye can say. An eye is wrong
# about one bag in thirty, and 6 dB more on one belt than on its sibling are as sure as that.
EYE_DB = 6.0
SURE_FIT = 6.0  # a window that fits by so much is as good as seen
MOST_TAGS = 4096

_Remembered = TypeVar("_Remembered")


class _Held(NamedTuple):
    """An encounter that is over, and when it is judged."""

    encounter: Encounter
    crossings: list[Crossing]
    due_ns: int


class _Claim(NamedTuple):
    """A belt that may have the bag: how strongly, its photo eye included, and its window there."""

    crossing: Crossing
    score_db: float
    window: Window | None


class _Gone(NamedTuple):
    """A tag that passed: where, how strongly, and when it was last heard."""

    belt: str
    strength_dbm: float
    last_ns: int


class SiblingBelts:
    """Remembers tags in sight of belts that may overhear each other.

    Attributes
    ----------
    places
        The antennas and photo eyes that belong here, as ``device:port`` and ``device:gpiN``.
    parked, overheard
        Tags that were parked, and tags too faint to have passed: counted, never reported.
    """

    def __init__(self, belts: Sequence[Belt]) -> None:
        self._belts = {belt.name: WatchedBelt(belt) for belt in belts}
        self._belt_at: dict[str, str] = {}
        for belt in belts:
            for antenna in belt.antennas:
                self._belt_at.setdefault(place_of(antenna), belt.name)
        self._antennas = {name: belt.antennas for name, belt in self._belts.items()}
        self._speed_mps = {belt.name: belt.speed_mps for belt in belts}
        self._reach_db = EYE_DB + max(belt.margin_db for belt in belts)
        self._gap_ns = max(max(belt.transit_ns for belt in self._belts.values()) // 2, SECOND_NS)
        eyes = {belt.eye_place for belt in self._belts.values()}
        self.places = (*self._belt_at, *(place for place in eyes if place is not None))
        self.parked = 0
        self.overheard = 0
        self._open: OrderedDict[bytes, Encounter] = OrderedDict()
        self._held: OrderedDict[bytes, _Held] = OrderedDict()
        self._bids: dict[bytes, Bid] = {}
        self._sighted: dict[bytes, Bid] = {}  # what those still in sight would bid, at this tick
        # Silent for less than PARKED_FOR_NS: when last heard, and of the parked how strongly.
        self._standing: OrderedDict[bytes, tuple[int, float]] = OrderedDict()
        self._heard: OrderedDict[bytes, tuple[int, float]] = OrderedDict()
        self._gone: OrderedDict[bytes, _Gone] = OrderedDict()
        self._ticked: int | None = None

    def read(self, boot_ns: int, place: str, epc: bytes, tag: BagTag, rssi_dbm: float) -> None:
        """Take a read, in order of time and after `advance` to it."""
        belt = self._belt_at[place]
        self._antennas[belt].heard(place, rssi_dbm)
        standing = self._standing.get(epc)
        if standing is not None:
            if rssi_dbm < standing[1] + MOVED_DB:
                _remember(self._standing, epc, (boot_ns, standing[1]))
                return
            del self._standing[epc]
        encounter = self._open.get(epc)
        if encounter is None:
            encounter = self._open[epc] = self._resumed(epc) or Encounter(
                epc, tag, boot_ns, place.rpartition(":")[0]
            )
        self._open.move_to_end(epc)
        encounter.add(boot_ns, belt, place, rssi_dbm)

    def edge(self, boot_ns: int, place: str, level: int) -> None:
        """Take a change of a photo eye, in order of time and after `advance` to it."""
        for belt in self._belts.values():
            if belt.eye is not None and belt.eye_place == place:
                belt.eye.edge(boot_ns, blocked=level == 1)

    def advance(self, boot_ns: int) -> list[Observation]:
        """Let time pass; gives the passages and unread bags now known."""
        tick = boot_ns // TICK_NS
        if self._ticked is None:
            self._ticked = tick
        found: list[Observation] = []
        while self._ticked < tick:
            if not self._open and not self._held and not self._waits(boot_ns):
                self._ticked = tick
                break
            self._ticked += 1
            found += self._tick(self._ticked * TICK_NS)
        return found

    def _waits(self, boot_ns: int) -> bool:
        return any(
            belt.eye is not None and belt.eye.waits(boot_ns) for belt in self._belts.values()
        )

    def _resumed(self, epc: bytes) -> Encounter | None:
        """Take up an encounter again that is over but not judged."""
        held = self._held.pop(epc, None)
        self._bids.pop(epc, None)
        return None if held is None else held.encounter

    def _tick(self, boot_ns: int) -> list[Observation]:
        self._sighted.clear()
        for encounter in list(self._open.values()):
            is_silent = encounter.last_ns + self._gap_ns < boot_ns
            if is_silent or encounter.lasted_ns > STOPPED_FOR_NS or len(self._open) > MOST_TAGS:
                del self._open[encounter.epc]
                self._hold(encounter)
        crowded = list(self._held.values())[: max(len(self._held) - MOST_TAGS, 0)]
        due = [held for held in self._held.values() if held.due_ns < boot_ns]
        found: list[Observation] = []
        for held in sorted(due or crowded, key=lambda each: (each.due_ns, each.encounter.epc)):
            del self._held[held.encounter.epc]
            found += self._judge(held.encounter, held.crossings)
        for memory in (self._standing, self._heard):
            while memory and next(iter(memory.values()))[0] < boot_ns - PARKED_FOR_NS:
                memory.popitem(last=False)
        return found + self._unread(boot_ns)

    def _crossings(self, encounter: Encounter) -> list[Crossing]:
        return encounter.crossings(self._antennas, self._speed_mps, self._reach_db)

    def _hold(self, encounter: Encounter) -> None:
        """Keep an encounter until all that may have broken the same beams are known."""
        crossings = self._crossings(encounter)
        best = crossings[0]
        belt = self._belts[best.belt]
        due_ns = encounter.last_ns
        if not belt.is_parked(encounter, best.strength_dbm):
            bid = self._bids[encounter.epc] = self._bid(encounter, crossings)
            if any(self._belts[name].is_seen for name in bid.fits):
                due_ns += self._gap_ns + belt.transit_ns
                if self._share(encounter.epc, best.belt)[1] < SURE_FIT:
                    due_ns = max(due_ns, encounter.last_ns + RESUMED_NS)
        self._held[encounter.epc] = _Held(encounter, crossings, due_ns)

    def _bid(self, encounter: Encounter, crossings: list[Crossing]) -> Bid:
        best = crossings[0]
        heard = encounter.epc in self._heard
        fits = {
            each.belt: self._belts[each.belt].fit(
                encounter, each, best.strength_dbm - each.strength_dbm, heard=heard
            )
            for each in crossings
            if self._belts[each.belt].eye is not None
        }
        return Bid(best.passed_ns, fits)

    def _share(self, epc: bytes, belt: str) -> tuple[Window | None, float]:
        """Give the window of a belt's beam that is left to a tag, and how well that fits."""
        if not self._sighted:
            for encounter in self._open.values():
                crossings = self._crossings(encounter)
                best = crossings[0]
                if not self._belts[best.belt].is_parked(encounter, best.strength_dbm):
                    self._sighted[encounter.epc] = self._bid(encounter, crossings)
        return share_of(epc, belt, self._sighted | self._bids, self._belts)

    def _judge(self, encounter: Encounter, crossings: list[Crossing]) -> list[Observation]:
        """Say what an encounter was, now that it is over."""
        claims = self._claims(encounter, crossings)
        self._bids.pop(encounter.epc, None)
        if not claims:
            self.parked += 1
            standing = (encounter.last_ns, crossings[0].peak_dbm)
            _remember(self._standing, encounter.epc, standing)
            return []
        best, _, window = claims[0]
        belt = self._belts[best.belt]
        if self._passed_before(encounter, best, window) or (
            window is None and belt.is_overheard(best.strength_dbm)
        ):
            self.overheard += 1
            _remember(self._heard, encounter.epc, (encounter.last_ns, best.peak_dbm))
            return []
        _remember(self._gone, encounter.epc, _Gone(best.belt, best.strength_dbm, encounter.last_ns))
        belt.passed(best)
        self._antennas[encounter.loudest_belt].passed(encounter.heard_by)
        if window is not None:
            belt.explain(encounter, best, window)
        for crossing, _, claimed in claims:
            eye = self._belts[crossing.belt].eye
            if eye is not None and (claimed is not None or window is None):
                eye.claim(claimed, crossing.passed_ns, sure=len(claims) == 1)
        return [self._passage(encounter, claims, crossings)]

    def _claims(self, encounter: Encounter, crossings: list[Crossing]) -> list[_Claim]:
        """Give the belts that may have the bag, likeliest first; none when the tag is parked."""
        best = crossings[0]
        if self._belts[best.belt].is_parked(encounter, best.strength_dbm):
            return []
        claims: list[_Claim] = []
        for each in crossings:
            window, gain = self._share(encounter.epc, each.belt)
            unseen_db = EYE_DB if self._belts[each.belt].is_seen else EYE_DB / 2
            unseen_db *= 1 - min(max(gain, 0.0) / SURE_FIT, 1.0)
            claims.append(_Claim(each, each.strength_dbm - unseen_db, window))
        claims.sort(key=lambda claim: -claim.score_db)
        belt = self._belts[claims[0].crossing.belt]
        if claims[0].window is None and belt.is_seen and belt.lasts(encounter, LONG):
            return []
        least_db = claims[0].score_db - belt.margin_db
        return [claim for claim in claims if claim.score_db >= least_db]

    def _passed_before(self, encounter: Encounter, best: Crossing, window: Window | None) -> bool:
        """Say whether a bag has passed already and is only heard, or moved, once more."""
        gone = self._gone.get(encounter.epc)
        if gone is None:
            return False
        silent_ns = encounter.first_ns - gone.last_ns
        stronger_db = best.strength_dbm - gone.strength_dbm
        stays = best.belt == gone.belt and silent_ns < BACK_NS and stronger_db < LINGERS_DB
        lingers_ns = PARKED_FOR_NS if window is None else BACK_NS
        if not stays and (silent_ns >= lingers_ns or stronger_db >= -LINGERS_DB):
            return False
        eye = self._belts[best.belt].eye
        if eye is not None and window is not None:
            eye.claim(window, best.passed_ns, sure=False)
        _remember(self._gone, encounter.epc, gone._replace(last_ns=encounter.last_ns))
        return True

    def _passage(
        self, encounter: Encounter, claims: list[_Claim], crossings: list[Crossing]
    ) -> BagPassage:
        best, score_db, window = claims[0]
        belt = self._belts[best.belt]
        passed_ns, sigma_ns = belt.when(best, window)
        others = [each.strength_dbm for each in crossings if each.belt != best.belt]
        names = sorted(claim.crossing.belt for claim in claims)
        return BagPassage(
            device=encounter.device,
            boot_ns=passed_ns,
            belt=best.belt,
            point=belt.point,
            epc=encounter.epc,
            licence_plate=encounter.tag.licence_plate,
            day_of_year=encounter.tag.day_of_year,
            sigma_ms=round(sigma_ns / 1e6, 1),
            reads=best.reads,
            peak_rssi_dbm=round(best.peak_dbm, 1) if math.isfinite(best.peak_dbm) else None,
            confidence=_confidence(best, score_db, others, ambiguous=len(claims) > 1),
            ambiguous=len(claims) > 1,
            candidates=tuple(names) if len(claims) > 1 else (),
        )

    def _unread(self, boot_ns: int) -> list[Observation]:
        """Give the windows of the eyes that no bag in sight can still claim."""
        if not self._waits(boot_ns - self._gap_ns):
            return []
        held = (each.encounter for each in self._held.values())
        in_sight = [(each.first_ns, self._may_pass(each)) for each in (*self._open.values(), *held)]
        found: list[Observation] = []
        for name, belt in self._belts.items():
            if belt.eye is None or belt.eye_place is None:
                continue
            settled_ns = boot_ns - self._gap_ns - belt.transit_ns
            waited_ns = [first_ns for first_ns, belts in in_sight if name in belts]
            device = belt.eye_place.rpartition(":")[0]
            found += [
                UnreadBag(device=device, boot_ns=window.middle_ns, belt=name, point=belt.point)
                for window in belt.eye.settled(min([settled_ns, *waited_ns]))
            ]
        return found

    def _may_pass(self, encounter: Encounter) -> list[str]:
        """Give the belts whose beam a tag in sight may still turn out to have broken."""
        strengths = encounter.strengths(self._antennas)
        best, strength_dbm = max(strengths.items(), key=lambda each: (each[1], each[0]))
        if self._belts[best].lasts(encounter, LONG) and self._belts[best].was_overtaken(encounter):
            return []
        return [belt for belt, each in strengths.items() if each >= strength_dbm - self._reach_db]


def _remember(memory: OrderedDict[bytes, _Remembered], epc: bytes, remembered: _Remembered) -> None:
    memory[epc] = remembered
    memory.move_to_end(epc)
    if len(memory) > MOST_TAGS:
        memory.popitem(last=False)


def _confidence(best: Crossing, score_db: float, others: list[float], *, ambiguous: bool) -> float:
    """Weigh the evidence: reads, and the distance to the next belt; 0 to 1."""
    enough_reads = 1 - math.exp(-best.reads / 4)
    if ambiguous:
        return round(0.5 * enough_reads, 3)
    ahead_db = max(score_db - max(others, default=-math.inf), 0.0)
    apart = 1.0 if math.isinf(ahead_db) else 1 - math.exp(-ahead_db / 3)
    return round(enough_reads * (0.5 + 0.5 * apart), 3)
