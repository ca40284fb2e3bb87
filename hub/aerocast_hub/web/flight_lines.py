"""Flights as the operators' page lists them."""

from collections.abc import Iterable

from aerocast_hub.flights.store import Flight
from aerocast_hub.web.views import FlightLine, Tone

HOUR_US = 3_600_000_000
LATE_US = 15 * 60 * 1_000_000
SHOWN = 24


def flight_lines(
    around: Iterable[Flight], parked: Iterable[Flight], now_us: int
) -> tuple[FlightLine, ...]:
    """Choose the flights that matter now: due or moving within three hours, and the last parked.

    Parameters
    ----------
    around
        Flights of these hours.
    parked
        The flights last come to their stand, however long ago.
    now_us
        UTC microseconds.
    """
    chosen = {flight.id: flight for flight in around if _matters(flight, now_us)}
    for flight in parked:
        if len(chosen) >= SHOWN:
            break
        chosen.setdefault(flight.id, flight)
    ordered = sorted(chosen.values(), key=lambda flight: (_when_us(flight), flight.id))
    return tuple(_line(flight, now_us) for flight in ordered[-SHOWN:])


def _matters(flight: Flight, now_us: int) -> bool:
    return abs(_when_us(flight) - now_us) <= 3 * HOUR_US


def _when_us(flight: Flight) -> int:
    actual = flight.actual
    if actual.on_block is not None:
        return actual.on_block.at_us
    return flight.on_block_due_us or flight.off_block_due_us or 0


def _line(flight: Flight, now_us: int) -> FlightLine:
    actual = flight.actual
    state, tone = _state(flight, now_us)
    return FlightLine(
        flight_id=flight.id,
        flight=flight.flight,
        origin=flight.origin,
        destination=flight.destination,
        state=state,
        tone=tone,
        due_us=flight.on_block_due_us,
        landed_us=actual.landed.at_us if actual.landed else None,
        on_block_us=actual.on_block.at_us if actual.on_block else None,
        sigma_s=actual.on_block.sigma_s if actual.on_block else None,
        stand=flight.stand,
        reclaim=flight.reclaim,
    )


def _state(flight: Flight, now_us: int) -> tuple[str, Tone]:
    actual = flight.actual
    if actual.on_block is not None:
        return "on block", "good"
    if actual.landed is not None:
        return "landed", "good"
    if flight.on_block_due_us is not None and now_us > flight.on_block_due_us + LATE_US:
        return "late", "warn"
    if actual.airborne is not None:
        return "airborne", "idle"
    if actual.off_block is not None:
        return "off block", "idle"
    return "expected", "idle"
