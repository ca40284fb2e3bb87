"""What the lines of a message mean together: whose bags, on which flights.

Elements come in any order; bags of several passengers come one after the other. A tag after tags
and a name (or exception) begins another group, on the same flights; so does a second flight after
tags. In BTM and BMM, whose order is fixed (IATA RP1745), any flight after tags does, and ``.I``
holds until the next.
"""

from typing import Any, NamedTuple

import msgspec

from aerocast_protocols.baggage.elements import Bags, TagRange, Version
from aerocast_protocols.baggage.reading import (
    MANY,
    ONE,
    Fields,
    read_exceptions,
    read_version,
)
from aerocast_protocols.errors import ProtocolError

GROUPED = frozenset({"BTM", "BMM"})
"""Kinds whose elements have a fixed order."""

MOST_PLATES = 5_000
"""Plates of one message: more than any aircraft carries. Ranges beyond are not read."""

_OPENING = frozenset("FIN")
_NAMING = frozenset("PE")
_KEPT = frozenset("AKMZ")  # known letters whose content is kept as sent and not read


class Element(msgspec.Struct, frozen=True):
    """A line of a message.

    Attributes
    ----------
    name
        The letter after the dot; empty for a line that is no element.
    fields
        What slashes part, exactly as sent; the whole line when there is no name.
    """

    name: str
    fields: Fields

    def __str__(self) -> str:
        """Write the line as sent."""
        text = "/".join(self.fields)
        return f".{self.name}/{text}" if self.name else text

    def __repr__(self) -> str:
        """Tell the element's name alone: its fields may be personal."""
        return f"Element({self.name!r}, ...)"


class Problem(msgspec.Struct, frozen=True):
    """An element that was not understood, and stays in the message as sent.

    Attributes
    ----------
    element
        Index into the message's elements; None when it is about the message.
    name
        The element's letter; empty where there is none.
    reason
        What is wrong, without any personal data.
    """

    element: int | None
    name: str
    reason: str


class Meaning(NamedTuple):
    """What a message says."""

    version: Version | None
    bags: tuple[Bags, ...]
    problems: tuple[Problem, ...]


class _Group:
    """Collects what is said of the bags of one group."""

    __slots__ = ("has_name_after_tags", "many", "one")

    def __init__(self, flights: dict[str, Any]) -> None:
        self.one = flights
        self.many: dict[str, list[Any]] = {}
        self.has_name_after_tags = False

    def next_group(self, name: str, *, is_grouped: bool) -> "_Group | None":
        """Give the group an element opens; None when it belongs to this one."""
        if "tags" not in self.many:
            return None
        if name == "N":
            opens = self.has_name_after_tags
            held = {"inbound", "outbound"}
        else:
            opens = is_grouped or ONE[name][0] in self.one
            held = {"inbound"} if name == "F" and is_grouped else set()
        if not opens:
            return None
        return _Group({each: self.one[each] for each in held & self.one.keys()})

    def bags(self) -> Bags:
        """Give what was collected."""
        said = self.one | {name: tuple(each) for name, each in self.many.items()}
        return Bags(**said)


class _Reader:
    """Reads the elements of a message one after the other."""

    def __init__(self, *, is_grouped: bool) -> None:
        self.version: Version | None = None
        self.groups = [_Group({})]
        self._is_grouped = is_grouped
        self._plates = 0

    def read(self, name: str, fields: Fields) -> None:
        """Read one element.

        Raises
        ------
        ProtocolError
            It cannot be read. A group it opens stays open: what follows is not the last one's.
        """
        group = self._group_for(name)
        if name in MANY:
            filled, read_one = MANY[name]
            value = read_one(fields)
            if name == "N":
                self._count(value)
            group.many.setdefault(filled, []).append(value)
        elif name in ONE:
            self._once(group, name, fields)
        elif name == "E":
            group.many.setdefault("exceptions", []).extend(read_exceptions(fields))
        elif name == "V" and self.version is None:
            self.version = read_version(fields)
        elif name not in _KEPT and any(map(str.strip, fields)):
            raise ProtocolError("a line that is not known")

    def _group_for(self, name: str) -> _Group:
        """Give the group an element belongs to."""
        group = self.groups[-1]
        if name in _OPENING:
            opened = group.next_group(name, is_grouped=self._is_grouped)
            if opened is not None:
                self.groups.append(opened)
                return opened
        elif name in _NAMING:
            group.has_name_after_tags = "tags" in group.many
        return group

    def _once(self, group: _Group, name: str, fields: Fields) -> None:
        filled, read_one = ONE[name]
        if filled in group.one:
            raise ProtocolError(f"a second .{name}")
        group.one[filled] = read_one(fields)

    def _count(self, tags: TagRange) -> None:
        if self._plates + tags.count > MOST_PLATES:
            raise ProtocolError(f"more than {MOST_PLATES} plates in one message")
        self._plates += tags.count


def read_meaning(kind: str, elements: tuple[Element, ...]) -> Meaning:
    """Read the elements of a message; what cannot be read becomes a problem."""
    reader = _Reader(is_grouped=kind in GROUPED)
    problems: list[Problem] = []
    for index, element in enumerate(elements):
        name = element.name.upper()
        try:
            if not all(map(str.isprintable, element.fields)):
                _check_text(element.fields)
            reader.read(name, element.fields)
        except ProtocolError as error:
            problems.append(Problem(index, name, str(error)))
    if reader.version is None:
        problems.append(Problem(None, "V", "no .V that says where the message comes from"))
    bags = tuple(group.bags() for group in reader.groups)
    return Meaning(reader.version, bags, tuple(problems))


def _check_text(fields: Fields) -> None:
    """Refuse control characters but at a line's end: no sender means them, no store keeps them."""
    if not all(each.strip().isprintable() for each in fields):
        raise ProtocolError("control characters")
