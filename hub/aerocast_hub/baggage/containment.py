"""What is inside what, and where that is: containers, carts, flights. Pure.

A container has at most one parent: going into another one is leaving the first. A place is the
place of the outermost container.
"""

from typing import Literal

import msgspec

from aerocast_hub.baggage.evidence import Nested, Placed

DEEPEST = 8  # bag in a ULD on a dolly on a train of dollies: longer chains are somebody's mistake


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where something is.

    Attributes
    ----------
    kind
        Of ``name``: a belt, a site's own name of a place, a container nobody has placed, a flight.
    inside
        Containers from the innermost to the outermost.
    at_us
        When it was found there, UTC microseconds; 0 when nobody said.
    """

    kind: Literal["belt", "site", "container", "flight"]
    name: str
    site: str = ""
    at_us: int = 0
    inside: tuple[str, ...] = ()
    latitude_deg: float | None = None
    longitude_deg: float | None = None


class Containers:
    """What evidence says of containers; taken in as it happened, earliest first."""

    def __init__(self) -> None:
        self._parents: dict[str, Nested] = {}
        self._places: dict[str, Placed] = {}

    def nest(self, nested: Nested) -> None:
        """Take in that a container went into another, or came out."""
        if nested.is_in:
            self._parents[nested.container] = nested
        elif (known := self._parents.get(nested.container)) is not None and (
            nested.parent in ("", known.parent)
        ):
            del self._parents[nested.container]

    def place(self, placed: Placed) -> None:
        """Take in where a container was found."""
        self._places[placed.container] = placed

    def where(self, container: str) -> Place:
        """Say where a container is: where its outermost container is."""
        inside = [container]
        while (nested := self._parents.get(inside[-1])) is not None:
            if nested.leg is not None and not nested.parent:
                return Place(
                    kind="flight",
                    name=nested.leg.flight,
                    site=nested.site,
                    at_us=nested.at_us,
                    inside=tuple(inside),
                )
            if nested.parent in inside or len(inside) >= DEEPEST:
                break
            inside.append(nested.parent)
        for outer in reversed(inside):
            placed = self._places.get(outer)
            if placed is not None:
                return Place(
                    kind="site",
                    name=placed.place,
                    site=placed.site,
                    at_us=placed.at_us,
                    inside=tuple(inside),
                    latitude_deg=placed.latitude_deg,
                    longitude_deg=placed.longitude_deg,
                )
        return Place(kind="container", name=inside[-1], inside=tuple(inside))
