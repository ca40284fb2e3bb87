import json
from pathlib import Path

import msgspec
import pytest
from aerocast_hub.database.insert import insert_new
from aerocast_hub.events.flights import FlightAirborne, FlightLanded, FlightOffBlock, FlightOnBlock
from aerocast_hub.flights.absorb import absorb
from aerocast_hub.flights.imports import import_flights, import_stands
from aerocast_hub.flights.refold import times_of
from aerocast_hub.flights.store import (
    Booking,
    count_parked,
    find_flight,
    flight_of,
    flights_of,
    list_flights,
)
from aerocast_hub.flights.tables import FlightRow, GroundEventRow
from aerocast_hub.importing import RefusedRow
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.schedule import flight_key, instant_us
from aerocast_protocols.observations.aircraft import AircraftGroundEvent, AircraftState
from sqlalchemy import func, select

DATA = Path(__file__).parents[3].parent / "shared" / "data"
LINE = {
    "flight": "AF 6120",
    "date": "2024-07-06",
    "callsign": "AFR61ZW",
    "icao": "393322",
    "registration": "F-GKXS",
    "from": "CDG",
    "to": "TLS",
    "scheduled_off_block": "2024-07-06T06:40:00Z",
    "scheduled_on_block": "2024-07-06T10:05:00+02:00",
    "stand": "B2",
    "reclaim": 4,
    "gate": None,
}
MIN = 60_000_000
DUE = instant_us("2024-07-06T08:05:00Z")


def sighting(event, minute, number=1, gateway="apron", **more):
    known = {"icao": "393322", "sigma_s": 5.0, "known_at_boot_ns": 1} | more
    return Sighting(
        site="lfbo",
        gateway=gateway,
        epoch=1,
        lane=0,
        sequence=number,
        seen_at_us=DUE + minute * MIN,
        clock_quality=3,
        observation=AircraftGroundEvent(device="sky", boot_ns=1, event=event, **known),
    )


IN = (sighting("landed", -7, 1), sighting("on_stand", -2, 2, stand="TLS-B"))
OUT = (
    sighting("off_stand", -80, 1, "paris", stand="CDG-A"),
    sighting("airborne", -68, 2, "paris"),
)


def schedule(tmp_path, *lines):
    file = tmp_path / "flights.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return file


async def one_flight(database):
    async with database.reading() as session:
        return await flight_of(session, Booking("AF6120", "2024-07-06", "CDG", "TLS"))


async def absorb_in(database, *sightings):
    async with database.writing() as session:
        return await absorb(session, sightings)


async def test_a_flight_heard_at_both_ends_gets_all_four_times(database, tmp_path):
    await import_flights(database, schedule(tmp_path, LINE))
    events = await absorb_in(database, *IN)
    assert [type(each) for each in events] == [FlightLanded, FlightOnBlock]
    assert events[1].stand == "TLS-B"
    events = await absorb_in(database, *OUT)
    assert [type(each) for each in events] == [FlightOffBlock, FlightAirborne]
    flight = await one_flight(database)
    actual = flight.actual
    known = (actual.off_block, actual.airborne, actual.landed, actual.on_block)
    assert [(each.at_us - DUE) // MIN for each in known] == [-80, -68, -7, -2]
    assert (flight.stand, flight.reclaim, flight.icao) == ("TLS-B", "4", "393322")
    async with database.reading() as session:
        assert await count_parked(session) == 1


async def test_a_flight_imported_late_is_told_what_was_heard_before(database, tmp_path):
    assert await absorb_in(database, *IN, *OUT) == []
    await import_flights(database, schedule(tmp_path, LINE))
    actual = (await one_flight(database)).actual
    assert actual.on_block.stand == "TLS-B"
    assert actual.airborne is not None


async def test_events_in_any_order_and_twice_give_the_same_flight(database, tmp_path):
    await import_flights(database, schedule(tmp_path, LINE))
    told = []
    for each in (*reversed((*IN, *OUT)), *IN):
        told += await absorb_in(database, each)
    assert len(told) == 4
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(GroundEventRow)) == 4
    assert (await one_flight(database)).actual.off_block.stand == "CDG-A"


async def test_a_better_report_from_another_gateway_changes_the_time(database, tmp_path):
    await import_flights(database, schedule(tmp_path, LINE))
    await absorb_in(database, *IN)
    assert await absorb_in(database, sighting("landed", -6, 9, "other", sigma_s=30.0)) == []
    (better,) = await absorb_in(database, sighting("landed", -6, 10, "other", sigma_s=1.0))
    assert (better.at_us, better.sigma_s) == (DUE - 6 * MIN, 1.0)


