"""What may be known of a bag: reads, messages, containers, aircraft, people. Frozen and dated.

A journey is a fold over the set of these. Each carries two times: when it happened, and when the
hub learned it in this form, so that "what did we know at 14:05" has an answer. A later, better
form of the same evidence (a corrected clock) has the same ``id`` and a later ``known_at_us``.
"""

from typing import Literal

import msgspec

Witness = Literal["passage", "scan", "message"]
PassengerStatus = Literal["booked", "checked_in", "boarded", "not_boarded", "standby"]


class _Known(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
):
    """What every piece of evidence carries.

    Attributes
    ----------
    id
        Equal for the same evidence heard again, on any way.
    at_us
        When it happened, UTC microseconds.
    known_at_us
        When the hub learned it in this form, UTC microseconds.
    told_by
        Who told it, where it is neither our own gateways nor a baggage message: ``epcis <user>``.
    """

    id: str
    at_us: int
    known_at_us: int = 0
    told_by: str = ""


class Seen(_Known, frozen=True, kw_only=True, tag="seen"):
    """One sighting of a bag.

    Attributes
    ----------
    site
        The gateway's site.
    point, belt
        Custody point and belt, "" where a scanner does not say.
    witness
        ``passage`` of its tag under antennas, ``scan`` of its code, or a partner's ``message``.
    confidence
        0 to 1.
    candidates
        When ``ambiguous``: every belt that may have carried it.
    day_of_year
        Of the flight, as the tag's memory has it; 0 where it says none.
    """

    site: str = ""
    point: str = ""
    belt: str = ""
    witness: Witness = "passage"
    gateway: str = ""
    sigma_ms: float = 0.0
    confidence: float = 1.0
    ambiguous: bool = False
    candidates: tuple[str, ...] = ()
    day_of_year: int = 0


class Leg(msgspec.Struct, frozen=True, omit_defaults=True):
    """A flight a bag is to travel on.

    Attributes
    ----------
    flight
        As written in capitals.
    key
        As compared: `aerocast_hub.schedule.flight_key`.
    date
        Day of departure, ISO 8601.
    origin, destination
        Airport codes; "" where the sender does not say.
    """

    flight: str
    key: str
    date: str
    origin: str = ""
    destination: str = ""


class Announced(_Known, frozen=True, kw_only=True, tag="announced"):
    """An airline says that a bag exists, what is to become of it, or that it is cancelled.

    Attributes
    ----------
    legs
        Its flights in the order of travel, as far as this sender knows them.
    status
        ``change`` and ``delete`` speak of a bag announced before.
    station
        The airport the sender speaks for: the bag leaves there next, or ends there.
    source
        ``processed``: told in passing by whoever handled the bag; it revives no cancelled one.
    authority_to_load, authority_to_transport
        None where nothing is said.
    passenger_id
        The hub's own id of its passenger: names stand in a table apart.
    exceptions
        Four-letter codes of RP1745's element E: ``RUSH``, ``PRIO``, ``CREW`` ...
    weight_kg
        As weighed at check-in, kilograms.
    """

    legs: tuple[Leg, ...] = ()
    status: Literal["new", "change", "delete"] = "new"
    station: str = ""
    source: Literal["import", "message", "processed", "person"] = "import"
    authority_to_load: bool | None = None
    authority_to_transport: bool | None = None
    passenger_status: PassengerStatus | None = None
    passenger_id: str | None = None
    sequence_number: str = ""
    security_number: str = ""
    exceptions: tuple[str, ...] = ()
    weight_kg: float | None = None


class Screened(_Known, frozen=True, kw_only=True, tag="screened"):
    """A bag was screened, with a result."""

    result: Literal["cleared", "rejected", "unclear"]
    site: str = ""
    level: str = ""


class Stowed(_Known, frozen=True, kw_only=True, tag="stowed"):
    """A bag went into a container or a hold, or came out of it.

    Attributes
    ----------
    container
        ULD, cart or compartment; "" for loose in the hold of ``leg``.
    leg
        The flight it is stowed for, where said.
    is_in
        False when it came out.
    order
        Load sequence in the container, where counted; 0 unknown.
    """

    container: str = ""
    leg: Leg | None = None
    is_in: bool = True
    site: str = ""
    order: int = 0


