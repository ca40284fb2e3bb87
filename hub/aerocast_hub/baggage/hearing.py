"""What messages say of bags, made part of their journeys: the one way from `Said` to a bag.

BSM and BTM announce bags, and whose they are.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.imports import Announced, ExpectedBag, keep_announced
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.baggage.names import surname_key
from aerocast_hub.baggage.said import Owner, Said
from aerocast_hub.events import Event

_ANNOUNCING = frozenset({"BSM", "BTM"})


async def hear(session: AsyncSession, said: Sequence[Said], owners: Sequence[Owner]) -> list[Event]:
    """Take what messages say of bags, in the order they came; give what is new in journeys.

    The same may be heard again, and better (a part of a message that came before its first part).
    """
    by_plate = {plate: owner for owner in owners for plate in owner.plates}
    announced = (_announced(each, by_plate.get(each.licence_plate)) for each in said)
    await keep_announced(session, [each for each in announced if each is not None])
    return await refold_plates(session, {each.licence_plate for each in said})


def _announced(said: Said, owner: Owner | None) -> Announced | None:
    here = said.leg_here
    if said.type not in _ANNOUNCING or said.status == "DEL" or here is None or not here[0].date:
        return None
    leg, origin, destination = here
    is_named = owner is not None and bool(surname_key(owner.surname))
    return Announced(
        bag=ExpectedBag(
            licence_plate=said.licence_plate,
            flight=leg.flight,
            flight_key=leg.key,
            flight_date=leg.date,
            origin=origin,
            destination=destination,
        ),
        surname=owner.surname if owner is not None and is_named else None,
        passenger=owner.pnr if owner is not None and is_named else None,
    )
