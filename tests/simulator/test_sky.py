"""The simulated sky against the real aircraft table: what is flown is what is told."""

import asyncio
import json

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.drivers.adsb_beast import BeastReceiver
from aerocast_agent.stands import Stands, distance_m
from aerocast_protocols.modes.beast import BeastBuffer, encode_beast
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.parity import downlink_format
from aerocast_protocols.modes.wind import Wind
from aerocast_protocols.observations.aircraft import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
)
from aerocast_simulator.flight import Air, Arrival, GroundPath, Layer, moved
from aerocast_simulator.sky import BeastServer, Flight

from tests.waiting import until

NS = 1_000_000_000
HERE = Position(43.6293, 1.3638)
STAND, DECOY = Position(43.6310, 1.3700), Position(43.6319, 1.3700)
AIR = Air(
    [
        Layer(500.0, Wind(310.0, 14.0), 12.0),
        Layer(10000.0, Wind(270.0, 45.0), -6.0),
        Layer(35000.0, Wind(250.0, 80.0), -54.0),
    ],
    declination_deg=1.7,
)
PATH = GroundPath.beside(STAND, 320.0, roll_m=420.0, taxi_m=160.0)


def square(stand, centre):
    corners = [moved(centre, bearing, 40.0) for bearing in (45, 135, 225, 315, 45)]
    return {
        "properties": {"stand": stand},
        "geometry": {"type": "Polygon", "coordinates": [[[c[1], c[0]] for c in corners]]},
    }


STANDS = Stands.from_geojson(
    json.dumps({"features": [square("T7", DECOY), square("T6", STAND)]}).encode()
)


def hear(flight, until_s, on_stand_after_s=15.0):
    table = AircraftTable(HERE, STANDS, on_stand_after_s, year=2026.0)
    buffer, seen, sent_to_s = BeastBuffer(), [], 0.0
    for second in range(1, until_s + 1):
        for heard in flight.transmissions(sent_to_s, float(second)):
            buffer.feed(encode_beast(heard.frame, ticks_12mhz=round(heard.second * 12e6)))
            for frame in buffer.frames():
                seen += table.update("sky", frame.frame, round(frame.ticks_12mhz / 12e6 * NS))
        sent_to_s = float(second)
        seen += table.advance("sky", second * NS)
    assert buffer.garbage_bytes == 0
    return seen


def of(kind, seen):
    return [each for each in seen if isinstance(each, kind)]


def turned(one, other):
    return abs((one - other + 180.0) % 360.0 - 180.0)


def test_the_first_arrival_is_parked_within_25_seconds_and_told_so_on_the_right_stand():
    flight = Flight.arrival("39a1b2", "AFR12AB", PATH, AIR)

    events = of(AircraftGroundEvent, hear(flight, 120))

    assert [(each.event, each.stand, each.callsign) for each in events] == [
        ("landed", None, "AFR12AB"),
        ("on_stand", "T6", "AFR12AB"),
    ]
    landed, parked = events
    assert landed.boot_ns / NS == pytest.approx(flight.course.lands_s, abs=1.0)
    assert parked.boot_ns / NS == pytest.approx(24.0, abs=parked.sigma_s + 1.0)
    assert parked.known_at_boot_ns / NS < 45.0


@pytest.mark.parametrize("silent_after_s", [0.0, 4.0, 600.0])
def test_an_arrival_counts_as_parked_however_long_it_still_transmits(silent_after_s):
    flight = Flight.arrival("39a1b2", "AFR12AB", PATH, AIR, silent_after_s=silent_after_s)

    events = of(AircraftGroundEvent, hear(flight, 200))

    assert [(each.event, each.stand) for each in events] == [("landed", None), ("on_stand", "T6")]


def test_wind_and_temperature_on_a_long_approach_are_those_it_flew_through():
    flight = Flight.arrival("39a1b2", "AFR12AB", PATH, AIR, lands_s=400.0, parked_by_s=420.0)

    told = of(AircraftWeather, hear(flight, 440))

    assert len(told) >= 30
    assert max(each.altitude_ft for each in told) > 4000
    for each in told:
        true = AIR.at(each.altitude_ft)
        assert each.wind_speed_kt == pytest.approx(true.wind.speed_kt, abs=3.0)
        assert turned(each.wind_direction_deg, true.wind.direction_deg) < 10.0


