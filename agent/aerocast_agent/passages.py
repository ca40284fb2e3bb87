"""Turn reads of bag tags into bags that went past a belt, and photo-eye edges into unread bags.

Pure: no clock, no device. Time is what observations carry, and `Passages.advance` says when
nothing came. Results depend neither on the order in which observations come (within
``TOLERANCE_NS``) nor on repetition.

A bag is one *encounter*: every read of its tag by a belt or by siblings that overhear it, until it
has been silent. The belt that read it strongest has it, when it is ``margin_db`` above the others;
else photo eyes decide, else the passage is marked ambiguous and names every candidate.
"""

import heapq
import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from aerocast_protocols.epc.bag_tag import BagTag, claims_bag_tag, decode_bag_tag
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations import (
    BagPassage,
    GpioEdge,
    Observation,
    TagRead,
    UnreadBag,
)

from aerocast_agent.config import Belt
from aerocast_agent.encounter import Crossing, Encounter, UsualPeak
from aerocast_agent.photo_eye import PhotoEye, Window

SECOND_NS = 1_000_000_000
TOLERANCE_NS = SECOND_NS // 2  # how late an observation may come and still find its place
TICK_NS = SECOND_NS // 4
FIELD_M = 2.0  # how far along a belt antennas read, where the configuration does not say
PARKED_TRANSITS = 5.0  # a tag that stays longer than this many transits is parked, not passing,
STOPPED_DB = 10.0  # unless it broke the beam and is no weaker than this below a usual bag: stopped
STOPPED_FOR_NS = 60 * SECOND_NS  # how long a stopped bag may keep beams waiting for their bag
PARKED_FOR_NS = 60 * SECOND_NS  # a parked tag stays so until it was silent for this long
# A tag this far below the belt's usual bag was overheard from afar; less far when the beam, which
# sees every bag, saw none.
OVERHEARD_DB = 26.0
OVERHEARD_UNSEEN_DB = 12.0
# Ours: bounds of memory. A hall has some 20 tags in its fields and 2,000 reads/s at its worst.
MOST_WAITING = 20_000
MOST_TAGS = 4096

_Waiting = tuple[int, str, bytes, int, float]


