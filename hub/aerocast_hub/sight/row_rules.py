"""Which rows of which table a sight sees: the one place where it is decided.

An airline sees the flights of its designators, the bags that travel on them or were stowed for
them, and what was made of those. An airport sees the flights from and to it, their bags, and what
was last seen there. Whoever is bound to both sees what both allow.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from aerocast_hub.airports import airport_codes
from aerocast_hub.database.every_table import alerts, bag_messages, baggage, epcis, flights
from aerocast_hub.database.sight import RowRules, Sight

Condition = ColumnElement[bool]
Text = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]


def flight_rule(sight: Sight) -> Condition:
    """Say which flights are seen."""
    row = flights.FlightRow
    return and_(
        _of_airlines(row.flight_key, sight),
        or_(_at_stations(row.origin, sight), _at_stations(row.destination, sight)),
    )


def bag_rule(sight: Sight) -> Condition:
    """Say which bags are seen."""
    row, leg = baggage.BagRow, baggage.BagLegRow

    def of_a_leg(condition: Condition) -> Condition:
        return exists().where(leg.bag_id == row.id, condition).correlate(row.__table__)

    of_airlines: Condition = true()
    if sight.airlines is not None:
        of_airlines = or_(
            _of_airlines(row.flight_key, sight),
            _of_airlines(row.stowed_for, sight),
            of_a_leg(_of_airlines(leg.flight_key, sight)),
        )
    at_stations: Condition = true()
    if sight.stations is not None:
        at_stations = or_(
            *(_at_stations(each, sight) for each in (row.site, row.origin, row.destination)),
            of_a_leg(or_(_at_stations(leg.origin, sight), _at_stations(leg.destination, sight))),
        )
    return and_(of_airlines, at_stations)


def alert_rule(sight: Sight) -> Condition:
    """Say which alerts are seen, by what they are about: a bag, a flight, a belt, a ramp."""
    row = alerts.AlertRow
    about = [
        and_(
            row.subject.startswith(f"{what} "),
            exists()
            .where(table.id == func.substr(row.subject, len(what) + 2), rule(sight))
            .correlate(row.__table__),
        )
        for what, table, rule in (
            ("bag", baggage.BagRow, bag_rule),
            ("flight", flights.FlightRow, flight_rule),
        )
    ]
    if sight.airlines is None and sight.stations is not None:
        for code in sorted(_codes(sight.stations)):
            about.append(func.lower(row.subject).startswith(f"belt {code} ", autoescape=True))
            about.append(func.lower(row.subject) == f"ramp {code}")
    return or_(*about)


def message_rule(sight: Sight) -> Condition:
    """Say which baggage messages are seen: those that name a bag that is."""
    row, named = bag_messages.BagMessageRow, bag_messages.BagMessagePlateRow
    seen = (
        select(baggage.BagPlateRow.licence_plate)
        .join(baggage.BagRow, baggage.BagRow.id == baggage.BagPlateRow.bag_id)
        .where(bag_rule(sight))
    )
    return (
        exists()
        .where(named.message_id == row.id, named.licence_plate.in_(seen))
        .correlate(row.__table__)
    )


def event_rule(sight: Sight) -> Condition:
    """Say which EPCIS events are seen: those of a bag that is; others' events are not."""
    row = epcis.EpcisEventRow
    return (
        exists().where(baggage.BagRow.id == row.subject, bag_rule(sight)).correlate(row.__table__)
    )


def thing_rule(sight: Sight) -> Condition:
    """Say which things of EPCIS events are seen."""
    row, of_event = epcis.EpcisEpcRow, epcis.EpcisEventRow
    return (
        exists()
        .where(of_event.number == row.event_number, event_rule(sight))
        .correlate(row.__table__)
    )


def _none(_sight: Sight) -> Condition:
    return false()


ROW_RULES: RowRules = {
    flights.FlightRow: flight_rule,
    baggage.BagRow: bag_rule,
    alerts.AlertRow: alert_rule,
    bag_messages.BagMessageRow: message_rule,
    epcis.EpcisEventRow: event_rule,
    epcis.EpcisEpcRow: thing_rule,
    epcis.EpcisCaptureRow: _none,
    epcis.EpcisSubscriptionRow: _none,
}


def _of_airlines(key: Text, sight: Sight) -> Condition:
    """As `designators.airline_of`: a designator with a digit behind it."""
    if sight.airlines is None:
        return true()
    return or_(
        false(),
        *(
            and_(
                func.substr(key, 1, length).in_(named),
                func.substr(key, length + 1, 1).in_(tuple("0123456789")),
            )
            for length in (2, 3)
            if (named := sorted(each for each in sight.airlines if len(each) == length))
        ),
    )


def _at_stations(code: Text, sight: Sight) -> Condition:
    if sight.stations is None:
        return true()
    return func.lower(code).in_(sorted(_codes(sight.stations)))


def _codes(stations: Collection[str]) -> frozenset[str]:
    return frozenset(code for each in stations for code in airport_codes(each))
