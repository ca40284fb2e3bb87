"""What happens to bags, and messages about them."""

from aerocast_hub.events.happened import Happened


class BagPassed(Happened, frozen=True, kw_only=True, tag="bag_passed"):
    """A bag went past a place for the first time.

    Attributes
    ----------
    bag_id
        The hub's own id of the bag.
    point, belt
        Custody point and belt; None where a scanner does not say.
    """

    bag_id: str
    licence_plate: str
    site: str
    point: str | None = None
    belt: str | None = None
    ambiguous: bool = False


class BagChanged(Happened, frozen=True, kw_only=True, tag="bag_changed"):
    """What is known of a bag changed.

    Attributes
    ----------
    at_us
        When the hub came to know.
    bag_id
        The hub's own id of the bag.
    state, was
        Its state now and before; ``was`` is None for a bag that is new.
    """

    bag_id: str
    licence_plate: str
    state: str
    was: str | None = None


class BagForgotten(Happened, frozen=True, kw_only=True, tag="bag_forgotten"):
    """A bag turned out to be another one: nothing is kept under its id any more."""

    bag_id: str


class BagUnread(Happened, frozen=True, kw_only=True, tag="bag_unread"):
    """A bag went past a place and neither tag nor code could be read."""

    site: str
    point: str | None = None
    belt: str | None = None


class BagMessageReceived(Happened, frozen=True, kw_only=True, tag="bag_message_received"):
    """A baggage message (IATA RP1745) came in, and is one not seen before.

    Attributes
    ----------
    message_id
        The hub's own id of it.
    type
        BSM, BTM, BPM, BUM, BNS, BCM, BMM or BRQ.
    status
        CHG changed, DEL withdrawn; of a BCM what it controls (FOM flight open, ...).
    station
        The airport it is for.
    flights
        Outbound flights it names.
    bags
        How many licence plates it names.
    problems
        How many of its elements could not be read.
    """

    message_id: str
    type: str
    status: str | None = None
    station: str | None = None
    flights: tuple[str, ...] = ()
    bags: int = 0
    problems: int = 0