def test_wind_and_temperature_of_an_overflight_are_those_it_flew_through():
    flight = Flight.overflight(
        "4b1234",
        "SWR8KT",
        moved(HERE, 200.0, 40_000.0),
        AIR,
        true_heading_deg=35.0,
        true_airspeed_kt=450.0,
        altitude_ft=35000.0,
        ends_s=120.0,
    )

    told = of(AircraftWeather, hear(flight, 130))

    assert 12 <= len(told) <= 13
    for each in told:
        assert each.wind_speed_kt == pytest.approx(80.0, abs=3.0)
        assert turned(each.wind_direction_deg, 250.0) < 3.0
        assert each.temperature_c == pytest.approx(-54.0, abs=2.0)


def test_states_are_where_the_aircraft_is():
    flight = Flight.arrival("39a1b2", "AFR12AB", PATH, AIR, lands_s=60.0, parked_by_s=80.0)

    states = of(AircraftState, hear(flight, 100))

    assert 90 <= len(states) <= 101
    for state in states:
        if state.latitude_deg is not None:
            true = flight.course.at(state.boot_ns / NS)
            told = Position(state.latitude_deg, state.longitude_deg)
            assert distance_m(told, true.position) < 60.0
    assert states[-1].callsign == "AFR12AB"
    assert states[-1].squawk == "1000"


def test_frames_come_at_the_rates_of_real_transponders():
    flight = Flight.arrival("39a1b2", "AFR12AB", PATH, AIR, lands_s=100.0, parked_by_s=120.0)
    flying = [downlink_format(each.frame) for each in flight.transmissions(0.0, 100.0)]
    standing = [each.frame for each in flight.transmissions(125.0, 165.0)]

    assert flying.count(17) == pytest.approx(420, abs=4)
    assert flying.count(11) == pytest.approx(100, abs=1)
    assert flying.count(20) + flying.count(21) == pytest.approx(100, abs=1)
    squitters = [frame[4] >> 3 for frame in standing if downlink_format(frame) == 17]
    assert squitters.count(7) == 8
    assert squitters.count(4) == 4
    assert flight.transmissions(165.1, 900.0) == []


def test_transmissions_do_not_depend_on_how_time_is_cut():
    flight = Flight.arrival("39a1b2", "AFR12AB", PATH, AIR)
    whole = flight.transmissions(0.0, 60.0)
    pieces = [
        each for tenth in range(600) for each in flight.transmissions(tenth / 10, (tenth + 1) / 10)
    ]

    assert pieces == whole


def test_a_way_that_does_not_fit_its_time_is_refused():
    with pytest.raises(ValueError, match="too short"):
        Arrival(PATH, AIR, lands_s=0.0, parked_by_s=60.0)
    with pytest.raises(ValueError, match="too fast"):
        Arrival(PATH, AIR, lands_s=0.0, parked_by_s=3.0)


async def test_the_gateways_own_driver_hears_the_simulated_sky():
    server = BeastServer(
        [Flight.arrival("39a1b2", "AFR12AB", PATH, AIR, lands_s=60.0, parked_by_s=80.0)]
    )
    placed = asyncio.get_running_loop().create_future()

    def accept(seen):
        if isinstance(seen, AircraftState) and seen.latitude_deg is not None and not placed.done():
            placed.set_result(seen)

    await server.start()
    driver = BeastReceiver("sky", "127.0.0.1", server.port, AircraftTable(HERE, STANDS))
    hearing = asyncio.create_task(driver.run(accept))
    try:
        async with asyncio.timeout(60):
            state = await placed
    finally:
        hearing.cancel()
        await asyncio.wait([hearing])
        await server.stop()
    assert state.signal_dbfs == pytest.approx(-9.0, abs=0.1)


async def listen(reader, frames):
    buffer = BeastBuffer()
    while received := await reader.read(4096):
        buffer.feed(received)
        frames |= {each.frame for each in buffer.frames()}


async def test_every_client_of_the_receiver_hears_the_same():
    flight = Flight.arrival("39a1b2", "AFR12AB", PATH, AIR)
    server = BeastServer([flight], speed=20.0)
    await server.start()
    try:
        async with asyncio.timeout(60):
            clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
            heard = [set(), set()]  # one may have come later than the other
            listening = [
                asyncio.create_task(listen(reader, frames))
                for (reader, _), frames in zip(clients, heard, strict=True)
            ]
            await until(lambda: len(heard[0] & heard[1]) >= 50)
            for task, (_, writer) in zip(listening, clients, strict=True):
                writer.close()
                await task
    finally:
        await server.stop()
