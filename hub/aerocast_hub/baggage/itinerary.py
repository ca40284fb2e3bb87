"""A bag's flights, as several senders tell them. Pure."""

from aerocast_hub.baggage.evidence import Leg


def joined_legs(
    known: tuple[Leg, ...], told: tuple[Leg, ...], *, is_change: bool
) -> tuple[Leg, ...]:
    """Join an itinerary with another sender's view of it, or replace it by a change.

    A station that only knows its own flights must not make a bag forget the others.
    """
    if is_change or not known:
        return told
    same = {(leg.key, leg.date) for leg in known} & {(leg.key, leg.date) for leg in told}
    if not same:
        return told
    new = {(leg.key, leg.date): leg for leg in told}
    merged = [_fuller(leg, new.pop((leg.key, leg.date), leg)) for leg in known]
    first_shared = next(i for i, leg in enumerate(told) if (leg.key, leg.date) in same)
    before = [leg for leg in told[:first_shared] if (leg.key, leg.date) in new]
    after = [leg for leg in told[first_shared:] if (leg.key, leg.date) in new]
    return (*before, *merged, *after)


def _fuller(known: Leg, told: Leg) -> Leg:
    return Leg(
        told.flight,
        told.key,
        told.date,
        told.origin or known.origin,
        told.destination or known.destination,
    )
