"""Maps from OpenStreetMap's indoor tags: footways, corridors, steps, escalators, lifts and rooms.

Simple Indoor Tagging (wiki.openstreetmap.org, read as of 2024). A node is a place on every floor
a line or an area meets it on. Lines join their nodes; an area joins the doors and lines that touch
it through its middle; a lift joins the floors it serves.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from aerocast_hub.importing import RefusedRow, WrongValueError
from aerocast_hub.orientation.places.osm_file import Line, Node, OsmFile, Tags, read_osm_file
from aerocast_hub.orientation.places.osm_levels import read_levels
from aerocast_hub.orientation.places.place_map import (
    Facility,
    Level,
    MapBuilder,
    Mode,
    Place,
    PlaceMap,
    Way,
)
from aerocast_hub.orientation.wording import Name

WALKED = frozenset({"footway", "corridor", "pedestrian", "path"})
ROOMS = frozenset({"room", "area", "corridor"})


def read_osm(file: Path) -> tuple[PlaceMap, list[RefusedRow]]:
    """Read a file; lines that cannot be taken in are named, the others are taken.

    Raises
    ------
    UnusableInputError
        It is no OSM XML.
    OSError
        It cannot be read.
    """
    return _Reading(read_osm_file(file)).read()


def place_of(node: str, floor: float) -> str:
    """Give the id of a node's place on a floor."""
    return f"n{node}/{floor:g}"


