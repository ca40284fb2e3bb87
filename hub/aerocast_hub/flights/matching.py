"""Which flight an aircraft is flying.

Pure: no database, no clock. An aircraft is a flight by its 24-bit address, else its registration,
else its callsign; among several the one scheduled nearest, at most three hours away.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

Side = Literal["departure", "arrival"]

WINDOW_US = 3 * 3600 * 1_000_000
BY_ICAO, BY_REGISTRATION, BY_CALLSIGN = 0, 1, 2  # the smaller, the stronger


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the schedule says of a flight.

    Attributes
    ----------
    icao
        24-bit address of the planned aircraft, six lower-case hex digits.
    off_block_due_us, on_block_due_us
        Scheduled times, UTC microseconds.
    same_airport
        True for a local flight, which lands where it took off.
    """

    flight_id: str
    icao: str | None = None
    registration: str | None = None
    callsign: str | None = None
    off_block_due_us: int | None = None
    on_block_due_us: int | None = None
    same_airport: bool = False

    def due_us(self, side: Side) -> int | None:
        """Give the scheduled time of a side: leaving its stand, or reaching it."""
        return self.off_block_due_us if side == "departure" else self.on_block_due_us


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Who an aircraft says it is.

    Attributes
    ----------
    registration
        As the schedule knows it for this address; aircraft do not transmit it.
    callsigns
        Every callsign it used around the time in question.
    """

    icao: str
    registration: str | None = None
    callsigns: frozenset[str] = frozenset()


class Match(msgspec.Struct, frozen=True, order=True):
    """A flight found for an aircraft; the smaller of two is the better.

    Attributes
    ----------
    key
        How it was found: ``BY_ICAO``, ``BY_REGISTRATION`` or ``BY_CALLSIGN``.
    deviation_us
        How far from the schedule.
    """

    key: int
    deviation_us: int
    flight_id: str


def match(aircraft: Heard, side: Side, at_us: int, plans: Iterable[Plan]) -> Match | None:
    """Find the flight an aircraft is flying.

    Parameters
    ----------
    aircraft
        The aircraft.
    side
        Whether ``at_us`` is when it left its stand or took off, or when it landed or parked.
    at_us
        UTC microseconds.
    plans
        The flights it may be, in any order.
    """
    found = (_match_one(aircraft, side, at_us, plan) for plan in plans)
    return min((each for each in found if each is not None), default=None)


def plain_registration(registration: str) -> str:
    """Write a registration without hyphen and blanks, upper case: ``F-GKXS`` is ``FGKXS``."""
    return "".join(each for each in registration.upper() if each.isalnum())


def plain_callsign(callsign: str) -> str:
    """Write a callsign as transponders do: upper case letters and digits, no blanks."""
    return "".join(each for each in callsign.upper() if each.isalnum())


def _match_one(aircraft: Heard, side: Side, at_us: int, plan: Plan) -> Match | None:
    due_us = plan.due_us(side)
    if due_us is None or abs(at_us - due_us) > WINDOW_US:
        return None
    key = _key(aircraft, plan)
    return None if key is None else Match(key, abs(at_us - due_us), plan.flight_id)


def _key(aircraft: Heard, plan: Plan) -> int | None:
    if plan.icao is not None and plan.icao == aircraft.icao:
        return BY_ICAO
    if plan.registration is not None and plan.registration == aircraft.registration:
        return BY_REGISTRATION
    if plan.callsign is not None and plan.callsign in aircraft.callsigns:
        return BY_CALLSIGN
    return None
