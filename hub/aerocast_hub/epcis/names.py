"""How bags, flights, containers and places are called in EPCIS. Pure.

GS1 has no key for a bag, so they are addresses of the hub's own: ``<base>/id/bag/<plate>.<date>``.
Names of other hubs are read too, whatever their base.
"""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

_BAG = re.compile(r"https?://[^?#]+/id/bag/(\d{10})\.(\d{4}-\d{2}-\d{2})")
_FLIGHT = re.compile(r"https?://[^?#]+/id/flight/([A-Za-z0-9%]{1,24})\.(\d{4}-\d{2}-\d{2})")
_CONTAINER = re.compile(r"https?://[^?#]+/id/(?:container|uld)/([^/?#]{1,120})")
_PLACE = re.compile(r"https?://[^?#]+/id/place/([^/?#]{1,40})(?:/([^/?#]{1,120}))?")
_ANYWHERE = re.compile(r"https?://[^?#]+/([A-Za-z]{3,4})[-.][^/?#]*")


class Names:
    """Writes names.

    Parameters
    ----------
    base
        How the hub is reached, without a slash at the end.
    """

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")

    def bag(self, plate: str, date: str) -> str:
        """Name a bag by the plate it had first, and the date of its first flight."""
        return f"{self._base}/id/bag/{quote(plate, safe='')}.{date}"

    def flight(self, flight: str, date: str) -> str:
        """Name a flight."""
        return f"{self._base}/id/flight/{quote(flight, safe='')}.{date}"

    def container(self, container: str) -> str:
        """Name a ULD, cart or compartment."""
        return f"{self._base}/id/container/{quote(container, safe='')}"

    def place(self, site: str, place: str = "") -> str:
        """Name a place at a site, or the site."""
        named = f"{self._base}/id/place/{quote(site, safe='')}"
        return f"{named}/{quote(place, safe='')}" if place else named


class BagName(NamedTuple):
    """A bag as named."""

    plate: str
    date: str


def bag_of(uri: object) -> BagName | None:
    """Read the name of a bag."""
    found = _BAG.fullmatch(uri) if isinstance(uri, str) else None
    return None if found is None else BagName(found[1], found[2])


def flight_of(uri: object) -> tuple[str, str] | None:
    """Read the name of a flight: as written, and its date."""
    found = _FLIGHT.fullmatch(uri) if isinstance(uri, str) else None
    return None if found is None else (unquote(found[1]), found[2])


def container_of(uri: object) -> str | None:
    """Read the name of a container."""
    found = _CONTAINER.fullmatch(uri) if isinstance(uri, str) else None
    return None if found is None else unquote(found[1])[:40]


def place_of(uri: object) -> tuple[str, str] | None:
    """Read the name of a place: site, and place there; "" the whole site.

    Names that are not ours may begin their last part with an airport's code: ``CDG-T2E-BD-07``.
    """
    if not isinstance(uri, str):
        return None
    found = _PLACE.fullmatch(uri)
    if found is not None:
        return unquote(found[1]).lower(), unquote(found[2] or "")
    found = _ANYWHERE.fullmatch(uri)
    return None if found is None else (found[1].lower(), "")
