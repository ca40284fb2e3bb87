"""Changing aircraft: straight to the next gate, or, too late for it, to who can help. Pure."""

from aerocast_hub.orientation.guidance.advice import Case, Said
from aerocast_hub.orientation.guidance.departing import MOST_SPARE_MIN, in_time, is_risky, with_way
from aerocast_hub.orientation.guidance.views import FlightView
from aerocast_hub.orientation.wording import Phrase, Value

LIKELY = 0.5  # of a bag's risk: who reads of it wants to know what to do then


def say_connecting(case: Case) -> Said:
    """Send a passenger from their aircraft to the next one's gate."""
    onward = _onward(case)
    steps = [*in_time(case), *_bags_go_on(case, onward)]
    if any(bag.miss is not None and bag.miss >= LIKELY for bag in case.bags):
        steps.append(Phrase(key="step_bag_report"))
    flight: dict[str, Value] = {"flight": onward.designator}
    if onward.gate is None:
        steps.append(Phrase(key="step_watch_screens_gate"))
        return Said(Phrase(key="connect_no_gate", values=flight), tuple(steps))
    headline = Phrase(key="connect", values={"gate": onward.gate, **flight})
    return Said(with_way(headline, case.here.way), tuple(steps))


def say_on_the_way(case: Case) -> Said:
    """Prepare a passenger in the air for their change."""
    onward = _onward(case)
    values: dict[str, Value] = {"flight": onward.designator}
    steps: list[Phrase] = []
    due_us = onward.progress.off_block_due_us
    if due_us is not None and onward.gate is not None:
        at_gate: dict[str, Value] = {"at_us": due_us, "gate": onward.gate, **values}
        steps.append(Phrase(key="step_onward_gate", values=at_gate))
    elif due_us is not None:
        steps.append(Phrase(key="step_onward", values={"at_us": due_us, **values}))
    steps += [*_in_time(case), *_bags_go_on(case, onward)]
    key = "in_flight" if case.flight.is_heard else "due"
    return Said(Phrase(key=f"{key}_connecting", values=values), tuple(steps))


def say_missed(case: Case) -> Said:
    """Send a passenger who cannot reach their next flight to who can book another."""
    onward = _onward(case)
    values: dict[str, Value] = {"flight": onward.designator}
    headline = Phrase(key="missed_likely", values=values)
    if case.where.stage == "too_late" and onward.left_us is not None:
        headline = Phrase(key="missed_left", values={"at_us": onward.left_us, **values})
    steps = [Phrase(key="step_ask_airline")]
    if case.bags:
        steps.insert(0, Phrase(key="step_bags_after_rebooking"))
    return Said(headline, tuple(steps))


def _in_time(case: Case) -> list[Phrase]:
    """Say how much time there will be, to somebody who cannot hurry yet."""
    said: list[Phrase] = []
    if case.boarding_closes_us is not None:
        said.append(Phrase(key="step_boarding_closes", values={"at_us": case.boarding_closes_us}))
    slack_min = case.slack_min
    if is_risky(case) or (slack_min is not None and slack_min <= 0):
        said.append(Phrase(key="step_tell_crew"))
    elif slack_min is not None and slack_min <= MOST_SPARE_MIN:
        said.append(Phrase(key="step_spare", values={"minutes": slack_min}))
    return said


def _bags_go_on(case: Case, onward: FlightView) -> list[Phrase]:
    """Say whether the bags need not be collected: those booked through."""
    through = [onward.key in {each.key for each in bag.flights} for bag in case.trip.bags]
    if not any(through):
        return []
    key = "step_through" if all(through) else "step_ask_through"
    return [Phrase(key=key, values={"flight": onward.designator})]


def _onward(case: Case) -> FlightView:
    if case.where.onward is None:
        raise ValueError(f"a case of phase {case.phase!r} has no next flight")
    return case.where.onward
