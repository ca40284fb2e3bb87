"""Keep every driver running, each on its own; the only retry loop for devices."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import DeviceEvent, DeviceHealth

from aerocast_agent import clock
from aerocast_agent.device_watch import DONE, DeviceWatch
from aerocast_agent.driver import Accept, Driver

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.2
QUICK_WAIT_S = 0.5  # bags pass by: while a device has only just gone, it is back within a second
QUICK_FOR_S = 300.0  # readers take a minute or two to start
LONGEST_WAIT_S = 10.0
STEADY_AFTER_S = 1.0  # a device that was connected this long is tried again at once
WHY_LENGTH = 512


class Supervisor:
    """Runs drivers and remembers how each device is doing.

    Parameters
    ----------
    silent_after_s
        Device name -> how long it may be connected and silent; None: for ever.
    """

    def __init__(
        self,
        drivers: list[Driver],
        accept: Accept,
        silent_after_s: Mapping[str, float | None] | None = None,
    ) -> None:
        limits = silent_after_s or {}
        self._drivers = {driver.name: driver for driver in drivers}
        self._watches = {name: DeviceWatch(limits.get(name)) for name in self._drivers}
        self._turns = {name: asyncio.Lock() for name in self._drivers}
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._wanted = dict.fromkeys(self._drivers, 0)  # who waits to hold a device
        self._accept = accept

    @property
    def states(self) -> dict[str, str]:
        """Device name -> ``connecting``, ``connected``, ``lost`` or ``done``."""
        return {name: watch.state for name, watch in self._watches.items()}

    @property
    def errors(self) -> dict[str, str]:
        """Device name -> why it was lost last, of those that are."""
        return {name: each.error for name, each in self._watches.items() if each.error is not None}

    def health(self) -> dict[str, DeviceHealth]:
        """Say how every device is."""
        now_ns = clock.boot_ns()
        return {name: watch.health(now_ns) for name, watch in self._watches.items()}

    def look(self) -> None:
        """Let time pass: call it every second."""
        now_ns = clock.boot_ns()
        for watch in self._watches.values():
            watch.look(now_ns)

    def driver(self, device: str) -> Driver | None:
        """Give a device's driver; None when none is called this."""
        return self._drivers.get(device)

    def replace(self, driver: Driver) -> None:
        """Run another driver for a device, from when it connects next."""
        self._drivers[driver.name] = driver

    @asynccontextmanager
    async def holding(self, device: str) -> AsyncIterator[Driver]:
        """Stop a device's driver for as long as the block lasts; then it connects anew.

        Raises
        ------
        KeyError
            No device is called this.
        """
        driver = self._drivers[device]
        self._wanted[device] += 1
        if (run := self._runs.get(device)) is not None:
            run.cancel()
        try:
            await self._turns[device].acquire()
        finally:
            self._wanted[device] -= 1
        try:
            yield driver
        finally:
            self._turns[device].release()

    async def run(self) -> None:
        """Run all drivers until each is done or we are cancelled; none stops another."""
        async with asyncio.TaskGroup() as group:
            for device in self._drivers:
                group.create_task(self._keep_running(device), name=device)

    async def _keep_running(self, device: str) -> None:
        loop = asyncio.get_running_loop()
        tries, gone_since_s = 0, loop.time()
        watch = self._watches[device]
        while True:
            async with self._turns[device]:  # a technician's command may hold the device
                if self._wanted[device]:
                    continue
                began_s = loop.time()
                run = await self._run_once(self._drivers[device], watch)
            if run.cancelled() and self._wanted[device]:
                watch.let_go()
                continue
            error = asyncio.CancelledError() if run.cancelled() else run.exception()
            if error is None:
                watch.state = DONE
                return
            now_s = loop.time()
            if self._lost(device, watch, error):
                gone_since_s = now_s
                tries = 0 if now_s - began_s > STEADY_AFTER_S else tries
            most_s = longest_wait_s(tries, now_s - gone_since_s)
            await asyncio.sleep(most_s * random.uniform(0.5, 1.0))  # noqa: S311  jitter, not secrecy
            tries += 1

    async def _run_once(self, driver: Driver, watch: DeviceWatch) -> asyncio.Task[None]:
        """Run a driver until it ends in whatever way; the task that did says how."""
        run = asyncio.create_task(driver.run(partial(self._watched, watch)), name=driver.name)
        self._runs[driver.name] = run
        try:
            await asyncio.wait({run})
        finally:
            del self._runs[driver.name]
            if run.cancel():  # it is we who are to stop
                await asyncio.wait({run})
                _ = run.cancelled() or run.exception()
        return run

    def _watched(self, watch: DeviceWatch, observation: Observation) -> None:
        watch.saw(observation)
        self._accept(observation)

    def _lost(self, device: str, watch: DeviceWatch, error: BaseException) -> bool:
        """Log a loss and tell the hub, once for each new reason; True when it was connected."""
        why = f"{type(error).__name__}: {error}"[:WHY_LENGTH]
        if watch.error != why:
            log.warning("%s: %s", device, why)
        was_connected = watch.lost(why)
        if was_connected:
            self._accept(
                DeviceEvent(device=device, boot_ns=clock.boot_ns(), event="lost", detail=why)
            )
        return was_connected


def longest_wait_s(tries: int, gone_s: float) -> float:
    """Say how long to wait at most before a device is tried again.

    Parameters
    ----------
    tries
        Failed ones since it was last connected for a while.
    gone_s
        Since it was last connected, or since the agent started.
    """
    longest_s = QUICK_WAIT_S if gone_s < QUICK_FOR_S else LONGEST_WAIT_S
    return min(FIRST_WAIT_S * 2.0 ** min(tries, 16), longest_s)
