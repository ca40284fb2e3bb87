"""Keep every driver running, each on its own; the only retry loop for devices."""

import asyncio
import logging
import random

from aerocast_protocols.observations import DeviceEvent, Observation

from aerocast_agent import clock
from aerocast_agent.driver import Accept, Driver

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
STEADY_AFTER_S = 30.0  # a driver that ran this long starts again from FIRST_WAIT_S
WHY_LENGTH = 512

CONNECTING, CONNECTED, LOST, DONE = "connecting", "connected", "lost", "done"


class Supervisor:
    """Runs drivers and remembers how each device is doing.

    Attributes
    ----------
    states
        Device name -> ``connecting``, ``connected``, ``lost`` or ``done`` (a recording's end).
    errors
        Device name -> why it was lost last.
    """

    def __init__(self, drivers: list[Driver], accept: Accept) -> None:
        self.states = {driver.name: CONNECTING for driver in drivers}
        self.errors: dict[str, str] = {}
        self._drivers = drivers
        self._accept = accept

    async def run(self) -> None:
        """Run all drivers until each is done or we are cancelled; none stops another."""
        async with asyncio.TaskGroup() as group:
            for driver in self._drivers:
                group.create_task(self._keep_running(driver), name=driver.name)

    async def _keep_running(self, driver: Driver) -> None:
        loop = asyncio.get_running_loop()
        wait_s = FIRST_WAIT_S
        while True:
            began_s = loop.time()
            try:
                await driver.run(self._watched)
            except Exception as error:  # noqa: BLE001  the one place a driver's failure may end
                self._lost(driver.name, error)
            else:
                self.states[driver.name] = DONE
                return
            if loop.time() - began_s > STEADY_AFTER_S:
                wait_s = FIRST_WAIT_S
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311  jitter, not secrecy
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _watched(self, observation: Observation) -> None:
        if isinstance(observation, DeviceEvent) and observation.event == "connected":
            self.states[observation.device] = CONNECTED
            self.errors.pop(observation.device, None)
        self._accept(observation)

    def _lost(self, device: str, error: Exception) -> None:
        """Log a loss and tell the hub, once for each new reason."""
        why = f"{type(error).__name__}: {error}"[:WHY_LENGTH]
        if self.errors.get(device) != why:
            log.warning("%s: %s", device, why)
        was_connected = self.states[device] == CONNECTED
        self.states[device] = LOST
        self.errors[device] = why
        if was_connected:
            self._accept(
                DeviceEvent(device=device, boot_ns=clock.boot_ns(), event="lost", detail=why)
            )
