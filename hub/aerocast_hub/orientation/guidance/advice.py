"""An advice: what to tell a passenger, before it is put into a language."""

from typing import Literal, NamedTuple

import msgspec

from aerocast_hub.orientation.arrival_times import BeltTimes, Quantiles
from aerocast_hub.orientation.guidance.trip import Trip, Whereabouts
from aerocast_hub.orientation.guidance.views import FlightView, Surrounding
from aerocast_hub.orientation.wording import Phrase

Phase = Literal[
    "unknown", "departure", "in_flight", "arriving", "at_belt", "desk", "done", "ramp_closed",
    "connecting", "missed_connection", "delayed_bag", "no_news",
]  # fmt: skip
Trouble = Literal["left_behind", "follows", "missing"]


class BagAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """One bag's line: its plate but for the last four digits hidden, its state, a sentence.

    Attributes
    ----------
    trouble
        Known not to travel with its passenger, on a later flight, or missing; None of these.
    belt, expected
        Where and when it comes by itself, where that can be told.
    miss
        How likely it misses its passenger's next flight, 0 to 1.
    cause
        What is most to blame for that.
    """

    plate: str
    state: str
    last_seen_us: int | None
    phrase: Phrase
    trouble: Trouble | None = None
    belt: str | None = None
    expected: Quantiles | None = None
    miss: float | None = None
    cause: Phrase | None = None


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What to tell a passenger.

    Attributes
    ----------
    headline
        The one thing to do.
    steps
        What to do, in order.
    reasons
        Why we say so.
    unknown
        What nobody knows that would matter.
    way
        How to get there, step by step, when the hub has a map of the airport.
    weather
        What the weather means for the bags.
    belt
        Reclaim belt, when the schedule names one.
    gate, onward
        Where to go for the flight to take, and that flight, when it is another one than ``flight``.
    boarding_closes_us
        Of the flight to take, UTC microseconds.
    slack_min
        Minutes to spare until boarding closes or the first bag comes; below 0 it is too late.
    miss
        How likely the passenger misses ``onward``, 0 to 1.
    first_bag, last_bag
        When the flight's first and last bags reach the belt.
    """

    phase: Phase
    flight: str | None
    headline: Phrase
    steps: tuple[Phrase, ...]
    reasons: tuple[Phrase, ...]
    weather: Phrase
    bags: tuple[BagAdvice, ...]
    unknown: tuple[Phrase, ...] = ()
    way: tuple[Phrase, ...] = ()
    belt: str | None = None
    gate: str | None = None
    onward: str | None = None
    boarding_closes_us: int | None = None
    slack_min: int | None = None
    miss: float | None = None
    first_bag: Quantiles | None = None
    last_bag: Quantiles | None = None
    at_us: int


class Case(NamedTuple):
    """A passenger's situation, with all that is known of it.

    Attributes
    ----------
    times
        When the bags of the flight they came or come with reach the belt.
    boarding_closes_us, slack_min
        As in `Advice`.
    is_over
        Every bag of the flight should be on the belt by now.
    """

    phase: Phase
    trip: Trip
    where: Whereabouts
    here: Surrounding
    times: BeltTimes | None
    now_us: int
    bags: tuple[BagAdvice, ...] = ()
    boarding_closes_us: int | None = None
    slack_min: int | None = None
    is_over: bool = False

    @property
    def flight(self) -> FlightView:
        """The flight of a case that has one.

        Raises
        ------
        ValueError
            It has none.
        """
        if self.where.flight is None:
            raise ValueError(f"a case of phase {self.phase!r} has no flight")
        return self.where.flight

    def in_trouble(self, *troubles: Trouble) -> list[BagAdvice]:
        """Give the bags in some kind of trouble."""
        return [bag for bag in self.bags if bag.trouble in troubles]


class Said(NamedTuple):
    """The one thing to do, and what to do in order."""

    headline: Phrase
    steps: tuple[Phrase, ...] = ()


def masked(licence_plate: str) -> str:
    """Hide a licence plate but for its last four digits."""
    return "\N{BULLET}" * max(0, len(licence_plate) - 4) + licence_plate[-4:]
