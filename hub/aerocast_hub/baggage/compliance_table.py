"""Reports for IATA Resolution 753 as a table: a line for each custody point of each flight."""

import csv
import io
from collections.abc import Iterable

import msgspec

from aerocast_hub.baggage.compliance import PointReport
from aerocast_hub.baggage.insight import FlightCompliance

HEADINGS = ("flight", "date", *PointReport.__struct_fields__)


def as_csv(reports: Iterable[FlightCompliance], *, headed: bool = True) -> str:
    """Write compliance reports as a table (RFC 4180), under headings unless told otherwise."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADINGS)
    if headed:
        writer.writeheader()
    for each in reports:
        flight = {"flight": each.flight.flight, "date": each.flight.date}
        for point in each.report.points:
            writer.writerow(flight | msgspec.structs.asdict(point) | {"gaps": " ".join(point.gaps)})
    return text.getvalue()
