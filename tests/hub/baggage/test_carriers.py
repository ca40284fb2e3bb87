from aerocast_hub.baggage.absorb import absorb
from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.baggage.carriers import worth_keeping
from aerocast_hub.baggage.evidence import Placed
from aerocast_hub.baggage.operations import Action, ContainerMove, act, move
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.sighting import Sighting
from aerocast_protocols.observations.gateways import PositionFix

PLATE = "0220123456"
NOON = 1_720_267_200_000_000
MIN = 60_000_000


def fix(minute, number, latitude=43.63, gateway="tug-7", mode=3):
    where = PositionFix(
        device="gps", boot_ns=1, mode=mode, latitude_deg=latitude, longitude_deg=1.36
    )
    return Sighting(
        site="lfbo",
        gateway=gateway,
        epoch=1,
        lane=1,
        sequence=number,
        seen_at_us=NOON + round(minute * MIN),
        clock_quality=4,
        observation=where,
    )


def placed(minute, latitude):
    at_us = NOON + round(minute * MIN)
    return Placed(
        id=str(minute), at_us=at_us, container="C", latitude_deg=latitude, longitude_deg=1
    )


def test_positions_are_kept_when_the_carrier_moved_and_once_a_minute():
    found = [placed(0, 43.0), placed(0.1, 43.0001), placed(0.2, 43.001), placed(1.3, 43.001)]
    assert [each.id for each in worth_keeping(found, None)] == ["0", "0.2", "1.3"]
    assert worth_keeping(found[1:2], found[0]) == []


async def test_a_bag_on_a_cart_is_where_the_cart_s_gps_is(database):
    async with database.writing() as session:
        await add_gateway(session, "lfbo", "tug-7", carrier="CART7")
        await act(session, PLATE, Action(did="stowed", container="AKE1", at_us=NOON), "eva")
        await move(session, "AKE1", ContainerMove(did="into", parent="CART7", at_us=NOON))
        told = await absorb(
            session,
            [fix(1, 1), fix(2, 2, 43.64), fix(3, 3, 43.7, "hall-1"), fix(4, 4, 43.8, mode=1)],
        )
        assert {each.licence_plate for each in told} <= {PLATE}
        bag = await find_bag(session, PLATE)
    place = bag.journey.place
    assert (place.latitude_deg, place.inside) == (43.64, ("AKE1", "CART7"))
    assert place.at_us == NOON + 2 * MIN
