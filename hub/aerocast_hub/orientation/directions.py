"""A route in words: what to do, step by step, with landmarks and changes of level.

Pure: no language. Sentences are keys of the catalogues in ``wording/`` with their values; names of
places, levels and lifts come from the map, in the languages it knows.
"""

from collections.abc import Mapping, Sequence

import msgspec

from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.place_map import Level, Mode, Place
from aerocast_hub.orientation.profiles import PROFILES, obstacle
from aerocast_hub.orientation.routes import Leg, Route, Unreachable
from aerocast_hub.orientation.wording import Name, Phrase, Value

QUEUE_WORTH_TELLING_S = 30.0

_CLIMBS: Mapping[Mode, str] = {"lift": "lift", "stairs": "stairs", "escalator": "escalator"}
_PLAIN = ("point", "station")  # kinds of places whose names tell nobody where they are


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do.

    Attributes
    ----------
    kind
        ``walkway``, ``stairs``, ``travelator``, ``escalator``, ``lift``, ``gate``, ``exit``.
    metres
        How far; None where the map does not tell.
    seconds
        How long it takes, with the wait before it.
    from_level, to_level
        Levels' ids.
    landmark
        What one sees at its end.
    is_accessible
        Somebody in a wheelchair can do it too.
    """

    kind: Mode
    phrase: Phrase
    seconds: float
    wait_s: float = 0.0
    metres: int | None = None
    from_level: str | None = None
    to_level: str | None = None
    landmark: Name | None = None
    facility: str | None = None
    is_accessible: bool = True


class Directions:
    """Words routes over one map.

    Parameters
    ----------
    network
        What the routes were found on.
    """

    def __init__(self, network: Network) -> None:
        self._places = network.by_id
        self._levels = network.levels
        self._facilities = network.facilities

    def steps(self, route: Route) -> tuple[Step, ...]:
        """Give what to do, in order; walks under the same signs are one."""
        walks: list[Leg] = []
        steps: list[Step] = []
        for leg in route.legs:
            if walks and not _goes_on(walks[-1], leg):
                steps.append(self._walk(walks))
                walks = []
            if leg.way.mode == "walkway":
                walks.append(leg)
            else:
                steps.append(self._pass(leg))
        if walks:
            steps.append(self._walk(walks))
        return tuple(steps)

    def why_not(self, unreachable: Unreachable) -> Phrase:
        """Say why there is no way."""
        if unreachable.reason == "closed" and unreachable.obstacles:
            return self._closed(unreachable.obstacles[0])
        if unreachable.reason == "profile" and unreachable.obstacles:
            return Phrase(key=f"no_way_{unreachable.obstacles[0]}")
        return Phrase(key="no_way")

    def _closed(self, subject: str) -> Phrase:
        facility = self._facilities.get(subject)
        is_lift = facility is not None and facility.kind == "lift"
        key = "no_way_closed_lift" if is_lift else "no_way_closed"
        return Phrase(key=key, values={"closed": self.called(subject)})

    def called(self, subject: str) -> Name:
        """Give what something on the map is called; its id where it has no name."""
        facility, place = self._facilities.get(subject), self._places.get(subject)
        if facility is not None and facility.name is not None:
            return facility.name
        if place is not None and place.name is not None:
            return place.name
        return Name(subject)

    def level_of(self, place: str) -> Name | None:
        """Give what the level of a place is called; None where the map does not tell."""
        level = self._level(place)
        return None if level is None else level_name(level)

    def _walk(self, legs: Sequence[Leg]) -> Step:
        first, last = legs[0].way, legs[-1].way
        lengths = [leg.way.length_m for leg in legs]
        metres = None
        if None not in lengths:
            metres = _round_metres(sum(length for length in lengths if length is not None))
        landmark = self._landmark(last.destination)
        sign = next((leg.way.sign for leg in legs if leg.way.sign is not None), None)
        values: dict[str, Value] = {}
        key = "way_walk"
        if landmark is not None:
            key, values["place"] = "way_walk_to", landmark
        elif sign is not None:
            key, values["sign"] = "way_walk_sign", sign
        if metres is not None:
            key, values["metres"] = f"{key}_far", metres
        return Step(
            kind="walkway",
            phrase=Phrase(key=key, values=values),
            seconds=sum(leg.seconds for leg in legs),
            wait_s=sum(leg.wait_s for leg in legs),
            metres=metres,
            from_level=self._places[first.origin].level,
            to_level=self._places[last.destination].level,
            landmark=landmark,
            is_accessible=all(_is_accessible(leg) for leg in legs),
        )

    def _pass(self, leg: Leg) -> Step:
        way = leg.way
        landmark = self._landmark(way.destination)
        return Step(
            kind=way.mode,
            phrase=self._climb(leg) if way.mode in _CLIMBS else self._go_through(leg),
            seconds=leg.seconds,
            wait_s=leg.wait_s,
            metres=None if way.length_m is None else _round_metres(way.length_m),
            from_level=self._places[way.origin].level,
            to_level=self._places[way.destination].level,
            landmark=landmark,
            facility=way.facility,
            is_accessible=_is_accessible(leg),
        )

    def _climb(self, leg: Leg) -> Phrase:
        """Say which lift or stairs to take, up or down to which level."""
        way = leg.way
        values: dict[str, Value] = {}
        key = f"way_{_CLIMBS[way.mode]}"
        if way.mode == "lift" and way.facility is not None:
            key, values["lift"] = "way_lift_named", self.called(way.facility)
        old, new = self._level(way.origin), self._level(way.destination)
        if old is not None and new is not None and old.index != new.index:
            key = f"{key}_up" if new.index > old.index else f"{key}_down"
            values["level"] = level_name(new)
        return Phrase(key=key, values=values)

    def _go_through(self, leg: Leg) -> Phrase:
        way = leg.way
        if way.mode == "travelator":
            return Phrase(key="way_travelator")
        if way.mode == "exit":
            return Phrase(key="way_exit")
        facility = self._facilities.get(way.facility or "")
        if facility is None or facility.name is None:
            return Phrase(key="way_gate")
        if leg.wait_s >= QUEUE_WORTH_TELLING_S:
            minutes = minutes_of(leg.wait_s)
            return Phrase(key="way_queue", values={"place": facility.name, "minutes": minutes})
        return Phrase(key="way_check", values={"place": facility.name})

    def _level(self, place: str) -> Level | None:
        return self._levels.get(self._places[place].level or "")

    def _landmark(self, place: str) -> Name | None:
        found: Place = self._places[place]
        return None if found.kind in _PLAIN else found.name


def level_name(level: Level) -> Name:
    """Give what a level is called: its name, else its number."""
    return level.name or Name(f"{level.index:g}")


def minutes_of(seconds: float) -> int:
    """Give whole minutes as people plan with them: never none."""
    return max(1, round(seconds / 60))


def _goes_on(walk: Leg, leg: Leg) -> bool:
    """Say whether two walks are one for whoever walks: the signs say the same, or nothing new."""
    return leg.way.mode == "walkway" and leg.way.sign in (None, walk.way.sign)


def _is_accessible(leg: Leg) -> bool:
    return obstacle(leg.way, PROFILES["wheelchair"]) is None


def _round_metres(metres: float) -> int:
    """Round as people count: to 5 m, beyond 100 m to 10 m."""
    unit = 5 if metres < 100 else 10
    return max(unit, round(metres / unit) * unit)
