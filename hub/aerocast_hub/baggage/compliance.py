"""The custody points of IATA Resolution 753 for a flight: who was read where, how, how fast. Pure.

The resolution asks an airline to show acquisition and delivery of bags at four points: acceptance
from the passenger, loading on the aircraft, transfer between carriers, and arrival, and to keep an
inventory of bags on departure. A point is passed by evidence of a gateway, a partner or a person;
what was only inferred passes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import quantiles
from typing import Literal, NamedTuple

import msgspec

from aerocast_hub.baggage.reconciliation import Carried, Due, is_aboard

CustodyPoint = Literal["acceptance", "loading", "transfer", "arrival"]
POINTS: tuple[CustodyPoint, ...] = ("acceptance", "loading", "transfer", "arrival")
WITHIN_US = 4 * 24 * 3_600_000_000  # of the flight: plates repeat within weeks

_SEEN_AT: Mapping[str, CustodyPoint] = {
    "acceptance": "acceptance",
    "loading": "loading",
    "transfer": "transfer",
    "arrival": "arrival",
    "reclaim": "arrival",
}


CUSTODY = frozenset(_SEEN_AT)
"""Points of belts that are custody points of the resolution."""


class Read(NamedTuple):
    """One piece of evidence, as far as compliance needs it.

    Attributes
    ----------
    kind
        ``passage``, ``scan``, ``seen`` (a partner's message), ``stowed``, ``handled`` ...
    point
        Of ``handled`` what was done; of ``stowed`` "" when it went into the hold of a flight.
    site
        Lower case.
    """

    licence_plate: str
    kind: str
    site: str
    point: str
    at_us: int
    known_at_us: int


class PointReport(msgspec.Struct, frozen=True, kw_only=True):
    """One custody point of one flight.

    Attributes
    ----------
    expected
        Bags that had to pass it.
    read
        Bags shown to have passed it.
    automatic
        Of those, bags an antenna saw.
    latency_p50_s, latency_p95_s
        From the event to the hub knowing of it, seconds; None without a read.
    gaps
        Plates that had to pass it and were not shown to.
    """

    point: CustodyPoint
    expected: int
    read: int
    automatic: int
    latency_p50_s: float | None
    latency_p95_s: float | None
    gaps: tuple[str, ...]

    @property
    def read_share(self) -> float | None:
        """Bags read of those expected, 0 to 1; None when none was."""
        return self.read / self.expected if self.expected else None

    @property
    def automatic_share(self) -> float | None:
        """Bags read by antennas of those read, 0 to 1; None when none was."""
        return self.automatic / self.read if self.read else None


class InventoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """A bag aboard at departure, with the word it flew on."""

    licence_plate: str
    container: str | None
    authority_to_load: bool | None
    passenger_status: str | None
    screening: str | None


class ComplianceReport(msgspec.Struct, frozen=True, kw_only=True):
    """A flight's custody points, and its inventory at departure (empty before)."""

    points: tuple[PointReport, ...]
    inventory: tuple[InventoryLine, ...]


def compliance_of(
    due: Due,
    carried: Sequence[Carried],
    reads: Iterable[Read],
    destination_codes: frozenset[str],
    now_us: int,
) -> ComplianceReport:
    """Report on a flight.

    Parameters
    ----------
    reads
        Evidence of the bags' plates, in any order; a bag's plates count as its first.
    destination_codes
        Every code of the airport it goes to, lower case.
    """
    shown = _shown(due, reads, destination_codes)
    departs_us = due.off_block_us
    has_left = departs_us is not None and departs_us <= now_us
    aboard = [each for each in carried if is_aboard(each.journey, due.leg, due.origin_codes)]
    aboard_ids = {each.bag_id for each in aboard}
    expected = {
        point: [
            each.licence_plate
            for each in carried
            if _must_pass(
                point, each, due, is_aboard_now=each.bag_id in aboard_ids, has_left=has_left
            )
        ]
        for point in POINTS
    }
    return ComplianceReport(
        points=tuple(_report(point, expected[point], shown[point]) for point in POINTS),
        inventory=tuple(map(_line, aboard)) if has_left else (),
    )


def _shown(
    due: Due, reads: Iterable[Read], destination_codes: frozenset[str]
) -> dict[CustodyPoint, dict[str, list[Read]]]:
    shown: dict[CustodyPoint, dict[str, list[Read]]] = {point: {} for point in POINTS}
    around_us = due.departs_us
    for read in reads:
        if around_us is not None and abs(read.at_us - around_us) > WITHIN_US:
            continue
        point = _point(read)
        if point is None:
            continue
        here = destination_codes if point == "arrival" else due.origin_codes
        if not read.site or read.site in here:
            shown[point].setdefault(read.licence_plate, []).append(read)
    return shown


def _point(read: Read) -> CustodyPoint | None:
    if read.kind == "stowed":
        return "loading" if not read.point else None
    if read.kind == "handled":
        return "arrival" if read.point == "claimed" else None
    return _SEEN_AT.get(read.point)


def _must_pass(
    point: CustodyPoint, carried: Carried, due: Due, *, is_aboard_now: bool, has_left: bool
) -> bool:
    journey = carried.journey
    place = [
        i
        for i, leg in enumerate(journey.legs)
        if (leg.key, leg.date) == (due.leg.key, due.leg.date)
    ]
    if not place or (journey.is_cancelled and not is_aboard_now):
        return False
    if point == "acceptance":
        return place[0] == 0
    if point == "transfer":
        return place[0] > 0
    if point == "loading":
        return is_aboard_now or not has_left
    return is_aboard_now


def _report(
    point: CustodyPoint, expected: Sequence[str], shown: Mapping[str, list[Read]]
) -> PointReport:
    read = [plate for plate in expected if plate in shown]
    first = [min(shown[plate], key=lambda each: each.at_us) for plate in read]
    delays_s = [max(0, each.known_at_us - each.at_us) / 1e6 for each in first]
    p50_s, p95_s = _p50_p95(delays_s)
    return PointReport(
        point=point,
        expected=len(expected),
        read=len(read),
        automatic=sum(any(each.kind == "passage" for each in shown[plate]) for plate in read),
        latency_p50_s=p50_s,
        latency_p95_s=p95_s,
        gaps=tuple(sorted(plate for plate in expected if plate not in shown)),
    )


def _p50_p95(values: Sequence[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    if len(values) == 1:
        return values[0], values[0]
    cuts = quantiles(values, n=100, method="inclusive")
    return round(cuts[49], 3), round(cuts[94], 3)


def _line(carried: Carried) -> InventoryLine:
    journey = carried.journey
    return InventoryLine(
        licence_plate=carried.licence_plate,
        container=journey.container,
        authority_to_load=journey.authority_to_load,
        passenger_status=journey.passenger_status,
        screening=journey.screening,
    )
