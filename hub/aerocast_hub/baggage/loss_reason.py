"""Why a bag was left behind: a code of IATA RP1743e proposed, with the evidence for it. Pure.

A proposal, never a verdict: the station that closes the file confirms or changes it. Where the
evidence fits no rule no code is proposed.
"""

import msgspec

from aerocast_hub.baggage.evidence import Leg
from aerocast_hub.baggage.journey import MINUTE_US, Journey
from aerocast_hub.baggage.reconciliation import is_aboard

LATE_US = 30 * MINUTE_US  # a bag accepted closer to departure than this came too late
CONNECTION_US = 45 * MINUTE_US

CODES = {
    15: "Wrong bag labelled, tag switch",
    16: "Bag received too late from check-in",
    18: "Bag not authorised to load",
    21: "Left at station of origin, correctly labelled",
    26: "Off-loaded",
    31: "Sorting or loading error: wrong aircraft",
    42: "Delayed delivery to claim area",
    51: "Passenger rerouted, bag not rerouted",
    53: "Interline, minimum connection time not available",
    52: "Interline, minimum connection time available",
    55: "Online, minimum connection time available",
    56: "Online, minimum connection time not available",
    59: "Transfer bag not authorised to load",
    62: "Other reasons: weather",
    63: "Airport security",
}


class LossReason(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed reason for loss.

    Attributes
    ----------
    code
        Of RP1743e.
    evidence
        What speaks for it, in words.
    """

    code: int
    meaning: str
    evidence: tuple[str, ...]


class FlightTimes(msgspec.Struct, frozen=True, kw_only=True):
    """When flights moved, UTC microseconds; None unknown.

    Attributes
    ----------
    inbound_on_block_us
        Of the flight that brought it, for a transfer bag.
    off_block_us
        Of the flight it missed.
    ramp_closed_us
        How long the ramp was closed in the two hours before.
    """

    inbound_on_block_us: int | None = None
    off_block_us: int | None = None
    ramp_closed_us: int = 0


def propose(
    journey: Journey, leg: Leg, origin_codes: frozenset[str], times: FlightTimes
) -> LossReason | None:
    """Propose why a bag booked on a flight was not aboard; None when it was, or nothing fits."""
    if is_aboard(journey, leg, origin_codes) or times.off_block_us is None:
        return None
    position = next(
        (i for i, each in enumerate(journey.legs) if (each.key, each.date) == (leg.key, leg.date)),
        None,
    )
    stowed = journey.stowed_for
    if stowed is not None:
        return _reason(31, f"stowed for {stowed.flight} of {stowed.date}, not for {leg.flight}")
    if position is None:
        return _reason(51, f"not booked on {leg.flight} of {leg.date} any more")
    return (
        _by_authority(journey, is_transfer=position > 0)
        or _by_weather(times)
        or (_of_transfer(journey, leg, position, times) if position else None)
        or _of_origin(journey, times.off_block_us)
    )


def _by_authority(journey: Journey, *, is_transfer: bool) -> LossReason | None:
    if journey.screening in ("rejected", "unclear"):
        return _reason(63, f"screening: {journey.screening}")
    if journey.authority_to_load is False:
        return _reason(59 if is_transfer else 18, "its airline gave no authority to load")
    if journey.state == "offloaded" or journey.irregularity == "offloaded":
        return _reason(26, "taken off before departure")
    return None


def _by_weather(times: FlightTimes) -> LossReason | None:
    if times.ramp_closed_us < 10 * MINUTE_US:
        return None
    minutes = times.ramp_closed_us // MINUTE_US
    return _reason(62, f"the ramp was closed for {minutes} min in the two hours before")


def _of_transfer(
    journey: Journey, leg: Leg, position: int, times: FlightTimes
) -> LossReason | None:
    if times.inbound_on_block_us is None or times.off_block_us is None:
        return None
    between_us = times.off_block_us - times.inbound_on_block_us
    is_online = _airline(journey.legs[position - 1]) == _airline(leg)
    is_short = between_us < CONNECTION_US
    code = {(True, True): 56, (True, False): 55, (False, True): 53, (False, False): 52}[
        is_online, is_short
    ]
    minutes, needed = between_us // MINUTE_US, CONNECTION_US // MINUTE_US
    return _reason(code, f"{minutes} min between the two stands, {needed} needed")


def _of_origin(journey: Journey, off_block_us: int) -> LossReason | None:
    accepted_us = journey.custody.get("acceptance")
    if accepted_us is not None and off_block_us - accepted_us < LATE_US:
        minutes = (off_block_us - accepted_us) // MINUTE_US
        return _reason(16, f"accepted {minutes} min before the flight left its stand")
    if journey.last_seen_us is None:
        return None
    where = journey.last_point or "an unnamed point"
    belt = f", {journey.last_belt}" if journey.last_belt else ""
    return _reason(21, f"last seen at {where}{belt}, never at the hold")


def _airline(leg: Leg) -> str:
    return leg.key[:3] if leg.key[:3].isalpha() else leg.key[:2]


def _reason(code: int, *evidence: str) -> LossReason:
    return LossReason(code=code, meaning=CODES[code], evidence=evidence)
