"""What is new for a passenger, told by the link they were given: never with a name."""

from aerocast_hub.events.happened import Happened


class PassengerLinkRevoked(Happened, frozen=True, kw_only=True, tag="passenger_link_revoked"):
    """A passenger's link opens nothing any more.

    Attributes
    ----------
    link_id
        What the link is called; it does not open it.
    """

    link_id: str


class GuidanceChanged(Happened, frozen=True, kw_only=True, tag="guidance_changed"):
    """A passenger is advised otherwise than before: another thing to do, another place or time.

    Told of links that staff or an airline made, never with a name.

    Attributes
    ----------
    link_id
        What the passenger's link is called, as it was told when it was made.
    changed
        What is new: ``phase``, ``belt``, ``gate``, ``first_bag`` ...
    phase
        What there is to do, as ``GET /api/guidance/{token}`` names it.
    flight, onward
        The flight they come with or leave with, and the one they change to.
    first_from_us, first_to_us, last_by_us
        When the first bags come (10 and 90 %), and by when all (90 %), UTC microseconds.
    """

    link_id: str
    changed: tuple[str, ...]
    phase: str
    flight: str | None = None
    belt: str | None = None
    gate: str | None = None
    onward: str | None = None
    first_from_us: int | None = None
    first_to_us: int | None = None
    last_by_us: int | None = None
