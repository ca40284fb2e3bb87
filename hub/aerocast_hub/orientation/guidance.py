"""One piece of advice for a passenger: from bags, flight and weather to what to do, and why.

Pure: no database, no clock, no language. Sentences are keys of the catalogues in ``wording/`` with
their values; values whose name ends in ``_us`` are instants, shown as local time.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aerocast_hub.orientation.arrival_times import (
    MINUTE_US,
    BeltModel,
    BeltTimes,
    Closure,
    Progress,
    Quantiles,
    belt_times,
)
from aerocast_hub.orientation.wording import Name, Phrase, Value

Phase = Literal["unknown", "departure", "in_flight", "arriving", "at_belt", "desk", "done"]

REACHED = frozenset({"delivered", "claimed"})
ON_BELT = frozenset({"arrived", *REACHED})
MISSING_AFTER_US = 15 * MINUTE_US  # after nine in ten flights had every bag on the belt
BEFORE_FLIGHT = ("expected", "seen", "accepted", "screened", "sorted", "made_up")


class BagView(msgspec.Struct, frozen=True, kw_only=True):
    """What a passenger's bag is doing.

    Attributes
    ----------
    state
        Of its journey: ``expected``, ``accepted`` ... ``delivered``.
    """

    licence_plate: str
    state: str = "expected"
    last_seen_us: int | None = None
    last_belt: str | None = None


class FlightView(msgspec.Struct, frozen=True, kw_only=True):
    """What a passenger's flight is doing."""

    designator: str
    origin: str
    destination: str
    progress: Progress = Progress()
    off_block_us: int | None = None
    stand: str | None = None
    reclaim: str | None = None
    gate: str | None = None
    bags: int | None = None


class WeatherView(msgspec.Struct, frozen=True, kw_only=True):
    """The ramp of the airport the passenger's bags are at: of arrival, once the flight has left.

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
    """The way to the reclaim belt, or before the flight to the gate, on the airport's map.

    Attributes
    ----------
    level
        The belt's or the gate's.
    minutes
        From the stand, or from ``origin``, queues included; None where no way is known.
    lift
        The first one to take.
    origin
        Where the way to a gate begins; None on arrival.
    steps
        What to do, in order; or why there is no way.
    """

    level: Name
    minutes: int | None = None
    lift: Name | None = None
    origin: Name | None = None
    steps: tuple[Phrase, ...] = ()


class BagAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """One bag's line: its plate but for the last four digits hidden, its state, a sentence."""

    plate: str
    state: str
    last_seen_us: int | None
    phrase: Phrase


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
    way
        How to get there, step by step, when the hub has a map of the airport.
    weather
        What the weather means for the bags.
    belt
        Reclaim belt, when the schedule names one.
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
    way: tuple[Phrase, ...] = ()
    belt: str | None = None
    first_bag: Quantiles | None = None
    last_bag: Quantiles | None = None
    at_us: int


def guide(
    bags: Sequence[BagView],
    flight: FlightView | None,
    weather: WeatherView,
    now_us: int,
    way: WayView | None = None,
    model: BeltModel | None = None,
) -> Advice:
    """Say what a passenger should do now, when the bags come, and why.

    Parameters
    ----------
    bags
        The passenger's bags, in any order.
    flight
        The flight they are on; None when the hub knows none.
    weather
        The ramp; of the airport of departure until the flight has left, then of arrival.
    now_us
        UTC microseconds.
    way
        To the belt or the gate; None when the hub has no map that shows it.
    """
    times = None
    if flight is not None:
        times = belt_times(flight.progress, flight.bags, weather.closures, now_us, model)
    overdue_us = _overdue_us(flight, times, weather, model)
    phase = _phase(bags, flight, times, overdue_us, now_us)
    headline, steps = _SAY[phase](flight, times, now_us)
    headline = _counted(headline, bags)
    if way is not None:
        headline = _with_way(headline, way)
        steps = tuple(_with_way(step, way) for step in steps)
    told = times if phase in ("in_flight", "arriving", "at_belt", "desk") else None
    return Advice(
        phase=phase,
        flight=flight.designator if flight else None,
        headline=headline,
        steps=steps,
        reasons=_reasons(flight, told),
        weather=_weather(weather),
        way=way.steps if way else (),
        bags=tuple(_bag(bag) for bag in sorted(bags, key=lambda bag: bag.licence_plate)),
        belt=flight.reclaim if flight else None,
        first_bag=told.first if told else None,
        last_bag=told.last if told else None,
        at_us=now_us,
    )


