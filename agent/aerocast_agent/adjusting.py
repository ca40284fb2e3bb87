"""Bring a device's settings to its profile: read back, compare, write, read back, or undo.

Nothing is believed written before it was read back. If anything was not taken, the settings that
were there before are written again, so that a device is never left half changed.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

import msgspec
from aerocast_protocols.errors import ProtocolError

from aerocast_agent.driver import Adjustable, Setting, Settings

_Result = TypeVar("_Result")
WITHIN_S = 20.0
TRIES, BETWEEN_TRIES_S = 6, 0.5
POWER_STEP_DBM = 1.0
"""Devices take power in steps of at most this; the nearest not above what is asked is right."""
GAIN_STEP_DB = 2.0
"""Tuners take the nearest gain they have; the R820T's lie up to 3.4 dB apart."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A setting in which device and profile differ."""

    key: str
    profile: Setting
    device: Setting


class Adjusted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes
    ----------
    differences
        What differed, before.
    untold
        What the profile asks for and the device does not tell: it is left as it is.
    applied
        All differences were written, and read back as asked.
    rolled_back
        Something was not taken: the former settings are back.
    error
        Why it was not applied; None when it was, or was not to be.
    """

    device: str
    profile: str
    differences: tuple[Difference, ...] = ()
    untold: tuple[str, ...] = ()
    applied: bool = False
    rolled_back: bool = False
    error: str | None = None


def differences(wanted: Settings, present: Settings) -> tuple[Difference, ...]:
    """Compare what a profile asks with what a device has; only what the device tells."""
    return tuple(
        Difference(key=key, profile=setting, device=present[key])
        for key, setting in wanted.items()
        if key in present and not _is_met(key, setting, present[key])
    )


async def adjust(
    driver: Adjustable,
    wanted: Settings,
    adjusted: Adjusted,
    *,
    region: str = "any",
    dry_run: bool = False,
) -> Adjusted:
    """Bring a device to what is wanted, or only compare.

    Parameters
    ----------
    adjusted
        Names of device and profile; the rest is filled in.
    region
        The radio law the profile keeps to; a device that says it is set to another one is left
        alone.

    Raises
    ------
    OSError, TimeoutError, ProtocolError
        The device could not be read before anything was written.
    """
    present = await _read_back(driver)
    found = differences(wanted, present)
    adjusted = msgspec.structs.replace(
        adjusted,
        differences=found,
        untold=tuple(key for key in wanted if key not in present),
    )
    set_to = present.get("region", region)
    if "any" not in {region, set_to} and set_to != region:
        error = f"the device is set to region {set_to}, the profile is for {region}"
        return msgspec.structs.replace(adjusted, error=f"{error}: nothing is written")
    if dry_run or not found:
        return msgspec.structs.replace(adjusted, applied=not dry_run)
    asked = {each.key: each.profile for each in found}
    refused = await _write(driver, asked)
    if refused is None:
        return msgspec.structs.replace(adjusted, applied=True)
    not_undone = await _write(driver, {key: present[key] for key in asked})
    if not_undone is not None:
        refused += f"; the former settings could not be put back: {not_undone}"
    return msgspec.structs.replace(adjusted, rolled_back=not_undone is None, error=refused)


async def _read_back(driver: Adjustable) -> Settings:
    return await _patiently(driver.read_back)


async def _patiently(call: Callable[[], Awaitable[_Result]]) -> _Result:
    """Call a device that may still be letting go of the connection before."""
    async with asyncio.timeout(WITHIN_S):
        for _ in range(TRIES):
            try:
                return await call()
            except ConnectionRefusedError:
                await asyncio.sleep(BETWEEN_TRIES_S)
        return await call()


async def _write(driver: Adjustable, asked: Mapping[str, Setting]) -> str | None:
    """Write settings and read them back; say what was not taken."""
    try:
        await _patiently(partial(driver.apply, asked))
        present = await _read_back(driver)
    except (OSError, ProtocolError) as error:  # TimeoutError is an OSError
        return str(error) or f"no answer within {WITHIN_S:.0f} s"
    missed = [
        f"{key} is {present.get(key)!r} after {setting!r} was written"
        for key, setting in asked.items()
        if key not in present or not _is_met(key, setting, present[key])
    ]
    return "; ".join(missed) or None


def _is_met(key: str, wanted: Setting, present: Setting) -> bool:
    if isinstance(wanted, tuple) and isinstance(present, tuple):
        return set(wanted) == set(present)
    if isinstance(wanted, bool) or isinstance(present, bool):
        return wanted is present
    if isinstance(wanted, int | float) and isinstance(present, int | float):
        if key.endswith("power_dbm"):
            return -0.005 <= wanted - present < POWER_STEP_DBM
        if key == "gain_db":
            return abs(wanted - present) < GAIN_STEP_DB
        return math.isclose(wanted, present, abs_tol=1e-6)
    return wanted == present
