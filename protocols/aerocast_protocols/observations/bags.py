"""What is seen of bags: tags read, passages, photo eyes, codes scanned."""

from typing import Annotated, Literal

import msgspec

from aerocast_protocols.observations.observed import Count, Observed, ShortText

LicencePlate = Annotated[str, msgspec.Meta(pattern="^[0-9]{10}$")]
BagTags = Annotated[str, msgspec.Meta(pattern="^[0-9]{13}$")]
CustodyPoint = Literal[
    "acceptance", "screening", "sortation", "makeup", "loading", "transfer", "arrival", "reclaim"
]


class TagRead(Observed, frozen=True, kw_only=True, tag="tag_read"):
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


class BagPassage(Observed, frozen=True, kw_only=True, tag="bag_passage"):
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


class UnreadBag(Observed, frozen=True, kw_only=True, tag="unread_bag"):
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


class CodeScan(Observed, frozen=True, kw_only=True, tag="code_scan"):
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


class NoRead(Observed, frozen=True, kw_only=True, tag="no_read"):
    """A fixed scanner saw a bag pass and could read no code."""

    point: CustodyPoint | None = None
    belt: ShortText | None = None


class GpioEdge(Observed, frozen=True, kw_only=True, tag="gpio_edge"):
    """An input of a reader changed; level 1 = photo eye's beam blocked."""

    pin: Annotated[int, msgspec.Meta(ge=1, le=64)]
    level: Annotated[int, msgspec.Meta(ge=0, le=1)]