def masked(licence_plate: str) -> str:
    """Hide a licence plate but for its last four digits."""
    return "\N{BULLET}" * max(0, len(licence_plate) - 4) + licence_plate[-4:]


def _phase(
    bags: Sequence[BagView],
    flight: FlightView | None,
    times: BeltTimes | None,
    overdue_us: int | None,
    now_us: int,
) -> Phase:
    if bags and all(bag.state in REACHED for bag in bags):
        return "done"
    if flight is None:
        return "unknown"
    arrived = flight.progress.on_block_us is not None or flight.progress.landed_us is not None
    if not arrived:
        return "in_flight" if _has_left(flight, now_us) else "departure"
    missing = any(bag.state not in ON_BELT for bag in bags)
    if missing and overdue_us is not None and now_us > overdue_us:
        return "desk"
    on_belt = any(bag.state in ON_BELT for bag in bags)
    return "at_belt" if on_belt or _first_is_due(times, now_us) else "arriving"


def _has_left(flight: FlightView, now_us: int) -> bool:
    """Say whether a flight is on its way: heard off its stand or flying, else by the schedule."""
    if flight.progress.airborne_us is not None or flight.off_block_us is not None:
        return True
    due_us = flight.progress.off_block_due_us
    return due_us is None or now_us >= due_us


def _overdue_us(
    flight: FlightView | None,
    times: BeltTimes | None,
    weather: WeatherView,
    model: BeltModel | None,
) -> int | None:
    """Give when a bag not on the belt is missing; only an aircraft on its stand starts the clock.

    The estimate never lies in the past, so it is asked as of the aircraft's arrival.
    """
    if flight is None or times is None or times.paused:
        return None
    on_block_us = flight.progress.on_block_us
    if on_block_us is None:
        return None
    as_of_arrival = belt_times(flight.progress, flight.bags, weather.closures, on_block_us, model)
    if as_of_arrival is None:
        return None
    return (as_of_arrival.last or as_of_arrival.first).p90_us + MISSING_AFTER_US


def _first_is_due(times: BeltTimes | None, now_us: int) -> bool:
    return times is not None and times.basis == "on_block" and times.first.p50_us <= now_us


Said = tuple[Phrase, tuple[Phrase, ...]]


def _say_unknown(_flight: FlightView | None, _times: BeltTimes | None, _now_us: int) -> Said:
    return Phrase(key="no_flight"), (Phrase(key="step_ask_desk"),)


def _say_done(_flight: FlightView | None, _times: BeltTimes | None, _now_us: int) -> Said:
    return Phrase(key="bags_delivered"), (Phrase(key="step_check_tag"),)


def _say_departure(flight: FlightView | None, _times: BeltTimes | None, _now_us: int) -> Said:
    if flight is None or flight.gate is None:
        return Phrase(key="go_to_departures"), (Phrase(key="step_watch_screens_gate"),)
    headline = Phrase(key="go_to_gate", values={"gate": flight.gate})
    due_us = flight.progress.off_block_due_us
    if due_us is None:
        return headline, (Phrase(key="step_watch_screens_gate"),)
    return headline, (Phrase(key="step_leaves_at", values={"at_us": due_us}),)


def _say_in_flight(flight: FlightView | None, times: BeltTimes | None, _now_us: int) -> Said:
    if times is None:
        return Phrase(key="in_flight_no_time"), (_to_belt(flight),)
    at: dict[str, Value] = {"at_us": times.first.p50_us}
    if flight is None or flight.reclaim is None:
        return Phrase(key="in_flight_no_belt", values=at), (_to_belt(flight),)
    headline = Phrase(key="in_flight", values={"belt": flight.reclaim, **at})
    return headline, (_to_belt(flight),)


def _say_arriving(flight: FlightView | None, times: BeltTimes | None, now_us: int) -> Said:
    belt = flight.reclaim if flight else None
    if times is None:
        return Phrase(key="arriving_no_time"), (_to_belt(flight),)
    minutes = max(1, round((times.first.p50_us - now_us) / MINUTE_US))
    values: dict[str, Value] = {"minutes": minutes}
    key = "first_bags_no_belt" if belt is None else "first_bags"
    if times.paused:
        key = "bags_wait_no_belt" if belt is None else "bags_wait"
    if belt is not None:
        values["belt"] = belt
    window: dict[str, Value] = {"from_us": times.first.p10_us, "to_us": times.first.p90_us}
    steps = [_to_belt(flight), Phrase(key="step_first_window", values=window)]
    if times.last is not None:
        last_by: dict[str, Value] = {"at_us": times.last.p90_us}
        steps.append(Phrase(key="step_last_by", values=last_by))
    return Phrase(key=key, values=values), tuple(steps)


