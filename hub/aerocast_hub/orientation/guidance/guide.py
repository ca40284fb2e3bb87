"""Which situation a passenger is in, and the advice for it. Pure."""

from collections.abc import Callable, Mapping

from aerocast_hub.orientation.arrival_times import MINUTE_US, BeltTimes, belt_times
from aerocast_hub.orientation.guidance.advice import Advice, Case, Phase, Said, Trouble
from aerocast_hub.orientation.guidance.arriving import (
    say_arriving,
    say_at_belt,
    say_done,
    say_in_flight,
    say_ramp_closed,
)
from aerocast_hub.orientation.guidance.bags import WILL_MISS, bag_lines, trouble_of
from aerocast_hub.orientation.guidance.connecting import say_connecting, say_missed
from aerocast_hub.orientation.guidance.departing import say_departure
from aerocast_hub.orientation.guidance.missing import (
    say_delayed,
    say_desk,
    say_no_news,
    say_unknown,
)
from aerocast_hub.orientation.guidance.reasons import TIMED, reasons, unknown, weather
from aerocast_hub.orientation.guidance.trip import Trip, Whereabouts, whereabouts
from aerocast_hub.orientation.guidance.views import (
    ON_BELT,
    REACHED,
    FlightView,
    Surrounding,
    has_no_news,
)

MISSING_AFTER_US = 15 * MINUTE_US  # after nine in ten flights had every bag on the belt

_SAY: Mapping[Phase, Callable[[Case], Said]] = {
    "unknown": say_unknown,
    "departure": say_departure,
    "in_flight": say_in_flight,
    "arriving": say_arriving,
    "ramp_closed": say_ramp_closed,
    "at_belt": say_at_belt,
    "desk": say_desk,
    "done": say_done,
    "connecting": say_connecting,
    "missed_connection": say_missed,
    "delayed_bag": say_delayed,
    "no_news": say_no_news,
}
# Where the way leads to what the passenger is to do.
_GOES: frozenset[Phase] = frozenset(
    {"departure", "in_flight", "arriving", "ramp_closed", "at_belt", "connecting"}
)

# Where the flight's first bag has yet to come.
_FIRST_TO_COME: frozenset[Phase] = frozenset({"in_flight", "arriving", "ramp_closed"})


def guide(trip: Trip, here: Surrounding, now_us: int) -> Advice:
    """Say what a passenger should do now, when the bags come, and why.

    Parameters
    ----------
    trip
        The passenger's bags and flights.
    here
        The airport `whereabouts` names: of departure until they leave, then of arrival.
    now_us
        UTC microseconds.
    """
    where = whereabouts(trip, now_us)
    times = _belt_times(where, here, now_us)
    troubles: dict[str, Trouble] = {
        bag.licence_plate: trouble
        for bag in trip.bags
        if (trouble := trouble_of(bag, trip, where)) is not None
    }
    phase = _phase(trip, where, here, times, troubles, now_us)
    if phase == "desk":
        for bag in trip.bags:
            if bag.state not in ON_BELT:
                troubles.setdefault(bag.licence_plate, "missing")
    case = Case(
        phase=phase,
        trip=trip,
        where=where,
        here=here,
        times=times if phase in TIMED else None,
        now_us=now_us,
        boarding_closes_us=_boarding_closes_us(where, here),
        is_over=_is_over(where, here, times, now_us),
    )
    case = case._replace(bags=bag_lines(case, troubles), slack_min=_slack_min(case))
    return _advice(case)


def _advice(case: Case) -> Advice:
    headline, steps = _SAY[case.phase](case)
    flight, onward, here, told = case.where.flight, case.where.onward, case.here, case.times
    comes = case.phase != "in_flight" or any(bag.trouble is None for bag in case.bags)
    boards = onward or (flight if case.where.stage == "before" else None)
    risk = None if here.risk is None else here.risk.passenger
    return Advice(
        phase=case.phase,
        flight=flight.designator if flight else None,
        headline=headline,
        steps=steps,
        reasons=reasons(case),
        unknown=unknown(case),
        weather=weather(here.weather),
        way=here.way.steps if here.way and comes and case.phase in _GOES else (),
        bags=case.bags,
        belt=flight.reclaim if flight and onward is None and comes else None,
        gate=boards.gate if boards else None,
        onward=onward.designator if onward else None,
        boarding_closes_us=case.boarding_closes_us,
        slack_min=case.slack_min,
        miss=risk.probability if risk and onward and case.phase != "no_news" else None,
        first_bag=told.first if told and comes and case.phase in _FIRST_TO_COME else None,
        last_bag=told.last
        if told and comes and case.phase != "desk" and not case.is_over
        else None,
        at_us=case.now_us,
    )


