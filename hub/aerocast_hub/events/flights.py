"""What happens to flights: times of theirs, and the schedule."""

from typing import Literal

from aerocast_hub.events.happened import Happened


class _FlightMoved(Happened, frozen=True, kw_only=True):
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


class FlightScheduled(Happened, frozen=True, kw_only=True, tag="flight_scheduled"):
    """The schedule has a flight that is new, or tells something new of one: stand, gate, belt ...

    Attributes
    ----------
    at_us
        When the hub came to know.
    flight_id
        The hub's own id of the flight.
    """

    flight_id: str


class FlightTimeWithdrawn(Happened, frozen=True, kw_only=True, tag="flight_time_withdrawn"):
    """A time told earlier, ``at_us``, turned out not to be this flight's."""

    flight_id: str
    what: Literal["off_block", "airborne", "landed", "on_block"]
