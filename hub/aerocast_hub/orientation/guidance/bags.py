"""Each bag's own line: where it is, when and where it comes, or what went wrong with it. Pure."""

from collections.abc import Mapping

from msgspec.structs import replace

from aerocast_hub.orientation.arrival_times import MINUTE_US, BeltTimes, Quantiles, belt_times
from aerocast_hub.orientation.connection import Cause, Miss
from aerocast_hub.orientation.guidance.advice import BagAdvice, Case, Phase, Trouble, masked
from aerocast_hub.orientation.guidance.trip import Trip, Whereabouts
from aerocast_hub.orientation.guidance.views import ON_BELT, BagView, FlightView
from aerocast_hub.orientation.wording import Phrase, Value

MAY_MISS = 0.1  # from there on a risk is told
WILL_MISS = 0.9  # from there on it is told as what will happen

# A bag seen there so long after its flight left is not on it; clocks and parting aircraft are not
# exact to the minute.
_SEEN_AFTER_US = 5 * MINUTE_US
_NOT_ABOARD = frozenset({"accepted", "screened", "sorted", "made_up", "seen", "offloaded"})
_ABOARD = frozenset({"loaded", "departed", "on_block"})
_CONNECTING: frozenset[Phase] = frozenset({"connecting", "missed_connection", "in_flight"})
_COMING: frozenset[Phase] = frozenset({"in_flight", "arriving", "ramp_closed", "at_belt"})


def trouble_of(bag: BagView, trip: Trip, where: Whereabouts) -> Trouble | None:
    """Say what went wrong with a bag; only what is known, never what is merely not seen."""
    if bag.state in ON_BELT:
        return None
    own = {flight.key for flight in trip.flights}
    if bag.is_rush or (bag.flights and bag.flights[-1].key not in own):
        return "follows"
    if where.stage not in ("flying", "there") or where.flight is None:
        return None
    return "left_behind" if _is_left_behind(bag, where.flight) else None


def bag_lines(case: Case, troubles: Mapping[str, Trouble]) -> tuple[BagAdvice, ...]:
    """Say of each bag what is known, by plate.

    Parameters
    ----------
    troubles
        What went wrong with which plate.
    """
    where, risk = case.where, case.here.risk
    risks = {} if risk is None else {each.licence_plate: each.miss for each in risk.bags}
    lines: list[BagAdvice] = []
    for bag in case.trip.bags:
        trouble = troubles.get(bag.licence_plate)
        if trouble is not None:
            line = _in_trouble(bag, trouble, case)
        elif where.onward is not None and case.phase in _CONNECTING:
            line = _connecting(bag, where.onward, risks.get(bag.licence_plate))
        elif case.phase in _COMING and bag.state in _ABOARD:
            line = _coming(bag, case)
        else:
            line = replace(_line(bag, _state_phrase(bag)), belt=_belt_now(bag, where))
        lines.append(line)
    return tuple(lines)


def cause_phrase(cause: Cause | None) -> tuple[Phrase, ...]:
    """Name what is most to blame for a risk; nothing where nothing is."""
    if cause is None:
        return ()
    return (Phrase(key=f"cause_{cause.key}", values={"minutes": max(0, cause.minutes)}),)


def _is_left_behind(bag: BagView, flight: FlightView) -> bool:
    """Say whether a bag was seen not to be on a flight that has left.

    Seen again once the aircraft is there it may have come with it, unseen on the way.
    """
    if bag.aboard == flight.key or bag.state not in _NOT_ABOARD or bag.last_seen_us is None:
        return False
    known = flight.progress
    there_us = known.landed_us if known.landed_us is not None else known.on_block_us
    if there_us is not None and bag.last_seen_us >= there_us:
        return False
    if bag.state == "offloaded":
        return True
    return flight.left_us is not None and bag.last_seen_us > flight.left_us + _SEEN_AFTER_US


