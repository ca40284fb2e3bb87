"""What other services ask of the weather; in process they call these functions themselves."""

from typing import Annotated

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.ground_times import Changing, Handling, MinimumTime
from aerocast_hub.weather.ramp_rule import RampState
from aerocast_hub.weather.ramp_store import ramp_and_closures_at, settings_of

Code = Annotated[str, msgspec.Meta(max_length=64)]


class RampAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An airport by its code, and when; UTC microseconds."""

    airport: Code
    at_us: int


class RampSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An airport's ramp, and when it was closed lately.

    Attributes
    ----------
    closures
        From when until when, UTC microseconds; until None while it is closed.
    """

    state: RampState
    reason: str
    observed_at_us: int | None
    wind_kt: float | None
    closures: tuple[tuple[int, int | None], ...]


class TimesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An airport by its code."""

    airport: Code


class AirportTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take on the ground at an airport, by its own file."""

    handling: Handling = Handling()
    changing: Changing = Changing()
    connections: tuple[MinimumTime, ...] = ()


async def times_of(session: AsyncSession, asked: TimesAsked) -> AirportTimes:
    """Tell how long things take at an airport."""
    settings = await settings_of(session, asked.airport)
    return AirportTimes(
        handling=settings.handling, changing=settings.changing, connections=settings.connections
    )


async def ramp_seen(session: AsyncSession, asked: RampAsked) -> RampSeen:
    """Tell how an airport's ramp was at an instant."""
    ramp, closed = await ramp_and_closures_at(session, asked.airport, asked.at_us)
    return RampSeen(
        state=ramp.state,
        reason=ramp.reason,
        observed_at_us=ramp.observed_at_us,
        wind_kt=ramp.wind_kt,
        closures=tuple((each.from_us, each.until_us) for each in closed),
    )
