"""What messages say of bags, made part of their journeys: the one way from `Said` to evidence.

BSM and BTM announce bags, and whose they are; BPM tells what was done with them, BUM that they
came off, BNS that nobody saw them.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.evidence import (
    Announced,
    BagEvidence,
    Irregularity,
    Leg,
    PassengerStatus,
    Screened,
    Seen,
    Stowed,
)
from aerocast_hub.baggage.evidence_store import keep_heard
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.baggage.names import surname_key
from aerocast_hub.baggage.passengers import Person, keep_passengers
from aerocast_hub.baggage.said import Owner, Said, SaidLeg
from aerocast_hub.events.every import Event

_ANNOUNCING = frozenset({"BSM", "BTM"})
_CHANGES: Mapping[str | None, Literal["new", "change", "delete"]] = {
    "CHG": "change",
    "DEL": "delete",
}
_STATUS: Mapping[str | None, PassengerStatus] = {
    "B": "boarded",
    "C": "checked_in",
    "N": "not_boarded",
    "S": "standby",
}
_RESULTS: Mapping[str | None, Literal["cleared", "rejected", "unclear"]] = {
    "CLR": "cleared",
    "REJ": "rejected",
    "UCL": "unclear",
}
_IRREGULAR: Mapping[
    str, Literal["not_authorised", "offloaded", "on_hand_refused", "on_hand", "not_seen"]
] = {
    "NAL": "not_authorised",
    "OFF": "offloaded",
    "OND": "on_hand_refused",
    "ONA": "on_hand",
    "BNS": "not_seen",
}
_POINTS = {"S": "sortation"}  # of RP1745's element J: ground tracking and hand scans say no point
_KG = {"K": 1.0, "L": 0.453_592_37}


async def hear(session: AsyncSession, said: Sequence[Said], owners: Sequence[Owner]) -> list[Event]:
    """Take what messages say of bags, in the order they came; give what is new in journeys.

    The same may be heard again, and better (a part of a message that came before its first part).
    """
    by_plate = {plate: owner for owner in owners for plate in owner.plates}
    people = {
        each.licence_plate: person
        for each in said
        if (person := _person(each, by_plate.get(each.licence_plate))) is not None
    }
    ids = await keep_passengers(session, people.values())
    now_us = time.time_ns() // 1000
    evidence = [
        (each.licence_plate, one)
        for each in said
        for one in evidence_of(each, _of(people.get(each.licence_plate), ids), now_us)
    ]
    await keep_heard(session, evidence)
    return await refold_plates(session, {each.licence_plate for each in said})


def evidence_of(said: Said, passenger_id: str | None, known_at_us: int) -> list[BagEvidence]:
    """Give what a message says of a bag, as evidence: one of each kind at most."""
    name = f"{said.message_id} {said.licence_plate}"
    at: Any = {"at_us": said.at_us, "known_at_us": known_at_us}
    site = (said.station or "").lower()
    leg = _outbound(said)
    found: list[BagEvidence] = []
    if _tells_of_flights(said):
        found.append(_announced(said, passenger_id, f"{name} announced", known_at_us))
    if said.type == "BPM":
        place = said.places[0] if said.places else ""
        found.append(
            Seen(
                id=f"{name} seen",
                site=site,
                point=_POINTS.get(said.processing or "", ""),
                belt=place[:64],
                witness="message",
                **at,
            )
        )
    if said.type in ("BPM", "BMM") and said.container is not None:
        stowed = Stowed(id=f"{name} stowed", container=said.container, leg=leg, site=site, **at)
        found.append(stowed)
    if said.type == "BUM":
        found.append(Stowed(id=f"{name} unloaded", leg=leg, is_in=False, site=site, **at))
    if (result := _RESULTS.get(said.screening)) is not None:
        level = (said.screening_method or "")[:64]
        found.append(Screened(id=f"{name} screened", result=result, site=site, level=level, **at))
    codes = ("BNS",) if said.type == "BNS" else said.irregularities
    return found + [
        Irregularity(id=f"{name} {code}", code=_IRREGULAR[code], leg=leg, site=site, **at)
        for code in codes
        if code in _IRREGULAR
    ]


def _tells_of_flights(said: Said) -> bool:
    if said.type in _ANNOUNCING:
        return True
    told = (said.authority_to_load, said.authority_to_transport, said.passenger_status)
    is_processed = said.type in ("BPM", "BMM")
    return is_processed and (bool(legs_of_said(said)) or any(each is not None for each in told))


def _announced(said: Said, passenger_id: str | None, name: str, known_at_us: int) -> Announced:
    is_announcing = said.type in _ANNOUNCING
    return Announced(
        id=name,
        legs=legs_of_said(said),
        status=_CHANGES.get(said.status, "new") if is_announcing else "new",
        station=said.station or "",
        source="message" if is_announcing else "processed",
        authority_to_load=said.authority_to_load,
        authority_to_transport=said.authority_to_transport,
        passenger_status=_STATUS.get(said.passenger_status),
        passenger_id=passenger_id,
        sequence_number=said.sequence or "",
        security_number=said.security or "",
        exceptions=said.exceptions,
        weight_kg=_weight_kg(said),
        at_us=said.at_us,
        known_at_us=known_at_us,
    )


def legs_of_said(said: Said) -> tuple[Leg, ...]:
    """Give the flights a message names, in the order of travel; those without a date are none."""
    station = said.station or ""
    legs: list[Leg] = []
    if said.inbound is not None:
        legs.append(_leg(said.inbound, said.inbound.airport, station))
    here = station
    for each in (said.outbound, *said.onward):
        if each is not None:
            legs.append(_leg(each, here, each.airport))
            here = each.airport
    return tuple(leg for leg in legs if leg.date)


def _leg(said: SaidLeg, origin: str, destination: str) -> Leg:
    return Leg(said.flight, said.key, said.date, origin, destination)


def _outbound(said: Said) -> Leg | None:
    if said.outbound is None:
        return None
    wanted = (said.outbound.key, said.outbound.date)
    return next((leg for leg in legs_of_said(said) if (leg.key, leg.date) == wanted), None)


def _person(said: Said, owner: Owner | None) -> Person | None:
    legs = legs_of_said(said)
    if owner is None or not legs or said.type not in _ANNOUNCING or not surname_key(owner.surname):
        return None
    return Person(owner.surname, owner.pnr, legs[0].key, legs[0].date)


def _of(person: Person | None, ids: Mapping[Person, str]) -> str | None:
    return None if person is None else ids[person]


def _weight_kg(said: Said) -> float | None:
    per_unit = _KG.get(said.weight_unit or "")
    return None if said.weight is None or per_unit is None else round(said.weight * per_unit, 1)
