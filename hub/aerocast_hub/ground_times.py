"""How long things take on the ground at an airport, as its own file says. Pure.

No standard gives these times: the defaults are a start for one airport to replace by its own, and
for the hub to learn from (`aerocast_hub.orientation.arrival_learning`).
"""

from typing import Annotated, Literal

import msgspec

Minutes = Annotated[float, msgspec.Meta(ge=0.0, le=1440.0)]
Carrier = Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{2,3}$")]
Terminal = Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
AircraftType = Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{2,4}$")]
AirportCode = Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{3,4}$")]
Status = Literal["DD", "DI", "ID", "II"]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: unknown names in it are mistakes."""


class Stage(_Table, frozen=True):
    """A stage's median duration and its spread to the early and to the late side, minutes.

    The spreads are standard deviations of the two halves of a normal distribution: one in ten is
    earlier, and one in ten later, than the median by 1.28 of them. The more the late side is the
    wider one, the longer is its tail: what goes wrong goes wrong for long.
    """

    median_min: Minutes
    early_min: Minutes
    late_min: Minutes


Tenths = Annotated[tuple[Minutes, ...], msgspec.Meta(min_length=9, max_length=10)]
"""What one tenth, two tenths ... nine tenths of all cases did not pass, as somebody measured it.

A tenth value is what 99 in 100 did not pass: without it the tail is guessed from the last two.
"""
LateTenths = Annotated[
    tuple[Annotated[float, msgspec.Meta(ge=-1440.0, le=1440.0)], ...],
    msgspec.Meta(min_length=9, max_length=10),
]
"""The same of how late something is, minutes: what comes early is below zero."""


class Handling(_Table, frozen=True, kw_only=True):
    """How long an arrival takes, from the air to the reclaim belt.

    How late flights are may be nine measured tenths: some airlines' are two kinds of flights, those
    that come as planned and those that do not, and no median with two spreads tells that.

    Attributes
    ----------
    taxi_in, take_off
        From landing to the stand; from the stand to being airborne.
    schedule
        How well the schedule predicts reaching the stand.
    in_the_air
        How well the scheduled duration does, once airborne.
    chocks, unload, drive
        On the ramp: their clock stands still while it is closed.
    injection
        Onto the belt, indoors.
    closure_min
        How much longer a closure of unknown end lasts, at 10, 50 and 90 %.
    never_after_min
        A flight that is so late and was not heard of at all is not expected any more.
    """

    taxi_in: Stage = Stage(7.0, 3.0, 5.0)
    take_off: Stage = Stage(14.0, 5.0, 8.0)
    schedule: Stage | LateTenths = Stage(0.0, 8.0, 25.0)
    in_the_air: Stage | LateTenths = Stage(0.0, 6.0, 8.0)
    chocks: Stage = Stage(4.0, 1.0, 2.0)
    unload: Stage = Stage(3.0, 1.0, 3.0)
    drive: Stage = Stage(4.0, 1.0, 2.0)
    injection: Stage = Stage(2.0, 0.5, 1.0)
    bags_a_minute: Annotated[float, msgspec.Meta(gt=0.0, le=120.0)] = 15.0
    closure_min: tuple[Minutes, Minutes, Minutes] = (5.0, 20.0, 45.0)
    never_after_min: Minutes = 360.0

    def __post_init__(self) -> None:
        """Refuse quantiles and tenths that are not in order.

        Raises
        ------
        ValueError
            A later one is the smaller.
        """
        if list(self.closure_min) != sorted(self.closure_min):
            raise ValueError(
                "closure_min: 10, 50 and 90 % in this order, none below the one before"
            )
        _in_order(self, ("schedule", "in_the_air"))

    @property
    def ramp(self) -> tuple[Stage, Stage, Stage]:
        """What is done on the ramp, in order."""
        return self.chocks, self.unload, self.drive


class Changing(_Table, frozen=True, kw_only=True):
    """How long changing aircraft takes, for people and for bags: stages, or nine measured tenths.

    Attributes
    ----------
    leave_aircraft
        From the stand reached to a passenger at the door.
    walk_early, walk_late
        How much shorter and longer than the map says people walk: standard deviations as shares
        of the way, 0.2 is a fifth.
    border
        Queues at borders and checks between two flights of which one is international, where the
        map of the airport knows no queue.
    behind_first
        How much later than the first bag of its flight a bag that changes comes off the ramp.
    sorting
        A bag's way from the sorter's inlet to the make-up of its next flight.
    boarding_closes_min, make_up_closes_min
        Before departure: from then on nobody boards, and no bag is loaded.
    astray
        The share of bags that get stuck on the way and do not come by themselves, 0 to 1: the
        longer one was not seen, the likelier it is one of them.
    inlet_is_watched
        Readers see every bag at the sorter's inlet: one not seen there is not off the ramp yet.
    """

    leave_aircraft: Stage | Tenths = Stage(8.0, 3.0, 6.0)
    walk_early: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.15
    walk_late: Annotated[float, msgspec.Meta(ge=0.0, le=2.0)] = 0.25
    border: Stage | Tenths = Stage(6.0, 3.0, 9.0)
    behind_first: Stage | Tenths = Stage(1.0, 0.5, 3.0)
    sorting: Stage | Tenths = Stage(12.0, 4.0, 8.0)
    boarding_closes_min: Minutes = 15.0
    make_up_closes_min: Minutes = 20.0
    astray: Annotated[float, msgspec.Meta(ge=0.0, le=0.5)] = 0.005
    inlet_is_watched: bool = False

    def __post_init__(self) -> None:
        """Refuse tenths that are not in order.

        Raises
        ------
        ValueError
            A later one is the smaller.
        """
        _in_order(self, ("leave_aircraft", "border", "behind_first", "sorting"))


def _in_order(table: _Table, names: tuple[str, ...]) -> None:
    for name in names:
        given = getattr(table, name)
        if not isinstance(given, Stage) and list(given) != sorted(given):
            raise ValueError(
                f"{name}: nine tenths in order, and the 99 % after them where it was measured, "
                "none below the one before"
            )


class MinimumTime(_Table, frozen=True, kw_only=True):
    """One minimum connection time; what is left out does not matter.

    Attributes
    ----------
    minutes
        From the stand reached to departure.
    status
        ``D`` domestic or ``I`` international, of the arriving and of the departing flight.
    arriving_from, departing_to
        The stations before and after.
    """

    minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)]
    status: Status | None = None
    arriving_carrier: Carrier | None = None
    departing_carrier: Carrier | None = None
    arriving_terminal: Terminal | None = None
    departing_terminal: Terminal | None = None
    arriving_aircraft: AircraftType | None = None
    departing_aircraft: AircraftType | None = None
    arriving_from: AirportCode | None = None
    departing_to: AirportCode | None = None
