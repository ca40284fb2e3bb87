"""What gateways say about themselves: health and position, newest kept."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.events import Event
from aerocast_hub.inbox.sighting import Sighting


async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:  # noqa: ARG001  XXX
    """Keep the newest health and position of each gateway."""
    return []
