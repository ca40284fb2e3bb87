"""What a gateway tells of itself: its devices, health, place, clock, and what it gave up."""

from typing import Annotated, Literal

import msgspec

from aerocast_protocols.observations.observed import Count, Observed, ShortText

LaneNumber = Annotated[int, msgspec.Meta(ge=0, le=2)]


class DeviceEvent(Observed, frozen=True, kw_only=True, tag="device_event"):
    """Something happened to a device itself.

    Attributes
    ----------
    antenna
        Which one, from 1, when it is about an antenna.
    """

    event: Literal[
        "connected",
        "lost",
        "antenna_connected",
        "antenna_disconnected",
        "overflow",
        "clock_step",
        "configuration",
    ]
    detail: Annotated[str, msgspec.Meta(max_length=512)] = ""
    antenna: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None


class DeviceHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How one device of a gateway is doing, since the agent started.

    Attributes
    ----------
    state
        ``connecting``, ``connected``, ``lost``, or ``done`` (a recording's end).
    last_seen_age_s
        How long ago anything was seen of it; None: never yet.
    reads, reads_per_s
        What it saw, in all and over the last ten seconds.
    reconnects
        How often it was lost and came back.
    antennas
        Port -> whether an antenna is connected, as far as the device tells.
    silent
        Connected, and nothing seen of it for longer than the configuration allows.
    error
        Why it was lost; None while it is connected.
    """

    state: ShortText
    last_seen_age_s: float | None = None
    reads: Count = 0
    reads_per_s: float = 0.0
    reconnects: Count = 0
    antennas: Annotated[dict[int, bool], msgspec.Meta(max_length=256)] = {}
    silent: bool = False
    error: Annotated[str, msgspec.Meta(max_length=512)] | None = None


class GatewayHealth(Observed, frozen=True, kw_only=True, tag="gateway_health"):
    """How the gateway is doing, every 30 s.

    Attributes
    ----------
    accepted, durable, acked, evicted, dead
        Observations since this epoch began: taken in, committed to disk, acknowledged by the hub,
        given up with a record, refused by the hub for good.
    spool_rows, spool_bytes, oldest_age_s
        What waits in the spool.
    devices
        Device name -> ``connected``, ``connecting`` or ``lost``.
    clock_quality
        0 unset, 1 saved at shutdown, 2 hardware clock, 3 network time, 4 GPS.
    device_health
        Device name -> the rest of what is known of it.
    """

    agent_version: ShortText
    accepted: Count
    durable: Count
    acked: Count
    evicted: Count = 0
    dead: Count = 0
    spool_rows: Count = 0
    spool_bytes: Count = 0
    oldest_age_s: float | None = None
    devices: Annotated[dict[ShortText, ShortText], msgspec.Meta(max_length=256)] = {}  # noqa: RUF012  a Struct copies it
    clock_quality: int = 0
    degraded: Annotated[str, msgspec.Meta(max_length=512)] | None = None
    rss_kb: int | None = None
    threads: int | None = None
    cpu_percent: float | None = None
    disk_free_mb: int | None = None
    temperature_c: float | None = None
    device_health: Annotated[dict[ShortText, DeviceHealth], msgspec.Meta(max_length=256)] = {}  # noqa: RUF012  as above


class PositionFix(Observed, frozen=True, kw_only=True, tag="position_fix"):
    """Where a GPS receiver says it is.

    Attributes
    ----------
    mode
        1 no fix, 2 two-dimensional, 3 three-dimensional.
    fix_at_us
        UTC the receiver claims, microseconds since 1970-01-01.
    time_trusted
        True when that claim passed the rules for setting clocks (weeks do roll over).
    source
        The protocol the receiver told it in.
    time_error_ns
        By how much the claim may be off, by the receiver's own estimate.
    time_doubt
        Why the claim is not trusted; None when it is.
    """

    mode: Annotated[int, msgspec.Meta(ge=1, le=3)]
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    track_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    fix_at_us: int | None = None
    time_trusted: bool = False
    source: Literal["nmea", "ubx", "gpsd"] | None = None
    time_error_ns: Count | None = None
    time_doubt: ShortText | None = None


class Evicted(Observed, frozen=True, kw_only=True, tag="evicted"):
    """The gateway gave up these observations; the hub can explain their absence.

    Attributes
    ----------
    lane, epoch, first_sequence, last_sequence
        Which ones, both ends included.
    reason
        ``budget``, ``disk_full``, ``refused``, ``corrupt``.
    """

    lane: LaneNumber
    epoch: Count
    first_sequence: Count
    last_sequence: Count
    reason: ShortText


class ClockAnchor(Observed, frozen=True, kw_only=True, tag="clock_anchor"):
    """The gateway's clock became trustworthy: ``wall_ns`` is UTC at ``boot_ns`` of ``boot_id``.

    Attributes
    ----------
    source
        ``ntp``, ``gps`` ...
    error_ns
        Standard deviation of ``wall_ns``.
    """

    boot_id: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    wall_ns: int
    source: ShortText
    quality: Annotated[int, msgspec.Meta(ge=0, le=4)]
    error_ns: Count | None = None
