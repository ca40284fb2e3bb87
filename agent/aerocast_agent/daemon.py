"""The gateway's daemon: builds everything, runs it, stops it. The only wiring."""

import asyncio
import contextlib
import logging
import signal
import sqlite3
from functools import partial
from pathlib import Path

from aerocast_protocols.observations.every import LANE_NAMES, Observation
from aerocast_protocols.observations.gateways import GatewayHealth, PositionFix

from aerocast_agent import VERSION, clock
from aerocast_agent.anchors import Anchors
from aerocast_agent.asking import Answers, Desk
from aerocast_agent.attending import Attendant
from aerocast_agent.build import build
from aerocast_agent.config import Config
from aerocast_agent.device_watch import LOST
from aerocast_agent.diagnosing import send_bundle
from aerocast_agent.enrolment.identity import folder_of
from aerocast_agent.footprint import Meter, keep_small
from aerocast_agent.intake import Intake
from aerocast_agent.notify import notify, watchdog_s
from aerocast_agent.orders import Orders
from aerocast_agent.renewing import Renewing
from aerocast_agent.spool import Spool
from aerocast_agent.spool_rows import SpoolState
from aerocast_agent.status import Status, waiting_of
from aerocast_agent.supervisor import Supervisor
from aerocast_agent.uplink import Identity, Uplink
from aerocast_agent.ways import ways_of

log = logging.getLogger(__name__)

TICK_S = 1.0
HEALTH_EVERY_S = 30
# At first more often: whoever has just started a gateway is looking at it.
FIRST_HEALTH_EVERY_S, FIRST_HEALTH_FOR_S = 5, 60
STALLED_AFTER_NS = 20_000_000_000
LAST_SENDING_S = 2.0


class AlreadyRunning(Exception):  # noqa: N818  a state of the machine, not a fault of the program
    """Another daemon owns this spool."""