class _Reading:
    """What has been read so far: places and ways are put into the map at the end."""

    def __init__(self, osm: OsmFile) -> None:
        self._osm = osm
        self._places: dict[str, Place] = {}
        self._ways: list[tuple[Way, bool]] = []
        self._facilities: dict[str, Facility] = {}
        self._met: dict[str, dict[float, None]] = {}  # floors on which lines meet a node
        self.refused: list[RefusedRow] = []

    def read(self) -> tuple[PlaceMap, list[RefusedRow]]:
        whole = [line for line in self._osm.lines if self._is_whole(line)]
        for line in whole:
            if _is_walked(line) or _is_doorway(line.tags):
                self._walk(line)
        for node in self._osm.nodes.values():
            self._take_node(node)
        for line in whole:
            if line.tags.get("highway") == "steps" and len(line.nodes) > 1:
                self._climb(line)
            elif _is_area(line) and not _is_walked(line):
                self._cross(line)
        return self._build(), self.refused

    def _is_whole(self, line: Line) -> bool:
        """Say whether we have a line's nodes; only what would be a place or a way is missed."""
        if not (_is_walked(line) or line.tags.get("highway") == "steps" or _is_area(line)):
            return False
        missing = [node for node in line.nodes if node not in self._osm.nodes]
        if missing:
            why = f"node {missing[0]}: expected a node of this file: the way would dangle"
            self.refused.append(RefusedRow(f"way {line.id}: {why}", f"way {line.id}"))
        return not missing

    def _walk(self, line: Line) -> None:
        """Join the nodes of a footway or a corridor."""
        mode: Mode = "travelator" if line.tags.get("conveying", "no") != "no" else "walkway"
        is_two_way = line.tags.get("conveying", "reversible") not in ("forward", "backward")
        nodes = line.nodes[::-1] if line.tags.get("conveying") == "backward" else line.nodes
        for floor in _floors(line.tags):
            for number, (one, other) in enumerate(pairwise(nodes)):
                way = Way(
                    id=f"w{line.id}.{number}/{floor:g}",
                    origin=self._stand_on(one, floor),
                    destination=self._stand_on(other, floor),
                    mode=mode,
                    slope=_slope(line.tags.get("incline")),
                    min_width_m=_metres(line.tags.get("width")),
                    wheelchair=_wheelchair(line.tags),
                )
                self._ways.append((way, is_two_way))

    def _take_node(self, node: Node) -> None:
        """Put named nodes, doors and lifts on their floors."""
        is_lift = node.tags.get("highway") == "elevator"
        if not is_lift and _kind(node.tags) == "point" and "name" not in node.tags:
            return
        floors = _floors(node.tags) if "level" in node.tags else tuple(self._met.get(node.id, ()))
        stops = [self._stand_on(node.id, floor) for floor in floors or (0.0,)]
        if is_lift:
            self._lift(f"n{node.id}", stops, node.tags)

    def _climb(self, line: Line) -> None:
        """Join the ends of steps or an escalator, each on its floor."""
        floors = sorted(_floors(line.tags))
        if len(floors) < 2:
            why = f"level {line.tags.get('level')!r}: expected the floors steps join, as 0;1"
            self.refused.append(RefusedRow(f"way {line.id}: {why}", f"way {line.id}"))
            return
        first, last = line.nodes[0], line.nodes[-1]
        low, high = floors[0], floors[-1]
        if self._leads_down(line, low, high):
            low, high = high, low
        conveying = line.tags.get("conveying", "no")
        start, end = self._stand_on(first, low), self._stand_on(last, high)
        if conveying == "backward":
            start, end = end, start
        steps = _steps(line.tags.get("step_count"))
        way = Way(
            id=f"w{line.id}",
            origin=start,
            destination=end,
            mode="stairs" if conveying == "no" else "escalator",
            stairs=steps if steps is None or high > low else -steps,
            min_width_m=_metres(line.tags.get("width")),
            wheelchair=_wheelchair(line.tags),
            facility=None if conveying == "no" else line.tags.get("ref", f"w{line.id}"),
        )
        self._ways.append((way, conveying not in ("forward", "backward")))

    def _leads_down(self, line: Line, low: float, high: float) -> bool:
        """Say whether steps are drawn downwards: by incline, else by what meets their ends."""
        incline = line.tags.get("incline", "")
        if incline in ("up", "down"):
            return incline == "down"
        first = self._known_floors(line.nodes[0])
        last = self._known_floors(line.nodes[-1])
        return (high in first and low not in first) or (low in last and high not in last)

    def _known_floors(self, node: str) -> frozenset[float]:
        own = read_levels(self._osm.nodes[node].tags.get("level"))
        return frozenset(own) or frozenset(self._met.get(node, ()))

    def _cross(self, line: Line) -> None:
        """Join the doors of a room, a platform or a lift's shaft through its middle."""
        corners = [self._osm.nodes[node] for node in dict.fromkeys(line.nodes)]
        middles: list[str] = []
        for floor in _floors(line.tags):
            middle = f"w{line.id}/{floor:g}"
            self._places[middle] = _place(
                middle,
                line.tags,
                floor,
                (
                    fmean(each.latitude_deg for each in corners),
                    fmean(each.longitude_deg for each in corners),
                ),
            )
            middles.append(middle)
            for corner in corners:
                door = place_of(corner.id, floor)
                if door in self._places:
                    way = Way(
                        id=f"w{line.id}.n{corner.id}/{floor:g}",
                        origin=middle,
                        destination=door,
                        mode="walkway",
                        wheelchair=_wheelchair(line.tags),
                    )
                    self._ways.append((way, True))
        if _is_lift(line.tags):
            self._lift(f"w{line.id}", middles, line.tags)

    def _lift(self, lift: str, stops: Sequence[str], tags: Tags) -> None:
        facility = tags.get("ref", lift)
        self._facilities[facility] = Facility(id=facility, kind="lift")
        for low, high in pairwise(sorted(stops, key=lambda stop: float(stop.rpartition("/")[2]))):
            way = Way(
                id=f"{low} - {high}",
                origin=low,
                destination=high,
                mode="lift",
                wheelchair=_wheelchair(tags),
                facility=facility,
            )
            self._ways.append((way, True))

    def _stand_on(self, node: str, floor: float) -> str:
        """Give the place of a node on a floor."""
        made = place_of(node, floor)
        if made not in self._places:
            found = self._osm.nodes[node]
            at = found.latitude_deg, found.longitude_deg
            self._places[made] = _place(made, found.tags, floor, at)
            self._met.setdefault(node, {})[floor] = None
        return made

    def _build(self) -> PlaceMap:
        builder = MapBuilder("osm")
        for floor in sorted({float(place.level or 0) for place in self._places.values()}):
            builder.add_level(Level(id=f"{floor:g}", index=floor, name=Name(f"{floor:g}")))
        for facility in self._facilities.values():
            builder.add_facility(facility)
        for place in self._places.values():
            builder.add_place(place)
        for way, is_two_way in self._ways:
            try:
                builder.add_way(way, is_two_way=is_two_way)
            except WrongValueError as error:
                self.refused.append(RefusedRow(f"way {way.id}: {error}", way.id))
        return builder.build()