def _in_trouble(bag: BagView, trouble: Trouble, case: Case) -> BagAdvice:
    if trouble == "follows" and bag.flights:
        return _following(bag, bag.flights[-1], case)
    if trouble == "missing":
        key = "bag_missing_unseen" if bag.last_seen_us is None else "bag_missing"
    else:
        key = "bag_left_behind" if bag.last_seen_us is not None else "bag_expected"
    return replace(_line(bag, Phrase(key=key, values=_values(bag))), trouble=trouble)


def _following(bag: BagView, flight: FlightView, case: Case) -> BagAdvice:
    """Tell of a bag on a flight of its own; the ramp it needs is here only if it comes here."""
    here = case.here
    closures = here.weather.closures if flight.destination == case.where.airport else ()
    times = belt_times(flight.progress, flight.bags, closures, case.now_us, here.model)
    expected = None if times is None else _window(times)
    values: dict[str, Value] = {**_values(bag), "flight": flight.designator}
    key = "bag_follows"
    if expected is not None:
        key = "bag_follows_at"
        values |= {"from_us": expected.p10_us, "to_us": expected.p90_us}
        if flight.reclaim is not None:
            key, values["belt"] = "bag_follows_belt", flight.reclaim
    line = _line(bag, Phrase(key=key, values=values))
    return replace(line, trouble="follows", belt=flight.reclaim, expected=expected)


def _coming(bag: BagView, case: Case) -> BagAdvice:
    belt = case.flight.reclaim
    expected = None if case.times is None else _window(case.times)
    if expected is None or expected.p90_us <= case.now_us:
        return replace(_line(bag, _state_phrase(bag)), belt=belt)
    values = _values(bag) | {"from_us": expected.p10_us, "to_us": expected.p90_us}
    key = "bag_coming"
    if belt is not None:
        key, values["belt"] = "bag_coming_belt", belt
    return replace(_line(bag, Phrase(key=key, values=values)), belt=belt, expected=expected)


def _connecting(bag: BagView, onward: FlightView, risk: Miss | None) -> BagAdvice:
    values: dict[str, Value] = {**_values(bag), "flight": onward.designator}
    if bag.aboard == onward.key:
        return _line(bag, Phrase(key="bag_connected", values=values))
    if risk is None or onward.key not in {flight.key for flight in bag.flights}:
        return _line(bag, _state_phrase(bag))
    if risk.probability >= WILL_MISS:
        phrase = Phrase(key="bag_will_miss", values=values)
    elif risk.probability >= MAY_MISS:
        percent = round(100 * risk.probability)
        phrase = Phrase(key="bag_may_miss", values={**values, "percent": percent})
    else:
        phrase = Phrase(key="bag_connects", values=values)
    cause = next(iter(cause_phrase(risk.cause)), None) if risk.probability >= MAY_MISS else None
    return replace(_line(bag, phrase), miss=risk.probability, cause=cause)


def _window(times: BeltTimes) -> Quantiles:
    """Give when a bag of a flight comes, that may be its first or its last."""
    first, last = times.first, times.last or times.first
    middle_us = (first.p50_us + last.p50_us) // 2
    return Quantiles(p10_us=first.p10_us, p50_us=middle_us, p90_us=max(first.p90_us, last.p90_us))


def _belt_now(bag: BagView, where: Whereabouts) -> str | None:
    if bag.state not in ON_BELT:
        return None
    scheduled = None if where.flight is None else where.flight.reclaim
    return bag.last_belt or scheduled


def _state_phrase(bag: BagView) -> Phrase:
    key = "bag_expected" if bag.last_seen_us is None else f"bag_{bag.state}"
    return Phrase(key=key, values=_values(bag))


def _values(bag: BagView) -> dict[str, Value]:
    values: dict[str, Value] = {"ending": bag.licence_plate[-4:]}
    if bag.last_seen_us is not None:
        values["at_us"] = bag.last_seen_us
    return values


def _line(bag: BagView, phrase: Phrase) -> BagAdvice:
    return BagAdvice(
        plate=masked(bag.licence_plate),
        state=bag.state,
        last_seen_us=bag.last_seen_us,
        phrase=phrase,
    )
