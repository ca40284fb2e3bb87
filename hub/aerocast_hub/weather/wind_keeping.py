"""What the hub does with winds beside requests: thins, learns, draws profiles, and forgets."""

import asyncio
import time

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.weather.heading_bias import (
    BLOCK_US,
    MOST_CELLS,
    Cell,
    cells_of,
    learn,
)
from aerocast_hub.weather.tables import AircraftWindRow
from aerocast_hub.weather.wind_profile import Profile
from aerocast_hub.weather.wind_tables import (
    HeadingBiasRow,
    HeadingCellRow,
    WindBlockRow,
    WindProfileRow,
)
from aerocast_hub.weather.winds import Winds, sites_heard, wind_of_row, winds_over

EVERY_S = 60.0
LEARN_EVERY_US = 3_600_000_000
DAY_US = 86_400_000_000
WINDS_KEPT_US = 8 * DAY_US
CELLS_KEPT_US = 45 * DAY_US
BIASES_KEPT_US = 180 * DAY_US
PROFILES_KEPT_US = 30 * DAY_US
SETTLED_US = 120_000_000  # gateways send within seconds: then a quarter of an hour is whole
MOST_BLOCKS = 50  # at a time: a gateway that was away for days brings hundreds

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Profile)


async def keep_winds(database: Database) -> None:
    """Work on winds every minute, until cancelled."""
    learned_us = 0
    while True:
        now_us = time.time_ns() // 1000
        try:
            await thin(database, now_us)
            if now_us - learned_us >= LEARN_EVERY_US:
                learned_us = now_us
                await learn_headings(database, now_us)
                await forget(database, now_us)
            await draw_profiles(database, now_us)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("winds wait", error)
        await asyncio.sleep(EVERY_S)


async def thin(database: Database, now_us: int) -> int:
    """Thin what has changed to cells; say how many quarters of an hour that were."""
    async with database.reading() as session:
        found = await session.scalars(
            select(WindBlockRow.block_us)
            .where(WindBlockRow.block_us <= now_us - BLOCK_US - SETTLED_US)
            .order_by(WindBlockRow.block_us)
            .limit(MOST_BLOCKS)
        )
        blocks = list(found)
    for block_us in blocks:
        async with database.writing() as session:
            await _thin(session, block_us, now_us)
    return len(blocks)


async def _thin(session: AsyncSession, block_us: int, now_us: int) -> None:
    """Make one block's cells anew of all its winds."""
    rows = await session.scalars(
        select(AircraftWindRow).where(
            AircraftWindRow.seen_at_us.between(block_us, block_us + BLOCK_US - 1)
        )
    )
    cells = await asyncio.to_thread(cells_of, [wind_of_row(row) for row in rows])
    if block_us > now_us - WINDS_KEPT_US:  # else some of its winds are forgotten already
        await session.execute(delete(HeadingCellRow).where(HeadingCellRow.block_us == block_us))
    values = [msgspec.structs.asdict(cell) for cell in cells]
    await insert_or_replace(session, HeadingCellRow, values)
    await session.execute(delete(WindBlockRow).where(WindBlockRow.block_us == block_us))


async def learn_headings(database: Database, now_us: int) -> int:
    """Learn all headings' errors anew from the cells kept; say how many aircraft that were."""
    columns = [HeadingCellRow.__table__.c[name] for name in Cell.__struct_fields__]
    async with database.reading() as session:
        rows = await session.execute(
            select(*columns)
            .where(HeadingCellRow.block_us >= now_us - CELLS_KEPT_US)
            .order_by(HeadingCellRow.block_us.desc())
            .limit(MOST_CELLS)
        )
        cells = [Cell(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
    biases = await asyncio.to_thread(learn, cells)
    values = [
        {"icao": icao, "learned_at_us": now_us, **msgspec.structs.asdict(bias)}
        for icao, bias in sorted(biases.items())
    ]
    async with database.writing() as session:
        await insert_or_replace(session, HeadingBiasRow, values)
    return len(values)


async def draw_profiles(database: Database, now_us: int) -> int:
    """Keep the profile over every site heard within the last quarter of an hour."""
    async with database.reading() as session:
        sites = await sites_heard(session, now_us)
        drawn = {site: await winds_over(session, site, now_us) for site in sites}
    rows = [
        {"site": site, "at_us": now_us, "profile": _encoder.encode(_profile(over))}
        for site, over in drawn.items()
        if any(level.wind_speed_kt is not None for level in over.levels)
    ]
    async with database.writing() as session:
        await insert_new(session, WindProfileRow, rows)
    return len(rows)


def _profile(over: Winds) -> Profile:
    return Profile(levels=over.levels, flags=over.flags, refused=over.refused)


async def profiles_between(
    session: AsyncSession, site: str, from_us: int, to_us: int, most: int = 1440
) -> list[tuple[int, Profile]]:
    """Give a site's profiles and when they were drawn, oldest first; the newest when too many."""
    rows = await session.scalars(
        select(WindProfileRow)
        .where(WindProfileRow.site == site.lower(), WindProfileRow.at_us.between(from_us, to_us))
        .order_by(WindProfileRow.at_us.desc())
        .limit(most)
    )
    return [(row.at_us, _decoder.decode(row.profile)) for row in rows][::-1]


async def forget(database: Database, now_us: int) -> None:
    """Delete what is older than it is kept."""
    async with database.writing() as session:
        for column, kept_us in (
            (AircraftWindRow.seen_at_us, WINDS_KEPT_US),
            (HeadingCellRow.block_us, CELLS_KEPT_US),
            (HeadingBiasRow.learned_at_us, BIASES_KEPT_US),
            (WindProfileRow.at_us, PROFILES_KEPT_US),
        ):
            await session.execute(delete(column.class_).where(column < now_us - kept_us))


async def count_biases(session: AsyncSession) -> int:
    """Count the aircraft whose headings were learned."""
    return await session.scalar(select(func.count()).select_from(HeadingBiasRow)) or 0
