"""When each flight left its stand, flew, landed and reached its stand.

Pure fold: aircraft ground events + schedule -> the four times of every flight. Whichever order the
events come in, however often, and however late the schedule, the result is the same.
"""

from collections.abc import Iterable
from math import asin, cos, radians, sin, sqrt
from typing import Literal

import msgspec

from aerocast_hub.events.flights import (
    FlightAirborne,
    FlightLanded,
    FlightOffBlock,
    FlightOnBlock,
    FlightTimeWithdrawn,
)
from aerocast_hub.flights.matching import Heard, Match, Plan, match
from aerocast_hub.flights.movements import Movement, Report, movements

SAME_AIRPORT_KM = 15.0


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """When something happened to a flight.

    Attributes
    ----------
    at_us
        UTC microseconds.
    sigma_s
        Standard deviation, seconds.
    stand
        The stand, for leaving and reaching one.
    """

    at_us: int
    sigma_s: float
    stand: str | None = None


class ActualTimes(msgspec.Struct, frozen=True, kw_only=True):
    """What a flight really did; None is not heard of yet."""

    icao: str | None = None
    off_block: Moment | None = None
    airborne: Moment | None = None
    landed: Moment | None = None
    on_block: Moment | None = None


class AircraftHeard(msgspec.Struct, frozen=True, kw_only=True):
    """Every ground event heard of one aircraft."""

    icao: str
    registration: str | None = None
    reports: tuple[Report, ...] = ()


TimesEvent = FlightOffBlock | FlightAirborne | FlightLanded | FlightOnBlock | FlightTimeWithdrawn


def fold(aircraft: Iterable[AircraftHeard], plans: Iterable[Plan]) -> dict[str, ActualTimes]:
    """Give the actual times of every flight, by its id; flights nothing was heard of have none.

    A departure is held against the scheduled time off its stand, an arrival against the time on
    it. Claims on the same flight are settled by the stronger key, then the nearer schedule.
    """
    by_id = {plan.flight_id: plan for plan in plans}
    by_name = _by_name(by_id.values())
    claims: dict[str, list[tuple[Match, str, Movement]]] = {}
    for each in aircraft:
        heard = Heard(
            icao=each.icao,
            registration=each.registration,
            callsigns=frozenset(report.callsign for report in each.reports if report.callsign),
        )
        for movement in movements(each.reports):
            named = (plan for name in _names(heard) for plan in by_name.get(name, ()))
            candidates = [plan for plan in named if _credible(movement, plan)]
            found = match(heard, movement.side, movement.schedule_us, candidates)
            if found is not None:
                claims.setdefault(found.flight_id, []).append((found, each.icao, movement))
    return {
        flight_id: _settle(by_id.get(flight_id), claims.get(flight_id, [])) for flight_id in by_id
    }


def changes(flight_id: str, before: ActualTimes, after: ActualTimes) -> list[TimesEvent]:
    """Tell what is new between two folds of a flight, in the order it flew."""
    told: list[TimesEvent] = []
    for name, kind in _EVENTS:
        old: Moment | None = getattr(before, name)
        new: Moment | None = getattr(after, name)
        if new == old:
            continue
        if new is not None:
            told.append(
                kind(flight_id=flight_id, at_us=new.at_us, sigma_s=new.sigma_s, stand=new.stand)
            )
        elif old is not None:
            told.append(FlightTimeWithdrawn(flight_id=flight_id, what=name, at_us=old.at_us))
    return told


_EVENTS: tuple[
    tuple[
        Literal["off_block", "airborne", "landed", "on_block"],
        type[FlightOffBlock | FlightAirborne | FlightLanded | FlightOnBlock],
    ],
    ...,
] = (
    ("off_block", FlightOffBlock),
    ("airborne", FlightAirborne),
    ("landed", FlightLanded),
    ("on_block", FlightOnBlock),
)


def _by_name(plans: Iterable[Plan]) -> dict[str, list[Plan]]:
    """Index flights by what their aircraft may be known by."""
    found: dict[str, list[Plan]] = {}
    for plan in plans:
        for name in {plan.icao, plan.registration, plan.callsign} - {None}:
            found.setdefault(str(name), []).append(plan)
    return found


def _names(heard: Heard) -> set[str]:
    own = {heard.icao, *heard.callsigns}
    return own if heard.registration is None else {*own, heard.registration}


def _credible(movement: Movement, plan: Plan) -> bool:
    """Say whether a movement can belong to a flight at all.

    An aircraft first heard of while it stands on a stand, no landing before it, may be waiting for
    its departure: it has arrived only when that is nearer than having yet to leave.
    """
    if movement.side == "departure" or movement.landed_or_airborne is not None:
        return True
    if plan.off_block_due_us is None or plan.on_block_due_us is None:
        return True
    return movement.schedule_us * 2 > plan.off_block_due_us + plan.on_block_due_us


def _settle(plan: Plan | None, claims: list[tuple[Match, str, Movement]]) -> ActualTimes:
    ranked = sorted(claims, key=lambda claim: (claim[0], claim[1], claim[2].first_us))
    chosen: list[tuple[str, Movement]] = []
    for _, icao, movement in ranked:
        local = plan is not None and plan.same_airport
        if all(_fits(movement, other, local=local) and icao == by for by, other in chosen):
            chosen.append((icao, movement))
    times = ActualTimes(icao=chosen[0][0] if chosen else None)
    for _, movement in chosen:
        if movement.side == "departure":
            times = msgspec.structs.replace(
                times,
                off_block=_moment(movement.on_or_off),
                airborne=_moment(movement.landed_or_airborne),
            )
        else:
            times = msgspec.structs.replace(
                times,
                landed=_moment(movement.landed_or_airborne),
                on_block=_moment(movement.on_or_off),
            )
    return times


def _fits(movement: Movement, other: Movement, *, local: bool) -> bool:
    """Say whether two movements can be the two ends of one flight."""
    if movement.side == other.side:
        return False
    departure, arrival = (movement, other) if movement.side == "departure" else (other, movement)
    if departure.last_us >= arrival.first_us:
        return False
    here, there = departure.place, arrival.place
    return local or here is None or there is None or _km_apart(here, there) > SAME_AIRPORT_KM


def _km_apart(here: tuple[float, float], there: tuple[float, float]) -> float:
    latitude, longitude, to_latitude, to_longitude = map(radians, (*here, *there))
    half_chord = (
        sin((to_latitude - latitude) / 2) ** 2
        + cos(latitude) * cos(to_latitude) * sin((to_longitude - longitude) / 2) ** 2
    )
    return 2 * 6371.0 * asin(sqrt(min(1.0, half_chord)))


def _moment(report: Report | None) -> Moment | None:
    if report is None:
        return None
    return Moment(at_us=report.at_us, sigma_s=report.sigma_s, stand=report.stand or None)
