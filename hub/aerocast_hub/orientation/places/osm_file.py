"""Reading OpenStreetMap's XML: nodes and lines with their tags, nothing interpreted."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from aerocast_hub.importing import UnusableInputError

MOST_BYTES = 64_000_000
MOST_ELEMENTS = 500_000

Tags = Mapping[str, str]


class Node(NamedTuple):
    """A point: degrees, WGS 84."""

    id: str
    latitude_deg: float
    longitude_deg: float
    tags: Tags


class Line(NamedTuple):
    """A line or an outline: the ids of its nodes, in order."""

    id: str
    nodes: tuple[str, ...]
    tags: Tags

    @property
    def is_closed(self) -> bool:
        """Say whether it ends where it begins."""
        return len(self.nodes) > 3 and self.nodes[0] == self.nodes[-1]


class OsmFile(NamedTuple):
    """The nodes by their ids, and the lines."""

    nodes: Mapping[str, Node]
    lines: tuple[Line, ...]


def read_osm_file(file: Path) -> OsmFile:
    """Read a file of OSM XML 0.6.

    Raises
    ------
    UnusableInputError
        It is no such file, or too large.
    OSError
        It cannot be read.
    """
    if file.stat().st_size > MOST_BYTES:
        raise UnusableInputError(f"{file}: larger than {MOST_BYTES} bytes: cut the terminal out")
    elements = _Elements()
    parser = expat.ParserCreate()
    parser.StartElementHandler = elements.start
    parser.EndElementHandler = elements.end
    parser.EntityDeclHandler = _refuse_entities
    try:
        parser.Parse(file.read_bytes(), True)  # noqa: FBT003  expat takes no keyword
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise UnusableInputError(f"{file}: no OSM XML: {error}") from None
    if not elements.is_osm:
        raise UnusableInputError(f"{file}: no OSM XML: its first element is not <osm>")
    return OsmFile(elements.nodes, tuple(elements.lines))


def _refuse_entities(*_declaration: object) -> None:
    raise ValueError("it declares entities")


class _Elements:
    """What has been read so far."""

    def __init__(self) -> None:
        self.is_osm = False
        self.nodes: dict[str, Node] = {}
        self.lines: list[Line] = []
        self._tags: dict[str, str] = {}
        self._refs: list[str] = []
        self._open: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "osm":
            self.is_osm = True
        elif name in ("node", "way", "relation"):
            self._open, self._tags, self._refs = attributes, {}, []
        elif name == "tag":
            self._tags[attributes["k"]] = attributes["v"][:500]
        elif name == "nd":
            self._refs.append(attributes["ref"])

    def end(self, name: str) -> None:
        if name == "node":
            latitude_deg, longitude_deg = float(self._open["lat"]), float(self._open["lon"])
            if not (abs(latitude_deg) <= 90 and abs(longitude_deg) <= 180):
                raise ValueError(f"node {self._open['id']} lies nowhere")
            node = Node(self._open["id"], latitude_deg, longitude_deg, self._tags)
            self.nodes[node.id] = node
        elif name == "way":
            self.lines.append(Line(self._open["id"], tuple(self._refs), self._tags))
        if len(self.nodes) + len(self.lines) > MOST_ELEMENTS:
            raise ValueError(f"more than {MOST_ELEMENTS} nodes and ways")
