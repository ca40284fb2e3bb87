"""The way a passenger has to go: to the belt their bags come to, or to a gate. Pure."""

from aerocast_hub.orientation.conditions import Conditions
from aerocast_hub.orientation.directions import Directions, minutes_of
from aerocast_hub.orientation.guidance import WayView, Whereabouts
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.place_map import Place
from aerocast_hub.orientation.routes import find_route

# What may stand for what passengers are sent to, the first found first.
BELTS, GATES, STANDS = ("reclaim",), ("gate", "platform"), ("stand", "gate")


def way_there(
    network: Network, conditions: Conditions, where: Whereabouts, profile: str
) -> WayView | None:
    """Find a passenger's way; None when the map does not show where they go.

    On arrival it begins at the stand, before departure at the first entrance of the map.

    Parameters
    ----------
    network
        The map of the airport the passenger is at, or flies to.
    profile
        How they get about, one of `profiles.PROFILES`.
    """
    flight = where.flight
    if flight is None:
        return None
    if where.stage == "before":
        entrances = (place for place in network.places.places if place.kind == "entrance")
        gate = _find(network, GATES, flight.gate)
        return _way(network, conditions, next(entrances, None), gate, profile)
    origin = _find(network, STANDS, flight.stand)
    if where.onward is not None:
        gate = _find(network, GATES, where.onward.gate)
        return _way(network, conditions, origin, gate, profile)
    return _way(network, conditions, origin, _find(network, BELTS, flight.reclaim), profile)


def _find(network: Network, kinds: tuple[str, ...], code: str | None) -> Place | None:
    """Find a place by what the screens call it."""
    if code is None:
        return None
    found = (network.find(kind, code) for kind in kinds)
    return next((place for place in found if place is not None), None)


def _way(
    network: Network,
    conditions: Conditions,
    origin: Place | None,
    destination: Place | None,
    profile: str,
) -> WayView | None:
    if destination is None:
        return None
    directions = Directions(network)
    level = directions.level_of(destination.id)
    if level is None:
        return None
    if origin is None:
        return WayView(level=level)
    route = find_route(network, origin.id, destination.id, profile, conditions)
    if route.seconds is None or route.unreachable is not None:
        why = () if route.unreachable is None else (directions.why_not(route.unreachable),)
        return WayView(level=level, steps=why)
    steps = directions.steps(route)
    lifts = (step.facility for step in steps if step.kind == "lift" and step.facility)
    lift = next(lifts, None)
    return WayView(
        level=level,
        minutes=minutes_of(route.seconds),
        queue_min=sum(step.wait_s for step in steps) / 60,
        lift=None if lift is None else directions.called(lift),
        origin=origin.name if origin.kind == "entrance" else None,
        steps=tuple(step.phrase for step in steps),
    )
