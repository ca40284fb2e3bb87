"""What is known of a bag, in order, and what was known of it at an instant."""

import asyncio
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport_codes
from aerocast_hub.baggage.evidence import Evidence
from aerocast_hub.baggage.evidence_store import read_around, read_plates
from aerocast_hub.baggage.fold import in_order, journey_of
from aerocast_hub.baggage.identity import OneBag, share_out
from aerocast_hub.baggage.journey import Journey
from aerocast_hub.baggage.tables import BagRow
from aerocast_hub.database.sight import current_sight

LONGEST = 5000


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of evidence, as an operator reads it.

    Attributes
    ----------
    kind
        ``seen``, ``announced``, ``stowed`` ...
    at_us, known_at_us
        When it happened, and when the hub learned it in this form, UTC microseconds.
    told
        The rest of it; only what is known.
    """

    id: str
    kind: str
    at_us: int
    known_at_us: int
    told: dict[str, object]


class BagHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A bag, its journey, and everything the journey is made of.

    Attributes
    ----------
    known_by_us
        What the hub learned later is left out; None: nothing is.
    evidence
        Of the bag, its containers and its flights, as it happened; voided evidence left out.
    """

    bag_id: str
    plates: tuple[str, ...]
    known_by_us: int | None
    journey: Journey
    evidence: tuple[Known, ...]


async def histories(
    session: AsyncSession, licence_plate: str, known_by_us: int | None = None
) -> list[BagHistory]:
    """Tell the bags of a plate apart, each with all that is, or was, known of it.

    Parameters
    ----------
    known_by_us
        Answer as the hub would have at this instant: "what did we know at 14:05".
    """
    return await histories_of(session, {licence_plate.replace("\x00", "?")}, known_by_us)


async def histories_of(
    session: AsyncSession, licence_plates: Collection[str], known_by_us: int | None = None
) -> list[BagHistory]:
    """Tell the bags of many plates apart, and those of plates joined to them by a retag."""
    families = await read_plates(session, sorted(licence_plates), known_by_us)
    every = [each for filed in families for evidence in filed.values() for each in evidence]
    around = await read_around(session, every, known_by_us)
    bags: list[OneBag] = []
    for filed in families:
        bags += share_out(filed, airport_codes)
        await asyncio.sleep(0)  # others have their turn
    found = []
    for bag in await _seen(session, bags):
        found.append(_history(bag, around.of(bag.evidence), known_by_us))
        await asyncio.sleep(0)
    return found


async def _seen(session: AsyncSession, bags: Sequence[OneBag]) -> Sequence[OneBag]:
    """Leave out bags the asker does not see: evidence itself says not whose it is."""
    if current_sight().is_whole:
        return bags
    ids = [bag.bag_id for bag in bags]
    seen = set(await session.scalars(select(BagRow.id).where(BagRow.id.in_(ids))))
    return [bag for bag in bags if bag.bag_id in seen]


def _history(bag: OneBag, evidence: list[Evidence], known_by_us: int | None) -> BagHistory:
    return BagHistory(
        bag_id=bag.bag_id,
        plates=bag.plates,
        known_by_us=known_by_us,
        journey=journey_of(evidence, contested=bag.is_contested),
        evidence=tuple(_known(each) for each in in_order(evidence)[-LONGEST:]),
    )


def _known(evidence: Evidence) -> Known:
    told = msgspec.to_builtins(evidence)
    for name in ("id", "kind", "at_us", "known_at_us", "passenger_id"):
        told.pop(name, None)
    return Known(
        id=evidence.id,
        kind=str(evidence.__struct_config__.tag),
        at_us=evidence.at_us,
        known_at_us=evidence.known_at_us,
        told=told,
    )
