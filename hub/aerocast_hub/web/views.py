"""What pages show: figures gathered, worded and judged, ready to be set in a template."""

from typing import Literal

import msgspec

Tone = Literal["good", "warn", "alarm", "idle"]


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """A device of a gateway and how it is.

    Attributes
    ----------
    state
        ``connected``, ``connecting``, ``lost``, ``done``, or ``silent``: connected, and too long
        without a word.
    reads_per_s
        What it sees, over ten seconds.
    dead_antennas
        Ports without an antenna.
    story
        The rest, as a sentence: since when, how often it came back, why it was lost.
    """

    name: str
    state: str
    reads_per_s: float | None = None
    dead_antennas: tuple[int, ...] = ()
    story: str = ""


class GatewayCard(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway and its health.

    Attributes
    ----------
    state
        ``online``, ``gone``, ``silent`` (it should have spoken), ``never seen`` or ``revoked``.
    silent_s
        Seconds since it was last heard of.
    clock
        What its clock goes by, in words.
    waiting
        Observations of its spool that are not yet acknowledged.
    lost
        Observations whose absence nothing explains: always 0, or something is badly wrong.
    """

    site: str
    name: str
    state: str
    tone: Tone
    silent_s: float | None = None
    clock: str | None = None
    clock_tone: Tone = "idle"
    waiting: int | None = None
    waiting_since_s: float | None = None
    lost: int = 0
    evicted: int = 0
    degraded: str | None = None
    version: str | None = None
    devices: tuple[DeviceState, ...] = ()


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a bar of 100 %: what became of so much."""

    name: str
    start_percent: float
    percent: float


class LossLine(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's loss account.

    Attributes
    ----------
    waiting
        Taken in by the gateway and not yet here, as far as the hub knows.
    given_up, reasons
        Lost with a record that says why.
    dead
        Refused by the hub for good, and kept aside on both sides.
    unexplained
        Lost without a word: always 0, or something is badly wrong.
    unanchored
        Starts in which the gateway never knew the time.
    """

    site: str
    name: str
    verdict: str
    tone: Tone
    accepted: int
    durable: int
    acknowledged: int
    stored: int
    waiting: int
    given_up: int
    reasons: str
    dead: int
    unexplained: int
    unanchored: int = 0
    fates: tuple[Fate, ...] = ()


class BagLine(msgspec.Struct, frozen=True, kw_only=True):
    """A bag on its way."""

    bag_id: str
    plate: str
    at_us: int | None
    state: str
    flight: str | None = None
    belt: str | None = None
    flags: tuple[str, ...] = ()


class FlightLine(msgspec.Struct, frozen=True, kw_only=True):
    """A flight; times in UTC microseconds, ``sigma_s`` of the time on block."""

    flight_id: str
    flight: str
    origin: str
    destination: str
    state: str
    tone: Tone
    due_us: int | None = None
    landed_us: int | None = None
    on_block_us: int | None = None
    sigma_s: float | None = None
    stand: str | None = None
    reclaim: str | None = None


class WindLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The wind at one altitude, from ``direction_deg`` true, as so many aircraft met it."""

    altitude_ft: float
    direction_deg: float
    speed_kt: float
    sigma_kt: float | None = None
    aircraft: int = 0


class WeatherPanel(msgspec.Struct, frozen=True, kw_only=True):
    """An airport's weather as reported, what it means for the ramp, and the wind above.

    Attributes
    ----------
    ramp, ramp_tone, ramp_why
        ``open``, ``caution``, ``closed`` or ``unknown``, and the reason in words.
    winds_flagged
        Shear, inversions and low-level jets above, in words.
    """

    station: str
    ramp: str
    ramp_tone: Tone
    ramp_why: str
    observed_at_us: int | None = None
    age_s: float | None = None
    is_old: bool = False
    wind: str | None = None
    visibility: str | None = None
    clouds: str | None = None
    weather: str | None = None
    temperature: str | None = None
    pressure: str | None = None
    category: str | None = None
    raw: str | None = None
    levels: tuple[WindLevel, ...] = ()
    winds_flagged: tuple[str, ...] = ()


class AlertLine(msgspec.Struct, frozen=True, kw_only=True):
    """An alert on a page.

    Attributes
    ----------
    about, link
        What it is about in words, and the page of that; "" where there is none.
    """

    alert_id: str
    kind: str
    severity: str
    tone: Tone
    about: str
    link: str
    reason: str
    raised_at_us: int
    acknowledged_by: str | None
    cleared_at_us: int | None


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The operators' page; ``with_gateways`` shows gateways and what they lost."""

    now_us: int
    with_gateways: bool = True
    alerts: tuple[AlertLine, ...] = ()
    alerts_total: int = 0
    gateways: tuple[GatewayCard, ...] = ()
    losses: tuple[LossLine, ...] = ()
    bags: tuple[BagLine, ...] = ()
    bags_total: int = 0
    flights: tuple[FlightLine, ...] = ()
    weather: tuple[WeatherPanel, ...] = ()
