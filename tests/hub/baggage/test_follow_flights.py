"""Bags fly with their flights, those aboard by mistake too."""

import json

from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.baggage.follow_flights import take_in
from aerocast_hub.baggage.operations import Action, act
from aerocast_hub.events.bags import BagChanged
from aerocast_hub.events.flights import FlightOffBlock, FlightTimeWithdrawn
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.flights.store import flights_called

DAY = "2024-07-06"
NOON = 1_720_267_200_000_000
STRANGER = "0220123456"


async def test_a_bag_on_the_wrong_flight_leaves_with_it_and_comes_back_when_that_is_withdrawn(
    database, tmp_path
):
    flight = {"flight": "AF6120", "date": DAY, "from": "TLS", "to": "CDG"}
    file = tmp_path / "flights.jsonl"
    file.write_text(json.dumps(flight | {"scheduled_off_block": f"{DAY}T12:30:00Z"}))
    await import_flights(database, file)
    stowed = Action(
        did="stowed", container="AKE1", flight="AF6120", flight_date=DAY, site="lfbo", at_us=NOON
    )
    async with database.writing() as session:
        await act(session, STRANGER, stowed, "eva")
        (flight,) = await flights_called(session, {("AF6120", DAY)})
        left = FlightOffBlock(at_us=NOON + 9, flight_id=flight.id, sigma_s=1.0)
        told = await take_in(session, [left])
        assert [(each.was, each.state) for each in told] == [("loaded", "departed")]
        withdrawn = FlightTimeWithdrawn(at_us=NOON + 9, flight_id=flight.id, what="off_block")
        told = await take_in(session, [withdrawn])
        assert [type(each) for each in told] == [BagChanged]
        bag = await find_bag(session, STRANGER)
    assert bag.journey.state == "loaded"