class Irregularity(_Known, frozen=True, kw_only=True, tag="irregularity"):
    """A partner reports something wrong with a bag (RP1745 element B).

    ``not_authorised`` loaded without authority (NAL), ``offloaded`` (OFF), ``on_hand_refused``
    on hand without authority (OND), ``on_hand`` on hand with authority (ONA), ``not_seen`` (BNS).
    """

    code: Literal["not_authorised", "offloaded", "on_hand_refused", "on_hand", "not_seen"]
    leg: Leg | None = None
    site: str = ""


class Handled(_Known, frozen=True, kw_only=True, tag="handled"):
    """Somebody at the airport did something with a bag, and said so.

    ``claimed`` by its owner, ``offloaded``, ``held`` back, ``released`` again, ``stored``.
    """

    did: Literal["claimed", "offloaded", "held", "released", "stored"]
    by: str = ""
    site: str = ""
    place: str = ""


class Retagged(_Known, frozen=True, kw_only=True, tag="retagged"):
    """A bag got another plate: rush tag, fallback tag, a torn one replaced.

    Filed under both plates.
    """

    old_plate: str
    new_plate: str
    by: str = ""


class Voided(_Known, frozen=True, kw_only=True, tag="voided"):
    """Evidence was wrong: it counts no more. Nothing is ever deleted."""

    voids: str
    by: str = ""
    reason: str = ""


class Nested(_Known, frozen=True, kw_only=True, tag="nested"):
    """A container went into another, onto a cart or a flight, or came off it.

    Filed under both containers.
    """

    container: str
    parent: str = ""
    leg: Leg | None = None
    is_in: bool = True
    site: str = ""


class Placed(_Known, frozen=True, kw_only=True, tag="placed"):
    """A container or its carrier was found at a place (GPS, beacon, scan).

    Attributes
    ----------
    place
        A stand, a bay, a belt: whatever the site calls it; "" when only the position is known.
    latitude_deg, longitude_deg
        WGS 84 degrees.
    """

    container: str
    site: str = ""
    place: str = ""
    latitude_deg: float | None = None
    longitude_deg: float | None = None


class Moved(_Known, frozen=True, kw_only=True, tag="moved"):
    """A flight left or reached its stand, or what was said of it is withdrawn.

    Of several times of one movement the one known last counts.

    Attributes
    ----------
    flight_key, flight_date
        As in `Leg`.
    """

    flight_key: str
    flight_date: str
    what: Literal["off_block", "airborne", "landed", "on_block"]
    is_withdrawn: bool = False
    stand: str = ""


BagEvidence = Seen | Announced | Screened | Stowed | Irregularity | Handled | Retagged | Voided
"""Of one plate."""
Evidence = BagEvidence | Nested | Placed | Moved
"""Of a plate, a container or a flight."""

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Evidence] = msgspec.msgpack.Decoder(Evidence)


def encode_evidence(evidence: Evidence) -> bytes:
    """Encode evidence as it is kept."""
    return _encoder.encode(evidence)


def decode_evidence(encoded: bytes) -> Evidence:
    """Decode evidence as it was kept.

    Raises
    ------
    msgspec.MsgspecError
        It is of a kind this version does not know.
    """
    return _decoder.decode(encoded)


def legs_of(evidence: Evidence) -> tuple[Leg, ...]:
    """Give the flights a piece of evidence names."""
    kind = type(evidence)
    if kind is Announced:
        return evidence.legs  # type: ignore[union-attr]  # narrowed by kind, for speed
    if kind is Stowed or kind is Nested or kind is Irregularity:
        leg: Leg | None = evidence.leg  # type: ignore[union-attr]  # as above
        return () if leg is None else (leg,)
    return ()


def flight_subject(key: str, date: str) -> str:
    """Name a flight as evidence is filed under it: ``flight AF6120 2024-07-06``."""
    return f"flight {key} {date}"


def container_subject(container: str) -> str:
    """Name a container as evidence is filed under it: ``container AKE12345AF``."""
    return f"container {container}"
