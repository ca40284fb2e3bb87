"""What the elements of a baggage message say, as values (IATA RP1745).

Texts are as sent, without blanks around them and codes in upper case; what was left out is None.
Passengers' names and booking references (`Passenger`, ``pnr``, ``group_name``) are personal data.
"""

import datetime as dt
import itertools
from typing import Literal

import msgspec

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
DAYS: dict[str, tuple[int, int]] = {
    f"{day:02d}{name}": (month, day)
    for month, (name, longest) in enumerate(zip(_MONTHS, _LONGEST_MONTH, strict=True), 1)
    for day in range(1, longest + 1)
}
"""Every day as messages write it: ``05FEB`` -> (2, 5)."""


def write_day(day: dt.date) -> str:
    """Write a date as messages do, without its year: ``05FEB``."""
    return f"{day.day:02d}{_MONTHS[day.month - 1]}"


def nearest_date(day: str, received: dt.date) -> dt.date:
    """Give the date a message means by ``05FEB``: the nearest to the day it was received.

    Parameters
    ----------
    day
        Day and month as in `Leg.date`.
    received
        The day the message came in.

    Raises
    ------
    ValueError
        ``day`` is no day of the year.
    """
    if day not in DAYS:
        raise ValueError(f"{day[:8]!r} is no day")
    month, of_month = DAYS[day]
    dates = []
    for year in range(received.year - 4, received.year + 5):
        is_leap_day = (month, of_month) == (2, 29)
        if not 1 <= year <= 9999 or (is_leap_day and not _is_leap(year)):
            continue
        dates.append(dt.date(year, month, of_month))
    if not dates:
        raise ValueError(f"{day!r} is in no year near {received.year}")
    return min(dates, key=lambda each: abs((each - received).days))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


class Version(msgspec.Struct, frozen=True):
    """``.V``: where the message comes from, and which part of it this is.

    Attributes
    ----------
    source
        L local, T transfer; R and X: remote check-in and terminating (sources differ on which).
    station
        The airport the message is for, three letters.
    part
        1, 2, ... when the message came in parts.
    reference
        The sender's number for the message.
    wants_acknowledgement
        The sender asks for an acknowledgement.
    key
        What the sender proves the message with, as sent.
    number
        Version of the data dictionary, a digit.
    """

    source: Literal["L", "T", "X", "R"]
    station: str
    part: int | None = None
    reference: str | None = None
    wants_acknowledgement: bool = False
    key: str | None = None
    number: str = "1"


class Leg(msgspec.Struct, frozen=True):
    """``.F`` outbound, ``.I`` inbound or ``.O`` onward flight.

    Attributes
    ----------
    airline, number
        ``SK`` and ``4416``: as sent, leading zeros kept, a suffix letter with the number.
    date
        ``05FEB``, local at the airport of departure; messages carry no year: `on` finds it.
    airport
        Where it goes to; of an inbound flight where it came from.
    travel_class
        One letter.
    """

    airline: str
    number: str
    date: str | None = None
    airport: str | None = None
    travel_class: str | None = None

    @property
    def flight(self) -> str:
        """The flight as sent: ``SK4416``."""
        return self.airline + self.number

    def on(self, received: dt.date) -> dt.date | None:
        """Give the flight's date, knowing when its message was received."""
        return None if self.date is None else nearest_date(self.date, received)


class TagRange(msgspec.Struct, frozen=True):
    """``.N``: licence plates that follow each other.

    Attributes
    ----------
    first
        Ten digits.
    count
        1 to 999. The serial number, the last six digits, begins again at 000000 after 999999.
    """

    first: str
    count: int = 1

    def plates(self) -> list[str]:
        """Give every plate of the range, ten digits each."""
        if self.count == 1:
            return [self.first]
        issuer, serial = self.first[:4], int(self.first[4:])
        return [f"{issuer}{(serial + step) % 1_000_000:06d}" for step in range(self.count)]


class Reconciliation(msgspec.Struct, frozen=True):
    """``.S``: whether the bag may be loaded, and whose it is.

    Attributes
    ----------
    authority_to_load, authority_to_transport
        None where the sender does not say.
    passenger_status
        B boarded, C checked in, N not boarded, S standby.
    sequence
        Check-in sequence number.
    tag_status
        A active, I inactive.
    """

    authority_to_load: bool | None = None
    seat: str | None = None
    passenger_status: str | None = None
    sequence: str | None = None
    security: str | None = None
    profile: str | None = None
    authority_to_transport: bool | None = None
    tag_status: str | None = None