def _phase(
    trip: Trip,
    where: Whereabouts,
    here: Surrounding,
    times: BeltTimes | None,
    troubles: Mapping[str, Trouble],
    now_us: int,
) -> Phase:
    if trip.bags and all(bag.state in REACHED for bag in trip.bags):
        return "done"
    if where.flight is None:
        return "unknown"
    if where.stage == "there" or (troubles and all(bag.is_rush for bag in trip.bags)):
        return "delayed_bag" if troubles else _at_end(trip, where.flight, here, times, now_us)
    return _under_way(where, where.flight, here, now_us)


def _under_way(where: Whereabouts, flight: FlightView, here: Surrounding, now_us: int) -> Phase:
    if where.stage == "before":
        return "departure"
    if where.stage == "flying":
        return "no_news" if has_no_news(flight, now_us) else "in_flight"
    risk = None if here.risk is None else here.risk.passenger
    is_lost = risk is not None and risk.probability >= WILL_MISS
    return "missed_connection" if is_lost or where.stage == "too_late" else "connecting"


def _at_end(
    trip: Trip, flight: FlightView, here: Surrounding, times: BeltTimes | None, now_us: int
) -> Phase:
    on_belt = any(bag.state in ON_BELT for bag in trip.bags)
    if has_no_news(flight, now_us) and not on_belt:
        return "no_news"
    is_missing = any(bag.state not in ON_BELT for bag in trip.bags)
    overdue_us = _bags_overdue_us(flight, here, times)
    if is_missing and overdue_us is not None and now_us > overdue_us:
        return "desk"
    first_is_due = times is not None and times.basis == "on_block" and times.first.p50_us <= now_us
    if on_belt or first_is_due:
        return "at_belt"
    return "ramp_closed" if times is not None and times.paused else "arriving"


def _belt_times(where: Whereabouts, here: Surrounding, now_us: int) -> BeltTimes | None:
    """Estimate when bags reach the belt of the airport where they are collected."""
    flight = where.flight
    if flight is None or where.onward is not None or where.stage not in ("flying", "there"):
        return None
    if where.stage == "there" and not flight.has_arrived:  # what was expected lies behind it
        return None
    closures = here.weather.closures
    return belt_times(flight.progress, flight.bags, closures, now_us, here.model)


def _bags_overdue_us(flight: FlightView, here: Surrounding, times: BeltTimes | None) -> int | None:
    """Give when a bag not on the belt is missing; only an aircraft on its stand starts the clock.

    The estimate never lies in the past, so it is asked as of the aircraft's arrival.
    """
    on_block_us = flight.progress.on_block_us
    if times is None or times.paused or on_block_us is None:
        return None
    closures = here.weather.closures
    then = belt_times(flight.progress, flight.bags, closures, on_block_us, here.model)
    return None if then is None else (then.last or then.first).p90_us + MISSING_AFTER_US


def _is_over(where: Whereabouts, here: Surrounding, times: BeltTimes | None, now_us: int) -> bool:
    """Say whether every bag of the flight should be on the belt by now."""
    if where.flight is None or where.stage != "there":
        return False
    overdue_us = _bags_overdue_us(where.flight, here, times)
    return overdue_us is not None and now_us > overdue_us - MISSING_AFTER_US


def _boarding_closes_us(where: Whereabouts, here: Surrounding) -> int | None:
    """Give when boarding closes of the flight to take; None when nobody knows, or there is none."""
    if here.risk is not None and here.risk.passenger is not None:
        return here.risk.passenger.closes_us
    flight = where.flight if where.stage == "before" else where.onward
    if flight is None or flight.progress.off_block_due_us is None:
        return None
    return flight.progress.off_block_due_us - round(here.changing.boarding_closes_min * MINUTE_US)


def _slack_min(case: Case) -> int | None:
    """Give the minutes to spare; None when nobody can tell."""
    risk, way = case.here.risk, case.here.way
    if case.phase == "no_news":
        return None
    if risk is not None and risk.passenger is not None:
        slack_min = risk.passenger.slack_min
        if slack_min is None or way is None or way.minutes is None:
            return None
        # Who still reads this may not have set out: no more is left them than the clock says.
        left_min = (risk.passenger.closes_us - case.now_us) // MINUTE_US - way.minutes
        return min(slack_min, max(0, left_min))
    until_us = case.boarding_closes_us if case.phase in ("departure", "connecting") else None
    if case.times is not None and case.phase == "arriving":
        until_us = case.times.first.p50_us
    if until_us is None or way is None or way.minutes is None:
        return None
    return round((until_us - case.now_us) / MINUTE_US) - way.minutes
