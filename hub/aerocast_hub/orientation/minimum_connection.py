"""How much time a connection needs at least: the most specific of the airport's own times. Pure.

Minimum connection times come as a station's standards and exceptions to them (IATA SSIM, chapter
8). What speaks of carriers goes before what speaks of terminals, then aircraft, then the stations
before and after, then the status: domestic or international. The airport's own time goes before
ours, which no standard gives.
"""

from collections.abc import Iterable

import msgspec

from aerocast_hub.ground_times import MinimumTime, Status

DEFAULTS = (
    MinimumTime(minutes=45, status="DD"),
    MinimumTime(minutes=60, status="DI"),
    MinimumTime(minutes=60, status="ID"),
    MinimumTime(minutes=90, status="II"),
    MinimumTime(minutes=90),  # for a status nobody can tell: the longest
)

# From the most specific on: of each row both fields first, then either one.
_HIERARCHY = (
    ("departing_carrier", "arriving_carrier"),
    ("departing_terminal", "arriving_terminal"),
    ("departing_aircraft", "arriving_aircraft"),
    ("departing_to", "arriving_from"),
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change from one flight to another, as minimum times speak of it; None is not known."""

    status: Status | None = None
    arriving_carrier: str | None = None
    departing_carrier: str | None = None
    arriving_terminal: str | None = None
    departing_terminal: str | None = None
    arriving_aircraft: str | None = None
    departing_aircraft: str | None = None
    arriving_from: str | None = None
    departing_to: str | None = None


def minimum_time(change: Change, times: Iterable[MinimumTime] = ()) -> MinimumTime:
    """Give the minimum time that counts for a change; of equally specific ones the longest.

    Parameters
    ----------
    times
        The airport's own, in any order.
    """
    own = [each for each in times if _speaks_of(each, change)]
    found = own or [each for each in DEFAULTS if _speaks_of(each, change)]
    return max(found, key=_rank)


def status_of(arriving: tuple[str, str] | None, departing: tuple[str, str] | None) -> Status | None:
    """Say whether a change is between domestic (D) and international (I) flights.

    Parameters
    ----------
    arriving, departing
        The countries a flight leaves and reaches; None where one is not known.
    """
    if arriving is None or departing is None:
        return None
    is_home, goes_home = arriving[0] == arriving[1], departing[0] == departing[1]
    if is_home:
        return "DD" if goes_home else "DI"
    return "ID" if goes_home else "II"


def _speaks_of(time: MinimumTime, change: Change) -> bool:
    return all(
        getattr(time, name) is None or getattr(time, name) == getattr(change, name)
        for name in Change.__struct_fields__
    )


def _rank(time: MinimumTime) -> tuple[int, ...]:
    """Rank by how specific a time is; a departing flight's word counts more than an arriving's."""
    said = [
        2 * (getattr(time, departing) is not None) + (getattr(time, arriving) is not None)
        for departing, arriving in _HIERARCHY
    ]
    return (*said, time.status is not None, time.minutes)