class Passages:
    """Remembers tags in sight of the belts and says which bags passed.

    Parameters
    ----------
    belts
        As agent.toml names them; belts that share siblings are decided together.

    Attributes
    ----------
    foreign, parked, overheard, late
        Reads of tags that are no bag tags, tags that were parked, tags that were too faint to have
        passed, observations that came more than ``TOLERANCE_NS`` late: counted, never reported.
    """

    def __init__(self, belts: Sequence[Belt]) -> None:
        self.foreign = 0
        self.parked = 0
        self.overheard = 0
        self.late = 0
        self._halls = [_Hall(group) for group in _groups(belts)]
        self._hall_of = {place: hall for hall in self._halls for place in hall.places}
        self._waiting: list[_Waiting] = []
        self._newest_ns: int | None = None
        self._done_ns: int | None = None
        self._last: _Waiting | None = None
        self._tags: OrderedDict[tuple[bytes, int], BagTag | None] = OrderedDict()

    def add(self, observation: Observation) -> list[Observation]:
        """Take an observation; gives the passages and unread bags now known."""
        if isinstance(observation, TagRead):
            place = f"{observation.device}:{observation.antenna}"
            pc = -1 if observation.pc is None else observation.pc
            rssi_dbm = -math.inf if observation.rssi_dbm is None else observation.rssi_dbm
            entry = (observation.boot_ns, place, observation.epc, pc, rssi_dbm)
        elif isinstance(observation, GpioEdge):
            place = f"{observation.device}:gpi{observation.pin}"
            entry = (observation.boot_ns, place, b"", observation.level, 0.0)
        else:
            return []
        if place not in self._hall_of:
            return []
        if self._done_ns is not None and observation.boot_ns < self._done_ns:
            self.late += 1
            return []
        heapq.heappush(self._waiting, entry)
        return self.advance(observation.boot_ns)

    def advance(self, boot_ns: int) -> list[Observation]:
        """Let time pass; gives the passages and unread bags now known."""
        if self._newest_ns is None or boot_ns > self._newest_ns:
            self._newest_ns = boot_ns
        settled_ns = self._newest_ns - TOLERANCE_NS
        found: list[Observation] = []
        while self._waiting and (
            self._waiting[0][0] < settled_ns or len(self._waiting) > MOST_WAITING
        ):
            entry = heapq.heappop(self._waiting)
            if entry != self._last:
                self._last = entry
                found += self._settle(entry)
        if self._done_ns is None or settled_ns > self._done_ns:
            self._done_ns = settled_ns
        for hall in self._halls:
            found += hall.advance(self._done_ns)
        self.parked = sum(hall.parked for hall in self._halls)
        self.overheard = sum(hall.overheard for hall in self._halls)
        return found

    def _settle(self, entry: _Waiting) -> list[Observation]:
        boot_ns, place, epc, number, rssi_dbm = entry
        hall = self._hall_of[place]
        found = hall.advance(boot_ns)
        self._done_ns = boot_ns
        if place in hall.eyes:
            hall.edge(boot_ns, place, number)
            return found
        tag = self._tag(epc, number)
        if tag is None:
            self.foreign += 1
        else:
            hall.read(boot_ns, place, epc, tag, rssi_dbm)
        return found

    def _tag(self, epc: bytes, pc: int) -> BagTag | None:
        key = (epc, pc)
        if key in self._tags:
            self._tags.move_to_end(key)
            return self._tags[key]
        tag = None
        if claims_bag_tag(epc, None if pc < 0 else pc):
            try:
                tag = decode_bag_tag(epc)
            except ProtocolError:
                tag = None  # broken: counted as foreign
        self._tags[key] = tag
        if len(self._tags) > MOST_TAGS:
            self._tags.popitem(last=False)
        return tag


