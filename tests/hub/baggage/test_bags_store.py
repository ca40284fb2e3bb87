import json

import pytest
from aerocast_hub.baggage.absorb import absorb
from aerocast_hub.baggage.bags import (
    bags_of_passenger,
    count_bags,
    count_bags_seen,
    count_passages,
    find_bag,
    find_bag_by_id,
    find_passenger,
    list_in_motion,
    passenger_of,
)
from aerocast_hub.baggage.belt_bags import count_bags_for_belts
from aerocast_hub.baggage.identity import NO_PLATE
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.baggage.insight import gateway_clocks, performance
from aerocast_hub.baggage.names import is_same_surname, surname_key
from aerocast_hub.baggage.tables import BagRow, PassengerRow
from aerocast_hub.events.bags import BagChanged, BagPassed, BagUnread
from aerocast_hub.importing import RefusedRow
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_protocols.observations.bags import BagPassage, CodeScan, NoRead, TagRead, UnreadBag
from sqlalchemy import func, select

PLATE = "0220123456"
SECOND = "0220123457"
NOON = 1_720_267_200_000_000  # 2024-07-06 12:00 UTC
MIN = 60_000_000
LINE = {
    "licence_plate": PLATE,
    "flight": "AF6120",
    "flight_date": "2024-07-06",
    "from": "CDG",
    "to": "TLS",
    "surname": "Müller",
    "passenger": "Anna",
}


def sighting(minute, observation, number, gateway="hall-1"):
    return Sighting(
        site="lfbo",
        gateway=gateway,
        epoch=1,
        lane=0,
        sequence=number,
        seen_at_us=NOON + minute * MIN,
        clock_quality=3,
        observation=observation,
    )


def passage(minute, number=1, plate=PLATE, point="arrival", belt="belt-4", **more):
    return sighting(
        minute,
        BagPassage(
            device="portal",
            boot_ns=1,
            belt=belt,
            point=point,
            epc=b"\x0c" * 12,
            licence_plate=plate,
            sigma_ms=40.0,
            reads=9,
            confidence=0.9,
            **more,
        ),
        number,
    )


def scan(minute, number=50, plate=PLATE, **more):
    seen = CodeScan(device="scanner", boot_ns=1, content="plate", licence_plate=plate, **more)
    return sighting(minute, seen, number)


def bags(tmp_path, *lines):
    file = tmp_path / "bags.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return file


async def absorb_in(database, *sightings):
    async with database.writing() as session:
        events = await absorb(session, sightings)
    return [each for each in events if not isinstance(each, BagChanged)]


async def found(database, plate=PLATE, flight_date=None):
    async with database.reading() as session:
        return await find_bag(session, plate, flight_date)


async def test_a_passage_moves_an_expected_bag_and_is_told_once(database, tmp_path):
    await import_bags(database, bags(tmp_path, LINE))
    assert (await found(database)).journey.state == "expected"
    events = await absorb_in(database, passage(1), passage(2, 2, point="reclaim", belt="reclaim-4"))
    assert [(type(each), each.point) for each in events] == [
        (BagPassed, "arrival"),
        (BagPassed, "reclaim"),
    ]
    assert await absorb_in(database, passage(3, 3)) == []
    bag = await found(database)
    assert bag.flight == "AF6120"
    assert bag.journey.state == "arrived"  # back on the arrival belt, a minute later
    assert set(bag.journey.custody) == {"arrival", "reclaim"}


async def test_a_bag_imported_late_takes_up_what_its_plate_was_seen_doing(database, tmp_path):
    await absorb_in(database, passage(1), scan(2))
    unknown = await found(database)
    assert (unknown.flight, unknown.journey.state) == (None, "arrived")
    await import_bags(database, bags(tmp_path, LINE))
    bag = await found(database)
    assert (bag.flight, bag.journey.state) == ("AF6120", "arrived")
    assert bag.id != unknown.id
    async with database.reading() as session:
        assert await count_bags(session) == 1
        assert await find_bag_by_id(session, unknown.id) is None


