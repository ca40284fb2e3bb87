"""A change of aircraft: what is known of it, and what may come of it. Pure."""

from typing import Literal

import msgspec

from aerocast_hub.ground_times import Changing, Handling
from aerocast_hub.orientation.arrival_times import Closure, Progress, Quantiles
from aerocast_hub.orientation.spread import Spread

CauseKey = Literal[
    "late_inbound", "short_connection", "ramp_closed", "slow_unloading", "not_seen",
    "long_way", "queues", "little_time",
]  # fmt: skip
Unknown = Literal["arrival", "departure", "never_came", "ramp", "way"]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What is most to blame for a risk.

    Attributes
    ----------
    minutes
        Of ``late_inbound`` how late, of ``short_connection`` how much shorter than the minimum,
        of ``ramp_closed`` and ``slow_unloading`` how much longer, of ``not_seen`` since
        when the bag was not seen or its aircraft has been there, of ``long_way`` and ``queues``
        how long, of ``little_time`` what is left once there.
    """

    key: CauseKey
    minutes: int


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """How likely somebody or something is too late.

    Attributes
    ----------
    probability
        0 to 1.
    closes_us
        When boarding or make-up closes, UTC microseconds.
    ready
        When they are at the gate or made up; None when they are already.
    slack_min
        From that, half of the cases, to closing: below 0 it is too late.
    cause
        None where there is hardly a risk.
    """

    probability: float
    closes_us: int
    ready: Quantiles | None = None
    slack_min: int | None = None
    cause: Cause | None = None


class BagMiss(msgspec.Struct, frozen=True, kw_only=True):
    """The risk of one bag."""

    licence_plate: str
    miss: Miss


class ConnectionRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A change of aircraft and how likely it fails; None where it cannot be told.

    Attributes
    ----------
    minimum_min, planned_min
        What a connection needs at least, and what the schedule gives it.
    unknown
        What nobody knows and the rest does without.
    """

    inbound: str
    outbound: str
    departs_us: int | None
    minimum_min: int
    planned_min: int | None
    passenger: Miss | None = None
    bags: tuple[BagMiss, ...] = ()
    unknown: tuple[Unknown, ...] = ()


class ChangingBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag that changes aircraft.

    Attributes
    ----------
    at
        ``coming`` aboard or on the ramp, ``inside`` seen at the airport of the change since it
        came, ``made_up`` for its next flight, or aboard it.
    seen_us
        Of ``inside``: when it was last seen.
    """

    licence_plate: str
    at: Literal["coming", "inside", "made_up"] = "coming"
    seen_us: int | None = None


class Connecting(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a change of aircraft.

    Attributes
    ----------
    departs_us
        When the next flight left, or is to leave.
    crosses_border
        One of the two flights is international.
    way_min, queue_min
        From stand to gate on the airport's map, queues included, and how much of it is queueing;
        None where the map does not show it: then the minimum connection time says how long people
        take.
    closures
        Of the ramp, in any order.
    ramp_known
        False when nobody knows whether the ramp is open: it is taken for open, and said so.
    handling
        Of the airport; ``learned`` is how long ramp work takes there by experience.
    """

    inbound: str
    outbound: str
    progress: Progress
    departs_us: int | None
    minimum_min: int
    crosses_border: bool = False
    way_min: float | None = None
    queue_min: float = 0.0
    closures: tuple[Closure, ...] = ()
    ramp_known: bool = True
    handling: Handling = Handling()
    changing: Changing = Changing()
    learned: Spread | None = None
