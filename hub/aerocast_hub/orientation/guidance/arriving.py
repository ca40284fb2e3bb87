"""Arriving: which belt, when the bags come, and how to get there. Pure."""

from aerocast_hub.orientation.arrival_times import MINUTE_US
from aerocast_hub.orientation.guidance.advice import Case, Said
from aerocast_hub.orientation.guidance.connecting import say_on_the_way
from aerocast_hub.orientation.guidance.departing import MOST_SPARE_MIN, with_way
from aerocast_hub.orientation.wording import Phrase, Value

WORTH_SPARING_MIN = 5  # less is no time to do anything else


def say_in_flight(case: Case) -> Said:
    """Tell a passenger in the air where and when their bags are expected."""
    if case.where.onward is not None:
        return say_on_the_way(case)
    key = "in_flight" if case.flight.is_heard else "due"
    later = len(case.in_trouble("left_behind", "follows"))
    if later and later == len(case.bags):
        desk = Phrase(key="delayed_before_all", values={"bags": later})
        return Said(Phrase(key=f"{key}_no_time"), (desk,))
    before = (Phrase(key="delayed_before", values={"bags": later}),) if later else ()
    steps = (*before, to_belt(case))
    if case.times is None:
        return Said(Phrase(key=f"{key}_no_time"), steps)
    at: dict[str, Value] = {"at_us": case.times.first.p50_us}
    belt = case.flight.reclaim
    if belt is None:
        return Said(Phrase(key=f"{key}_no_belt", values=at), steps)
    return Said(Phrase(key=key, values={"belt": belt, **at}), steps)


def say_arriving(case: Case) -> Said:
    """Tell a passenger who has landed where and when the first bags come."""
    if case.times is None:
        return Said(Phrase(key="arriving_no_time"), (to_belt(case),))
    steps = [to_belt(case), *_window(case)]
    slack_min = case.slack_min
    if slack_min is not None and WORTH_SPARING_MIN <= slack_min <= MOST_SPARE_MIN:
        steps.insert(1, Phrase(key="step_spare", values={"minutes": slack_min}))
    return Said(_first_bags(case, "first_bags"), tuple(steps))


def say_ramp_closed(case: Case) -> Said:
    """Tell a passenger who has landed that the bags wait for the ramp."""
    steps = (Phrase(key="step_no_hurry"), to_belt(case), *_window(case))
    return Said(_first_bags(case, "bags_wait"), steps)


def say_at_belt(case: Case) -> Said:
    """Send a passenger to the belt their bags come to now, or lie on by now."""
    steps = [to_belt(case)]
    key = "bags_there" if case.is_over else "bags_coming"
    if case.times is not None and case.times.last is not None and not case.is_over:
        steps.append(Phrase(key="step_last_by", values={"at_us": case.times.last.p90_us}))
    belt = case.flight.reclaim
    if belt is None:
        return Said(Phrase(key=f"{key}_no_belt"), tuple(steps))
    return Said(Phrase(key=key, values={"belt": belt}), tuple(steps))


def say_done(case: Case) -> Said:
    """Let a passenger check that the bags are theirs."""
    headline = Phrase(key="bags_delivered", values={"bags": len(case.bags)})
    return Said(headline, (Phrase(key="step_check_tag"),))


def to_belt(case: Case) -> Phrase:
    """Send a passenger to their belt, or to the screens that name it."""
    belt = case.flight.reclaim
    if belt is None:
        return Phrase(key="step_watch_screens_belt")
    return with_way(Phrase(key="step_go_to_belt", values={"belt": belt}), case.here.way)


def _first_bags(case: Case, key: str) -> Phrase:
    values: dict[str, Value] = {}
    if case.times is not None:
        away_us = case.times.first.p50_us - case.now_us
        values["minutes"] = max(1, round(away_us / MINUTE_US))
    belt = case.flight.reclaim
    if belt is None:
        return Phrase(key=f"{key}_no_belt", values=values)
    return Phrase(key=key, values={"belt": belt, **values})


def _window(case: Case) -> list[Phrase]:
    if case.times is None:
        return []
    first, last = case.times.first, case.times.last
    window: dict[str, Value] = {"from_us": first.p10_us, "to_us": first.p90_us}
    said = [Phrase(key="step_first_window", values=window)]
    if last is not None:
        said.append(Phrase(key="step_last_by", values={"at_us": last.p90_us}))
    return said