async def test_the_same_sightings_in_any_order_and_twice_give_one_journey(database, tmp_path):
    await import_bags(database, bags(tmp_path, LINE))
    seen = [passage(minute, number) for number, minute in enumerate((5, 1, 9, 3))]
    told = []
    for each in (*seen, *reversed(seen)):
        told += await absorb_in(database, each)
    journey = (await found(database)).journey
    assert len(told) == 1
    assert journey.passed[0].sightings == 4
    assert journey.custody == {"arrival": NOON + MIN}
    async with database.reading() as session:
        assert await count_passages(session) == 4


async def test_plates_repeat_and_each_bag_keeps_its_own_journey(database, tmp_path):
    weeks_later = LINE | {"flight_date": "2024-07-27"}
    await import_bags(database, bags(tmp_path, LINE, weeks_later))
    await absorb_in(database, passage(1), passage(21 * 24 * 60, 2, point="loading"))
    assert (await found(database, PLATE, "2024-07-06")).journey.state == "arrived"
    assert (await found(database, PLATE, "2024-07-27")).journey.state == "loaded"
    assert (await found(database)).flight_date == "2024-07-27"


async def test_two_bags_of_one_plate_on_one_day_are_flagged(database, tmp_path):
    other = LINE | {"flight": "AF7", "from": "NCE", "to": "ORY"}
    same = LINE | {"flight": "AF8", "from": "ORY", "to": "NCE"}
    await import_bags(database, bags(tmp_path, other, same))
    await absorb_in(database, passage(1))
    journey = (await found(database)).journey
    assert journey.duplicate
    assert "two announced bags" in journey.reasons[0].why


async def test_unread_bags_are_told_and_no_bag_is_made_up(database):
    unread = UnreadBag(device="portal", boot_ns=1, belt="belt-4", point="arrival")
    no_read = NoRead(device="scanner", boot_ns=1, belt="belt-5")
    events = await absorb_in(
        database, sighting(1, unread, 1), sighting(2, no_read, 2), scan(3, 3, NO_PLATE)
    )
    assert [(type(each), each.belt) for each in events] == [
        (BagUnread, "belt-4"),
        (BagUnread, "belt-5"),
        (BagUnread, None),
    ]
    async with database.reading() as session:
        assert await count_bags(session) == 0


async def test_a_tag_read_and_a_foreign_scan_make_no_bag(database):
    read = TagRead(
        device="portal", boot_ns=1, epc=b"\x0c\x21\x05\x02\x20\x12\x34\x56\x22\x02\x00\x1f"
    )
    other = CodeScan(device="scanner", boot_ns=1, content="other", text="hello")
    assert await absorb_in(database, sighting(1, read, 1), sighting(1, other, 2)) == []
    async with database.reading() as session:
        assert await count_bags(session) == 0


async def test_a_gateways_senseless_numbers_and_names_stop_nothing(database):
    strange = {"candidates": ("a\x00", "b\nc"), "ambiguous": True}
    await absorb_in(database, passage(1, belt="b\x00", **strange))
    assert (await found(database)).journey.last_belt == "b"
    assert await found(database, "\x00") is None


async def test_bags_in_motion_are_the_ones_seen_lately_and_not_delivered(database, tmp_path):
    await absorb_in(
        database,
        passage(1),
        passage(2, 2, SECOND, point="reclaim"),
        passage(-400, 3, "0220999999"),
    )
    async with database.reading() as session:
        moving = await list_in_motion(session, NOON + 5 * MIN)
        assert [each.licence_plate for each in moving] == [PLATE]
        assert await count_bags_seen(session) == 3


