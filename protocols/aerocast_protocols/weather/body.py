"""A report's body while it is read, group by group; and what its groups say together."""

from collections.abc import Sequence
from typing import Any, TypedDict, cast

from aerocast_protocols.weather.groups import MANY, MEANINGS, ONCE
from aerocast_protocols.weather.metar_report import Cloud, Flag, RunwayRange, RunwayState
from aerocast_protocols.weather.readings import ExtremeGroup, Visibility, Wind

_ENDS = frozenset({"trend", "remarks"})
_FORECAST_ONLY = frozenset({"extremes", "shear_above", "forecast_detail"})
_MAY_REPEAT = frozenset(
    {"known", "altimeter", "auto", "corrected", "nil", "wind_shear", "weather_ends"}
)
_CAVOK = (Cloud(cover="CAVOK"),)


class Said(TypedDict, total=False):
    """What groups said: of what can be said once the first counts, of the rest all."""

    time: tuple[int, int, int]
    wind: Wind
    variable: tuple[int, int]
    visibility: Visibility
    minimum_visibility: float
    temperatures: tuple[float | None, float | None]
    altimeter: float | None
    auto: str
    corrected: str
    nil: str
    cavok: bool
    weather_ends: str
    weather: tuple[str, ...]
    clouds: tuple[Cloud, ...]
    rvr: tuple[RunwayRange, ...]
    runway_states: tuple[RunwayState, ...]
    recent_weather: tuple[str, ...]
    colours: tuple[str, ...]
    unparsed: tuple[str, ...]
    extremes: tuple[ExtremeGroup, ...]
    shear_above: tuple[tuple[int, int, float], ...]


class Body:
    """Remembers what groups said.

    Parameters
    ----------
    is_forecast
        A number may be a visibility though neither time nor wind stands before it.
    """

    __slots__ = ("_is_forecast", "_said", "flags", "said")

    def __init__(self, *, is_forecast: bool = False) -> None:
        self._is_forecast = is_forecast
        self.said: Said = {}
        self._said = cast("dict[str, Any]", self.said)
        self.flags: set[Flag] = set()

    def read(self, groups: Sequence[str], start: int = 0) -> int:
        """Read groups from ``start`` on; give where a trend or the remarks begin, or the end."""
        said, meanings = self._said, MEANINGS
        for at in range(start, len(groups)):
            group = groups[at]
            kept, slot, value, flag = meanings[group]
            if kept == ONCE and slot not in said:
                said[slot] = value
            elif kept == MANY:
                said[slot] = said[slot] + value if slot in said else value
            elif not self._read_seldom(slot, value, group):
                return at
            if flag is not None:
                self.flags.add(flag)
        return len(groups)

    def _leave(self, group: str) -> None:
        self._said["unparsed"] = (*self._said.get("unparsed", ()), group)

    def _read_seldom(self, slot: str, value: Any, group: str) -> bool:  # noqa: ANN401  of that slot
        """Read a group whose place counts, or a second of a kind; False ends the body."""
        said = self._said
        if slot in _ENDS:
            return False
        if slot == "several":
            self.read(value)
        elif slot == "wind" and ("temperatures" in said or "altimeter" in said):
            return False  # a forecast without a word before it, as after a colour state
        elif slot == "broken_miles":
            self._join_miles(value, group)
        elif slot in _FORECAST_ONLY and self._is_forecast:
            said[slot] = (*said.get(slot, ()), value)
        elif not self._takes(slot, value):
            self._leave(group)
        return True

    def _join_miles(self, value: Any, group: str) -> None:  # noqa: ANN401  visibility or text
        """Put ``1 1/2SM`` and ``10 SM`` together again: the ones were not understood alone."""
        before = self._said.get("unparsed", ("",))
        if len(before[-1]) <= 2 and before[-1].isdecimal():
            _, slot, whole, _ = MEANINGS[f"{before[-1]} {group}"]
            if slot == "visibility" and self._takes("visibility", whole):
                self._said["unparsed"] = before[:-1]
                return
        if not (isinstance(value, Visibility) and self._takes("visibility", value)):
            self._leave(group)

    def _takes(self, slot: str, value: Any) -> bool:  # noqa: ANN401  of that slot
        said = self._said
        if slot == "visibility":
            return self._see(value)
        if slot == "cavok":
            if "visibility" in said or "clouds" in said:
                return False
            said |= {"cavok": True, "visibility": Visibility(10_000, None), "clouds": _CAVOK}
            return True
        return "wind_shear" in said if slot == "runway_word" else slot in _MAY_REPEAT

    def _see(self, seen: Visibility) -> bool:
        said = self._said
        if "temperatures" in said or "altimeter" in said:
            return False
        if not self._is_forecast and "time" not in said and "wind" not in said:
            return False
        first = said.setdefault("visibility", seen)
        if seen.metres < first.metres and "minimum_visibility" not in said:
            said["minimum_visibility"] = seen.metres
            return True
        return bool(seen == first)
