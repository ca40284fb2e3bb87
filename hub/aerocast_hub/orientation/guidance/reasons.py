"""Why an advice is as it is, what the weather does to it, and what nobody knows. Pure."""

from aerocast_hub.orientation.arrival_times import BeltTimes
from aerocast_hub.orientation.connection import Miss
from aerocast_hub.orientation.guidance.advice import Case, Phase
from aerocast_hub.orientation.guidance.bags import cause_phrase
from aerocast_hub.orientation.guidance.views import ON_BELT, FlightView, WeatherView
from aerocast_hub.orientation.wording import Phrase, Value

HARDLY = 0.015  # less is told as one case in a hundred

TIMED: frozenset[Phase] = frozenset({"in_flight", "arriving", "ramp_closed", "at_belt", "desk"})
CONNECTING: frozenset[Phase] = frozenset({"connecting", "missed_connection"})
_BELT_MATTERS: frozenset[Phase] = frozenset({"in_flight", "arriving", "ramp_closed", "at_belt"})


def reasons(case: Case) -> tuple[Phrase, ...]:
    """Say why."""
    said: list[Phrase] = []
    if case.phase in TIMED and case.times is not None:
        said.append(_times(case.flight, case.times))
        if case.times.paused:
            said.append(Phrase(key="why_paused"))
        elif case.phase == "at_belt" and not case.is_over and case.here.weather.state == "closed":
            said.append(Phrase(key="why_rest_waits"))
    elif case.phase in CONNECTING or _changes_next(case):
        said += _came(case.flight)
    elif case.phase == "at_belt" and not case.flight.has_arrived:
        said.append(Phrase(key="why_bag_there"))
    risk = case.here.risk
    is_told = case.phase != "no_news" and case.where.stage != "too_late"
    if risk is not None and risk.passenger is not None and is_told:
        said += _chance(risk.passenger, risk.outbound)
    return tuple(said)


def weather(seen: WeatherView) -> Phrase:
    """Say what the weather means for the bags."""
    values: dict[str, Value] = {}
    if seen.observed_at_us is not None:
        values["at_us"] = seen.observed_at_us
    if seen.wind_kt is not None:
        values["wind_kt"] = seen.wind_kt
    return Phrase(key=f"ramp_{seen.reason}", values=values)


def unknown(case: Case) -> tuple[Phrase, ...]:
    """Say what nobody knows that would matter: nothing is guessed in its stead."""
    if case.phase == "no_news":
        key = "unknown_arrival" if case.flight.progress.landed_us is None else "unknown_times"
        return (Phrase(key=key),)
    said = _of_leaving(case) + _of_bags(case)
    if case.phase in CONNECTING or _changes_next(case):
        said += _of_connection(case)
    elif case.phase == "departure":
        said += _of_departure(case.flight)
    return tuple(said)


def _of_leaving(case: Case) -> list[Phrase]:
    """Say that a flight is on its way by the schedule alone."""
    if case.phase != "in_flight" or case.flight.is_heard:
        return []
    return [Phrase(key="unknown_left")]


def _of_bags(case: Case) -> list[Phrase]:
    is_last = case.where.onward is None
    waits = any(bag.state not in ON_BELT for bag in case.trip.bags) or not case.trip.bags
    asked = (
        (case.phase in TIMED and case.here.weather.state == "unknown", "unknown_weather"),
        (case.phase in _BELT_MATTERS and is_last and not case.flight.reclaim, "unknown_belt"),
        (case.phase in _BELT_MATTERS and is_last and case.times is None and waits, "unknown_times"),
        (
            case.phase in _BELT_MATTERS
            and case.times is not None
            and case.times.last is None
            and not case.is_over,
            "unknown_last",
        ),
    )
    return [Phrase(key=key) for is_unknown, key in asked if is_unknown]


def _of_departure(flight: FlightView) -> list[Phrase]:
    if flight.progress.off_block_due_us is not None:
        return []
    return [Phrase(key="unknown_departure", values={"flight": flight.designator})]


def _of_connection(case: Case) -> list[Phrase]:
    onward, risk = case.where.onward, case.here.risk
    if onward is None or case.where.stage == "too_late":
        return []
    said: list[Phrase] = []
    if onward.gate is None:
        said.append(Phrase(key="unknown_gate"))
    elif case.here.way is None or case.here.way.minutes is None:
        said.append(Phrase(key="unknown_way"))
    said += _of_departure(onward)
    if risk is None or risk.passenger is None:
        said.append(Phrase(key="unknown_chance", values={"flight": onward.designator}))
    elif "ramp" in risk.unknown and case.phase not in TIMED:
        said.append(Phrase(key="unknown_weather"))
    return said


def _changes_next(case: Case) -> bool:
    return case.phase == "in_flight" and case.where.onward is not None


def _times(flight: FlightView, times: BeltTimes) -> Phrase:
    said = _came(flight)
    if said and times.basis != "schedule":
        return said[0]
    return Phrase(key="why_schedule", values={"at_us": times.on_block.p50_us})


def _came(flight: FlightView) -> list[Phrase]:
    """Say how far a flight was heard to be."""
    known = flight.progress
    if known.on_block_us is not None:
        at: dict[str, Value] = {"at_us": known.on_block_us}
        if flight.stand is None:
            return [Phrase(key="why_on_block", values=at)]
        return [Phrase(key="why_on_block_stand", values={"stand": flight.stand, **at})]
    if known.landed_us is not None:
        return [Phrase(key="why_landed", values={"at_us": known.landed_us})]
    if known.airborne_us is not None:
        return [Phrase(key="why_airborne", values={"at_us": known.airborne_us})]
    return []


def _chance(miss: Miss, flight: str) -> list[Phrase]:
    values: dict[str, Value] = {"flight": flight}
    if miss.probability < HARDLY:
        return [Phrase(key="why_miss_rare", values=values)]
    percent = min(99, round(100 * miss.probability))  # nobody is sure
    return [
        Phrase(key="why_miss", values={**values, "percent": percent}),
        *cause_phrase(miss.cause),
    ]
