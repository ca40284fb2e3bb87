"""Turn reads of bag tags into bags that went past a belt, and photo-eye edges into unread bags.

Pure: no clock, no device. Time is what observations carry, and `Passages.advance` says when
nothing came. Results depend neither on the order in which observations come (within
``TOLERANCE_NS``) nor on repetition.

The belt whose antennas heard a bag most strongly, all of them together, has it, when it is
``margin_db`` ahead of its siblings with what their photo eyes saw; else the passage is marked
ambiguous and names every candidate.
"""

import heapq
import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from aerocast_protocols.epc.bag_tag import BagTag, claims_bag_tag, decode_bag_tag
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.bags import GpioEdge, TagRead
from aerocast_protocols.observations.every import Observation

from aerocast_agent.config import Belt
from aerocast_agent.sibling_belts import MOST_TAGS, SiblingBelts
from aerocast_agent.watched_belt import SECOND_NS

TOLERANCE_NS = SECOND_NS // 2  # how late an observation may come and still find its place
MOST_WAITING = 20_000  # ours: a hall has some 20 tags in its fields and 2,000 reads/s at its worst

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
        self._halls = [SiblingBelts(group) for group in _groups(belts)]
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
        if not epc and ":gpi" in place:
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
