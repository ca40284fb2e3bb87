"""Objects whose time is over: found, and deleted every hour."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping

from aerocast_hub.storage.keys import ObjectError, days_kept
from aerocast_hub.storage.objects import Objects, Stored

log = logging.getLogger(__name__)

EVERY_S = 3600.0
DAY_US = 86_400_000_000


def is_over(stored: Stored, days: Mapping[str, int], now_us: int) -> bool:
    """Tell whether an object's time is over."""
    kept = days_kept(stored.key, days)
    return kept is not None and stored.stored_at_us <= now_us - kept * DAY_US


async def old_objects(
    objects: Objects, days: Mapping[str, int], now_us: int
) -> AsyncIterator[Stored]:
    """Give the objects whose time is over.

    Raises
    ------
    ObjectError
        The store does not list them.
    """
    kinds = sorted({folder.partition("/")[0] for folder in days})
    for kind in kinds:
        async for stored in objects.list(kind):
            if is_over(stored, days, now_us):
                yield stored


async def keep_expired(objects: Objects, days: Mapping[str, int]) -> None:
    """Delete objects whose time is over, every hour until cancelled."""
    while True:
        try:
            now_us = time.time_ns() // 1000
            old = [each.key async for each in old_objects(objects, days, now_us)]
            for key in old:
                await objects.delete(key)
            if old:
                log.info("%d objects were deleted, for their time is over", len(old))
        except ObjectError as error:
            log.warning("objects that are old stay for now: %s", error)
        await asyncio.sleep(EVERY_S)
