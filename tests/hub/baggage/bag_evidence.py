"""Evidence as the tests of journeys write it, and Hypothesis strategies for sets of it."""

import itertools

from aerocast_hub.baggage.evidence import (
    Announced,
    Handled,
    Irregularity,
    Leg,
    Moved,
    Nested,
    Placed,
    Screened,
    Seen,
    Stowed,
    Voided,
)
from aerocast_hub.baggage.journey import MINUTE_US, POINTS
from hypothesis import strategies as st

JULY_6 = 1_720_224_000_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
OUT = Leg("AF6120", "AF6120", "2024-07-06", "TLS", "CDG")
ON = Leg("AF1", "AF1", "2024-07-06", "CDG", "JFK")

_numbers = itertools.count()


def at(minute):
    return JULY_6 + round(minute * MINUTE_US)


def seen(minute, point="sortation", belt="belt-4", site="lfbo", **more):
    more.setdefault("id", f"seen {minute} {point} {belt} {site} {sorted(more.items())}")
    return Seen(at_us=at(minute), site=site, point=point, belt=belt, **more)


def announced(minute=-600, legs=(OUT,), **more):
    more.setdefault("id", f"announced {minute} {legs} {sorted(more.items())}")
    more.setdefault("station", "TLS")
    return Announced(at_us=at(minute), legs=legs, **more)


def of(kind, minute, **more):
    more.setdefault("id", f"{kind.__name__} {minute} {sorted(more.items(), key=str)}")
    return kind(at_us=at(minute), **more)


def off_block(minute, leg=OUT, **more):
    return of(Moved, minute, flight_key=leg.key, flight_date=leg.date, what="off_block", **more)


def on_block(minute, leg=OUT, **more):
    return of(Moved, minute, flight_key=leg.key, flight_date=leg.date, what="on_block", **more)


minutes = st.integers(0, 1200)
sites = st.sampled_from(["lfbo", "lfpg"])
sightings = st.builds(
    seen,
    minutes,
    st.sampled_from(["", *POINTS]),
    st.sampled_from(["", "belt-4", "belt-5"]),
    sites,
    witness=st.sampled_from(["passage", "scan"]),
    confidence=st.sampled_from([0.5, 1.0]),
    ambiguous=st.booleans(),
    candidates=st.sampled_from([(), ("belt-4", "belt-5")]),
    day_of_year=st.sampled_from([0, 188, 12]),
    gateway=st.sampled_from(["hall-1", "hall-2"]),
)
announcements = st.builds(
    announced,
    minutes,
    st.sampled_from([(OUT,), (OUT, ON), (ON,)]),
    status=st.sampled_from(["new", "change", "delete"]),
    authority_to_load=st.sampled_from([None, True, False]),
    passenger_status=st.sampled_from([None, "booked", "checked_in", "boarded", "not_boarded"]),
)
containers = st.sampled_from(["AKE1", "AKE2", "CART7"])
legs = st.sampled_from([None, OUT, ON])
others = st.one_of(
    st.builds(of, st.just(Screened), minutes, result=st.sampled_from(["cleared", "rejected"])),
    st.builds(of, st.just(Stowed), minutes, container=containers, leg=legs, is_in=st.booleans()),
    st.builds(of, st.just(Irregularity), minutes, code=st.sampled_from(["offloaded", "on_hand"])),
    st.builds(
        of,
        st.just(Handled),
        minutes,
        did=st.sampled_from(["claimed", "offloaded", "held", "released"]),
    ),
    st.builds(
        of,
        st.just(Nested),
        minutes,
        container=containers,
        parent=st.one_of(st.just(""), containers),
        leg=legs,
        is_in=st.booleans(),
    ),
    st.builds(of, st.just(Placed), minutes, container=containers, site=sites),
    st.builds(off_block, minutes, st.sampled_from([OUT, ON]), is_withdrawn=st.booleans()),
    st.builds(on_block, minutes, st.sampled_from([OUT, ON])),
)
evidence_sets = st.lists(st.one_of(sightings, announcements, others), max_size=14)


def void(evidence, minute=2000):
    return of(Voided, minute, voids=evidence.id)
