"""What a gateway saw: the one vocabulary of agent and hub.

Fields are added with a default, never renamed and never given a second meaning. Units are in the
names; unknown is ``None``. On the wire an observation is a msgpack map tagged by ``kind``, with
fields at their default left out.
"""

from typing import Annotated, Literal

import msgspec

DeviceName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
ShortText = Annotated[str, msgspec.Meta(max_length=256)]
Icao = Annotated[str, msgspec.Meta(pattern="^~?[0-9a-f]{6}$")]
LicencePlate = Annotated[str, msgspec.Meta(pattern="^[0-9]{10}$")]
BagTags = Annotated[str, msgspec.Meta(pattern="^[0-9]{13}$")]
Count = Annotated[int, msgspec.Meta(ge=0)]

CustodyPoint = Literal[
    "acceptance", "screening", "sortation", "makeup", "loading", "transfer", "arrival", "reclaim"
]
GroundEvent = Literal["landed", "on_stand", "off_stand", "airborne"]
AircraftSource = Literal["adsb", "adsr", "tisb", "mlat", "mode_s"]
Emergency = Literal[
    "general",
    "medical",
    "minimum_fuel",
    "no_communication",
    "unlawful_interference",
    "downed",
]
LaneNumber = Annotated[int, msgspec.Meta(ge=0, le=2)]

CRITICAL, LIVE, BULK = 0, 1, 2
LANE_NAMES = ("critical", "live", "bulk")


class _Seen(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True, gc=False
):
    """What every observation carries.

    Attributes
    ----------
    device
        The device's name in the gateway's configuration; ``agent`` for the gateway itself.
    boot_ns
        When it happened, in nanoseconds of the gateway's CLOCK_BOOTTIME. It belongs to the boot
        named in the batch that carries it, and may be negative in a replay of older recordings.
    """

    device: DeviceName
    boot_ns: int


class TagRead(_Seen, frozen=True, kw_only=True, tag="tag_read"):
    """An RFID reader read a tag.

    Attributes
    ----------
    epc
        The tag's EPC or UII memory as read, 0 to 62 bytes, without the PC word.
    pc
        Protocol-control word (16 bits), when the reader reports it.
    antenna
        Antenna port, from 1; 0 when the reader did not say.
    rssi_dbm
        Peak backscatter power, dBm.
    phase_deg
        RF phase, [0, 360).
    reader_seen_at_us
        The reader's own UTC clock, microseconds since 1970-01-01; readers' clocks drift.
    seen_count
        Reads the reader folded into this report.
    """

    epc: Annotated[bytes, msgspec.Meta(max_length=62)]
    antenna: Count = 0
    pc: int | None = None
    rssi_dbm: float | None = None
    phase_deg: float | None = None
    doppler_hz: float | None = None
    channel: int | None = None
    reader_seen_at_us: int | None = None
    seen_count: Count = 1


class BagPassage(_Seen, frozen=True, kw_only=True, tag="bag_passage"):
    """A tagged bag went past a belt's antennas; ``boot_ns`` is when it crossed their plane.

    Attributes
    ----------
    belt, point
        Where, as the gateway's configuration names it, and which custody point that is.
    epc, licence_plate, day_of_year
        The tag, and what it says when it is a bag tag (day 1 to 366).
    sigma_ms
        Standard deviation of the crossing time.
    reads, peak_rssi_dbm
        The evidence.
    confidence
        0 to 1.
    ambiguous, candidates
        True when several belts could claim the bag; then ``candidates`` names them all.
    """

    belt: ShortText
    point: CustodyPoint
    epc: Annotated[bytes, msgspec.Meta(max_length=62)]
    sigma_ms: float
    reads: Count
    confidence: float
    licence_plate: LicencePlate | None = None
    day_of_year: int | None = None
    peak_rssi_dbm: float | None = None
    ambiguous: bool = False
    candidates: Annotated[tuple[ShortText, ...], msgspec.Meta(max_length=32)] = ()


class UnreadBag(_Seen, frozen=True, kw_only=True, tag="unread_bag"):
    """A bag broke a belt's photo eye and no tag was read."""

    belt: ShortText
    point: CustodyPoint