async def test_a_callsign_or_a_registration_finds_the_flight_too(database, tmp_path):
    by_callsign = LINE | {"icao": None, "registration": None}
    await import_flights(database, schedule(tmp_path, by_callsign))
    assert await absorb_in(database, *IN) == []
    said = sighting("on_stand", -1, 7, callsign="AFR61ZW ", stand="TLS-B")
    assert [type(each) for each in await absorb_in(database, said)] == [FlightLanded, FlightOnBlock]


async def test_a_registration_learned_from_another_flight_finds_this_one(database, tmp_path):
    elsewhere = (
        LINE
        | {"flight": "AF1", "date": "2024-07-01", "callsign": None}
        | {
            "scheduled_off_block": "2024-07-01T06:40:00Z",
            "scheduled_on_block": "2024-07-01T08:05:00Z",
        }
    )
    by_registration = LINE | {"icao": None, "callsign": None, "registration": "FGKXS"}
    await import_flights(database, schedule(tmp_path, elsewhere, by_registration))
    await absorb_in(database, *IN)
    assert (await one_flight(database)).actual.landed is not None


async def test_an_earlier_schedule_can_take_an_arrival_back(database, tmp_path):
    wrong = LINE | {"flight": "AF9999", "scheduled_on_block": "2024-07-06T10:00:00Z"}
    await import_flights(database, schedule(tmp_path, wrong))
    await absorb_in(database, *IN)
    async with database.reading() as session:
        assert await count_parked(session) == 1
    await import_flights(database, schedule(tmp_path, LINE))
    async with database.reading() as session:
        rows = {row.flight: times_of(row) for row in await session.scalars(select(FlightRow))}
    assert rows["AF9999"].on_block is None
    assert rows["AF 6120"].on_block is not None


async def test_importing_twice_changes_the_flight_and_adds_none(database, tmp_path):
    await import_flights(database, schedule(tmp_path, LINE))
    before = await one_flight(database)
    await import_flights(database, schedule(tmp_path, LINE | {"reclaim": "5", "flight": "af6120"}))
    after = await one_flight(database)
    assert (after.id, after.reclaim) == (before.id, "5")
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(FlightRow)) == 1


async def test_bad_lines_are_named_and_the_rest_is_imported(database, tmp_path):
    file = schedule(
        tmp_path,
        LINE | {"scheduled_off_block": "25:00"},
        LINE,
        LINE | {"icao": "xyz"},
        LINE | {"date": "06/07/2024"},
        LINE | {"from": ""},
        {"flight": "AF1"},
        LINE | {"scheduled_on_block": 1e30},
        LINE | {"gate": "A\x001"},
    )
    rows = await import_flights(database, file)
    errors = [each.error for each in rows if isinstance(each, RefusedRow)]
    assert errors[:4] == [
        "line 1: scheduled_off_block '25:00': expected a time such as 2024-07-06T06:40:00Z",
        "line 3: icao 'xyz': expected a 24-bit address such as 393322",
        "line 4: date '06/07/2024': expected a date such as 2024-07-06",
        "line 5: from '': expected an airport's code such as TLS or LFBO",
    ]
    assert errors[4] == "line 6: date is missing"
    assert errors[5].startswith("line 7: scheduled_on_block '1e+30': expected a time")
    assert errors[6] == "line 8: gate '...': expected text without NUL characters"
    assert await one_flight(database) is not None


async def test_a_flight_knows_its_aircraft_handler_and_terminals(database, tmp_path):
    more = {"aircraft_type": "a320", "handler": "Swift", "arrival_terminal": 2}
    await import_flights(database, schedule(tmp_path, LINE | more))
    flight = await one_flight(database)
    assert (flight.aircraft_type, flight.handler) == ("A320", "Swift")
    assert (flight.departure_terminal, flight.arrival_terminal) == (None, "2")
    refused = [
        each.error
        for each in await import_flights(
            database,
            schedule(tmp_path, LINE | {"aircraft_type": "Airbus"}, LINE | {"handler": "x" * 33}),
        )
    ]
    assert refused == [
        "line 1: aircraft_type 'Airbus': expected a designator such as A320 or 77W",
        f"line 2: handler '{'x' * 32}': expected at most 32 characters",
    ]


async def test_csv_gives_the_same_flight(database, tmp_path):
    file = tmp_path / "flights.csv"
    file.write_text(
        ",".join(LINE) + "\n" + ",".join("" if v is None else str(v) for v in LINE.values()) + "\n"
    )
    (row,) = await import_flights(database, file)
    assert row == (await import_flights(database, schedule(tmp_path, LINE)))[0]


