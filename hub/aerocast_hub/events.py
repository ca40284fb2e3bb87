"""What happened, in the past tense: the only things features tell each other.

Events are written with the change they tell of, in one transaction, and published after it. Times
are UTC microseconds, unknown is None.
"""

from typing import Literal

import msgspec


class _Happened(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every event is."""


class _FlightMoved(_Happened, frozen=True, kw_only=True):
    """A time of a flight became known, or known better.

    Attributes
    ----------
    flight_id
        The hub's own id of the flight.
    sigma_s
        Standard deviation of ``at_us``, seconds.
    stand
        The stand it left or reached, where there is one.
    """

    flight_id: str
    at_us: int
    sigma_s: float
    stand: str | None = None


class FlightOffBlock(_FlightMoved, frozen=True, kw_only=True, tag="flight_off_block"):
    """A flight left its stand."""


class FlightAirborne(_FlightMoved, frozen=True, kw_only=True, tag="flight_airborne"):
    """A flight took off."""


class FlightLanded(_FlightMoved, frozen=True, kw_only=True, tag="flight_landed"):
    """A flight touched down."""


class FlightOnBlock(_FlightMoved, frozen=True, kw_only=True, tag="flight_on_block"):
    """A flight reached its stand."""


class FlightTimeWithdrawn(_Happened, frozen=True, kw_only=True, tag="flight_time_withdrawn"):
    """A time told earlier turned out to belong to another flight."""

    flight_id: str
    what: Literal["off_block", "airborne", "landed", "on_block"]


class BagPassed(_Happened, frozen=True, kw_only=True, tag="bag_passed"):
    """A bag went past a place for the first time.

    Attributes
    ----------
    bag_id
        The hub's own id of the bag.
    point, belt
        Custody point and belt; None where a scanner does not say.
    """

    bag_id: str
    licence_plate: str
    site: str
    at_us: int
    point: str | None = None
    belt: str | None = None
    ambiguous: bool = False


class BagUnread(_Happened, frozen=True, kw_only=True, tag="bag_unread"):
    """A bag went past a place and neither tag nor code could be read."""

    site: str
    at_us: int
    point: str | None = None
    belt: str | None = None