def _say_at_belt(flight: FlightView | None, times: BeltTimes | None, _now_us: int) -> Said:
    steps = [_to_belt(flight)]
    if times is not None and times.last is not None:
        steps.append(Phrase(key="step_last_by", values={"at_us": times.last.p90_us}))
    if flight is None or flight.reclaim is None:
        return Phrase(key="bags_coming_no_belt"), tuple(steps)
    return Phrase(key="bags_coming", values={"belt": flight.reclaim}), tuple(steps)


def _say_desk(_flight: FlightView | None, _times: BeltTimes | None, _now_us: int) -> Said:
    return Phrase(key="go_to_desk"), (Phrase(key="step_bring_tag"), Phrase(key="step_ask_desk"))


_SAY = {
    "unknown": _say_unknown,
    "departure": _say_departure,
    "in_flight": _say_in_flight,
    "arriving": _say_arriving,
    "at_belt": _say_at_belt,
    "desk": _say_desk,
    "done": _say_done,
}


def _to_belt(flight: FlightView | None) -> Phrase:
    if flight is None or flight.reclaim is None:
        return Phrase(key="step_watch_screens_belt")
    return Phrase(key="step_go_to_belt", values={"belt": flight.reclaim})


def _counted(said: Phrase, bags: Sequence[BagView]) -> Phrase:
    """Let what speaks of the passenger's bags know how many it speaks of."""
    count = sum(bag.state not in ON_BELT for bag in bags)
    if said.key == "bags_delivered":
        count = len(bags)
    return Phrase(key=said.key, values={**said.values, "bags": count})


def _with_way(said: Phrase, way: WayView) -> Phrase:
    """Let what sends people to a belt or a gate name its level, the minutes and the lift."""
    if said.key not in ("step_go_to_belt", "go_to_gate"):
        return said
    values: dict[str, Value] = {**said.values, "level": way.level}
    if way.minutes is None or (said.key == "go_to_gate" and way.origin is None):
        return Phrase(key=f"{said.key}_level", values=values)
    values["minutes"] = way.minutes
    if said.key == "go_to_gate" and way.origin is not None:
        values["origin"] = way.origin
    if way.lift is None:
        return Phrase(key=f"{said.key}_walk", values=values)
    return Phrase(key=f"{said.key}_lift", values={**values, "lift": way.lift})


def _reasons(flight: FlightView | None, times: BeltTimes | None) -> tuple[Phrase, ...]:
    if flight is None or times is None:
        return ()
    known = flight.progress
    told: Phrase
    if times.basis == "on_block" and known.on_block_us is not None:
        at: dict[str, Value] = {"at_us": known.on_block_us}
        told = (
            Phrase(key="why_on_block", values=at)
            if flight.stand is None
            else Phrase(key="why_on_block_stand", values={"stand": flight.stand, **at})
        )
    elif times.basis == "landed" and known.landed_us is not None:
        told = Phrase(key="why_landed", values={"at_us": known.landed_us})
    elif times.basis == "airborne" and known.airborne_us is not None:
        told = Phrase(key="why_airborne", values={"at_us": known.airborne_us})
    else:
        told = Phrase(key="why_schedule", values={"at_us": times.on_block.p50_us})
    return (told, Phrase(key="why_paused")) if times.paused else (told,)


def _weather(weather: WeatherView) -> Phrase:
    values: dict[str, Value] = {}
    if weather.observed_at_us is not None:
        values["at_us"] = weather.observed_at_us
    if weather.wind_kt is not None:
        values["wind_kt"] = weather.wind_kt
    return Phrase(key=f"ramp_{weather.reason}", values=values)


def _bag(bag: BagView) -> BagAdvice:
    plate = masked(bag.licence_plate)
    values: dict[str, Value] = {"ending": bag.licence_plate[-4:]}
    key = f"bag_{bag.state}"
    if bag.last_seen_us is None:
        key = "bag_expected"
    else:
        values["at_us"] = bag.last_seen_us
    return BagAdvice(
        plate=plate,
        state=bag.state,
        last_seen_us=bag.last_seen_us,
        phrase=Phrase(key=key, values=values),
    )
