"""A bag's history in the event codes that tracking services of the trade use.

The codes are those of SITA's BagJourney (public documentation): ``CHECKED_IN``, ``SCREENED``,
``SORTED``, ``LOADED_ON_AIRCRAFT`` ...; partners read them without knowing AeroCast.
"""

from collections.abc import Iterator

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.history import BagHistory, Known, histories

_AT_POINT = {
    "acceptance": "CHECKED_IN",
    "screening": "SCREENED",
    "sortation": "SORTED",
    "makeup": "LOADED_IN_CONTAINER",
    "loading": "LOADED_ON_AIRCRAFT",
}
_RESULTS = {"cleared": "SCREENING_PASSED", "rejected": "SCREENING_FAILED", "unclear": "SCREENED"}
_IRREGULAR = {
    "not_authorised": "NAL",
    "offloaded": "OFFLOADED",
    "on_hand_refused": "OND",
    "on_hand": "ONA",
    "not_seen": "UNS",
}


_CODES = {
    "seen": (_AT_POINT, "point"),
    "screened": (_RESULTS, "result"),
    "irregularity": (_IRREGULAR, "code"),
}


class TagEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event; times in UTC microseconds.

    ``is_inferred`` marks what nobody saw: it follows from the movement of the aircraft.
    """

    code: str
    at_us: int
    airport: str
    location: str = ""
    is_inferred: bool = False


class TagHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The history of a tag on a flight date."""

    bag_tag: str
    flight_date: str
    flights: tuple[str, ...]
    events: tuple[TagEvent, ...]


async def tag_histories(
    session: AsyncSession, licence_plate: str, flight_date: str
) -> TagHistory | None:
    """Give the history of the bag of a plate that travels on a date; None when none does."""
    for history in await histories(session, licence_plate):
        if any(leg.date == flight_date for leg in history.journey.legs):
            return TagHistory(
                bag_tag=licence_plate,
                flight_date=flight_date,
                flights=tuple(leg.flight for leg in history.journey.legs),
                events=tuple(sorted(_events(history), key=lambda each: each.at_us)),
            )
    return None


def _events(history: BagHistory) -> Iterator[TagEvent]:
    for known in history.evidence:
        code = _code(known)
        if code is not None:
            yield TagEvent(
                code=code,
                at_us=known.at_us,
                airport=str(known.told.get("site") or known.told.get("station") or "").upper(),
                location=str(known.told.get("belt") or known.told.get("container") or ""),
            )
    for inferred in history.journey.inferred:
        if inferred.state == "departed":
            yield TagEvent(code="DEPARTED", at_us=inferred.at_us, airport="", is_inferred=True)


def _code(known: Known) -> str | None:
    told = known.told
    if known.kind == "stowed":
        if told.get("is_in") is False:
            return "OFFLOADED"
        return "LOADED_ON_AIRCRAFT" if "leg" in told else "LOADED_IN_CONTAINER"
    if known.kind == "announced":
        if told.get("status") == "delete":
            return "CANCELLED"
        return "PAX_BOARDED" if told.get("passenger_status") == "boarded" else "EXPECTED"
    codes, field = _CODES.get(known.kind, ({}, ""))
    return codes.get(str(told.get(field, "")))