class _Hall:
    """Belts that may overhear each other."""

    def __init__(self, belts: Sequence[Belt]) -> None:
        self._belts = {belt.name: belt for belt in belts}
        self._belt_at: dict[str, str] = {}
        for belt in belts:
            for antenna in belt.antennas:
                self._belt_at.setdefault(_place(antenna), belt.name)
        self.eyes: dict[str, list[PhotoEye]] = {}
        self._eye_of: dict[str, PhotoEye] = {}
        for belt in belts:
            if belt.photo_eye is not None:
                eye = self._eye_of[belt.name] = PhotoEye(_transit_ns(belt))
                self.eyes.setdefault(_place(belt.photo_eye), []).append(eye)
        self.places = (*self._belt_at, *self.eyes)
        self.parked = 0
        self.overheard = 0
        self._usual = {belt.name: UsualPeak() for belt in belts}
        self._speed_mps = {belt.name: belt.speed_mps for belt in belts}
        self._transit_ns = {belt.name: _transit_ns(belt) for belt in belts}
        self._gap_ns = max(max(self._transit_ns.values(), default=0) // 2, SECOND_NS)
        self._open: OrderedDict[bytes, Encounter] = OrderedDict()
        self._standing: OrderedDict[bytes, int] = OrderedDict()
        self._gone: OrderedDict[bytes, tuple[float, int]] = OrderedDict()
        self._ticked: int | None = None

    def read(self, boot_ns: int, place: str, epc: bytes, tag: BagTag, rssi_dbm: float) -> None:
        """Take a read, in order of time and after `advance` to it."""
        if epc in self._standing:
            self._standing[epc] = boot_ns
            self._standing.move_to_end(epc)
            return
        encounter = self._open.get(epc)
        if encounter is None:
            encounter = self._open[epc] = Encounter(
                epc, tag, boot_ns, place.split(":", maxsplit=1)[0]
            )
        self._open.move_to_end(epc)
        encounter.add(boot_ns, self._belt_at[place], rssi_dbm)

    def edge(self, boot_ns: int, place: str, level: int) -> None:
        """Take a change of a photo eye, in order of time and after `advance` to it."""
        for eye in self.eyes[place]:
            eye.edge(boot_ns, blocked=level == 1)

    def advance(self, boot_ns: int) -> list[Observation]:
        """Close what has been silent at ``boot_ns``; beams are judged at fixed ticks of time."""
        found: list[Observation] = []
        if self._ticked is None:
            self._ticked = boot_ns // TICK_NS
        while self._ticked < boot_ns // TICK_NS:
            self._ticked += 1
            found += self._close(self._ticked * TICK_NS)
            for name, eye in self._eye_of.items():
                found += self._unread(name, eye, self._ticked * TICK_NS)
            if not self._open and not any(eye.waits(boot_ns) for eye in self._eye_of.values()):
                self._ticked = boot_ns // TICK_NS
        return found + self._close(boot_ns)

    def _close(self, boot_ns: int) -> list[Observation]:
        found: list[Observation] = []
        while self._open:
            epc, encounter = next(iter(self._open.items()))
            if encounter.last_ns + self._gap_ns >= boot_ns and len(self._open) <= MOST_TAGS:
                break
            del self._open[epc]
            found += self._judge(encounter)
        while self._standing:
            epc, last_ns = next(iter(self._standing.items()))
            if last_ns + PARKED_FOR_NS >= boot_ns:
                break
            del self._standing[epc]
        return found

    def _judge(self, encounter: Encounter) -> list[Observation]:
        """Say what an encounter was, now that it is over."""
        crossings = encounter.crossings(self._speed_mps)
        claims = self._claims(crossings)
        best = claims[0]
        eye = self._eye_of.get(best.belt)
        is_seen = eye is not None and eye.saw(best.passed_ns)
        below_db = self._usual[best.belt].below(best.peak_dbm)
        if self._lasts_long(encounter, best.belt) and not (is_seen and below_db <= STOPPED_DB):
            self.parked += 1
            self._standing[encounter.epc] = encounter.last_ns
            self._standing.move_to_end(encounter.epc)
            if len(self._standing) > MOST_TAGS:
                self._standing.popitem(last=False)
            return []
        unseen = eye is not None and eye.works and not is_seen
        if below_db > (OVERHEARD_UNSEEN_DB if unseen else OVERHEARD_DB) or self._lingers(
            encounter, best.peak_dbm
        ):
            self.overheard += 1
            return []
        self._usual[best.belt].add(best.peak_dbm)
        for each in claims:
            if each.belt in self._eye_of:
                self._eye_of[each.belt].claim(each.passed_ns)
        return [self._passage(encounter, claims, crossings)]

    def _lingers(self, encounter: Encounter, peak_dbm: float) -> bool:
        """Say whether a tag that has passed is only heard faintly again, further down the belt."""
        passed_dbm, last_ns = self._gone.get(encounter.epc, (-math.inf, 0))
        if peak_dbm < passed_dbm - OVERHEARD_UNSEEN_DB and (
            encounter.first_ns - last_ns < PARKED_FOR_NS
        ):
            self._gone[encounter.epc] = (passed_dbm, encounter.last_ns)
            return True
        self._gone[encounter.epc] = (peak_dbm, encounter.last_ns)
        self._gone.move_to_end(encounter.epc)
        if len(self._gone) > MOST_TAGS:
            self._gone.popitem(last=False)
        return False

    def _lasts_long(self, encounter: Encounter, belt: str) -> bool:
        return encounter.lasted_ns > PARKED_TRANSITS * self._transit_ns[belt]

    def _claims(self, crossings: list[Crossing]) -> list[Crossing]:
        """Give the belts that may have the bag, strongest first."""
        best = crossings[0]
        margin_db = self._belts[best.belt].margin_db
        claims = [each for each in crossings if each.peak_dbm >= best.peak_dbm - margin_db]
        return (self._seen_by_eye(claims) or claims) if len(claims) > 1 else claims

    def _passage(
        self, encounter: Encounter, claims: list[Crossing], crossings: list[Crossing]
    ) -> BagPassage:
        best = claims[0]
        others = [each.peak_dbm for each in crossings if each.belt != best.belt]
        return BagPassage(
            device=encounter.device,
            boot_ns=best.passed_ns,
            belt=best.belt,
            point=self._belts[best.belt].point,
            epc=encounter.epc,
            licence_plate=encounter.tag.licence_plate,
            day_of_year=encounter.tag.day_of_year,
            sigma_ms=round(best.sigma_ns / 1e6, 1),
            reads=best.reads,
            peak_rssi_dbm=None if math.isinf(best.peak_dbm) else round(best.peak_dbm, 1),
            confidence=_confidence(best, others, ambiguous=len(claims) > 1),
            ambiguous=len(claims) > 1,
            candidates=tuple(sorted(each.belt for each in claims)) if len(claims) > 1 else (),
        )

    def _seen_by_eye(self, claims: list[Crossing]) -> list[Crossing]:
        """Keep the belts whose beam was broken when the bag would have crossed them."""
        if not all(each.belt in self._eye_of for each in claims):
            return []
        return [each for each in claims if self._eye_of[each.belt].saw(each.passed_ns)]

    def _unread(self, name: str, eye: PhotoEye, boot_ns: int) -> Iterator[UnreadBag]:
        """Give the windows of an eye that no bag in sight can still claim."""
        settled_ns = boot_ns - self._gap_ns - self._transit_ns[name]
        if not eye.waits(settled_ns):
            return
        open_ns = (each.first_ns for each in self._open.values() if self._may_pass(each, boot_ns))
        for window in eye.settled(min([settled_ns, *open_ns])):
            yield self._unread_bag(name, window)

    def _may_pass(self, encounter: Encounter, boot_ns: int) -> bool:
        """Say whether a tag in sight may still turn out to be a bag that broke a beam."""
        belt, strongest_dbm = encounter.strongest()
        if not self._lasts_long(encounter, belt):
            return True
        is_near = self._usual[belt].below(strongest_dbm) <= STOPPED_DB
        return is_near and boot_ns - encounter.first_ns < STOPPED_FOR_NS

    def _unread_bag(self, name: str, window: Window) -> UnreadBag:
        belt = self._belts[name]
        device = (belt.photo_eye or "").split(":")[0]
        return UnreadBag(device=device, boot_ns=window.middle_ns, belt=name, point=belt.point)


def _groups(belts: Sequence[Belt]) -> Iterable[list[Belt]]:
    """Gather belts that are siblings, directly or through others."""
    group_of = {belt.name: {belt.name} for belt in belts}
    for belt in belts:
        for sibling in belt.siblings:
            if sibling in group_of and group_of[sibling] is not group_of[belt.name]:
                group_of[belt.name] |= group_of[sibling]
                for member in group_of[sibling]:
                    group_of[member] = group_of[belt.name]
    distinct = {id(group): group for group in group_of.values()}
    return [[belt for belt in belts if belt.name in group] for group in distinct.values()]


def _place(reference: str) -> str:
    """Write ``portal-4:01`` and ``portal-4:gpi01`` as observations do, without leading zeros."""
    device, _, port = reference.rpartition(":")
    kind = "gpi" if port.startswith("gpi") else ""
    return f"{device}:{kind}{int(port.removeprefix(kind))}"


def _transit_ns(belt: Belt) -> int:
    return round((belt.field_m or FIELD_M) / belt.speed_mps * SECOND_NS)


def _confidence(best: Crossing, others: list[float], *, ambiguous: bool) -> float:
    """Weigh the evidence: reads, and the distance to the next belt; 0 to 1."""
    enough_reads = 1 - math.exp(-best.reads / 4)
    if ambiguous:
        return round(0.5 * enough_reads, 3)
    ahead_db = best.peak_dbm - max(others, default=-math.inf)
    apart = 1.0 if math.isinf(ahead_db) or math.isnan(ahead_db) else 1 - math.exp(-ahead_db / 3)
    return round(enough_reads * (0.5 + 0.5 * apart), 3)
