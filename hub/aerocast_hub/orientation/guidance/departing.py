"""Before the first flight: to the gate, in time. Pure."""

from aerocast_hub.orientation.guidance.advice import Case, Said
from aerocast_hub.orientation.guidance.views import WayView
from aerocast_hub.orientation.wording import Phrase, Value

MOST_SPARE_MIN = 120  # more need not be counted
HURRY_AT = 0.3  # of a risk to miss a flight


def say_departure(case: Case) -> Said:
    """Send a passenger to their gate."""
    flight = case.flight
    steps: list[Phrase] = []
    due_us = flight.progress.off_block_due_us
    if due_us is not None:
        key = "step_leaves_at" if case.now_us < due_us else "step_left_due"
        steps.append(Phrase(key=key, values={"at_us": due_us}))
    steps += in_time(case)
    if flight.gate is None:
        steps.append(Phrase(key="step_watch_screens_gate"))
        return Said(Phrase(key="go_to_departures"), tuple(steps))
    headline = Phrase(key="go_to_gate", values={"gate": flight.gate})
    return Said(with_way(headline, case.here.way), tuple(steps))


def in_time(case: Case) -> list[Phrase]:
    """Say until when a passenger has to be at the gate, and how much time that leaves them."""
    said: list[Phrase] = []
    if case.boarding_closes_us is not None:
        at: dict[str, Value] = {"at_us": case.boarding_closes_us}
        if case.now_us >= case.boarding_closes_us:
            return [Phrase(key="step_boarding_closed", values=at)]
        said.append(Phrase(key="step_boarding_closes", values=at))
    slack_min = case.slack_min
    if slack_min is not None and slack_min <= 0:
        said.append(Phrase(key="step_hurry", values={"minutes": -slack_min}))
        said.append(Phrase(key="step_tell_staff"))
        return said
    if slack_min is not None and slack_min <= MOST_SPARE_MIN:
        said.append(Phrase(key="step_spare", values={"minutes": slack_min}))
    if is_risky(case):
        said.append(Phrase(key="step_tell_staff"))
    return said


def is_risky(case: Case) -> bool:
    """Say whether staff should know that a passenger may miss their next flight."""
    risk = None if case.here.risk is None else case.here.risk.passenger
    return risk is not None and risk.probability >= HURRY_AT


def with_way(said: Phrase, way: WayView | None) -> Phrase:
    """Let what sends people somewhere name its level, the minutes and the lift."""
    if way is None:
        return said
    values: dict[str, Value] = {**said.values, "level": way.level}
    if way.minutes is None or (said.key == "go_to_gate" and way.origin is None):
        return Phrase(key=f"{said.key}_level", values=values)
    values["minutes"] = way.minutes
    if way.origin is not None:
        values["origin"] = way.origin
    if way.lift is None:
        return Phrase(key=f"{said.key}_walk", values=values)
    return Phrase(key=f"{said.key}_lift", values={**values, "lift": way.lift})
