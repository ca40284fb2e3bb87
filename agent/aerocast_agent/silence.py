"""A limit to how long a device may say nothing."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def heard_within(limit_s: float | None, name: str, coming: Awaitable[T]) -> T:
    """Wait for what a device says next.

    Parameters
    ----------
    limit_s
        None: for ever.

    Raises
    ------
    TimeoutError
        It said nothing; the message names it.
    """
    limit = asyncio.timeout(limit_s)
    try:
        async with limit:
            return await coming
    except TimeoutError:
        if limit.expired():
            raise TimeoutError(f"{name} said nothing for {limit_s:g} s") from None
        raise