async def test_a_gateways_senseless_numbers_and_names_stop_nothing(database, tmp_path):
    await import_flights(database, schedule(tmp_path, LINE))
    strange = {"sigma_s": float("nan"), "latitude_deg": float("inf"), "longitude_deg": 1.0}
    await absorb_in(database, sighting("landed", -7, 1, stand="B\x00", callsign="\x00", **strange))
    assert (await one_flight(database)).actual.landed.sigma_s == 3600.0


async def test_other_observations_are_left_alone(database):
    other = msgspec.structs.replace(
        IN[0], observation=AircraftState(device="sky", boot_ns=1, icao="393322")
    )
    assert await absorb_in(database, other) == []


async def test_flights_are_found_and_listed(database, tmp_path):
    await import_flights(database, schedule(tmp_path, LINE, LINE | {"to": "NCE"}))
    async with database.reading() as session:
        assert len(await list_flights(session, DUE)) == 2
        assert await list_flights(session, DUE + 40 * 3600 * 1_000_000) == []
        found = await flight_of(session, Booking("AF06120", "2024-07-06", "LFPG", "LFBO"))
        assert found.destination == "TLS"
        assert await find_flight(session, found.id) == found
        assert await find_flight(session, "none") is None
        assert await flight_of(session, Booking("AF1", "2024-07-06", "CDG", "TLS")) is None
        asked = [
            Booking("AF6120", "2024-07-06", "CDG", "NCE"),
            Booking("AF6120", "2024-07-07", "CDG", "TLS"),
            Booking("AF6120", "2024-07-06", "CDG", "TLS"),
        ]
        by_booking = await flights_of(session, asked)
        assert {each: by_booking[each].destination for each in by_booking} == {
            asked[0]: "NCE",
            asked[2]: "TLS",
        }


@pytest.mark.parametrize(
    ("one", "other"), [("af 0123", "AF123"), ("U2123", "U2 0123"), ("DLH0505A", "dlh505a")]
)
def test_flight_numbers_are_compared_without_blanks_and_leading_zeros(one, other):
    assert flight_key(one) == flight_key(other)


async def test_stands_are_imported_and_bad_ones_named(database, tmp_path):
    square = [[1.0, 43.0], [1.1, 43.0], [1.1, 43.1], [1.0, 43.1], [1.0, 43.0]]

    def feature(outline, **properties):
        geometry = {"type": "Polygon", "coordinates": [outline]}
        return {"type": "Feature", "properties": properties, "geometry": geometry}

    file = tmp_path / "stands.geojson"
    features = [
        feature(square, stand="B2"),
        feature(square),
        feature(square[:-1], stand="B3"),
        feature([[200.0, 43.0], *square[1:]], stand="B4"),
        {"type": "Feature", "properties": {"stand": "B5"}, "geometry": {"type": "Point"}},
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    rows = await import_stands(database, file)
    assert rows[0].stand == "B2"
    assert rows[0].centre == pytest.approx((43.05, 1.05))
    assert [each.error.partition(":")[0] for each in rows[1:]] == [
        "feature 2",
        "feature 3",
        "feature 4",
        "feature 5",
    ]
    file.write_text("[]")
    parts = feature(square, stand="B6")
    parts["geometry"] = {"type": "MultiPolygon", "coordinates": [[square], [square]]}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [parts]}))
    assert (await import_stands(database, file))[0].centre == pytest.approx((43.05, 1.05))
    file.write_text("[]")
    (refused,) = await import_stands(database, file)
    assert refused.error.startswith("no GeoJSON feature collection")


async def test_the_recorded_flights_stands_are_imported(database):
    file = DATA / "adsb" / "flight_393322_stands.geojson"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    rows = await import_stands(database, file)
    assert {each.stand for each in rows} >= {"CDG-A", "TLS-B"}


async def test_a_thousand_flights_are_folded_in_one_import(database, tmp_path):
    async with database.writing() as session:
        rows = [
            {
                "site": "s",
                "gateway": "g",
                "epoch": 1,
                "lane": 0,
                "sequence": number,
                "icao": f"{number:06x}",
                "event": "on_stand",
                "at_us": DUE + number * 1000,
                "sigma_s": 5.0,
                "stand": None,
                "callsign": None,
                "latitude_deg": None,
                "longitude_deg": None,
            }
            for number in range(1000)
        ]
        await insert_new(session, GroundEventRow, rows)
    lines = [
        LINE | {"flight": f"AF{number + 1}", "icao": f"{number:06x}", "callsign": None}
        for number in range(1000)
    ]
    await import_flights(database, schedule(tmp_path, *lines))
    async with database.reading() as session:
        assert await count_parked(session) == 1000
