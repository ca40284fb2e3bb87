"""From what gateways noticed of one aircraft to its departures and arrivals.

Pure: a fold over the set of reports; neither their order nor repetition matters. Several gateways
may report one happening: the report with the smallest sigma speaks for it.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from aerocast_hub.flights.matching import Side

EventKind = Literal["landed", "on_stand", "off_stand", "airborne"]

SECOND_US = 1_000_000
SAME_HAPPENING_US = 120 * SECOND_US  # two reports of one kind this close are one happening
GO_AROUND_US = 600 * SECOND_US  # airborne this soon after touching down: it had not landed
MISSED_US = 1800 * SECOND_US  # further apart, the reports belong to different flights
PAUSE_US = 600 * SECOND_US  # left its stand this soon: it had only paused on the way
TOWED_US = 3600 * SECOND_US  # back on a stand within this time: it was moved, it did not fly
TAXI_IN_US = 7200 * SECOND_US  # the longest wait between landing and stand


class Report(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A gateway's report of what one aircraft did.

    Attributes
    ----------
    at_us
        When it happened, UTC microseconds.
    sigma_s
        Standard deviation of that time, seconds.
    """

    at_us: int
    event: EventKind
    sigma_s: float
    stand: str = ""
    callsign: str = ""
    latitude_deg: float | None = None
    longitude_deg: float | None = None


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One departure (off its stand, then airborne) or one arrival (landed, then on its stand)."""

    side: Side
    on_or_off: Report | None = None
    landed_or_airborne: Report | None = None

    @property
    def schedule_us(self) -> int:
        """Give the time to hold against the schedule, which speaks of stands."""
        return (self.on_or_off or self._runway).at_us

    @property
    def first_us(self) -> int:
        """Give when it began."""
        return min(each.at_us for each in self.reports)

    @property
    def last_us(self) -> int:
        """Give when it ended."""
        return max(each.at_us for each in self.reports)

    @property
    def reports(self) -> tuple[Report, ...]:
        """Give the one or two reports it is made of."""
        return tuple(each for each in (self.on_or_off, self.landed_or_airborne) if each is not None)

    @property
    def place(self) -> tuple[float, float] | None:
        """Give latitude and longitude in degrees, when a report has them."""
        for each in self.reports:
            if each.latitude_deg is not None and each.longitude_deg is not None:
                return each.latitude_deg, each.longitude_deg
        return None

    @property
    def _runway(self) -> Report:
        if self.landed_or_airborne is None:
            raise ValueError("a movement without a report")
        return self.landed_or_airborne


def movements(reports: Iterable[Report]) -> list[Movement]:
    """Tell the departures and arrivals of one aircraft, earliest first."""
    told: list[Movement] = []
    for report in _happenings(reports):
        _TELL[report.event](told, report)
    return told


def _happenings(reports: Iterable[Report]) -> list[Report]:
    """Let the best report speak for each happening."""
    groups: dict[EventKind, list[list[Report]]] = {}
    for report in sorted(set(reports), key=_sort_key):
        of_kind = groups.setdefault(report.event, [])
        if of_kind and report.at_us - of_kind[-1][-1].at_us <= SAME_HAPPENING_US:
            of_kind[-1].append(report)
        else:
            of_kind.append([report])
    best = [min(group, key=_quality) for of_kind in groups.values() for group in of_kind]
    return sorted(best, key=_sort_key)


# At the same instant the earlier of a flight's four happenings comes first.
_RANK = {"off_stand": 0, "airborne": 1, "landed": 2, "on_stand": 3}


def _sort_key(report: Report) -> tuple[int, int, float, str, str, str]:
    return (
        report.at_us,
        _RANK[report.event],
        report.sigma_s,
        report.stand,
        report.callsign,
        f"{report.latitude_deg} {report.longitude_deg}",
    )


def _quality(report: Report) -> tuple[float, bool, tuple[int, int, float, str, str, str]]:
    return report.sigma_s, not report.stand, _sort_key(report)


def _left_stand(told: list[Movement], report: Report) -> None:
    if told and _waits(told[-1], "departure"):
        told.pop()  # it came back in between: the last time counts
    told.append(Movement(side="departure", on_or_off=report))


def _took_off(told: list[Movement], report: Report) -> None:
    last = told[-1] if told else None
    if last is None:
        told.append(Movement(side="departure", landed_or_airborne=report))
    elif _waits(last, "departure"):
        told[-1] = msgspec.structs.replace(last, landed_or_airborne=report)
    elif _waits(last, "arrival") and report.at_us - last.last_us <= GO_AROUND_US:
        told.pop()
    elif last.side == "arrival" or report.at_us - last.last_us > MISSED_US:
        told.append(Movement(side="departure", landed_or_airborne=report))


def _landed(told: list[Movement], report: Report) -> None:
    last = told[-1] if told else None
    if last is not None and _waits(last, "arrival") and report.at_us - last.last_us <= MISSED_US:
        told.pop()  # it bounced, or went around unheard: the last touch-down counts
    told.append(Movement(side="arrival", landed_or_airborne=report))


def _parked(told: list[Movement], report: Report) -> None:
    last = told[-1] if told else None
    if last is None:
        told.append(Movement(side="arrival", on_or_off=report))
    elif _waits(last, "arrival") and report.at_us - last.last_us <= TAXI_IN_US:
        told[-1] = msgspec.structs.replace(last, on_or_off=report)
    elif _waits(last, "departure") and report.at_us - last.last_us <= TOWED_US:
        told.pop()
        _moved(told, report, left_us=last.last_us)
    elif last.side == "departure" or report.at_us - last.last_us > TAXI_IN_US:
        told.append(Movement(side="arrival", on_or_off=report))


def _moved(told: list[Movement], report: Report, left_us: int) -> None:
    """Take note that an aircraft left a stand and stopped on one again without flying."""
    last = told[-1] if told else None
    if last is None or last.side != "arrival" or last.on_or_off is None:
        return
    if left_us - last.on_or_off.at_us <= PAUSE_US:
        told[-1] = msgspec.structs.replace(last, on_or_off=report)


def _waits(movement: Movement, side: Side) -> bool:
    """Say whether the second half of a movement is still to come."""
    if movement.side != side:
        return False
    done = movement.landed_or_airborne if side == "departure" else movement.on_or_off
    return done is None


_TELL = {
    "off_stand": _left_stand,
    "airborne": _took_off,
    "landed": _landed,
    "on_stand": _parked,
}
