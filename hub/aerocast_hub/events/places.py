"""What changed of an airport's map: people are led otherwise from then on."""

from typing import Literal

from aerocast_hub.events.happened import Happened


class PlacesChanged(Happened, frozen=True, kw_only=True, tag="places_changed"):
    """An airport has a new version of its map, or something on it was closed or opened again.

    Attributes
    ----------
    airport
        As the map names it: the IATA code where there is one.
    what
        How long people queue is told by no event: it moves with every report of a queue.
    """

    airport: str
    what: Literal["map", "closed", "reopened"]
