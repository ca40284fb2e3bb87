"""Passengers in every situation, built from minutes around one instant."""

from aerocast_hub.orientation.arrival_times import MINUTE_US, Closure, Progress
from aerocast_hub.orientation.changing import risk_of
from aerocast_hub.orientation.guidance import (
    BagView,
    FlightView,
    Surrounding,
    WayView,
    WeatherView,
    guide,
    trip_of,
    whereabouts,
)
from aerocast_hub.orientation.wording import Name, say
from msgspec.structs import replace

NOW = 1_720_253_100_000_000
FINE = WeatherView(state="open", reason="fine", observed_at_us=NOW - 10 * MINUTE_US)
STORM = WeatherView(
    state="closed",
    reason="thunder",
    observed_at_us=NOW - 5 * MINUTE_US,
    closures=(Closure(NOW - 5 * MINUTE_US),),
)


def us(minute):
    return NOW + int(minute * MINUTE_US)


def flight(
    designator="AF1", leg=("CDG", "TLS"), reclaim="4", gate=None, stand="TLS-B", bags=60, **at_min
):
    """Give a flight; ``off_block`` is when it was heard to leave, the rest as in `Progress`."""
    off_block = at_min.pop("off_block", None)
    due = {"off_block_due_us": -85, "on_block_due_us": 0} | at_min
    return FlightView(
        designator=designator,
        date="2024-07-06",
        origin=leg[0],
        destination=leg[1],
        progress=Progress(
            **{name: None if each is None else us(each) for name, each in due.items()}
        ),
        off_block_us=None if off_block is None else us(off_block),
        stand=stand,
        reclaim=reclaim,
        gate=gate,
        bags=bags,
    )


def onward(leaves=60, gate="B12", **more):
    """Give the flight from Toulouse that a passenger changes to."""
    times = {"off_block_due_us": leaves, "on_block_due_us": leaves and leaves + 90}
    leg = ("TLS", "LHR")
    return flight("BA2", leg, gate=gate, stand="TLS-C", reclaim=None, **(times | more))


def bag(state="loaded", plate="0220123456", seen=-60, **more):
    last_seen_us = None if seen is None else us(seen)
    return BagView(licence_plate=plate, state=state, last_seen_us=last_seen_us, **more)


def advise(bags, flights, weather=FINE, way=None, minimum=()):
    """Advise a passenger all of whose bags are on the same flights, unless they say otherwise."""
    flights = [] if flights is None else flights if isinstance(flights, list) else [flights]
    booked = [each if each.flights else replace(each, flights=tuple(flights)) for each in bags]
    trip = trip_of(booked)
    here = Surrounding(weather=weather, way=way)
    risk = risk_of(trip, whereabouts(trip, NOW), here, minimum, NOW)
    return guide(trip, replace(here, risk=risk), NOW)


def way(minutes, lift=None, queue_min=0.0):
    return WayView(level=Name("1"), minutes=minutes, lift=lift and Name(lift), queue_min=queue_min)


def phrases(advice):
    """Give everything an advice says."""
    causes = [each.cause for each in advice.bags if each.cause is not None]
    return [
        advice.headline,
        advice.weather,
        *advice.steps,
        *advice.reasons,
        *advice.unknown,
        *advice.way,
        *(each.phrase for each in advice.bags),
        *causes,
    ]


def keys(said):
    return [each.key for each in said]


def text(phrase, language="en"):
    return say(language, phrase.key, phrase.values, "Europe/Paris", NOW)
