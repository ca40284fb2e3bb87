"""What advice is made of: bags, flights, the ramp and the way, as far as a passenger needs them."""

from typing import Literal

import msgspec

from aerocast_hub.ground_times import Changing
from aerocast_hub.orientation.arrival_learning import Kind
from aerocast_hub.orientation.arrival_times import MINUTE_US, BeltModel, Closure, Progress
from aerocast_hub.orientation.connection import ConnectionRisk
from aerocast_hub.orientation.wording import Name, Phrase

NO_NEWS_AFTER_US = 45 * MINUTE_US  # a flight so late that nobody heard land may be anywhere
NO_STAND_AFTER_US = 45 * MINUTE_US  # since landing: it has long parked where nobody heard it

FlightKey = tuple[str, str, str]

REACHED = frozenset({"delivered", "claimed"})
ON_BELT = frozenset({"arrived", *REACHED})


class FlightView(msgspec.Struct, frozen=True, kw_only=True):
    """What a passenger's flight is doing.

    Attributes
    ----------
    date
        Day of departure, ISO 8601; "" where nobody says.
    off_block_us
        When it left its stand, UTC microseconds; None while it was not heard to.
    bags
        How many it carries; None or 0 is not known.
    """

    designator: str
    origin: str
    destination: str
    date: str = ""
    progress: Progress = Progress()
    off_block_us: int | None = None
    stand: str | None = None
    reclaim: str | None = None
    gate: str | None = None
    bags: int | None = None
    aircraft_type: str | None = None
    handler: str | None = None
    departure_terminal: str | None = None
    arrival_terminal: str | None = None

    @property
    def kind(self) -> Kind:
        """What the times of its bags may depend on."""
        return Kind(self.stand, self.handler, self.aircraft_type)

    @property
    def key(self) -> FlightKey:
        """What tells it from every other flight."""
        return self.designator, self.date, self.origin

    @property
    def is_heard(self) -> bool:
        """Say whether anybody heard it leave, or come."""
        return self.left_us is not None or self.has_arrived

    @property
    def has_arrived(self) -> bool:
        """Say whether it was heard to land or to reach its stand."""
        return self.progress.on_block_us is not None or self.progress.landed_us is not None

    @property
    def left_us(self) -> int | None:
        """When it was heard to leave; None while it was not."""
        return self.off_block_us if self.off_block_us is not None else self.progress.airborne_us


def has_no_news(flight: FlightView, now_us: int) -> bool:
    """Say whether a flight should have been heard to land, or to park, long ago."""
    known = flight.progress
    if known.on_block_us is not None:
        return False
    if known.landed_us is not None:
        return now_us > known.landed_us + NO_STAND_AFTER_US
    if known.on_block_due_us is None:
        return False
    due_us = known.on_block_due_us
    if known.airborne_us is not None and known.off_block_due_us is not None:
        due_us = max(due_us, known.airborne_us + known.on_block_due_us - known.off_block_due_us)
    return now_us > due_us + NO_NEWS_AFTER_US


class BagView(msgspec.Struct, frozen=True, kw_only=True):
    """What a passenger's bag is doing.

    Attributes
    ----------
    state
        Of its journey: ``expected``, ``accepted`` ... ``delivered``.
    flights
        Those it is to travel on, in order, as far as the hub knows them.
    aboard
        The flight in whose hold it is, or was when that left.
    came_with
        The flight it ends with, once it is on a belt of the airport that flies to.
    is_rush
        It travels after its passenger, alone.
    """

    licence_plate: str
    state: str = "expected"
    last_seen_us: int | None = None
    last_belt: str | None = None
    flights: tuple[FlightView, ...] = ()
    aboard: FlightKey | None = None
    came_with: FlightKey | None = None
    is_rush: bool = False


NOT_TOLD = "not_told"
"""A `WeatherView`'s reason while nobody answers who would know."""


class WeatherView(msgspec.Struct, frozen=True, kw_only=True):
    """The ramp of the airport the passenger is at, or flies to.

    Attributes
    ----------
    closures
        When it was closed lately, and is.
    """

    state: Literal["open", "caution", "closed", "unknown"] = "unknown"
    reason: str = "no_report"
    observed_at_us: int | None = None
    closures: tuple[Closure, ...] = ()
    wind_kt: int | None = None


class WayView(msgspec.Struct, frozen=True, kw_only=True):
    """The way to the reclaim belt or to a gate, on the airport's map.

    Attributes
    ----------
    level
        The belt's or the gate's.
    minutes
        From the stand, or from ``origin``, queues included; None where no way is known.
    queue_min
        How much of it is queueing.
    lift
        The first one to take.
    origin
        Where the way to a gate begins; None from an aircraft.
    steps
        What to do, in order; or why there is no way.
    """

    level: Name
    minutes: int | None = None
    queue_min: float = 0.0
    lift: Name | None = None
    origin: Name | None = None
    steps: tuple[Phrase, ...] = ()


class Surrounding(msgspec.Struct, frozen=True, kw_only=True):
    """The airport a passenger is at, or flies to, and what its times make of their connection.

    Attributes
    ----------
    way
        To where they go; None when the hub has no map that shows it.
    risk
        Of the change to their next flight; None where they make none, or nobody can tell.
    model
        How long bags take there to the belt.
    """

    weather: WeatherView = WeatherView()
    way: WayView | None = None
    risk: ConnectionRisk | None = None
    model: BeltModel = BeltModel()
    changing: Changing = Changing()
