"""What ``aerocast-agent status`` shows, and how to read it from the spool when nobody runs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
from aerocast_protocols.observations.every import LANE_NAMES
from aerocast_protocols.observations.gateways import DeviceHealth

from aerocast_agent.config import Config
from aerocast_agent.spool_file import TOTALS
from aerocast_agent.spool_opening import APPLICATION_ID


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How a gateway is doing.

    Attributes
    ----------
    accepted, acked, evicted, dead
        Observations since the spool was made: taken in, acknowledged by the hub, given up with a
        record, refused by the hub for good.
    waiting
        On disk and not yet acknowledged.
    spool_rows
        Batches on disk, by lane.
    link
        The way to the hub: broker, MQTT version, connected, error, round_trip_s, in_flight.
    devices
        Name -> ``connecting``, ``connected``, ``lost``, ``done``; ``unknown`` when it is down.
    device_health
        Name -> the rest of what is known of it; empty when the daemon is down.
    """

    site: str
    name: str
    running: bool
    accepted: int
    acked: int
    evicted: int
    dead: int
    waiting: int
    spool: str
    spool_rows: dict[str, int]
    spool_bytes: int
    devices: dict[str, str]
    agent_version: str
    epoch: int | None = None
    since_start: dict[str, int] | None = None
    oldest_age_s: float | None = None
    degraded: str | None = None
    gateway_unknown: bool | None = None
    link: dict[str, str | int | float | bool | None] | None = None
    device_errors: dict[str, str] = {}
    device_health: dict[str, DeviceHealth] = {}
    observations_by_device: dict[str, int] = {}
    clock_quality: int | None = None
    rss_kb: int | None = None
    threads: int | None = None
    cpu_percent: float | None = None
    uptime_s: float | None = None


def read_spool(config: Config, version: str) -> Status:
    """Read the spool of a daemon that is down; an absent or unreadable one is named."""
    path = Path(config.spool.path)
    totals = dict.fromkeys(TOTALS, 0)
    rows = dict.fromkeys(LANE_NAMES, 0)
    used_bytes, epoch, degraded = 0, None, None
    try:
        if path.exists():  # else the daemon has not run yet
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
                totals, rows, epoch = _read(db, path)
            used_bytes = path.stat().st_size
    except (sqlite3.Error, OSError) as error:
        degraded = str(error)
    return Status(
        site=config.gateway.site,
        name=config.gateway.name,
        running=False,
        accepted=totals["accepted"],
        acked=totals["acked"],
        evicted=totals["evicted"],
        dead=totals["dead"],
        waiting=waiting_of(totals),
        spool=str(path),
        spool_rows=rows,
        spool_bytes=used_bytes,
        devices={device.name: "unknown" for device in config.devices},
        agent_version=version,
        epoch=epoch,
        degraded=degraded,
    )


def _read(db: sqlite3.Connection, path: Path) -> tuple[dict[str, int], dict[str, int], int | None]:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise sqlite3.DatabaseError(f"{path} is no spool")
    kept = dict(db.execute("SELECT key, value FROM meta"))
    counted = dict(db.execute("SELECT lane, count(*) FROM batch GROUP BY lane"))
    rows = {name: counted.get(lane, 0) for lane, name in enumerate(LANE_NAMES)}
    return {key: int(kept.get(key, 0)) for key in TOTALS}, rows, kept.get("epoch")


def waiting_of(totals: dict[str, int]) -> int:
    """Say how many observations are on disk: all that came in, less all that left."""
    return totals["accepted"] - totals["acked"] - totals["evicted"] - totals["dead"]