async def test_importing_twice_adds_no_bag_keeps_the_journey_and_tells_nothing(database, tmp_path):
    file = bags(tmp_path, LINE, LINE | {"licence_plate": SECOND})
    await import_bags(database, file)
    await absorb_in(database, passage(1))
    before = await found(database)
    await import_bags(database, file)
    assert await found(database) == before
    async with database.reading() as session:
        assert await count_bags(session) == 2
        counted = await count_bags_for_belts(session, {("AF6120", "2024-07-06"), ("AF1", "2024")})
        assert counted == {("AF6120", "2024-07-06"): 2}
        assert (
            await session.scalar(select(func.count()).select_from(OutboxRow)) == 2
        )  # the first time
        assert await session.scalar(select(func.count()).select_from(PassengerRow)) == 1


async def test_a_passenger_is_found_by_plate_and_surname_alone(database, tmp_path):
    second = LINE | {"licence_plate": SECOND}
    await import_bags(database, bags(tmp_path, LINE, second))
    async with database.reading() as session:
        person = await find_passenger(session, PLATE, "MUELLER".replace("UE", "U"))
        assert person is not None
        assert await find_passenger(session, SECOND, "müller") == person
        assert await find_passenger(session, PLATE, "Schmidt") is None
        assert await find_passenger(session, PLATE, "") is None
        assert await find_passenger(session, "9999999999", "müller") is None
        own = await bags_of_passenger(session, person)
        assert [each.licence_plate for each in own] == [PLATE, SECOND]
        assert await passenger_of(session, own[0].id) == person


async def test_bad_lines_are_named_without_names_of_people(database, tmp_path):
    rows = await import_bags(
        database,
        bags(
            tmp_path,
            LINE | {"licence_plate": "123"},
            LINE,
            LINE | {"licence_plate": NO_PLATE},
            LINE | {"flight_date": "yesterday"},
            LINE | {"surname": "123"},
        ),
    )
    refused = [each for each in rows if isinstance(each, RefusedRow)]
    assert [each.error for each in refused] == [
        "line 1: licence_plate '123': expected ten digits",
        "line 3: licence_plate '0000000000': expected ten digits",
        "line 4: flight_date 'yesterday': expected a date such as 2024-07-06",
        "line 5: surname '...': expected a name with letters",
    ]
    assert "ller" not in repr(rows)
    assert "Anna" not in repr(rows)
    assert await found(database) is not None


async def test_names_of_people_are_in_their_own_table_only(database, tmp_path):
    await import_bags(database, bags(tmp_path, LINE))
    await absorb_in(database, passage(1))
    async with database.reading() as session:
        row = await session.scalar(select(BagRow))
        assert "ller" not in repr(vars(row))
        assert "ller" not in repr(await find_bag(session, PLATE))


@pytest.mark.parametrize(
    ("one", "other"), [("Müller-Roy", "muller roy"), ("O'Neil", "ONEIL"), ("Weiß", "WEISS")]
)
def test_surnames_are_compared_without_accents_and_signs(one, other):
    assert is_same_surname(surname_key(one), other)
    assert not is_same_surname(surname_key(one), other + "X")
    assert not is_same_surname("", "")


async def test_portals_dwells_and_clocks_are_told_from_the_evidence(database):
    unread = sighting(5, UnreadBag(device="eye", boot_ns=1, belt="belt-4", point="arrival"), 900)
    seen = [unread]
    for number in range(10):
        plate = f"02201234{number:02d}"
        seen += [
            passage(number, 2 * number + 1, plate),
            passage(number + 3, 2 * number + 2, plate, point="reclaim", belt="reclaim-4"),
            scan(number + 4, 100 + number, plate, point="reclaim", belt="reclaim-4"),
        ]
    await absorb_in(database, *seen)
    async with database.reading() as session:
        told = await performance(session, NOON - MIN, NOON + 60 * MIN)
        assert await gateway_clocks(session, NOON + 60 * MIN) == []
    portals = {each.belt: each for each in told.portals}
    assert portals["belt-4"].read_rate == 10 / 11
    assert (portals["reclaim-4"].automatic, portals["reclaim-4"].manual) == (10, 10)
    assert [(each.from_point, each.to_point, each.median_s) for each in told.dwells] == [
        ("arrival", "reclaim", 180.0)
    ]
    assert told.manual_share == 1 / 3