class Daemon:
    """Everything that runs on a gateway.

    Parameters
    ----------
    file
        Where the settings were read from: commands beside the daemon read them there.

    Raises
    ------
    ConfigError
        The configuration names a file that cannot be used.
    """

    def __init__(self, settings: Config, file: Path) -> None:
        self._settings = settings
        self._version = VERSION
        self._boot_id = clock.boot_id()
        self._began_ns = clock.boot_ns()
        path = Path(settings.spool.path)
        self._spool = Spool(path, settings.spool.budget_mb * 1024 * 1024, self._boot_id)
        self._intake = Intake(self._spool, self._boot_id)
        built = build(settings, self._accept)
        self._following = built.following
        self._ground = built.ground
        self._supervisor = Supervisor(
            built.drivers,
            self._following.accept,
            {device.name: device.silent_after_s for device in settings.devices},
        )
        self._uplink = Uplink(
            Identity(settings.gateway.site, settings.gateway.name, self._version, self._boot_id),
            ways_of(settings),
            self._spool,
        )
        self._attendant = Attendant(settings, self._supervisor, built.make)
        self._uplink.on_command = Orders(
            self._spool, self._attendant, partial(send_bundle, file)
        ).answer
        self._renewing = Renewing(
            settings.hub.http or "",
            folder_of(settings.spool.path),
            self._is_heard,
            self._uplink.reconnect,
        )
        self._meter = Meter(path.parent)
        self._anchors = Anchors(self._boot_id)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT, then commit and close.

        Raises
        ------
        AlreadyRunning
            Another daemon owns this spool.
        """
        answers = Answers(
            self.status,
            self._say_health,
            self._uplink.send_again,
            self._intake.watching,
            self._attendant,
        )
        desk = Desk(self._settings.spool.path, answers)
        if not await desk.open():
            raise AlreadyRunning(f"a daemon runs on {self._settings.spool.path} already")
        if self._ground is not None:
            self._ground.recall()
        keep_small()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._spool.start()
        tasks = [
            asyncio.create_task(self._supervisor.run(), name="devices"),
            asyncio.create_task(self._uplink.run(), name="uplink"),
            asyncio.create_task(self._tick(), name="tick"),
            asyncio.create_task(self._renewing.run(), name="renewing"),
        ]
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        notify("READY=1")
        log.info("gateway %s/%s runs", self._settings.gateway.site, self._settings.gateway.name)
        try:
            await asyncio.wait([*tasks[1:], stopping], return_when=asyncio.FIRST_COMPLETED)
            notify("STOPPING=1")
            await self._wind_down(tasks)
        finally:
            stopping.cancel()
            await desk.close()
            self._spool.stop()
        for task in tasks:
            if task.done() and not task.cancelled() and (fault := task.exception()) is not None:
                raise fault

    async def _wind_down(self, tasks: list[asyncio.Task[None]]) -> None:
        """Stop the devices first, give what they saw a moment to reach the hub, then the rest."""
        devices, *others = tasks
        await _cancel([devices])
        self._following.advance()
        if self._ground is not None:
            self._ground.keep(clock.boot_ns(), at_once=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SENDING_S):
                await asyncio.wrap_future(self._spool.flush())
                while (  # noqa: ASYNC110  the spool lives in a thread
                    self._uplink.state().connected and await self._holds_something()
                ):
                    await asyncio.sleep(0.05)
        await _cancel(others)

    def _is_heard(self) -> bool:
        link = self._uplink.state()
        return link.connected and not link.gateway_unknown

    async def _holds_something(self) -> bool:
        return any((await self._spool_state()).rows.values())

    async def _spool_state(self) -> SpoolState:
        try:
            return await asyncio.wrap_future(self._spool.state())
        except sqlite3.Error:
            return self._spool.state_in_memory()

    async def _tick(self) -> None:
        """Let time pass on the belts, report health, and tell systemd that all parts move."""
        ticks = 0
        last_watchdog_s = watchdog_s()
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            self._following.advance()
            if self._ground is not None:
                self._ground.keep(clock.boot_ns())
            self._supervisor.look()
            self._anchor()
            every_s = FIRST_HEALTH_EVERY_S if ticks < FIRST_HEALTH_FOR_S else HEALTH_EVERY_S
            if ticks % every_s == 0 and (ticks or self._spool.epoch is not None):
                await self._report_health()
            if last_watchdog_s is not None and self._stalled() is None:
                notify("WATCHDOG=1")
            ticks += 1
            due_s = max(due_s + TICK_S, loop.time())
            await asyncio.sleep(due_s - loop.time())

    def _stalled(self) -> str | None:
        now_ns = clock.boot_ns()
        for part, turned_at_ns in (
            ("spool", self._spool.turned_at_ns),
            ("uplink", self._uplink.turned_at_ns),
        ):
            if now_ns - turned_at_ns > STALLED_AFTER_NS:
                log.error("%s has not moved for %d s", part, (now_ns - turned_at_ns) // 10**9)
                return part
        return None

    def _anchor(self) -> None:
        for told in self._anchors.look(clock.claim()):
            self._intake.accept(told)

    def _accept(self, observation: Observation) -> None:
        if isinstance(observation, PositionFix) and observation.time_trusted:
            clock.hear_gps(observation.fix_at_us or 0, observation.boot_ns)
        self._intake.accept(observation)

    async def _report_health(self) -> None:
        self._intake.accept(self._health(await self._spool_state()))

    async def _say_health(self) -> None:
        """Report health out of turn: it goes to the hub and its acknowledgement comes back."""
        await self._report_health()
        self._spool.flush()

    def _health(self, state: SpoolState) -> Observation:
        taken = self._meter.look()
        return GatewayHealth(
            device="agent",
            boot_ns=clock.boot_ns(),
            agent_version=self._version,
            **state.counters._asdict(),
            spool_rows=sum(state.rows.values()),
            spool_bytes=state.used_bytes,
            oldest_age_s=_age_s(state),
            devices=self._supervisor.states,
            clock_quality=clock.quality(),
            degraded=self._degraded(state),
            device_health=self._supervisor.health(),
            **taken._asdict(),
        )

    def _degraded(self, state: SpoolState) -> str | None:
        devices = self._supervisor.health()
        lost = [name for name, each in devices.items() if each.state == LOST]
        silent = [name for name, each in devices.items() if each.silent]
        dead = [
            f"{name}:{port}"
            for name, each in devices.items()
            for port, connected in each.antennas.items()
            if not connected
        ]
        reasons = [state.degraded] if state.degraded else []
        for what, names in (("lost", lost), ("silent", silent), ("no antenna", dead)):
            reasons += [f"{what}: {', '.join(sorted(names))}"] if names else []
        reasons += ["the hub does not know this gateway"] * self._uplink.state().gateway_unknown
        reasons += [self._renewing.problem] if self._renewing.problem else []
        return "; ".join(reasons)[:512] or None

    async def status(self) -> Status:
        """Give what ``aerocast-agent status`` shows."""
        state = await self._spool_state()
        taken = self._meter.look()
        link = self._uplink.state()
        totals = {key: state.totals.get(key, 0) for key in ("accepted", "acked", "evicted", "dead")}
        return Status(
            site=self._settings.gateway.site,
            name=self._settings.gateway.name,
            running=True,
            accepted=totals["accepted"],
            acked=totals["acked"],
            evicted=totals["evicted"],
            dead=totals["dead"],
            waiting=waiting_of(totals),
            spool=self._settings.spool.path,
            spool_rows={LANE_NAMES[lane]: count for lane, count in state.rows.items()},
            spool_bytes=state.used_bytes,
            devices=self._supervisor.states,
            device_health=self._supervisor.health(),
            agent_version=self._version,
            epoch=state.epoch,
            since_start=state.counters._asdict(),
            oldest_age_s=_age_s(state),
            degraded=self._degraded(state),
            gateway_unknown=link.gateway_unknown,
            link=link._asdict(),
            device_errors=self._supervisor.errors,
            observations_by_device=dict(self._intake.seen),
            clock_quality=clock.quality(),
            rss_kb=taken.rss_kb,
            threads=taken.threads,
            cpu_percent=taken.cpu_percent,
            uptime_s=(clock.boot_ns() - self._began_ns) / 1e9,
        )


def _age_s(state: SpoolState) -> float | None:
    if state.oldest_boot_ns is None:
        return None
    return round((clock.boot_ns() - state.oldest_boot_ns) / 1e9, 3)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
