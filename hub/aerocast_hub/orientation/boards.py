"""What stands on public boards at reclaim belts and gates: flights and times, nobody's name. Pure.

Boards tell of flights alone. When bags come is the same estimate passengers get.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeVar

import msgspec

from aerocast_hub.orientation.arrival_times import (
    MINUTE_US,
    Basis,
    BeltModel,
    BeltTimes,
    Closure,
    belt_times,
)
from aerocast_hub.orientation.guidance import FlightView, has_no_news

AHEAD_US = 60 * MINUTE_US  # flights whose bags come within the hour
LEAVES_AHEAD_US, LEAVES_LATE_US = 180 * MINUTE_US, 120 * MINUTE_US
STAYS_US = 15 * MINUTE_US  # so long a flight stays that is done
HELD_UP_US = 45 * MINUTE_US  # what leaves later may well leave as planned, the ramp open again
MOST_SHOWN = 12

BeltState = Literal["waiting", "coming", "paused", "done", "no_news"]
GateState = Literal["waiting", "paused", "done"]


class BeltFlight(msgspec.Struct, frozen=True, kw_only=True):
    """A flight whose bags come to a belt.

    Attributes
    ----------
    origin
        Code of the airport it comes from, and ``city`` its name.
    state
        ``paused``: nobody may work on the ramp, for the weather. ``done``: every bag was seen on
        the belt. ``no_news``: it should have been heard to land, or to park, long ago.
    basis
        What the times are made of; ``schedule``: nobody heard the flight yet.
    first_from_us, first_to_us
        When the first bags come, 10 and 90 %, UTC microseconds; None once they came.
    last_by_us
        When every bag is there, 90 %.
    """

    flight: str
    origin: str
    city: str | None
    state: BeltState
    basis: Basis
    first_from_us: int | None = None
    first_to_us: int | None = None
    last_by_us: int | None = None


class GateFlight(msgspec.Struct, frozen=True, kw_only=True):
    """A flight that leaves from a gate; ``done``: it has left.

    Attributes
    ----------
    leaves_us
        When it leaves its stand, by the schedule, or did; UTC microseconds.
    """

    flight: str
    destination: str
    city: str | None
    state: GateState
    leaves_us: int | None


class BeltBoard(msgspec.Struct, frozen=True, kw_only=True):
    """A belt's flights, the first to come first."""

    belt: str
    flights: tuple[BeltFlight, ...]


class GateBoard(msgspec.Struct, frozen=True, kw_only=True):
    """A gate's flights, the first to leave first."""

    gate: str
    flights: tuple[GateFlight, ...]


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an airport's boards show.

    Attributes
    ----------
    ramp
        Whether bags can be unloaded: ``open``, ``caution``, ``closed`` or ``unknown``.
    """

    airport: str
    time_zone: str | None
    ramp: str
    belts: tuple[BeltBoard, ...]
    gates: tuple[GateBoard, ...]
    at_us: int


class Arrival(NamedTuple):
    """An arrival: how many of its bags are on the belt or were, of how many, and its times."""

    view: FlightView
    city: str | None
    on_belt: int
    bags: int
    model: BeltModel


def belt_boards(
    arrivals: Iterable[Arrival], closures: Sequence[Closure], now_us: int
) -> tuple[BeltBoard, ...]:
    """Give the board of every belt that has flights, by the belts' names."""
    by_belt: dict[str, list[tuple[int, BeltFlight]]] = {}
    for each in arrivals:
        belt = each.view.reclaim
        shown = None if belt is None else _belt_flight(each, closures, now_us)
        if belt is not None and shown is not None:
            by_belt.setdefault(belt, []).append(shown)
    return tuple(
        BeltBoard(belt=belt, flights=tuple(_in_order(flights)))
        for belt, flights in sorted(by_belt.items(), key=lambda each: (len(each[0]), each[0]))
    )


def gate_boards(
    departures: Iterable[tuple[FlightView, str | None]], *, is_closed: bool, now_us: int
) -> tuple[GateBoard, ...]:
    """Give the board of every gate that has flights, by the gates' names."""
    by_gate: dict[str, list[tuple[int, GateFlight]]] = {}
    for view, city in departures:
        left_us, due_us = view.left_us, view.progress.off_block_due_us
        leaves_us = due_us if left_us is None else left_us
        if view.gate is None or leaves_us is None:
            continue
        has_left = left_us is not None or view.has_arrived
        longest_us = STAYS_US if has_left else LEAVES_LATE_US
        if not now_us - longest_us <= leaves_us <= now_us + LEAVES_AHEAD_US:
            continue
        is_held_up = is_closed and leaves_us < now_us + HELD_UP_US
        state: GateState = "done" if has_left else "paused" if is_held_up else "waiting"
        flight = GateFlight(
            flight=view.designator,
            destination=view.destination,
            city=city,
            state=state,
            leaves_us=leaves_us,
        )
        by_gate.setdefault(view.gate, []).append((leaves_us, flight))
    return tuple(
        GateBoard(gate=gate, flights=tuple(_in_order(flights)))
        for gate, flights in sorted(by_gate.items())
    )


def _belt_flight(
    arrival: Arrival, closures: Sequence[Closure], now_us: int
) -> tuple[int, BeltFlight] | None:
    view = arrival.view
    times = belt_times(view.progress, arrival.bags, closures, now_us, arrival.model)
    if times is None or times.first.p10_us > now_us + AHEAD_US:
        return None
    over_us = _over_us(arrival, closures)
    if over_us is not None and now_us > over_us + STAYS_US:
        return None
    state = _belt_state(arrival, times, now_us)
    is_expected = state in ("waiting", "paused")
    is_over = state in ("done", "no_news") or (over_us is not None and now_us > over_us)
    order_us = view.progress.on_block_us or times.first.p50_us
    return order_us, BeltFlight(
        flight=view.designator,
        origin=view.origin,
        city=arrival.city,
        state=state,
        basis=times.basis,
        first_from_us=times.first.p10_us if is_expected else None,
        first_to_us=times.first.p90_us if is_expected else None,
        last_by_us=times.last.p90_us if times.last is not None and not is_over else None,
    )


def _over_us(arrival: Arrival, closures: Sequence[Closure]) -> int | None:
    """Give when nine in ten such flights had every bag on the belt, as of the arrival."""
    on_block_us = arrival.view.progress.on_block_us
    if on_block_us is None or any(each.until_us is None for each in closures):
        return None
    times = belt_times(arrival.view.progress, arrival.bags, closures, on_block_us, arrival.model)
    return None if times is None else (times.last or times.first).p90_us


def _belt_state(arrival: Arrival, times: BeltTimes, now_us: int) -> BeltState:
    if 0 < arrival.bags <= arrival.on_belt:
        return "done"
    if not arrival.on_belt and has_no_news(arrival.view, now_us):
        return "no_news"
    if times.paused and arrival.view.has_arrived:
        return "paused"
    is_due = times.basis == "on_block" and times.first.p50_us <= now_us
    return "coming" if arrival.on_belt or is_due else "waiting"


Shown = TypeVar("Shown", BeltFlight, GateFlight)


def _in_order(flights: list[tuple[int, Shown]]) -> list[Shown]:
    ordered = sorted(flights, key=lambda each: (each[0], each[1].flight))
    return [each for _, each in ordered[:MOST_SHOWN]]