class Weight(msgspec.Struct, frozen=True):
    """``.W``: pieces and weights. Unit K kilograms, L pounds, P pieces alone."""

    unit: Literal["K", "L", "P"]
    pieces: int | None = None
    checked: int | None = None
    unchecked: int | None = None


class Passenger(msgspec.Struct, frozen=True):
    """``.P``: a name. Personal data: never log it.

    Attributes
    ----------
    party
        How many travel under this surname, 1 to 9, where the sender says.
    """

    surname: str
    given: tuple[str, ...] = ()
    party: int | None = None

    def __repr__(self) -> str:
        """Tell no name: a message that is printed or logged stays anonymous."""
        return "Passenger(...)"


class Processing(msgspec.Struct, frozen=True):
    """``.J``: who handled the bag where, and when.

    Attributes
    ----------
    code
        R reconciliation, S sortation, G ground tracking, H hand scanned.
    date, time
        ``05FEB`` and ``1059`` or ``145625``.
    zone
        L local at the station, Z UTC.
    """

    code: str | None = None
    agent: str | None = None
    scanner: str | None = None
    date: str | None = None
    time: str | None = None
    zone: Literal["L", "Z"] | None = None
    locations: tuple[str, ...] = ()

    def at(self, received: dt.date) -> dt.datetime | None:
        """Give when it happened on the clock of `zone`, knowing when the message was received."""
        if self.date is None or self.time is None:
            return None
        hour, minute = int(self.time[:2]), int(self.time[2:4])
        clock = dt.time(hour, minute, int(self.time[4:] or 0))
        return dt.datetime.combine(nearest_date(self.date, received), clock)


class Screening(msgspec.Struct, frozen=True):
    """``.X``: security screening. Result CLR cleared, REJ rejected, UCL not cleared."""

    instruction: str | None = None
    result: str | None = None
    reason: str | None = None
    screener: str | None = None
    method: str | None = None


class Irregularity(msgspec.Struct, frozen=True):
    """``.B``: what is wrong with the bag.

    Attributes
    ----------
    code
        NAL loaded without authority, OFF offloaded, OND on hand without authority, ONA on hand
        with authority.
    """

    code: str
    details: tuple[str, ...] = ()


class Handling(msgspec.Struct, frozen=True):
    """``.H``: where the bag is to be handled."""

    terminal: str | None = None
    bay: str | None = None
    gate: str | None = None


class Stowage(msgspec.Struct, frozen=True):
    """``.U``: the container or compartment the bag is in."""

    device: str
    compartment: str | None = None
    details: tuple[str, ...] = ()


class Bags(msgspec.Struct, frozen=True, kw_only=True):
    """Bags of a message that share everything it says: those of one passenger, usually.

    Attributes
    ----------
    onward
        Flights after the outbound one, in order.
    tags
        Ranges as sent; they may overlap: `plates` names each plate once.
    pnr
        Booking reference.
    exceptions
        Words like PRIO, RUSH, VIP, CREW, HEAV.
    internal
        Free text of the airline, a line each.
    printer
        The tag printer's id.
    check_in, delivery
        Fields of ``.D`` and ``.G`` as sent.
    """

    inbound: Leg | None = None
    outbound: Leg | None = None
    onward: tuple[Leg, ...] = ()
    tags: tuple[TagRange, ...] = ()
    reconciliation: Reconciliation | None = None
    weight: Weight | None = None
    passengers: tuple[Passenger, ...] = ()
    pnr: str | None = None
    exceptions: tuple[str, ...] = ()
    processing: tuple[Processing, ...] = ()
    screening: tuple[Screening, ...] = ()
    irregularities: tuple[Irregularity, ...] = ()
    handling: Handling | None = None
    check_in: tuple[str, ...] = ()
    delivery: tuple[str, ...] = ()
    stowage: Stowage | None = None
    load_sequence: str | None = None
    frequent_traveller: str | None = None
    group_name: str | None = None
    internal: tuple[str, ...] = ()
    printer: str | None = None

    def __repr__(self) -> str:
        """Tell flight and plates, and nothing personal."""
        flight = self.outbound.flight if self.outbound else None
        return f"Bags(outbound={flight!r}, tags={self.tags!r})"

    @property
    def plates(self) -> tuple[str, ...]:
        """Every licence plate once, in the order sent."""
        if len(self.tags) == 1:
            return tuple(self.tags[0].plates())
        every = itertools.chain.from_iterable(tag.plates() for tag in self.tags)
        return tuple(dict.fromkeys(every))