class ScannedLeg(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A flight that a boarding pass or a bag's QR code names.

    Attributes
    ----------
    carrier, flight_number
        The airline's designator, two or three characters, and the number as printed: ``0834``.
    departure, arrival
        IATA codes of airports.
    day_of_year
        1 to 366.
    date
        ISO 8601, where the code says the year too.
    """

    carrier: ShortText | None = None
    flight_number: ShortText | None = None
    departure: ShortText | None = None
    arrival: ShortText | None = None
    day_of_year: int | None = None
    date: ShortText | None = None


class CodeScan(_Seen, frozen=True, kw_only=True, tag="code_scan"):
    """A scanner read a barcode or QR code.

    Attributes
    ----------
    symbology
        From the AIM identifier (``itf``, ``qr``, ``pdf417`` ...), None when the scanner sends none.
    content
        What the text turned out to be.
    licence_plate
        The ten digits, when ``content`` is ``plate`` or a bag's QR code carries them.
    text
        The text as scanned. None for boarding passes, and wherever it could name a person.
    point, belt
        Where the scanner stands, when the configuration says.
    legs
        Flights of a boarding pass or a bag's QR code.
    bag_tags
        Of a boarding pass, 13 digits each: a licence plate, and how many from there.
    bag_uuid
        Of a bag's QR code.
    problem
        Why a boarding pass or a bag's QR code could not be read whole.
    """

    content: Literal["plate", "boarding_pass", "bag_qr", "other"]
    symbology: ShortText | None = None
    licence_plate: LicencePlate | None = None
    text: Annotated[str, msgspec.Meta(max_length=2048)] | None = None
    point: CustodyPoint | None = None
    belt: ShortText | None = None
    legs: Annotated[tuple[ScannedLeg, ...], msgspec.Meta(max_length=9)] = ()
    bag_tags: Annotated[tuple[BagTags, ...], msgspec.Meta(max_length=3)] = ()
    bag_uuid: ShortText | None = None
    problem: ShortText | None = None


class NoRead(_Seen, frozen=True, kw_only=True, tag="no_read"):
    """A fixed scanner saw a bag pass and could read no code."""

    point: CustodyPoint | None = None
    belt: ShortText | None = None


class PositionFix(_Seen, frozen=True, kw_only=True, tag="position_fix"):
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


class CardPresented(_Seen, frozen=True, kw_only=True, tag="card_presented"):
    """A smart card or NFC tag was held to a reader; ``uid`` identifies, it proves nothing."""

    uid: Annotated[bytes, msgspec.Meta(max_length=32)]
    atr: Annotated[bytes, msgspec.Meta(max_length=64)] = b""
    ndef_text: Annotated[str, msgspec.Meta(max_length=2048)] | None = None


class BadgeShown(_Seen, frozen=True, kw_only=True, tag="badge_shown"):
    """A staff badge was held to a reader.

    Attributes
    ----------
    badge
        Who it is, without saying which card: HMAC-SHA256 of its identifier under the airport's
        badge key. The identifier itself never leaves the gateway's memory.
    """

    badge: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class CardRemoved(_Seen, frozen=True, kw_only=True, tag="card_removed"):
    """A card or badge was taken away again.

    Attributes
    ----------
    held_s
        How long it had been there.
    """

    held_s: float | None = None


class BeaconSeen(_Seen, frozen=True, kw_only=True, tag="beacon_seen"):
    """A BLE beacon's advertisement was heard."""

    beacon: ShortText
    identity: ShortText
    address: ShortText | None = None
    rssi_dbm: float | None = None
    tx_power_dbm: float | None = None


class GpioEdge(_Seen, frozen=True, kw_only=True, tag="gpio_edge"):
    """An input of a reader changed; level 1 = photo eye's beam blocked."""

    pin: Annotated[int, msgspec.Meta(ge=1, le=64)]
    level: Annotated[int, msgspec.Meta(ge=0, le=1)]


class AircraftState(_Seen, frozen=True, kw_only=True, tag="aircraft_state"):
    """What is known of an aircraft, at most once a second each.

    Attributes
    ----------
    icao
        24-bit address, six lower-case hex digits; ``~`` before it when it is no ICAO address.
    altitude_ft
        Pressure altitude (1013.25 hPa), feet.
    track_deg, ground_speed_kt, vertical_rate_fpm
        Over ground, degrees true; knots; feet a minute, up positive.
    category
        Emitter category, ``A3`` (large) for one; ``C1`` and ``C2`` are vehicles on the ground.
    source
        Where its position comes from: its own ADS-B, a ground station that repeats it (``adsr``)
        or sees it by radar (``tisb``), multilateration (``mlat``); ``mode_s``: it gives none.
    emergency
        What it declares by its squawk (7500, 7600, 7700) or in words of ADS-B.
    is_vehicle
        Whether it is a ground vehicle.
    registration, aircraft_type
        From the gateway's file of aircraft, or from the program that heard it.
    """

    icao: Icao
    callsign: ShortText | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_ft: float | None = None
    on_ground: bool | None = None
    ground_speed_kt: float | None = None
    track_deg: float | None = None
    vertical_rate_fpm: float | None = None
    squawk: Annotated[str, msgspec.Meta(pattern="^[0-7]{4}$")] | None = None
    category: ShortText | None = None
    signal_dbfs: float | None = None
    source: AircraftSource | None = None
    emergency: Emergency | None = None
    is_vehicle: bool = False
    registration: ShortText | None = None
    aircraft_type: ShortText | None = None


class AircraftGroundEvent(_Seen, frozen=True, kw_only=True, tag="aircraft_ground_event"):
    """An aircraft landed, stopped on a stand, left it or took off; ``boot_ns`` is when it did.

    Attributes
    ----------
    known_at_boot_ns
        When it became known (an aircraft must stand a while before it counts as parked).
    sigma_s
        Standard deviation of the time of the event, seconds.
    stand
        Name of the stand polygon it happened in; None for landed, airborne and outside stands.
    registration
        From the gateway's file of aircraft, or from the program that heard it.
    """

    icao: Icao
    event: GroundEvent
    sigma_s: float
    known_at_boot_ns: int
    stand: ShortText | None = None
    callsign: ShortText | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    registration: ShortText | None = None


class AircraftWeather(_Seen, frozen=True, kw_only=True, tag="aircraft_weather"):
    """Wind and temperature where an aircraft flies.

    Attributes
    ----------
    wind_direction_deg
        Where it blows from, degrees true, [0, 360).
    altitude_ft
        Pressure altitude, feet.
    source
        ``derived`` from ground and air vectors, or ``bds44`` as the aircraft reports it.
    true_heading_deg, true_airspeed_kt
        What it was derived from: an error of the heading turns the wind by as much as it turns
        this vector.
    roll_deg
        The steepest roll among the readings, as a number without sign.
    readings
        How many readings it is the median of.
    """

    icao: Icao
    latitude_deg: float
    longitude_deg: float
    altitude_ft: float
    wind_direction_deg: float
    wind_speed_kt: float
    source: Literal["derived", "bds44"] = "derived"
    temperature_c: float | None = None
    true_heading_deg: float | None = None
    true_airspeed_kt: float | None = None
    roll_deg: float | None = None
    readings: Count | None = None


class WeatherMeasured(_Seen, frozen=True, kw_only=True, tag="weather_measured"):
    """A local weather sensor's measurement; never certified, never in place of a METAR.

    Attributes
    ----------
    sensor
        Which one, when a device hears several.
    """

    wind_direction_deg: float | None = None
    wind_speed_mps: float | None = None
    wind_gust_mps: float | None = None
    temperature_c: float | None = None
    humidity_percent: float | None = None
    pressure_hpa: float | None = None
    rain_mm: float | None = None
    rain_mm_per_h: float | None = None
    sensor: ShortText | None = None


class LightningStrike(_Seen, frozen=True, kw_only=True, tag="lightning_strike"):
    """A lightning sensor noticed a strike.

    Attributes
    ----------
    sensor
        Which one, when a device hears several.
    """

    distance_km: float | None = None
    bearing_deg: float | None = None
    energy: float | None = None
    sensor: ShortText | None = None


class LightningWatch(_Seen, frozen=True, kw_only=True, tag="lightning_watch"):
    """A lightning sensor says that it listens, or cannot; told every minute or so.

    Where it is not told, nobody knows whether there was lightning.

    Attributes
    ----------
    listening
        Whether it would notice a strike.
    trouble
        Why it would not.
    sensor
        Which one, when a device hears several.
    """

    listening: bool
    trouble: ShortText | None = None
    sensor: ShortText | None = None


class DeviceEvent(_Seen, frozen=True, kw_only=True, tag="device_event"):
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


class GatewayHealth(_Seen, frozen=True, kw_only=True, tag="gateway_health"):
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
    devices: Annotated[dict[ShortText, ShortText], msgspec.Meta(max_length=256)] = {}
    clock_quality: int = 0
    degraded: Annotated[str, msgspec.Meta(max_length=512)] | None = None
    rss_kb: int | None = None
    threads: int | None = None
    cpu_percent: float | None = None
    disk_free_mb: int | None = None
    temperature_c: float | None = None
    device_health: Annotated[dict[ShortText, DeviceHealth], msgspec.Meta(max_length=256)] = {}


class Evicted(_Seen, frozen=True, kw_only=True, tag="evicted"):
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


class ClockAnchor(_Seen, frozen=True, kw_only=True, tag="clock_anchor"):
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


Observation = (
    TagRead
    | BagPassage
    | UnreadBag
    | CodeScan
    | NoRead
    | PositionFix
    | CardPresented
    | BadgeShown
    | CardRemoved
    | BeaconSeen
    | GpioEdge
    | AircraftState
    | AircraftGroundEvent
    | AircraftWeather
    | WeatherMeasured
    | LightningStrike
    | LightningWatch
    | DeviceEvent
    | GatewayHealth
    | Evicted
    | ClockAnchor
)

_CRITICAL = (
    BagPassage,
    UnreadBag,
    CodeScan,
    NoRead,
    CardPresented,
    BadgeShown,
    AircraftGroundEvent,
    LightningStrike,
    Evicted,
)
_BULK = (TagRead, BeaconSeen)


def lane_of(observation: Observation) -> int:
    """Say how urgently an observation travels: 0 critical, 1 live, 2 bulk."""
    if isinstance(observation, _CRITICAL):
        return CRITICAL
    if isinstance(observation, _BULK):
        return BULK
    return LIVE
