"""What people at the airport do with bags and containers, and say so: evidence like any other."""

import time
import uuid
from typing import Annotated, Literal, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.evidence import (
    BagEvidence,
    Handled,
    Leg,
    Nested,
    Placed,
    Retagged,
    Screened,
    Stowed,
    Voided,
)
from aerocast_hub.baggage.evidence_store import keep_evidence, keep_of_containers
from aerocast_hub.baggage.journeys import refold_container, refold_plates
from aerocast_hub.events.every import Event
from aerocast_hub.importing import WrongValueError
from aerocast_hub.schedule import LATEST_US, read_date, read_flight

Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9 ._-]{0,40}$")]
Site = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{0,32}$")]
Words = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]{0,200}$")]
Instant = Annotated[int, msgspec.Meta(ge=0, le=LATEST_US)]


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something done with a bag.

    Attributes
    ----------
    did
        ``claimed`` by its owner, ``offloaded``, ``held``, ``released``, ``stored``; ``stowed`` in
        and ``unstowed`` from a container or hold; ``screened``; ``retagged``; ``voided``.
    at_us
        When, UTC microseconds; left out: now.
    site, place
        Where, in the site's own names.
    container, flight, flight_date
        Of ``stowed`` and ``unstowed``.
    result
        Of ``screened``.
    new_plate
        Of ``retagged``: ten digits.
    voids, reason
        Of ``voided``: the id of the evidence that was wrong, and why.
    """

    did: Literal[
        "claimed", "offloaded", "held", "released", "stored", "stowed", "unstowed", "screened",
        "retagged", "voided",
    ]  # fmt: skip
    at_us: Instant | None = None
    site: Site = ""
    place: Words = ""
    container: Code = ""
    flight: Code = ""
    flight_date: Code = ""
    order: Annotated[int, msgspec.Meta(ge=0, le=9999)] = 0
    result: Literal["cleared", "rejected", "unclear"] | None = None
    new_plate: Code = ""
    voids: Words = ""
    reason: Words = ""


class ContainerMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened to a container.

    Attributes
    ----------
    did
        ``into`` another container or a flight, ``out`` of it, or ``at`` a place.
    parent
        The other container.
    flight, flight_date
        The flight it is loaded on.
    place
        In the site's own names; or by latitude and longitude, WGS 84 degrees.
    """

    did: Literal["into", "out", "at"]
    at_us: Instant | None = None
    parent: Code = ""
    flight: Code = ""
    flight_date: Code = ""
    site: Site = ""
    place: Words = ""
    latitude_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None


async def act(session: AsyncSession, licence_plate: str, action: Action, by: str) -> list[Event]:
    """Take in what somebody did with a bag; give what is new.

    Raises
    ------
    WrongValueError
        The action lacks what its kind needs.
    """
    evidence = evidence_of_action(licence_plate, action, by, time.time_ns() // 1000)
    await keep_evidence(session, [(licence_plate, evidence)])
    return await refold_plates(session, {licence_plate})


async def move(session: AsyncSession, container: str, moved: ContainerMove) -> list[Event]:
    """Take in what happened to a container; give what is new for the bags in it.

    Raises
    ------
    WrongValueError
        The move lacks what its kind needs.
    """
    now_us = time.time_ns() // 1000
    at_us = now_us if moved.at_us is None else moved.at_us
    name = str(uuid.uuid4())
    evidence: Nested | Placed
    if moved.did == "at":
        evidence = Placed(
            id=name,
            at_us=at_us,
            known_at_us=now_us,
            container=container,
            site=moved.site,
            place=moved.place,
            latitude_deg=moved.latitude_deg,
            longitude_deg=moved.longitude_deg,
        )
    else:
        leg = _leg(moved.flight, moved.flight_date)
        if moved.did == "into" and leg is None and not moved.parent:
            raise WrongValueError("parent", moved.parent, "a container, or a flight and its date")
        evidence = Nested(
            id=name,
            at_us=at_us,
            known_at_us=now_us,
            container=container,
            parent=moved.parent,
            leg=leg,
            is_in=moved.did == "into",
            site=moved.site,
        )
    await keep_of_containers(session, [evidence])
    return await refold_container(session, container)


def evidence_of_action(plate: str, action: Action, by: str, now_us: int) -> BagEvidence:
    """Make of an action what is known of its bag.

    Raises
    ------
    WrongValueError
        It lacks what its kind needs.
    """
    known = _Said(str(uuid.uuid4()), now_us if action.at_us is None else action.at_us, now_us)
    if action.did == "stowed":
        return _stowed(action, known)
    if action.did == "unstowed":
        return _stowed(action, known)
    if action.did == "screened":
        if action.result is None:
            raise WrongValueError("result", "", "cleared, rejected or unclear")
        return Screened(**known._asdict(), result=action.result, site=action.site)
    if action.did == "retagged":
        return _retagged(plate, action, by, known)
    if action.did == "voided":
        if not action.voids:
            raise WrongValueError("voids", "", "the id of the evidence that was wrong")
        return Voided(**known._asdict(), voids=action.voids, by=by, reason=action.reason)
    return Handled(**known._asdict(), did=action.did, by=by, site=action.site, place=action.place)


class _Said(NamedTuple):
    id: str
    at_us: int
    known_at_us: int


def _stowed(action: Action, known: _Said) -> Stowed:
    leg = _leg(action.flight, action.flight_date)
    if action.did == "stowed" and leg is None and not action.container:
        raise WrongValueError("container", "", "a container, or a flight and its date")
    return Stowed(
        **known._asdict(),
        container=action.container,
        leg=leg,
        is_in=action.did == "stowed",
        site=action.site,
        order=action.order,
    )


def _retagged(plate: str, action: Action, by: str, known: _Said) -> Retagged:
    if len(action.new_plate) != 10 or not action.new_plate.isdigit():
        raise WrongValueError("new_plate", action.new_plate, "ten digits")
    return Retagged(**known._asdict(), old_plate=plate, new_plate=action.new_plate, by=by)


def _leg(flight: str, date: str) -> Leg | None:
    if not flight:
        return None
    written, key = read_flight("flight", flight)
    return Leg(written, key, read_date("flight_date", date))
