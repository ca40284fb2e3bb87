"""When something is wrong: bags that do not come, flights nobody has news of. Pure."""

from aerocast_hub.orientation.guidance.advice import Case, Said
from aerocast_hub.orientation.guidance.arriving import to_belt
from aerocast_hub.orientation.wording import Phrase, Value


def say_unknown(_case: Case) -> Said:
    """Tell a passenger whose flight nobody knows where to ask."""
    return Said(Phrase(key="no_flight"), (Phrase(key="step_ask_desk"),))


def say_desk(case: Case) -> Said:
    """Send a passenger whose bags should be there and were not seen there to the desk."""
    missing = len(case.in_trouble("missing"))
    key = "go_to_desk" if missing == len(case.bags) else "go_to_desk_some"
    headline = Phrase(key=key, values={"bags": missing})
    desk = Phrase(key="step_bring_tag"), Phrase(key="step_ask_desk")
    return Said(headline, (to_belt(case), *desk))


def say_delayed(case: Case) -> Said:
    """Send a passenger whose bags are known to come later to the desk, not to wait at the belt."""
    late = case.in_trouble("left_behind", "follows")
    steps = [Phrase(key="step_bring_tag"), Phrase(key="step_say_where")]
    flights = {bag.flights[-1].designator for bag in case.trip.bags if bag.is_rush and bag.flights}
    if len(late) == len(case.bags) and len(flights) == 1:
        values: dict[str, Value] = {"bags": len(late), "flight": flights.pop()}
        return Said(Phrase(key="follows", values=values), (*steps, Phrase(key="step_ask_desk")))
    if len(late) == len(case.bags):
        return Said(Phrase(key="delayed_all", values={"bags": len(late)}), tuple(steps))
    belt = case.flight.reclaim
    others = Phrase(key="step_others")
    if belt is not None:
        others = Phrase(key="step_others_belt", values={"belt": belt})
    headline = Phrase(key="delayed_some", values={"bags": len(late)})
    return Said(headline, (others, *steps))


def say_no_news(case: Case) -> Said:
    """Say that nobody knows of a flight's arrival, and who may."""
    flight = case.flight
    landed_us, due_us = flight.progress.landed_us, flight.progress.on_block_due_us
    values: dict[str, Value] = {"flight": flight.designator}
    watched = "belt" if case.where.onward is None else "gate"
    steps = (Phrase(key="step_ask_airline"), Phrase(key=f"step_watch_screens_{watched}"))
    if landed_us is not None:
        return Said(Phrase(key="no_news_landed", values={"at_us": landed_us, **values}), steps)
    if due_us is None:
        return Said(Phrase(key="in_flight_no_time"), steps)
    return Said(Phrase(key="no_news", values={"at_us": due_us, **values}), steps)