def _is_walked(line: Line) -> bool:
    tags = line.tags
    is_area = line.is_closed and (tags.get("area") == "yes" or tags.get("indoor") in ROOMS)
    return len(line.nodes) > 1 and tags.get("highway") in WALKED and not is_area


def _is_doorway(tags: Tags) -> bool:
    return tags.get("indoor") == "door"


def _is_area(line: Line) -> bool:
    tags = line.tags
    kinds = (tags.get("railway"), tags.get("public_transport"), tags.get("aeroway"))
    is_pedestrian = tags.get("highway") in WALKED and tags.get("area") == "yes"
    is_place = tags.get("indoor") in ROOMS or "platform" in kinds or "gate" in kinds
    return len(line.nodes) > 1 and (
        is_place or _is_lift(tags) or (line.is_closed and is_pedestrian)
    )


def _is_lift(tags: Tags) -> bool:
    return "elevator" in (tags.get("highway"), tags.get("room"), tags.get("indoor"))


def _floors(tags: Tags) -> tuple[float, ...]:
    found = read_levels(tags.get("level")) or (0.0,)
    return tuple(dict.fromkeys((*found, *read_levels(tags.get("repeat_on")))))


def _kind(tags: Tags) -> str:
    if "gate" in (tags.get("aeroway"), tags.get("entrance")):
        return "gate"
    if tags.get("aeroway") == "baggage_claim" or tags.get("room") == "baggage_claim":
        return "reclaim"
    if "platform" in (tags.get("railway"), tags.get("public_transport")):
        return "platform"
    if "entrance" in tags or tags.get("railway", "").endswith("_entrance"):
        return "entrance"
    return "point"


def _place(name: str, tags: Tags, floor: float, at: tuple[float, float]) -> Place:
    return Place(
        id=name,
        kind=_kind(tags),
        name=_name(tags),
        code=tags.get("ref") or tags.get("local_ref"),
        level=f"{floor:g}",
        latitude_deg=at[0],
        longitude_deg=at[1],
    )


def _name(tags: Tags) -> Name | None:
    if "name" not in tags:
        return None
    pairs = ((key.removeprefix("name:"), text) for key, text in tags.items())
    return Name(tags["name"], {key: text for key, text in pairs if len(key) == 2})


def _wheelchair(tags: Tags) -> bool | None:
    return {"no": False, "yes": True}.get(tags.get("wheelchair", ""))


def _slope(incline: str | None) -> float | None:
    """Read ``8%``; ``up``, ``down`` and degrees say no slope."""
    return _number((incline or "").removesuffix("%").strip(), 0.01)


def _metres(text: str | None) -> float | None:
    return _number((text or "").removesuffix("m").strip(), 1.0)


def _number(text: str, unit: float) -> float | None:
    plain = text.removeprefix("-")
    if not plain.replace(".", "", 1).isdecimal() or len(plain) > 8:
        return None
    return float(text) * unit


def _steps(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 5 else None
